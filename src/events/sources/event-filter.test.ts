import { expect, test } from 'vitest'
import { sprigFunctions } from '../../lang/gotemplate/sprig/sprig.ts'
import { certificateMaker } from '../../lib/certificates.ts'
import { movableClock } from '../../lib/clock.ts'
import { seededIds } from '../../lib/ids.ts'
import { templateFiller } from '../template.ts'
import { compileEventFilter, sprigFor } from './event-filter.ts'

const table = sprigFunctions({ clock: movableClock(), ids: seededIds(), certificates: certificateMaker })
const sprig = sprigFor(Object.keys(table), templateFiller(table))

const data = JSON.stringify({
  header: { 'X-A': ['1'] },
  body: { severity: 'high', count: '3', name: '  web ', list: [3, 1, 2], big: 5 },
  'dashed-key': { a: 1 },
  metadata: { __proto__: 'x', constructor: 'y' },
})

test.each<{ readonly expression: string; readonly want: boolean | RegExp }>([
  { expression: '', want: true },
  { expression: 'body.severity == "high"', want: true },
  { expression: 'body.severity in ["low", "medium"]', want: false },
  { expression: 'header["X-A"][0] == "1"', want: true },
  { expression: 'dashed_key.a == 1', want: true },
  { expression: 'asInt(body.count) + 1 == 4', want: true },
  { expression: 'asFloat(body.count) / 2 > 1.4', want: true },
  { expression: 'toJson(body.list) == "[3,1,2]"', want: true },
  { expression: 'sprig.trim(body.name) == "web"', want: true },
  { expression: 'sprig.upper(body.severity) == "HIGH"', want: true },
  { expression: 'sprig.contains("ig", body.severity)', want: true },
  { expression: 'sprig.join("-", body.list) == "3-1-2"', want: true },
  { expression: 'sprig.add(1, 2) == 3', want: true },
  { expression: 'sprig.fail("no")', want: /no/ },
  { expression: 'metadata.constructor == "y"', want: true },
  { expression: 'body.severity', want: /is not true or false/ },
  { expression: 'asInt(body.severity)', want: /is not a number/ },
  { expression: 'body.nothing.more == 1', want: /^refused: / },
  { expression: 'jsonpath(toJson(body), "$.a") == 1', want: /jsonpath/ },
  { expression: 'any(1..100000000, {# > 5})', want: /^refused: / },
])('$expression: $want', ({ expression, want }) => {
  const compiled = compileEventFilter(expression, sprig)
  expect(compiled.ok).toBe(true)
  const made = compiled.ok ? compiled.value(data, 0) : compiled
  const said = made.ok ? String(made.value) : `refused: ${made.error[0]?.message}`
  expect(said).toMatch(typeof want === 'boolean' ? String(want) : want)
})

test('data that is no object has no names to ask by', () => {
  const compiled = compileEventFilter('a == 1')
  expect(compiled.ok && compiled.value('[1]', 0)).toMatchObject({ ok: false, error: [{ code: 'event-filter-failed' }] })
})
