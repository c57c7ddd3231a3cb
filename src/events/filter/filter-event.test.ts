import { expect, test } from 'vitest'
import { sprigFunctions } from '../../lang/gotemplate/sprig/sprig.ts'
import { certificateMaker } from '../../lib/certificates.ts'
import { movableClock } from '../../lib/clock.ts'
import { seededIds } from '../../lib/ids.ts'
import type { SensorEvent } from '../event.ts'
import { templateFiller } from '../template.ts'
import { type EventFilter, filterEvent, filterTime } from './filter-event.ts'

const fill = templateFiller(sprigFunctions({ clock: movableClock(), ids: seededIds(), certificates: certificateMaker }))
const event: SensorEvent = {
  context: { type: 'webhook', source: 'github', time: '2026-03-01T12:00:00Z' },
  data: JSON.stringify({
    action: 'opened',
    count: 3,
    draft: false,
    pull: { labels: [{ name: 'bug' }] },
    url: 'https://x/9',
  }),
}
const data = (path: string, type: string, value: readonly string[], more: object = {}): EventFilter => ({
  data: [{ path, type, value, ...more }],
})

test.each<readonly [string, EventFilter, boolean]>([
  ['a text that matches', data('action', 'string', ['^open']), true],
  ['one of several texts', data('action', 'string', ['closed', 'opened']), true],
  ['a text that must not match', data('action', 'string', ['opened'], { comparator: '!=' }), false],
  ['a number that is large enough', data('count', 'number', ['3'], { comparator: '>=' }), true],
  ['a number that is too small', data('count', 'number', ['3'], { comparator: '>' }), false],
  ['a truth', data('draft', 'bool', ['false']), true],
  ['a path with a query', data('pull.labels.#(name=="bug").name', 'string', ['bug']), true],
  ['a template', data('url', 'string', ['^9$'], { template: '{{ .Input | base }}' }), true],
  [
    'an expression',
    {
      exprs: [
        {
          expr: 'a == "opened" && n > 2',
          fields: [
            { name: 'a', path: 'action' },
            { name: 'n', path: 'count' },
          ],
        },
      ],
    },
    true,
  ],
  ['attributes', { context: { type: 'webhook', source: 'github' } }, true],
  ['other attributes', { context: { type: 'calendar' } }, false],
  ['a script', { script: 'return event.action == "opened" and #event.pull.labels == 1' }, true],
  ['a script that returns no truth', { script: 'return event.count' }, false],
  ['nothing', {}, true],
])('%s', (_, filter, passes) => {
  expect(filterEvent(filter, 'and', event, fill)).toMatchObject({ passes })
})

test.each<readonly [string, EventFilter, string]>([
  ['a path that leads nowhere', data('nobody', 'string', ['x']), "path 'nobody' does not exist"],
  ['no values', data('action', 'string', []), 'no values are given'],
  ['an unknown type', data('action', 'date', ['x']), "type 'date' of 'action' is not one of"],
  ['a number that is none', data('count', 'number', ['many']), '"many" is not a number'],
  ['a truth that is none', data('draft', 'bool', ['perhaps']), '"perhaps" is not true or false'],
  ['a pattern that is none', data('action', 'string', ['(']), 'cannot compile the pattern'],
  [
    'a template that makes nothing',
    data('action', 'string', ['x'], { template: '{{ if false }}x{{ end }}' }),
    'evaluated to an empty text',
  ],
  [
    'an expression that is none',
    { exprs: [{ expr: 'a ==', fields: [{ name: 'a', path: 'action' }] }] },
    'is no expression',
  ],
  ['a script that fails', { script: 'return event.nobody.x' }, 'attempt to index a nil value'],
  ['a script that never ends', { script: 'while true do end' }, 'was stopped'],
  ['a time of the day that is none', { time: { start: '9 am', stop: '17:00:00' } }, '"9 am" is not a time of the day'],
])('%s is told, and nothing passes', (_, filter, message) => {
  const verdict = filterEvent(filter, 'and', event, fill)
  expect(verdict.passes).toBe(false)
  expect(verdict.problem?.message).toContain(message)
})

test('what was compared is told', () => {
  const filter = { ...data('count', 'number', ['5', '7']), context: { source: 'gitlab' } }
  expect(filterEvent(filter, 'and', event, fill).checks).toEqual([
    { filter: 'data', at: 'count', passes: false, because: '3 is not = 5 or 7' },
    { filter: 'context', at: 'source', passes: false, because: '"github" is not "gitlab"' },
  ])
})

test('with or one part is enough, and a part that cannot be evaluated is told all the same', () => {
  const filter = { ...data('nobody', 'string', ['x']), context: { source: 'github' } }
  expect(filterEvent(filter, 'and', event, fill).passes).toBe(false)
  expect(filterEvent(filter, 'or', event, fill)).toMatchObject({
    passes: true,
    problem: { message: "data filter: path 'nobody' does not exist" },
  })
  expect(filterEvent({ context: { source: 'gitlab' } }, 'or', event, fill).passes).toBe(false)
})

test.each([
  ['09:00:00', '17:00:00', '', '2026-03-01T09:00:00Z', true],
  ['09:00:00', '17:00:00', '', '2026-03-01T17:00:00Z', false],
  ['22:00:00', '06:00:00', '', '2026-03-01T23:00:00Z', true],
  ['22:00:00', '06:00:00', '', '2026-03-01T05:59:59Z', true],
  ['22:00:00', '06:00:00', '', '2026-03-01T12:00:00Z', false],
  // Summer begins in Berlin on the 29th: the same hour of the clock is another one in UTC.
  ['09:00:00', '10:00:00', 'Europe/Berlin', '2026-03-28T08:30:00Z', true],
  ['09:00:00', '10:00:00', 'Europe/Berlin', '2026-03-29T08:30:00Z', false],
  ['09:00:00', '10:00:00', 'Europe/Berlin', '2026-03-29T07:30:00Z', true],
])('from %s to %s %s: %s', (start, stop, timezone, time, passes) => {
  expect(filterTime({ start, stop, timezone }, time).passes).toBe(passes)
})
