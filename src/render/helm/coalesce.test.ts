import { expect, test } from 'vitest'
import { coalesceValues, mergeMaps, type ValuesChart } from './coalesce.ts'
import type { HelmDialect } from './dialect.ts'
import type { Values } from './strvals.ts'

const chart = (name: string, values: Values, dependencies: readonly ValuesChart[] = []): ValuesChart => ({
  name,
  values,
  dependencies,
})
const coalesce = (top: ValuesChart, given: Values, dialect: HelmDialect = 3): Values =>
  coalesceValues(top, given, { merge: false, dialect, warn: () => {} })

test.each<readonly [string, Values, Values, Values]>([
  [
    'given values win, tables are merged, lists replaced',
    { a: 1, t: { x: 1, y: 2 }, l: [1] },
    { t: { y: 3 }, l: [] },
    { a: 1, t: { x: 1, y: 3 }, l: [] },
  ],
  ['a null takes a default away', { a: 1, t: { x: 1 } }, { a: null, t: { x: null } }, { t: {} }],
  ['a null default stays', { a: null }, {}, { a: null }],
  ['a table is not replaced by a default that is none', { a: 1 }, { a: { b: 1 } }, { a: { b: 1 } }],
])('%s', (_name, defaults, given, want) => {
  expect(coalesce(chart('top', defaults), given)).toEqual(want)
})

test('a null that takes nothing away goes with helm 3 and stays with helm 4', () => {
  const top = chart('top', { t: { x: null } })
  expect(coalesce(top, { t: { x: null } }, 3)).toEqual({ t: {} })
  expect(coalesce(top, { t: { x: null } }, 4)).toEqual({ t: { x: null } })
})

test('globals reach every chart below, and what is above wins', () => {
  const leaf = chart('leaf', { global: { a: 'leaf', own: 1 } })
  const top = chart('top', { global: { a: 'top', t: { x: 1 } } }, [chart('mid', { leaf: { v: 1 } }, [leaf])])
  expect(coalesce(top, { mid: { leaf: { v: 2 } } })).toEqual({
    global: { a: 'top', t: { x: 1 } },
    mid: { global: { a: 'top', t: { x: 1 } }, leaf: { v: 2, global: { a: 'top', own: 1, t: { x: 1 } } } },
  })
})

test('defaults and given values are not changed', () => {
  const defaults = { t: { x: 1 } }
  const given = { t: { y: 2 } }
  coalesce(chart('top', defaults), given)
  expect([defaults, given]).toEqual([{ t: { x: 1 } }, { t: { y: 2 } }])
})

test('a value that stands where a chart belongs ends the rendering', () => {
  expect(() => coalesce(chart('top', {}, [chart('db', {})]), { db: 'x' })).toThrow('type mismatch on db: %!t(string=x)')
})

test('between files a null is a value', () => {
  expect(mergeMaps({ a: { x: 1 }, b: 1 }, { a: { x: null }, b: { y: 1 } })).toEqual({ a: { x: null }, b: { y: 1 } })
})
