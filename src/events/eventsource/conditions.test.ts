import { expect, test } from 'vitest'
import type { Condition } from '../../kube/condition.ts'
import { conditionsOf, nextConditions, type Seen } from './conditions.ts'

const good: Seen = {
  judgement: { problems: [], warnings: [] },
  bus: 'ready',
  busName: 'default',
  unsupported: [],
  troubles: [],
}
const textOf = ({ type, status, reason = '', message = '' }: Condition): string =>
  `${type}=${status} ${reason}: ${message}`
const problem = (at: string, message: string) => ({ code: 'event-source-invalid', at, message })

test.each<{ readonly name: string; readonly seen: Partial<Seen>; readonly want: readonly string[] }>([
  { name: 'all is well', seen: {}, want: ['Deployed=True : ', 'SourcesProvided=True : '] },
  {
    name: 'something is not used',
    seen: { judgement: { problems: [], warnings: ['spec.replicas: is not used'] } },
    want: ['Deployed=True : spec.replicas: is not used', 'SourcesProvided=True : '],
  },
  {
    name: 'the spec is wrong in two places',
    seen: {
      judgement: { problems: [problem('spec.b', 'two'), problem('spec.a', 'one')], warnings: [] },
      bus: 'missing',
    },
    want: ['Deployed=Unknown : ', 'SourcesProvided=False InvalidEventSource: spec.a: one; spec.b: two'],
  },
  {
    name: 'there is no bus',
    seen: { bus: 'missing' },
    want: [
      'Deployed=False EventBusNotFound: EventBus not found: there is no EventBus "default" in the namespace.',
      'SourcesProvided=True : ',
    ],
  },
  {
    name: 'the bus is not ready',
    seen: { bus: 'not-ready' },
    want: ['Deployed=False EventBusNotReady: EventBus not ready.', 'SourcesProvided=True : '],
  },
  {
    name: 'the Service is refused',
    seen: { service: 'cannot write Service', troubles: ['x'] },
    want: ['Deployed=False CreateServiceFailed: cannot write Service', 'SourcesProvided=True : '],
  },
  {
    name: 'sources fail, in an order that stays',
    seen: { troubles: ['webhook/b: two', 'webhook/a: one'], unsupported: ['sqs/c'] },
    want: ['Deployed=False SourceFailed: webhook/a: one; webhook/b: two', 'SourcesProvided=True : '],
  },
  {
    name: 'kinds are not run',
    seen: { unsupported: ['sqs/b', 'sqs/a'] },
    want: ['Deployed=False UnsupportedEventSource: not run by this platform: sqs/a; sqs/b', 'SourcesProvided=True : '],
  },
  {
    name: 'hooks are registered',
    seen: { hooks: [] },
    want: ['Deployed=True : ', 'SourcesProvided=True : ', 'WebhooksRegistered=True : '],
  },
  {
    name: 'hooks are refused',
    seen: { hooks: ['github/a: 401'] },
    want: ['Deployed=True : ', 'SourcesProvided=True : ', 'WebhooksRegistered=False RegistrationFailed: github/a: 401'],
  },
  {
    name: 'everything has only begun',
    seen: { hooks: [], starting: ['resource/a'], areHooksStarting: true },
    want: [
      'Deployed=Unknown Starting: has only begun: resource/a',
      'SourcesProvided=True : ',
      'WebhooksRegistered=Unknown Starting: hooks are being registered',
    ],
  },
])('$name', ({ seen, want }) => {
  expect(conditionsOf({ ...good, ...seen }).map(textOf)).toEqual(want)
})

test('what was said before holds while sources begin again, and the very same list says that nothing is new', () => {
  const before = nextConditions(undefined, conditionsOf({ ...good, hooks: [] }), 1_000)
  const beginning = conditionsOf({ ...good, hooks: [], starting: ['file/a'], areHooksStarting: true })
  expect(nextConditions(before, beginning, 2_000)).toBe(before)
  const red = nextConditions(before, conditionsOf({ ...good, troubles: ['x'] }), 3_000)
  expect(red.map(textOf)).toEqual(['Deployed=False SourceFailed: x', 'SourcesProvided=True : '])
  expect(nextConditions(red, beginning, 4_000).map(textOf)[0]).toBe('Deployed=Unknown Starting: has only begun: file/a')
})

test('a message is never longer than can be read', () => {
  const troubles = Array.from({ length: 500 }, (_, index) => `webhook/${index}: there is no Secret`)
  expect(conditionsOf({ ...good, troubles })[0]?.message?.length).toBe(1_000)
})
