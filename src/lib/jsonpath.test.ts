import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compileJsonPath } from './jsonpath.ts'

const document: unknown = JSON.parse(`{
  "spec": {"replicas": 3, "a.b": "dotted", "list": [1, 2, 3, 4], "ref": {"kind": "X"}},
  "status": {"conditions": [{"type": "Ready", "status": "True", "n": 1}, {"type": "Other", "status": "False", "n": 2}]},
  "__proto__": {"x": 1}
}`)

test.each<[string, readonly unknown[]]>([
  ['.spec.replicas', [3]],
  ['{.spec.replicas}', [3]],
  ['{$.spec.replicas}', [3]],
  ['spec.replicas', [3]],
  [".spec['a.b']", ['dotted']],
  ['.spec.a\\.b', ['dotted']],
  ['.spec.list[0]', [1]],
  ['.spec.list[-1]', [4]],
  ['.spec.list[1:3]', [2, 3]],
  ['.spec.list[:2]', [1, 2]],
  ['.spec.list[*]', [1, 2, 3, 4]],
  ['.spec.list[9]', []],
  ['.status.conditions[?(@.type=="Ready")].status', ['True']],
  [".status.conditions[?(@.type == 'Ready')].status", ['True']],
  ['.status.conditions[?(@.n > 1)].type', ['Other']],
  ['.status.conditions[?(@.missing)].type', []],
  ['.status.conditions[?(@.status!="True")].type', ['Other']],
  ['..kind', ['X']],
  ['.status.conditions[*].type', ['Ready', 'Other']],
  ['.missing.deeper', []],
  ['.constructor', []],
  ['.__proto__.x', [1]],
])('%s', (path, want) => {
  const compiled = compileJsonPath(path)
  expect(compiled.ok ? compiled.value(document) : compiled.error).toEqual(want)
})

test.each(['', '{}', '.a[', '.a[x', '.a[?(@.b==)]', '.a[?(@.b=="c"]', '.a b', '.a[?(x=="y")]'])(
  '%j is refused with the reason',
  (path) => {
    const compiled = compileJsonPath(path)
    expect(compiled.ok ? [] : compiled.error).toMatchObject([{ code: 'jsonpath-invalid' }])
  },
)

test('compiling and evaluating never throws', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc
          .array(fc.constantFrom('.', 'a', '[', ']', '*', '?(', '@', ')', '==', '1', '"', ':', '..'))
          .map((parts) => parts.join('')),
      ),
      fc.jsonValue(),
      (path, value) => {
        const compiled = compileJsonPath(path)
        if (compiled.ok) compiled.value(value)
      },
    ),
  )
})
