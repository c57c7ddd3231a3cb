import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { nested } from '../documents.testkit.ts'
import { attempt } from '../refusal.ts'
import { parseFieldsV1, writeFieldsV1 } from './fields-v1.ts'
import { compareElements, fieldElement, keyElement, parseElement, pathText, valueElement } from './path-element.ts'
import { difference, intersection, isSubset, leaves, recursiveDifference, sameSet, setOf, union } from './path-set.ts'
import { pathFromPlain, plainPath } from './plain-path.ts'

const element = fc.oneof(
  fc.constantFrom('a', 'b', 'c', '__proto__', 'constructor', '').map(fieldElement),
  fc.oneof(fc.constantFrom('x', 'y<z', '\u2028', 'ü'), fc.integer({ min: 0, max: 2 }), fc.boolean()).map(valueElement),
  fc
    .record({ name: fc.constantFrom('x', '"', 'y'), port: fc.constantFrom(1, 2.5) }, { requiredKeys: ['name'] })
    .map((key) => keyElement(['name', 'port'], (name) => (key as Record<string, unknown>)[name])),
  fc.nat(2).map((index) => `i:${index}`),
)
const path = fc.array(element, { minLength: 1, maxLength: 4 })
const set = fc.array(path, { maxLength: 8 }).map(setOf)
const texts = (of: ReturnType<typeof setOf>): readonly string[] =>
  [...of.paths()].map((found) => found.join('\n')).toSorted()

describe('the algebra of path sets', () => {
  test('union, intersection and difference are those of the sets of paths', () => {
    fc.assert(
      fc.property(set, set, (a, b) => {
        const [left, right] = [new Set(texts(a)), new Set(texts(b))]
        expect(texts(union(a, b))).toEqual([...new Set([...left, ...right])].toSorted())
        expect(texts(intersection(a, b))).toEqual([...left].filter((one) => right.has(one)))
        expect(texts(difference(a, b))).toEqual([...left].filter((one) => !right.has(one)))
        expect(isSubset(a, b)).toBe([...left].every((one) => right.has(one)))
      }),
    )
  })

  test('a recursive difference also removes what is below', () => {
    fc.assert(
      fc.property(set, set, (a, b) => {
        const gone = [...b.paths()]
        const kept = [...a.paths()].filter(
          (one) => !gone.some((other) => other.every((part, index) => one[index] === part)),
        )
        expect(texts(recursiveDifference(a, b))).toEqual(kept.map((one) => one.join('\n')).toSorted())
      }),
    )
  })

  test('leaves are the paths that begin no other', () => {
    fc.assert(
      fc.property(set, (a) => {
        const all = [...a.paths()]
        const kept = all.filter(
          (one) => !all.some((other) => other.length > one.length && one.every((part, index) => other[index] === part)),
        )
        expect(texts(leaves(a))).toEqual(kept.map((one) => one.join('\n')).toSorted())
      }),
    )
  })

  test('a set that an operation does not change is answered itself', () => {
    fc.assert(
      fc.property(set, set, (a, b) => {
        expect(union(a, intersection(a, b))).toBe(a)
        expect(difference(difference(a, b), b)).toStrictEqual(difference(a, b))
        expect(sameSet(union(difference(a, b), intersection(a, b)), a)).toBe(true)
      }),
    )
  })
})

describe('FieldsV1', () => {
  test('comes back as the same set', () => {
    fc.assert(
      fc.property(set, (a) => {
        const wire = JSON.parse(JSON.stringify(writeFieldsV1(a))) as Record<string, unknown>
        expect(sameSet(parseFieldsV1(wire), a)).toBe(true)
      }),
    )
  })

  test('lists fields before keys before values, each in order, and says which parents are members', () => {
    const fields = writeFieldsV1(
      setOf([
        ['f:spec', 'f:ports', 'k:{"port":80,"protocol":"TCP"}', 'f:port'],
        ['f:spec', 'f:ports', 'k:{"port":80,"protocol":"TCP"}'],
        ['f:spec', 'f:ports', 'k:{"port":9,"protocol":"TCP"}'],
        ['f:metadata', 'f:finalizers', 'v:"b"'],
        ['f:metadata', 'f:finalizers', 'v:"a"'],
        ['f:metadata', 'f:labels'],
        ['f:metadata', 'f:labels', 'f:app'],
      ]),
    )
    expect(JSON.stringify(fields)).toBe(
      '{"f:metadata":{"f:finalizers":{"v:\\"a\\"":{},"v:\\"b\\"":{}},"f:labels":{".":{},"f:app":{}}},' +
        '"f:spec":{"f:ports":{"k:{\\"port\\":9,\\"protocol\\":\\"TCP\\"}":{},' +
        '"k:{\\"port\\":80,\\"protocol\\":\\"TCP\\"}":{".":{},"f:port":{}}}}}',
    )
  })

  test.each([
    ['k:{"b":1,"a":"x"}', 'k:{"a":"x","b":1}'],
    ['v: "a<b"', 'v:"a\\u003cb"'],
    ['i:07', 'i:7'],
  ])('%s is read as %s', (text, want) => {
    expect(parseElement(text)).toEqual({ element: want })
  })

  test.each([['x'], ['v:{'], ['k:[]'], ['i:x']])('%s is refused', (text) => {
    expect(parseElement(text)).toHaveProperty('error')
    expect(attempt(() => parseFieldsV1({ [text]: {} }))).toMatchObject({
      ok: false,
      error: [{ code: 'managed-fields-invalid' }],
    })
  })

  test('drops elements of kinds that are not known yet', () => {
    expect(parseFieldsV1({ 'z:new': {}, 'f:a': {} }).size).toBe(1)
  })

  test('of 100,000 levels is refused', () => {
    expect(attempt(() => parseFieldsV1(nested(100_000, 'f:a')))).toMatchObject({
      ok: false,
      error: [{ code: 'document-too-deep' }],
    })
  })
})

test('elements of numbers sort by value, texts by their bytes', () => {
  expect(['v:10', 'v:9', 'v:"b"', 'v:"a"', 'v:true'].toSorted(compareElements)).toEqual([
    'v:9',
    'v:10',
    'v:"a"',
    'v:"b"',
    'v:true',
  ])
  expect(['f:\u{1f600}', 'f:\uffee'].toSorted(compareElements)).toEqual(['f:\uffee', 'f:\u{1f600}'])
})

test('paths are written as Kubernetes writes them', () => {
  expect(pathText(['f:spec', 'f:containers', 'k:{"name":"x"}', 'f:image'])).toBe('.spec.containers[name="x"].image')
  expect(pathText(['f:a', 'v:1', 'i:0'])).toBe('.a[=1][0]')
})

test('plain paths are read as they are written', () => {
  fc.assert(
    fc.property(path, (one) => {
      expect(pathFromPlain(JSON.parse(JSON.stringify(plainPath(one))) as unknown[])).toEqual(one)
    }),
  )
})
