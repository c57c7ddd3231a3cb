import fc from 'fast-check'
import { expect, test } from 'vitest'
import { advance, type Held } from './advance.ts'
import type { CompiledTrigger } from './compile-trigger.ts'
import { compiledTestSensor, loggedTestEvent } from './sensor.testkit.ts'

function triggerOf(template: object, more: object = {}): CompiledTrigger {
  const spec = { triggers: [{ template: { name: 'tell', log: {}, ...template } }], ...more }
  const [trigger] = compiledTestSensor(spec).triggers
  if (!trigger) throw new Error('no trigger')
  return trigger
}

/** What fires when events of these names arrive one after the other: the ids of the events, by dependency. */
function firings(trigger: CompiledTrigger, names: readonly string[], everyMs = 1_000): readonly string[] {
  let held: Held = new Map()
  return names.flatMap((name, at) => {
    const logged = loggedTestEvent(name, at + 1, {}, Date.UTC(2026, 0, 1, 11, 59) + at * everyMs)
    const made = advance(trigger, held, logged)
    held = made.held
    return made.steps.flatMap(({ firing }) =>
      firing ? [[...firing.events].map(([dependency, { context }]) => `${dependency}=${context.id}`).join(' ')] : [],
    )
  })
}

test.each<readonly [string, object, readonly string[], readonly string[]]>([
  ['both are needed', {}, ['a', 'b'], ['a=e1 b=e2']],
  ['one is not enough', {}, ['a', 'a'], []],
  ['the newest takes the place of the one before', {}, ['a', 'a', 'b'], ['a=e2 b=e3']],
  ['what has fired is not held any more', {}, ['a', 'b', 'b', 'a'], ['a=e1 b=e2', 'b=e3 a=e4']],
  ['either is enough, alone', { conditions: 'a || b' }, ['a', 'b'], ['a=e1', 'b=e2']],
  ['what is held goes along', { conditions: 'a && b || a' }, ['b', 'a'], ['b=e1 a=e2']],
  ['an event of another dependency does not count', { conditions: 'a' }, ['b', 'a'], ['a=e2']],
  ['an absence', { conditions: 'a && !b' }, ['a', 'b', 'a'], ['a=e1']],
  ['a stranger', {}, ['c', 'constructor'], []],
])('%s', (_, template, names, want) => {
  expect(firings(triggerOf(template), names)).toEqual(want)
})

test('events from before a reset are let go', () => {
  const template = { conditionsReset: [{ byTime: { cron: '0 12 * * *', timezone: 'UTC' } }] }
  expect(firings(triggerOf(template), ['a', 'b'], 30_000)).toEqual(['a=e1 b=e2'])
  // At noon, with the second event, the first is forgotten.
  expect(firings(triggerOf(template), ['a', 'b', 'a'], 60_000)).toEqual(['b=e2 a=e3'])
})

test('two dependencies on the same event each have their turn', () => {
  const dependencies = ['x', 'y'].map((name) => ({ name, eventSourceName: 'w*', eventName: '?' }))
  expect(firings(triggerOf({ conditions: 'x || y' }, { dependencies }), ['a'])).toEqual(['x=e1', 'y=e1'])
  expect(firings(triggerOf({}, { dependencies }), ['a'])).toEqual(['x=e1 y=e1'])
})

test('a transform comes before the filters, and what it makes goes on', () => {
  const dependencies = [
    {
      name: 'a',
      eventSourceName: 'web',
      eventName: 'a',
      transform: { jq: '{sum: (.x + 1)}' },
      filters: { data: [{ path: 'sum', type: 'number', value: ['2'] }] },
    },
  ]
  const trigger = triggerOf({}, { dependencies })
  const [step] = advance(trigger, new Map(), loggedTestEvent('a', 1, { x: 1 })).steps
  expect(step?.firing?.events.get('a')).toMatchObject({ data: '{"sum":2}', context: { id: 'e1' } })
  const [other] = advance(trigger, new Map(), loggedTestEvent('a', 2, { x: 2 })).steps
  expect(other).toMatchObject({ does: 'pass-over', verdict: { checks: [{ at: 'sum', because: '3 is not = 2' }] } })
})

test.each([
  ['jq', { jq: '.x' }, 'its first output must be a JSON object'],
  ['jq that fails', { jq: '.x + {}' }, 'cannot be added'],
  ['Lua', { script: 'return 1' }, 'it must return a table'],
  ['Lua that fails', { script: 'return event.y.z' }, 'attempt to index a nil value'],
])('an event that %s cannot transform does not pass, and says why', (_, transform, message) => {
  const trigger = triggerOf({}, { dependencies: [{ name: 'a', eventSourceName: 'web', eventName: 'a', transform }] })
  const [step] = advance(trigger, new Map(), loggedTestEvent('a', 1, { x: 1 })).steps
  expect(step?.does).toBe('pass-over')
  expect(step?.because).toContain(message)
})

test('the same events have the same id, whoever held them, and others another', () => {
  const trigger = triggerOf({ conditions: 'a || b' })
  const idOf = (name: string, seq: number): string | undefined =>
    advance(trigger, new Map(), loggedTestEvent(name, seq)).steps[0]?.firing?.fireId
  expect(idOf('a', 1)).toMatch(/^[a-z0-9]{32}$/)
  expect(idOf('a', 1)).toBe(idOf('a', 1))
  expect(new Set([idOf('a', 1), idOf('a', 2), idOf('b', 1)]).size).toBe(3)
})

test('law: with all dependencies needed, every firing takes the newest of each since the last, and nothing fires twice', () => {
  const trigger = triggerOf({})
  fc.assert(
    fc.property(fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 40 }), (names) => {
      const want: string[] = []
      let [a, b] = ['', '']
      names.forEach((name, at) => {
        if (name === 'a') a = `e${at + 1}`
        if (name === 'b') b = `e${at + 1}`
        if (a === '' || b === '') return
        want.push([a, b].toSorted().join(' '))
        ;[a, b] = ['', '']
      })
      const got = firings(trigger, names).map((one) => one.replaceAll(/[ab]=/g, '').split(' ').toSorted().join(' '))
      expect(got).toEqual(want)
    }),
  )
})
