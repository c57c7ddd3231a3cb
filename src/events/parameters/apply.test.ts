import { expect, test } from 'vitest'
import { sprigFunctions } from '../../lang/gotemplate/sprig/sprig.ts'
import { certificateMaker } from '../../lib/certificates.ts'
import { movableClock } from '../../lib/clock.ts'
import { seededIds } from '../../lib/ids.ts'
import type { SensorEvent } from '../event.ts'
import { templateFiller } from '../template.ts'
import { applyParameters, type TriggerParameter } from './apply.ts'

const fill = templateFiller(sprigFunctions({ clock: movableClock(), ids: seededIds(), certificates: certificateMaker }))
const json: SensorEvent = {
  context: { id: 'e1', type: 'webhook', datacontenttype: 'application/json' },
  data: '{"app":"web","count":2,"labels":["a","b"],"nothing":null}',
}
const yaml: SensorEvent = { context: { datacontenttype: 'application/yaml' }, data: 'app: web\n' }
const text: SensorEvent = { context: { datacontenttype: 'text/plain' }, data: 'app' }
const events = new Map([
  ['push', json],
  ['other', yaml],
  ['plain', text],
])

const from = (src: object, more: object = {}): TriggerParameter => ({
  src: { dependencyName: 'push', ...src },
  dest: 'to',
  ...more,
})

test.each<readonly [string, TriggerParameter, unknown]>([
  ['a key of the data', from({ dataKey: 'app' }), 'web'],
  ['a number as a text', from({ dataKey: 'count' }), '2'],
  ['a number as a number', from({ dataKey: 'count', useRawData: true }), 2],
  ['a block as a text', from({ dataKey: 'labels' }), '["a","b"]'],
  ['a block as a block', from({ dataKey: 'labels', useRawData: true }), ['a', 'b']],
  ['an attribute', from({ contextKey: 'id' }), 'e1'],
  ['a template', from({ dataTemplate: '{{ .Input.app | upper }}-{{ .Input.count }}' }), 'WEB-2'],
  ['a template that fails, then its key', from({ dataTemplate: '{{ .Input.app.no }}', dataKey: 'app' }), 'web'],
  ['what is given instead', from({ dataKey: 'nobody', value: 'default' }), 'default'],
  ['what is given for an event that is not there', from({ dependencyName: 'absent', value: 'default' }), 'default'],
  ['YAML', from({ dependencyName: 'other', dataKey: 'app' }), 'web'],
  ['in front of what is there', from({ dataKey: 'app' }, { operation: 'prepend' }), 'webhere'],
  ['behind what is there', from({ dataKey: 'app' }, { operation: 'append' }), 'hereweb'],
])('%s', (_, parameter, want) => {
  expect(applyParameters({ to: 'here' }, [parameter], events, fill)).toEqual({ ok: true, value: { to: want } })
})

test('a dependency without an event leaves the document alone', () => {
  expect(applyParameters({ a: 1 }, [from({ dependencyName: 'absent', dataKey: 'x' })], events, fill)).toEqual({
    ok: true,
    value: { a: 1 },
  })
})

test.each<readonly [string, TriggerParameter, string]>([
  ['nothing at a key', from({ dataKey: 'nobody' }), 'nothing is at "nobody"; give a value'],
  ['a template that makes nothing', from({ dataTemplate: '{{ .Input.nobody }}' }), 'makes nothing'],
  ['data of another type', from({ dependencyName: 'plain', dataKey: 'x' }), 'use JSON or YAML'],
  [
    'an operation that there is not',
    from({ dataKey: 'app' }, { operation: 'add' }),
    'use overwrite, append or prepend',
  ],
  ['a place that cannot be written', from({ dataKey: 'app' }, { dest: 'a.#.b' }), 'a path to write to'],
])('%s is told', (_, parameter, message) => {
  const made = applyParameters({ to: 'here' }, [parameter], events, fill)
  expect(made.ok ? '' : made.error[0]?.message).toContain(message)
})

test('the whole event, where nothing is chosen', () => {
  const made = applyParameters({}, [from({})], events, fill)
  const { to } = (made.ok ? made.value : {}) as { readonly to: string }
  expect(JSON.parse(to)).toMatchObject({ context: { id: 'e1' }, data: Buffer.from(json.data ?? '').toString('base64') })
})
