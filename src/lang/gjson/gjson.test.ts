import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Json } from '../../lib/json.ts'
import { lookUp } from './gjson.ts'
import { setAt } from './sjson.ts'

const people = {
  name: { first: 'Tom', last: 'Anderson' },
  age: 37,
  children: ['Sara', 'Alex', 'Jack'],
  'fav.movie': 'Deer Hunter',
  friends: [
    { first: 'Dale', last: 'Murphy', age: 44, nets: ['ig', 'fb', 'tw'] },
    { first: 'Roger', last: 'Craig', age: 68, nets: ['fb', 'tw'] },
    { first: 'Jane', last: 'Murphy', age: 47, nets: ['ig', 'tw'] },
  ],
  'a*': 1,
  nothing: null,
  text: '{"b":[1,2]}',
}

test.each([
  ['name.last', 'Anderson'],
  ['age', 37],
  ['children.1', 'Alex'],
  ['children.#', 3],
  ['children|#', 3],
  ['children.9', undefined],
  ['child*.2', 'Jack'],
  ['c?ildren.0', 'Sara'],
  [String.raw`fav\.movie`, 'Deer Hunter'],
  [String.raw`a\*`, 1],
  ['nothing', null],
  ['nobody', undefined],
  ['age.deeper', undefined],
  ['friends.#.first', ['Dale', 'Roger', 'Jane']],
  ['friends.#.nobody', []],
  ['friends.#.nets.0', ['ig', 'fb', 'ig']],
  ['friends.#.first|0', 'Dale'],
  ['friends.1.last', 'Craig'],
  ['friends.#(last=="Murphy").first', 'Dale'],
  ['friends.#(last=="Murphy")#.first', ['Dale', 'Jane']],
  ['friends.#(age>45)#.last', ['Craig', 'Murphy']],
  ['friends.#(first%"D*").last', 'Murphy'],
  ['friends.#(first!%"D*").last', 'Craig'],
  ['friends.#(nets.#(=="fb"))#.first', ['Dale', 'Roger']],
  ['friends.#(age<40)', undefined],
  ['friends.#(nobody)#', []],
  ['children.#(%"*a*")#', ['Sara', 'Jack']],
  ['children|@reverse', ['Jack', 'Alex', 'Sara']],
  ['children|@reverse|0', 'Jack'],
  ['name|@keys', ['first', 'last']],
  ['name|@values', ['Tom', 'Anderson']],
  ['text|@fromstr|b.1', 2],
  ['name|@tostr', '{"first":"Tom","last":"Anderson"}'],
  ['{age,"who":name.first}', { age: 37, who: 'Tom' }],
  ['[age,name.first,nobody]', [37, 'Tom']],
  ['friends.#.{first,age}|0', { first: 'Dale', age: 44 }],
  ['!"fixed"', 'fixed'],
  ['@this.age', 37],
  ['@unknown', undefined],
  ['', undefined],
  ['..', undefined],
  ['friends.#(', undefined],
])('%s', (path, want) => {
  expect(lookUp(people, path)).toEqual(want)
})

test('keys that name prototypes are data', () => {
  const value = JSON.parse('{"__proto__":{"x":1}}') as Json
  expect(lookUp(value, '__proto__.x')).toBe(1)
  expect(lookUp(value, 'constructor')).toBeUndefined()
  expect(JSON.stringify(setAt({}, '__proto__.y', 2))).toContain('{"__proto__":{"y":2}}')
})

test('a long path, a hostile pattern and a deep group end', () => {
  const name = 'a'.repeat(5_000)
  expect(lookUp({ [name]: 1 }, `${'*a'.repeat(40)}b`)).toBeUndefined()
  expect(lookUp(people, 'name.'.repeat(10_000))).toBeUndefined()
  expect(lookUp(people, '['.repeat(10_000))).toBeUndefined()
  expect(lookUp(people, `#(${'('.repeat(10_000)}`)).toBeUndefined()
})

test.each([
  [{}, 'a.b', 1, { a: { b: 1 } }],
  [{ a: [1, 2] }, 'a.1', 9, { a: [1, 9] }],
  [{ a: [1, 2] }, 'a.-1', 3, { a: [1, 2, 3] }],
  [{ a: [1] }, 'a.3', 4, { a: [1, null, null, 4] }],
  [{}, 'a.0.b', 1, { a: [{ b: 1 }] }],
  [{}, 'a.:0', 1, { a: { 0: 1 } }],
  [{ a: 5 }, 'a.b', 1, { a: { b: 1 } }],
  [undefined, 'x', 'y', { x: 'y' }],
  [{}, String.raw`a\.b`, 1, { 'a.b': 1 }],
])('%j with %s as %j', (value, path, to, want) => {
  expect(setAt(value as Json, path, to)).toEqual({ ok: true, value: want })
})

test.each(['', 'a.*', 'a.#', 'a|b', '@this'])('nothing can be put at %j', (path) => {
  expect(setAt({}, path, 1)).toMatchObject({ ok: false, error: [{ code: 'gjson-path-invalid' }] })
})

test('a list has no keys and no far ends', () => {
  expect(setAt({ a: [] }, 'a.key', 1).ok).toBe(false)
  expect(setAt({ a: [] }, 'a.99999999', 1).ok).toBe(false)
})

const keys = fc.array(fc.stringMatching(/^[a-z]{1,5}$/), { minLength: 1, maxLength: 5 })

const object = fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), fc.integer())

test('law: what is put at a path is found there', () => {
  fc.assert(
    fc.property(object, keys, fc.jsonValue(), (value, path, to) => {
      const made = setAt(value, path.join('.'), to as Json)
      expect(made.ok && lookUp(made.value, path.join('.'))).toEqual(to)
    }),
  )
})
