import { describe, expect, test } from 'vitest'
import type { KubeObject } from '../../kube/object.ts'
import { certificateMaker } from '../../lib/certificates.ts'
import { movableClock } from '../../lib/clock.ts'
import { seededIds } from '../../lib/ids.ts'
import { readNotifications } from './config.ts'
import { deliver } from './deliver.ts'
import { fullName, httpsUrl } from './environment.ts'
import { isRefreshed, notificationFunctions, planNotifications, type NotificationPlan } from './plan.ts'
import { readState, writeState } from './state.ts'
import { destinationsOf } from './subscriptions.ts'

const functions = notificationFunctions({ clock: { now: () => 0 }, ids: seededIds(1), certificates: certificateMaker })
const NOW = Date.UTC(2026, 0, 1, 12)

const data = {
  context: 'portal: https://portal.example.com',
  'service.webhook.chat':
    'url: https://chat.example.com/hooks/\nheaders: [{name: X-Token, value: $chat-token}]\nbasicAuth: {username: u, password: $chat-token}',
  'service.slack': 'token: $slack-token',
  'trigger.on-synced':
    "- when: app.status?.operationState?.phase in ['Succeeded']\n  oncePer: app.status.sync.revision\n  send: [synced]",
  'trigger.on-degraded': "- when: app.status.health.status == 'Degraded'\n  send: [plain]",
  'trigger.on-late':
    '- when: time.Now().Sub(time.Parse(app.status.operationState.startedAt)).Minutes() >= 5\n  send: [plain]',
  'trigger.broken': '- when: "a ++"\n  send: [plain]',
  'template.synced':
    'webhook:\n  chat:\n    method: POST\n    path: /{{ .recipient }}\n    body: |\n      {"text": {{ printf "%s %s" .app.metadata.name (call .repo.FullNameByRepoURL .app.spec.source.repoURL) | toJson }}, "at": "{{ .context.portal }}"}',
  'template.plain': 'message: "{{ .app.metadata.name }} is {{ .app.status.health.status | lower }}"',
  defaultTriggers: '[on-degraded]',
  subscriptions: '- recipients: ["chat:ops"]\n  triggers: [on-degraded]\n  selector: team=a',
}
const config = readNotifications(data, { 'chat-token': 'hush' })

const application = (annotations: Readonly<Record<string, string>>, status: object = {}, labels = {}): KubeObject => ({
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'Application',
  metadata: { name: 'shop', namespace: 'argocd', annotations, labels },
  spec: { project: 'default', source: { repoURL: 'git@github.com:org/shop.git' } },
  status: { sync: { revision: 'r1' }, health: { status: 'Healthy' }, reconciledAt: '2026-01-01T12:00:00Z', ...status },
})
const plan = (app: KubeObject): NotificationPlan =>
  planNotifications({ application: app, project: undefined, config, functions, nowMs: NOW })
const synced = {
  operationState: { phase: 'Succeeded', finishedAt: '2026-01-01T11:59:00Z', startedAt: '2026-01-01T11:50:00Z' },
}
const subscribed = { 'notifications.argoproj.io/subscribe.on-synced.chat': 'room-1; room-2' }

describe('a plan', () => {
  test('sends to every recipient, with the template filled and the secrets in their places', () => {
    const { deliveries, problems } = plan(application(subscribed, synced))
    expect(deliveries.map(({ key }) => key)).toEqual([
      expect.stringMatching(/^r1:on-synced:\[0\]\.[\w-]{27}:chat:room-1$/),
      expect.stringMatching(/:chat:room-2$/),
    ])
    expect(deliveries[0]?.request).toMatchObject({
      url: 'https://chat.example.com/hooks/room-1',
      method: 'POST',
      body: '{"text": "shop org/shop", "at": "https://portal.example.com"}',
      headers: { 'X-Token': 'hush', authorization: `Basic ${Buffer.from('u:hush').toString('base64')}` },
      tries: 4,
    })
    expect(problems.map(({ at }) => at)).toEqual(['trigger.broken'])
  })

  test('does not send what was sent, and sends again for another revision', () => {
    const [first] = plan(application(subscribed, synced)).deliveries
    const notified = { ...subscribed, 'notified.notifications.argoproj.io': JSON.stringify({ [first?.key ?? '']: 1 }) }
    expect(plan(application(notified, synced)).deliveries).toHaveLength(1)
    const next = application(notified, { ...synced, sync: { revision: 'r2' } })
    expect(plan(next).deliveries).toHaveLength(2)
  })

  test('forgets what no longer holds, so that it is told when it holds again, but for what is told once', () => {
    const degraded = application({}, { health: { status: 'Degraded' } }, { team: 'a' })
    const [sent] = plan(degraded).deliveries
    expect(sent?.request).toMatchObject({
      method: 'GET',
      body: 'shop is degraded',
      url: 'https://chat.example.com/hooks/',
    })
    const annotation = { 'notified.notifications.argoproj.io': JSON.stringify({ [sent?.key ?? '']: 1, 'r1:x': 2 }) }
    const healthy = plan(application(annotation, {}, { team: 'a' }))
    expect(healthy.deliveries).toEqual([])
    expect([...healthy.state.keys()]).toEqual(['r1:x'])
  })

  test('waits until the sync status counts in the operation that has ended', () => {
    const stale = { operationState: { phase: 'Succeeded', finishedAt: '2026-01-01T12:00:01Z' } }
    expect(isRefreshed(application({}, stale))).toBe(false)
    expect(plan(application(subscribed, stale)).deliveries).toEqual([])
  })

  test('knows the time', () => {
    const late = { 'notifications.argoproj.io/subscribe.on-late.chat': 'x' }
    expect(plan(application(late, synced)).deliveries).toHaveLength(1)
  })

  test.each([
    [
      'a trigger that is not there',
      { 'notifications.argoproj.io/subscribe.none.chat': 'x' },
      "trigger 'none' is not configured",
    ],
    [
      'a service that is not served',
      { 'notifications.argoproj.io/subscribe.on-synced.slack': 'x' },
      'only webhook is served here',
    ],
    [
      'a service that is not there',
      { 'notifications.argoproj.io/subscribe.on-synced.none': 'x' },
      "service 'none' is not supported",
    ],
    [
      'a condition that fails',
      { 'notifications.argoproj.io/subscribe.on-late.chat': 'x' },
      'cannot fetch startedAt from <nil>',
    ],
  ])('tells of %s', (name, annotations, want) => {
    const status = name.includes('fails') ? {} : synced
    expect(
      plan(application(annotations, status))
        .problems.map(({ message }) => message)
        .join('\n'),
    ).toContain(want)
  })
})

test('subscriptions come from annotations of all forms, from the project and from defaults, once each', () => {
  const annotations = {
    'notifications.argoproj.io/subscribe.chat': 'a',
    'notifications.argoproj.io/subscribe.on-synced.chat': '',
    'notifications.argoproj.io/subscriptions':
      '- trigger: [on-degraded]\n  destinations: [{service: chat, recipients: [a, b]}]',
    __proto__: 'x',
  }
  const found = destinationsOf(
    { annotations, labels: {} },
    { 'notifications.argoproj.io/subscribe.on-synced.mail': 'p' },
    config,
  )
  expect([...found]).toEqual([
    [
      'on-degraded',
      [
        { service: 'chat', recipient: 'a' },
        { service: 'chat', recipient: 'b' },
      ],
    ],
    [
      'on-synced',
      [
        { service: 'chat', recipient: '' },
        { service: 'mail', recipient: 'p' },
      ],
    ],
  ])
})

test('only the newest hundred are remembered', () => {
  const many = new Map(Array.from({ length: 120 }, (_, at) => [`k${at}`, at] as const))
  const kept = readState(writeState(many))
  expect(kept.size).toBe(100)
  expect(kept.has('k19')).toBe(false)
  expect(readState('no json').size).toBe(0)
})

test.each([
  ['git@github.com:org/repo.git', 'org/repo', 'https://github.com/org/repo'],
  ['https://github.com/org/repo', 'org/repo', 'https://github.com/org/repo'],
  ['ssh://git@host:22/org/repo.git', 'org/repo', 'https://host:22/org/repo'],
])('%s is %s, and opens at %s', (url, name, https) => {
  expect([fullName(url), httpsUrl(url)]).toEqual([name, https])
})

describe('a delivery', () => {
  const request = {
    url: 'https://chat.example.com/secret-path',
    method: 'POST',
    headers: {},
    body: 'x',
    skipVerify: false,
    tries: 3,
    waitMs: 1_000,
    longestWaitMs: 5_000,
  }
  const attempt = async (statuses: readonly (number | 'gone')[]) => {
    const clock = movableClock()
    let asked = 0
    const http = () => {
      const status = statuses[asked++] ?? 500
      return status === 'gone'
        ? Promise.reject(new Error('no route'))
        : Promise.resolve({ status, headers: new Map<string, string>(), body: 'said' })
    }
    const result = deliver(request, { http, clock }, new AbortController().signal)
    await clock.advance(60_000)
    return { asked, result: await result }
  }
  test.each<[string, readonly (number | 'gone')[], number, boolean]>([
    ['goes well at once', [200], 1, true],
    ['is tried again when there is no answer', ['gone', 204], 2, true],
    ['is tried again when the service is out of order', [503, 429, 200], 3, true],
    ['is not tried again when it is wrong', [404, 200], 1, false],
    ['ends after so many tries', [500, 500, 500, 200], 3, false],
  ])('%s', async (_, statuses, asked, ok) => {
    const done = await attempt(statuses)
    expect([done.asked, done.result.ok]).toEqual([asked, ok])
    expect(JSON.stringify(done.result)).not.toContain('secret-path')
  })
})
