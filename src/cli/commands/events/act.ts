import type { Command } from 'commander'
import { createHmac } from 'node:crypto'
import { resolve } from 'node:path'
import type { RemoteClient } from '../../../client/remote-client.ts'
import { selectorOf } from '../../../events/eventsource/check.ts'
import { webhookContextOf } from '../../../events/eventsource/check-webhooks.ts'
import { busNameOf, EventSourceKind, type SourceEntry, sourcesOf } from '../../../events/eventsource/event-source.ts'
import type { Replayed } from '../../../events/sensor/running-sensor.ts'
import { readKey } from '../../../events/triggers/key-of.ts'
import type { KubeObject } from '../../../kube/object.ts'
import { localEndpoints, SERVICE_NAME } from '../../../kube/local-endpoints.ts'
import { systemIds } from '../../../lib/ids.ts'
import { systemClock } from '../../../lib/clock.ts'
import { textOf } from '../../../lib/fields.ts'
import { fail, type Result, succeed } from '../../../lib/result.ts'
import { parseYaml } from '../../../lib/yaml.ts'
import { undiciServiceHttp } from '../../../runtime/service-http.ts'
import { columns, printAs } from '../../cluster-client.ts'
import type { Io } from '../../command.ts'
import type { Call } from '../../cluster-command.ts'
import { addAsk, askDesk, type AskFlags, complain } from './ask-events.ts'
import { readText } from './event-files.ts'

interface SendFlags extends AskFlags {
  readonly file?: string
  readonly data?: string
  readonly source: string
  readonly header: readonly string[]
  readonly direct?: boolean
  readonly id?: string
}

interface ReplayFlags extends AskFlags {
  readonly sensor?: string
  readonly trigger?: string
  readonly deadLetter?: string
  readonly drop?: boolean
}

const all = (value: string, before: readonly string[] = []): readonly string[] => [...before, value]

/** The commands that make something happen: send and replay. */
export function addActors(parent: Command, io: Io): void {
  addAsk<SendFlags>(
    parent,
    {
      name: 'send',
      summary: 'send an event to its EventSource, signed as the source asks, or straight to the bus',
      options: (command) =>
        void command
          .requiredOption('--source <eventsource/event>', 'where it is sent to')
          .option('-f, --file <file>', 'a file with the body, in JSON or YAML')
          .option('--data <json>', 'the body itself')
          .option('--header <name: value>', 'a header, such as "X-GitHub-Event: push"', all, [])
          .option('--direct', 'publish it as the data of an event, without its webhook')
          .option('--id <id>', 'what the delivery, or with --direct the event, is called'),
      help: 'A webhook is sent to where its Service answers on this machine, with the signature or token that its Secret makes.',
      examples: [
        'idp events send --source alertmanager/slo-alerts -f alert.json',
        'idp events send --source github/pull-requests -f pr.json --header "X-GitHub-Event: pull_request"',
        `idp events send --source calendar/nightly --direct --data '{"eventTime":"2026-01-01T00:00:00Z"}'`,
      ],
      run: send,
    },
    io,
  )
  addAsk<ReplayFlags>(
    parent,
    {
      name: 'replay',
      summary: 'take an event to its Sensors once more, or fire dead letters again after a fix',
      arguments: [['[event]', 'the id of an event that the bus still holds']],
      options: (command) =>
        void command
          .option('--sensor <name>', 'only this Sensor; without an event, its dead letters')
          .option('--trigger <name>', 'only this trigger')
          .option('--dead-letter <id>', 'only this dead letter')
          .option('--drop', 'forget the dead letters instead'),
      help: 'A replay keeps the id of the firing: what was created the first time is not created again.',
      examples: [
        'idp events replay 3f2a9c',
        'idp events replay --sensor slo-rollback',
        'idp events replay --sensor slo-rollback --drop',
      ],
      run: replay,
    },
    io,
  )
}

async function replay({ client, flags, words: [eventId = ''], format, io }: Call<ReplayFlags>): Promise<0 | 1 | 2> {
  const { namespace, sensor, trigger, deadLetter, drop } = flags
  if (eventId === '' && sensor === undefined) {
    io.err('idp events replay: name an event, or a Sensor with --sensor\n')
    return 2
  }
  if (drop === true) {
    const dropped = await askDesk<{ readonly dropped: readonly string[] }>(client, 'DELETE', 'dead-letters', {
      query: { namespace, sensor, id: deadLetter },
    })
    if (!dropped.ok) return complain('replay', dropped.error, io)
    printAs(format, dropped.value, () => `${dropped.value.dropped.length} dead letters dropped\n`, io)
    return 0
  }
  const body = { namespace, sensor, trigger, deadLetter, ...(eventId === '' ? {} : { eventId }) }
  const done = await askDesk<
    readonly (Partial<Replayed> & { readonly deadLetter?: string; readonly because?: string })[]
  >(client, 'POST', 'replay', { body })
  if (!done.ok) return complain('replay', done.error, io)
  const rows = done.value.flatMap(({ sensor: of = sensor ?? '', trigger: name = '', ends = [], because = '' }) =>
    ends.length === 0
      ? [[of, name, 'failed', because]]
      : ends.map((end) => [
          of,
          name,
          end.end,
          end.end === 'fired' ? end.fired.because : end.end === 'dead' ? end.because : 'it was stopped',
        ]),
  )
  const text = (): string =>
    rows.length === 0 ? 'no trigger fires with it\n' : columns(['SENSOR', 'TRIGGER', 'END', 'BECAUSE'], rows)
  printAs(format, done.value, text, io)
  return rows.every(([, , end]) => end === 'fired') ? 0 : 1
}

async function send({ client, flags, format, io }: Call<SendFlags>): Promise<0 | 1 | 2> {
  const { namespace, source, file, data, direct = false } = flags
  const [name = '', event = ''] = source.split('/')
  if (event === '' || (file === undefined) === (data === undefined)) {
    io.err('idp events send: give --source EVENTSOURCE/EVENT, and either --file or --data\n')
    return 2
  }
  const text = file === undefined ? succeed(data ?? '') : readText(resolve(io.cwd, file))
  const body = text.ok ? jsonIn(text.value) : text
  if (!body.ok) return complain('send', body.error, io)
  const found = await client.get({ resource: EventSourceKind, namespace, name })
  const entry = found.ok ? sourcesOf(found.value).find((one) => one.eventName === event) : undefined
  const sent =
    found.ok && entry?.kind.family === 'webhook' && !direct
      ? await deliver({ client, object: found.value, entry, body: body.value, flags })
      : await publish(client, {
          flags,
          name,
          event,
          body: body.value,
          object: found.ok ? found.value : undefined,
          entry,
        })
  if (!sent.ok) return complain('send', sent.error, io)
  printAs(format, sent.value, () => `${sent.value.because}\n`, io)
  return 0
}

function jsonIn(text: string): Result<string> {
  try {
    JSON.parse(text)
    return succeed(text)
  } catch {
    // Then it may be YAML.
    const read = parseYaml(text)
    return read.ok ? succeed(JSON.stringify(read.value)) : read
  }
}

interface Sent {
  readonly because: string
  readonly eventId?: string
  readonly status?: number
}

async function publish(
  client: RemoteClient,
  {
    flags,
    name,
    event,
    body,
    object,
    entry,
  }: {
    flags: SendFlags
    name: string
    event: string
    body: string
    object: KubeObject | undefined
    entry: SourceEntry | undefined
  },
): Promise<Result<Sent>> {
  const order = {
    namespace: flags.namespace,
    eventSourceName: name,
    eventName: event,
    busName: object ? busNameOf(object) : 'default',
    type: entry?.kind.type,
    id: flags.id,
    data: JSON.parse(body) as unknown,
  }
  const kept = await askDesk<{ readonly id: string; readonly isRepeat: boolean }>(client, 'POST', 'send', {
    body: order,
  })
  if (!kept.ok) return kept
  const { id, isRepeat } = kept.value
  return succeed({ because: `event ${id} ${isRepeat ? 'was on the bus already' : 'is on the bus'}`, eventId: id })
}

interface Delivery {
  readonly client: RemoteClient
  readonly object: KubeObject
  readonly entry: SourceEntry
  readonly body: string
  readonly flags: SendFlags
}

async function deliver(delivery: Delivery): Promise<Result<Sent>> {
  const url = await urlOf(delivery)
  if (!url.ok) return url
  const headers = await headersOf(delivery)
  if (!headers.ok) return headers
  const context = webhookContextOf(delivery.entry.kind.field, delivery.entry.spec)
  const method = textOf(context, 'method') || 'POST'
  const answer = await undiciServiceHttp({
    method,
    url: url.value,
    headers: headers.value,
    ...(method === 'GET' ? {} : { body: delivery.body }),
    timeoutMs: 30_000,
    signal: new AbortController().signal,
  })
  const because = `${delivery.flags.source} answered ${answer.status}: ${answer.body.trim().slice(0, 300)}`
  if (answer.status >= 300) return fail({ code: 'event-not-sent', message: because })
  return succeed({ because, status: answer.status })
}

/** Where the Service of an EventSource answers on this machine. */
async function urlOf({ client, object, entry }: Delivery): Promise<Result<string>> {
  const { namespace = '', name = '' } = object.metadata
  const service = `${name}-eventsource-svc`
  const found = await client.get({
    resource: { group: '', version: 'v1', plural: 'services' },
    namespace,
    name: service,
  })
  const slices = await client.list(
    { resource: { group: 'discovery.k8s.io', version: 'v1', plural: 'endpointslices' }, namespace },
    { labelSelector: `${SERVICE_NAME}=${service}` },
  )
  const context = webhookContextOf(entry.kind.field, entry.spec)
  const endpoints = found.ok && slices.ok ? localEndpoints(found.value, slices.value.items) : new Map<number, never[]>()
  const endpoint = endpoints.get(Number(textOf(context, 'port')))?.[0] ?? [...endpoints.values()][0]?.[0]
  if (!endpoint) {
    const cure = 'publish it with --direct, or look at the status of the EventSource'
    return fail({
      code: 'event-not-sent',
      message: `the Service ${namespace}/${service} does not answer on this machine`,
      cure,
    })
  }
  return succeed(`http://${endpoint.address}:${endpoint.port}${textOf(context, 'endpoint').replace(/^\/?/, '/')}`)
}

async function headersOf({
  client,
  object,
  entry,
  body,
  flags,
}: Delivery): Promise<Result<Readonly<Record<string, string>>>> {
  const { kind, spec } = entry
  const headers: Record<string, string> = { 'content-type': 'application/json' }
  for (const one of flags.header) {
    const at = one.indexOf(':')
    if (at <= 0)
      return fail({ code: 'event-feed-invalid', message: `--header ${JSON.stringify(one)} is not "NAME: VALUE"` })
    headers[one.slice(0, at).trim().toLowerCase()] = one.slice(at + 1).trim()
  }
  const read = async (holder: unknown, field: string): Promise<Result<string | undefined>> => {
    const selector = selectorOf((holder ?? {}) as SourceEntry['spec'], field)
    if (!selector) return succeed(undefined)
    const value = await readKey('Secret', selector, { namespace: object.metadata.namespace ?? '', client })
    return value.ok ? succeed(value.value.replace(/\n$/, '')) : value
  }
  const token = await read(webhookContextOf(kind.field, spec), 'authSecret')
  if (!token.ok) return token
  if (token.value !== undefined) headers['authorization'] = `Bearer ${token.value}`
  const field = {
    github: 'webhookSecret',
    gitlab: 'secretToken',
    bitbucketserver: 'webhookSecret',
    slack: 'signingSecret',
  }[kind.field]
  const secret = field === undefined ? succeed(undefined) : await read(spec, field)
  if (!secret.ok) return secret
  if (kind.field === 'github') headers['x-github-delivery'] ??= flags.id ?? systemIds.uid()
  if (secret.value === undefined) return succeed(headers)
  const hmac = (text: string): string =>
    createHmac('sha256', secret.value ?? '')
      .update(text)
      .digest('hex')
  if (kind.field === 'gitlab') headers['x-gitlab-token'] = secret.value
  else if (kind.field === 'github') headers['x-hub-signature-256'] = `sha256=${hmac(body)}`
  else if (kind.field === 'bitbucketserver') headers['x-hub-signature'] = `sha256=${hmac(body)}`
  else if (kind.field === 'slack') {
    const seconds = String(Math.floor(systemClock.now() / 1_000))
    headers['x-slack-request-timestamp'] = seconds
    headers['x-slack-signature'] = `v0=${hmac(`v0:${seconds}:${body}`)}`
  }
  return succeed(headers)
}
