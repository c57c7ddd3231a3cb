import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formatFloat } from '../../lib/go-float.ts'
import { bytesOf, quoteString, settleBytes, stringOf, unquoteString } from '../../lib/go-string.ts'
import type { Problem, Result } from '../../lib/result.ts'
import { runFn } from './function.ts'
import type { Run } from './run.ts'
import { execute, type ExecuteOptions, parseTemplates } from './template-set.ts'
import { failWith, type Failure } from './value.ts'

/** Templates with the answers that Go gave for them. */
interface Golden {
  readonly values: readonly unknown[]
  readonly cases: readonly {
    readonly template: string
    readonly values: number
    readonly missingkey?: 'default' | 'zero' | 'error'
    readonly output?: string
    readonly error?: string
  }[]
}

const golden = JSON.parse(readFileSync(join(import.meta.dirname, 'testdata', 'text.json'), 'utf8')) as Golden

function render(text: string, data: unknown, options: ExecuteOptions = {}): Result<string> {
  const set = parseTemplates([{ name: 'T', text }], {})
  return set.ok ? execute(set.value, 'T', data, options) : set
}

const firstProblem = (result: Result<string>): Problem => {
  if (result.ok) throw new Error(`expected a problem, got ${JSON.stringify(result.value)}`)
  return result.error[0]!
}

test('prints and fails as Go does', () => {
  const wrong = golden.cases.flatMap((each) => {
    const result = render(each.template, golden.values[each.values], { missingKey: each.missingkey ?? 'default' })
    const got = result.ok ? result.value : result.error[0]!.message
    const want = each.output ?? each.error
    return got === want ? [] : [{ template: each.template, got, want }]
  })
  expect(wrong).toEqual([])
  expect(golden.cases.length).toBeGreaterThan(200)
})

const include = runFn(['string', 'any'], (run: Run, name, data): string | Failure => run.include(name, data))
const tpl = runFn(['string', 'any'], (run: Run, text, data): string | Failure => run.renderText('inner', text, data))
const context = runFn([], (run: Run) => run.context)
const fails = runFn(['string'], (_run: Run, message) => failWith(message))
const hostFunctions = { include, tpl, context, fails }

function renderSet(files: Readonly<Record<string, string>>, data: unknown, options: ExecuteOptions = {}): string {
  const set = parseTemplates(
    Object.entries(files).map(([name, text]) => ({ name, text })),
    hostFunctions,
  )
  if (!set.ok) return set.error[0]!.message
  const result = execute(set.value, 'main', data, options)
  return result.ok ? result.value : result.error[0]!.message
}

test('a host function executes another template into a string', () => {
  expect(
    renderSet({ main: '[{{ include "x" .a | printf "%5s" }}]', more: '{{ define "x" }}<{{ . }}>{{ end }}' }, { a: 1 }),
  ).toBe('[  <1>]')
})

test('an error inside an included template is told with both places', () => {
  expect(
    renderSet(
      { main: 'a\n{{ include "x" . }}', more: '\n\n{{ define "x" }}{{ .a.b.c }}{{ end }}' },
      { a: { b: null } },
    ),
  ).toBe(
    'template: main:2:3: executing "main" at <include "x" .>: error calling include: template: more:3:21: executing "x" at <.a.b.c>: nil pointer evaluating interface {}.c',
  )
})

test('text compiled while running sees the set, and its definitions stay inside', () => {
  expect(
    renderSet(
      {
        main: `{{ tpl "{{ define \\"y\\" }}Y{{ end }}{{ template \\"y\\" }}{{ include \\"x\\" . }}" . }}{{ template "y" }}`,
        more: '{{ define "x" }}X{{ end }}{{ define "y" }}outer{{ end }}',
      },
      {},
    ),
  ).toBe('YXouter')
})

test('text that does not parse fails the call that compiled it', () => {
  expect(renderSet({ main: '{{ tpl "{{ if }}" . }}' }, {})).toMatch(
    /error calling tpl: template: inner:1: missing value for if/,
  )
})

test('a host function reads what the host handed in', () => {
  expect(renderSet({ main: '{{ context }}{{ (context) }}' }, {}, { context: 'C' })).toBe('CC')
})

test('a function that fails names its call', () => {
  expect(renderSet({ main: '{{ fails "no" }}' }, {})).toBe(
    'template: main:1:3: executing "main" at <fails "no">: error calling fails: no',
  )
})

test('a later file replaces a definition, but not by nothing', () => {
  expect(
    renderSet(
      {
        main: '{{ template "x" }}',
        a: '{{ define "x" }}1{{ end }}',
        b: '{{ define "x" }}2{{ end }}',
        c: '{{ define "x" }} {{ end }}',
      },
      {},
    ),
  ).toBe('2')
})

test.each([
  [
    'a template that calls itself',
    '{{ define "r" }}{{ template "r" }}{{ end }}{{ template "r" }}',
    /maximum template depth/,
  ],
  ['a loop over a large count', '{{ range 1000000000 }}{{ end }}', /more than \d+ steps/],
  ['nested loops', '{{ range 100000 }}{{ range 100000 }}{{ end }}{{ end }}', /more than \d+ steps/],
  [
    'a string that doubles',
    '{{ $x := "x" }}{{ range 60 }}{{ $x = print $x $x }}{{ end }}{{ $x }}',
    /longer than|steps/,
  ],
  ['output that goes on', '{{ $x := printf "%1000000d" 1 }}{{ range 1000 }}{{ $x }}{{ end }}', /output is longer than/],
  ['parentheses without end', `{{ ${'('.repeat(100_000)}1${')'.repeat(100_000)} }}`, /depth exceeded/],
  ['ifs without end', '{{ if 1 }}'.repeat(100_000), /depth exceeded/],
  ['else ifs without end', `{{ if 0 }}${'{{ else if 0 }}'.repeat(100_000)}{{ end }}`, /depth exceeded/],
  ['a chain of fields without end', `{{ .a${'.a'.repeat(100_000)} }}`, /^<no value>$/],
])('%s ends with a clear answer', (_name, text, want) => {
  const result = render(text, {})
  expect(result.ok ? result.value : result.error[0]!.message).toMatch(want)
})

test('a value nested without end is refused when it is printed', () => {
  let deep: unknown = 'x'
  for (let depth = 0; depth < 100_000; depth++) deep = [deep]
  expect(firstProblem(render('{{ . }}', deep))).toMatchObject({ code: 'template-limit' })
})

test('keys that are names of prototypes are ordinary keys', () => {
  const data = JSON.parse('{"__proto__": {"x": "own"}, "constructor": "c"}') as unknown
  expect(render('{{ .constructor }} {{ .__proto__.x }} {{ .toString }} {{ . }}', data)).toEqual({
    ok: true,
    value: 'c own <no value> map[__proto__:map[x:own] constructor:c]',
  })
})

test('problems carry the place', () => {
  expect(firstProblem(render('a\n  {{ .a.b.c }}', { a: { b: null } }))).toMatchObject({
    code: 'template-execute',
    at: 'T:2:7',
  })
  expect(firstProblem(render('{{ if }}', {}))).toMatchObject({ code: 'template-parse', at: 'T' })
})

const plainText = fc.string({ unit: fc.constantFrom('a', ' ', '\n', '\t', '-', '}', 'é', '\r') })

test('a trim marker takes exactly the white space beside it', () => {
  fc.assert(
    fc.property(plainText, plainText, fc.boolean(), fc.boolean(), (before, after, left, right) => {
      const text = `${before}{{${left ? '- ' : ''}"x"${right ? ' -' : ''}}}${after}`
      const want = `${left ? before.replace(/[ \t\r\n]+$/, '') : before}x${right ? after.replace(/^[ \t\r\n]+/, '') : after}`
      expect(render(text, {})).toEqual({ ok: true, value: want })
    }),
  )
})

test('text without actions is printed as it is', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      fc.pre(!text.includes('{{'))
      expect(render(text, {})).toEqual({ ok: true, value: text })
    }),
  )
})

test('a quoted string is read back as the same string', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(unquoteString(quoteString(text))).toBe(text)
      expect(render('{{ printf "%q" . }}', text)).toEqual({ ok: true, value: quoteString(text) })
    }),
  )
})

test('bytes that are no text survive as they are', () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.uint8Array(), (a, b) => {
      expect([...bytesOf(stringOf(a))]).toEqual([...a])
      expect([...bytesOf(settleBytes(stringOf(a) + stringOf(b)))]).toEqual([...a, ...b])
    }),
  )
})

test('a printed float reads back as the same number, in every notation', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      for (const verb of ['e', 'f', 'g']) expect(Number(formatFloat(value, verb, -1))).toBe(value)
      expect(Number(formatFloat(value, 'e', 20))).toBe(value)
    }),
  )
})

test('a float with a fixed number of places is the nearest one, halves to even', () => {
  expect([0.5, 1.5, 2.5, -0.5, 1e21, 0.05].map((value) => formatFloat(value, 'f', 0))).toEqual([
    '0',
    '2',
    '2',
    '-0',
    '1000000000000000000000',
    '0',
  ])
  expect(formatFloat(1.005, 'f', 2)).toBe('1.00')
  expect(formatFloat(0.000001234, 'g', 2)).toBe('1.2e-06')
})
