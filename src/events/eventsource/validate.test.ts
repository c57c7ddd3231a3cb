import { describe, expect, test } from 'vitest'
import type { AdmissionRequest } from '../../kube/admission.ts'
import type { KubeObject } from '../../kube/object.ts'
import { eventSourceAdmission } from './admission.ts'
import { judgeEventSource } from './validate.ts'

const eventSource = (spec: unknown): KubeObject => ({
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'EventSource',
  metadata: { name: 'es', namespace: 'demo' },
  spec,
})

const secret = { name: 's', key: 'k' }
const webhook = { endpoint: '/a', port: '12000', method: 'POST' }
const github = { webhook, events: ['*'], repositories: [{ owner: 'o', names: ['r'] }] }
const gitlab = { webhook, events: ['PushEvents'], gitlabBaseURL: 'https://gitlab', accessToken: secret }
const bitbucket = { webhook, events: ['repo:push'], owner: 'o', repositorySlug: 'r', auth: {} }
const stash = { webhook, bitbucketserverBaseURL: 'https://stash/rest', events: ['pr:opened'] }
const slack = { webhook, token: secret, signingSecret: secret }
const resource = { group: 'apps', version: 'v1', resource: 'deployments', eventTypes: ['ADD'] }
const file = { eventType: 'CREATE', watchPathConfig: { directory: '/tmp', path: 'x' } }

const saysOf = (spec: unknown): readonly string[] =>
  judgeEventSource(eventSource(spec)).problems.map(({ at = '', message }) => `${at}: ${message}`)

test.each([
  { name: 'a webhook', spec: { webhook: { example: webhook } } },
  {
    name: 'a webhook with variables in its path',
    spec: { webhook: { a: { ...webhook, endpoint: '/a/{id:[0-9]+}/b' } } },
  },
  { name: 'two webhooks on one port', spec: { webhook: { a: webhook, b: { ...webhook, endpoint: '/b' } } } },
  { name: 'github', spec: { github: { a: github } } },
  { name: 'github with its old fields', spec: { github: { a: { webhook, events: [], owner: 'o', repository: 'r' } } } },
  { name: 'github with organizations', spec: { github: { a: { webhook, organizations: ['o'] } } } },
  { name: 'gitlab', spec: { gitlab: { a: gitlab } } },
  { name: 'bitbucket', spec: { bitbucket: { a: bitbucket } } },
  { name: 'bitbucketserver', spec: { bitbucketserver: { a: stash } } },
  { name: 'slack', spec: { slack: { a: slack } } },
  { name: 'resource', spec: { resource: { a: resource } } },
  {
    name: 'a calendar with a schedule',
    spec: { calendar: { a: { schedule: '0 8 * * 1-5', timezone: 'Europe/Berlin' } } },
  },
  {
    name: 'a calendar with an interval',
    spec: { calendar: { a: { interval: '10s', exclusionDates: ['EXDATE:20260101T000000Z'] } } },
  },
  { name: 'file', spec: { file: { a: file } } },
  { name: 'a kind that is not run here', spec: { kafka: { a: { url: 'kafka:9092' } } } },
  { name: 'no source at all', spec: {} },
])('accepts $name', ({ spec }) => {
  expect(saysOf(spec)).toEqual([])
})

test.each([
  { name: 'a spec that is no object', spec: 'x', want: ['spec: must be an object'] },
  {
    name: 'a kind that is a list',
    spec: { webhook: [] },
    want: ['spec.webhook: must be an object with one source under each name of an event'],
  },
  { name: 'a source that is a text', spec: { webhook: { a: 'x' } }, want: ['spec.webhook.a: must be an object'] },
  {
    name: 'a webhook without a place',
    spec: { webhook: { a: { method: 'POST' } } },
    want: ["spec.webhook.a.endpoint: endpoint can't be empty", "spec.webhook.a.port: port can't be empty"],
  },
  {
    name: 'a port that is no number',
    spec: { webhook: { a: { ...webhook, port: 'http' } } },
    want: ['spec.webhook.a.port: "http" is not the number of a port'],
  },
  {
    name: 'a port out of range',
    spec: { webhook: { a: { ...webhook, port: '70000' } } },
    want: ['spec.webhook.a.port: "70000" is not the number of a port'],
  },
  {
    name: 'a port without quotes',
    spec: { webhook: { a: { ...webhook, port: 12000 } } },
    want: ['spec.webhook.a.port: must be a text such as "12000"'],
  },
  {
    name: 'a method that is never served',
    spec: { webhook: { a: { ...webhook, method: 'PUT' } } },
    want: ['spec.webhook.a.method: must be one of GET, POST: others are answered with an error'],
  },
  {
    name: 'a brace left open',
    spec: { webhook: { a: { ...webhook, endpoint: '/a/{id' } } },
    want: ['spec.webhook.a.endpoint: endpoint "/a/{id" leaves a brace open'],
  },
  {
    name: 'two sources at one place',
    spec: { webhook: { a: webhook, b: webhook } },
    want: ['spec.webhook.b: listens where webhook/a listens already: port and endpoint 12000 /a'],
  },
  {
    name: 'an expression that does not compile',
    spec: { webhook: { a: { ...webhook, filter: { expression: 'body.x ==' } } } },
    want: [expect.stringMatching(/^spec\.webhook\.a\.filter\.expression: "body\.x =="/)],
  },
  {
    name: 'one name twice',
    spec: { webhook: { a: webhook }, slack: { a: { ...slack, webhook: { ...webhook, port: '1' } } } },
    want: ['spec.slack.a: more than one "a" found in the spec'],
  },
  {
    name: 'kinds that upstream keeps apart',
    spec: { webhook: { a: webhook }, calendar: { b: { interval: '1s' } } },
    want: [
      'spec.calendar.b: Some types of event sources can not be put in one spec: webhook/a and calendar/b need an EventSource each',
    ],
  },
  {
    name: 'github without repositories',
    spec: { github: { a: { webhook } } },
    want: ['spec.github.a: either repositories or organizations is required'],
  },
  {
    name: 'github with repositories and organizations',
    spec: { github: { a: { ...github, organizations: ['o'] } } },
    want: ['spec.github.a: only one of repositories and organizations is allowed'],
  },
  {
    name: 'github hooks without events',
    spec: { github: { a: { ...github, events: [], apiToken: secret, webhook: { ...webhook, url: 'https://here' } } } },
    want: ['spec.github.a.events: events must be defined to create a github webhook'],
  },
  {
    name: 'github with half of its URLs',
    spec: { github: { a: { ...github, githubBaseURL: 'https://ghe' } } },
    want: ['spec.github.a.githubUploadURL: is required when githubBaseURL is set'],
  },
  {
    name: 'github with a strange content type',
    spec: { github: { a: { ...github, contentType: 'xml' } } },
    want: ['spec.github.a.contentType: content type must be "json" or "form"'],
  },
  {
    name: 'gitlab with nothing',
    spec: { gitlab: { a: {} } },
    want: [
      "spec.gitlab.a.events: events can't be empty",
      "spec.gitlab.a.gitlabBaseURL: gitlab base url can't be empty",
      "spec.gitlab.a.accessToken: access token can't be nil",
      'spec.gitlab.a.webhook: must say where to listen: endpoint and port',
    ],
  },
  {
    name: 'bitbucket without repositories',
    spec: { bitbucket: { a: { webhook, auth: {} } } },
    want: ['spec.bitbucket.a.repositories: at least one repository is required'],
  },
  {
    name: 'bitbucketserver without a URL',
    spec: { bitbucketserver: { a: { webhook } } },
    want: ["spec.bitbucketserver.a.bitbucketserverBaseURL: bitbucket server base url can't be empty"],
  },
  {
    name: 'slack without secrets',
    spec: { slack: { a: { webhook } } },
    want: ['spec.slack.a.token: token not provided', 'spec.slack.a.signingSecret: signingSecret not provided'],
  },
  {
    name: 'a secret without a key',
    spec: { webhook: { a: { ...webhook, authSecret: { name: 's' } } } },
    want: ['spec.webhook.a.authSecret: must name a Secret and one of its keys'],
  },
  {
    name: 'a resource without anything',
    spec: { resource: { a: {} } },
    want: [
      'spec.resource.a.version: version must be specified',
      'spec.resource.a.resource: resource must be specified',
      'spec.resource.a.eventTypes: event types must be specified',
    ],
  },
  {
    name: 'a resource with a strange event type',
    spec: { resource: { a: { ...resource, eventTypes: ['PATCH'] } } },
    want: ['spec.resource.a.eventTypes: unknown event type: "PATCH"'],
  },
  {
    name: 'a field filter that lets nothing pass',
    spec: { resource: { a: { ...resource, filter: { fields: [{ key: 'a', operation: '>', value: '1' }] } } } },
    want: ['spec.resource.a.filter.fields[0].operation: must be one of =, ==, !=: nothing passes otherwise'],
  },
  {
    name: 'a calendar without a time',
    spec: { calendar: { a: {} } },
    want: ['spec.calendar.a: must have either schedule or interval'],
  },
  {
    name: 'a calendar with an unknown time zone',
    spec: { calendar: { a: { interval: '1s', timezone: 'Mars/Olympus' } } },
    want: ['spec.calendar.a.timezone: there is no time zone "Mars/Olympus"'],
  },
  {
    name: 'an exclusion rule that is not read',
    spec: { calendar: { a: { interval: '1s', exclusionDates: ['RRULE:FREQ=DAILY'] } } },
    want: [
      'spec.calendar.a.exclusionDates[0]: "RRULE:FREQ=DAILY" is not EXDATE: with times, the only rule that is read',
    ],
  },
  {
    name: 'an exclusion on a day that is none',
    spec: { calendar: { a: { interval: '1s', exclusionDates: ['EXDATE:20260231T000000Z'] } } },
    want: ['spec.calendar.a.exclusionDates[0]: "20260231T000000Z" is not a time such as 20260102T000000Z'],
  },
  {
    name: 'a file with a relative folder',
    spec: { file: { a: { ...file, watchPathConfig: { directory: 'x', path: '/y' } } } },
    want: [
      'spec.file.a.watchPathConfig.directory: directory must be an absolute file path',
      'spec.file.a.watchPathConfig.path: path must be a relative file path',
    ],
  },
  {
    name: 'a file with two ways to say which',
    spec: { file: { a: { ...file, watchPathConfig: { directory: '/x', path: 'y', pathRegexp: 'z' } } } },
    want: ['spec.file.a.watchPathConfig: path and pathRegexp cannot be specified together'],
  },
])('refuses $name', ({ spec, want }) => {
  expect(saysOf(spec)).toEqual(want)
})

describe('admission', () => {
  const request = (object: KubeObject, oldObject?: KubeObject): AdmissionRequest => ({
    uid: '1',
    operation: oldObject ? 'UPDATE' : 'CREATE',
    kind: { group: 'argoproj.io', version: 'v1alpha1', kind: 'EventSource' },
    resource: { group: 'argoproj.io', version: 'v1alpha1', plural: 'eventsources' },
    namespace: 'demo',
    name: 'es',
    user: { username: 'u', groups: [] },
    dryRun: false,
    options: {},
    object,
    ...(oldObject ? { oldObject } : {}),
  })
  const judge = (object: KubeObject, oldObject?: KubeObject) =>
    eventSourceAdmission.validate?.(request(object, oldObject), AbortSignal.timeout(1_000))

  test('refuses what could never work, and names the field', async () => {
    const verdict = await judge(eventSource({ webhook: { a: { ...webhook, port: '' } } }))
    expect(verdict).toMatchObject({
      allowed: false,
      status: {
        code: 422,
        message: `EventSource.argoproj.io "es" is invalid: spec.webhook.a.port: port can't be empty`,
        details: { causes: [{ field: 'spec.webhook.a.port' }] },
      },
    })
  })
  test('warns of kinds that are not run and fields that are not used', async () => {
    const tls = { ...webhook, serverCertSecret: secret, serverKeySecret: secret }
    expect(await judge(eventSource({ kafka: { a: {} } }))).toEqual({
      allowed: true,
      warnings: ['spec.kafka.a: sources of kind kafka are not run by this platform'],
    })
    expect(
      await judge(
        eventSource({ webhook: { a: tls }, template: { serviceAccountName: 'x', nodeSelector: {} }, replicas: 2 }),
      ),
    ).toMatchObject({
      allowed: true,
      warnings: [
        'spec.webhook.a.serverCertSecret: is not used, the endpoint is served without TLS',
        'spec.webhook.a.serverKeySecret: is not used, the endpoint is served without TLS',
        'spec.template: of it serviceAccountName is used, and not nodeSelector: sources run inside the platform and not in a Pod',
        'spec.replicas: is not used, sources run once, inside the platform',
      ],
    })
  })
  test('warns of names that mean nothing', async () => {
    const spec = {
      gitea: { a: {} },
      github: { b: { ...github, webhok: {}, filter: { expresion: 'x' }, webhook: { ...webhook, tls: {} } } },
    }
    expect(await judge(eventSource(spec))).toMatchObject({
      allowed: true,
      warnings: [
        'spec.github.b.webhok: unknown field, it does nothing',
        'spec.github.b.webhook.tls: unknown field, it does nothing',
        'spec.github.b.filter.expresion: unknown field, it does nothing',
        'spec.gitea: is no kind of source of Argo Events',
      ],
    })
    const resources = { a: { ...resource, filter: { expression: 'x', prefix: 'y' } } }
    expect(await judge(eventSource({ resource: resources }))).toMatchObject({
      warnings: ['spec.resource.a.filter.expression: unknown field, it does nothing'],
    })
  })
  test('lets the labels of a broken one be changed', async () => {
    const broken = eventSource({ webhook: { a: {} } })
    expect(await judge(broken, broken)).toEqual({ allowed: true })
  })
})
