import { createHash } from 'node:crypto'
import { execute, parseTemplates } from '../../lang/gotemplate/template-set.ts'
import { sprigFunctions, type SprigPorts } from '../../lang/gotemplate/sprig/sprig.ts'
import type { FunctionTable } from '../../lang/gotemplate/function.ts'
import type { KubeObject } from '../../kube/object.ts'
import { parseTime } from '../../kube/time.ts'
import { textOf as exprText } from '../../lang/exprlang/value.ts'
import { fail, type Problem, type Result, succeed } from '../../lib/result.ts'
import { fieldsOf, isSet, objectsOf, textOf } from '../fields.ts'
import type { Condition, NotificationsConfig, Service } from './config.ts'
import { type CommitFacts, templateEnvironment, triggerEnvironment } from './environment.ts'
import { type NotifiedState, readState, stateKey } from './state.ts'
import { type Destination, destinationsOf, NOTIFIED } from './subscriptions.ts'

/** What decides which notifications an Application sends. */
export interface NotificationSeen {
  readonly application: KubeObject
  readonly project: KubeObject | undefined
  readonly config: NotificationsConfig
  readonly functions: FunctionTable
  readonly nowMs: number
  readonly commit?: CommitFacts
}

/** An HTTP request that tells somebody. */
export interface WebhookRequest {
  readonly url: string
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly skipVerify: boolean
  readonly tries: number
  readonly waitMs: number
  readonly longestWaitMs: number
}

/** A notification that is due. It is remembered under its key once it was delivered. */
export interface Delivery {
  readonly key: string
  readonly trigger: string
  readonly destination: Destination
  readonly request: WebhookRequest
  readonly because: string
}

export interface NotificationPlan {
  readonly deliveries: readonly Delivery[]
  /** What is remembered besides what will have been delivered. */
  readonly state: NotifiedState
  readonly problems: readonly Problem[]
}

/** Sprig without the process's environment. */
export function notificationFunctions(ports: SprigPorts): FunctionTable {
  const absent = ['env', 'expandenv']
  return Object.fromEntries(Object.entries(sprigFunctions(ports)).filter(([name]) => !absent.includes(name)))
}

/** Whether the sync status already counts in the operation that has ended: before that it would tell of the past. */
export function isRefreshed(application: KubeObject): boolean {
  const status = fieldsOf(application, 'status')
  const operation = fieldsOf(status, 'operationState')
  if (!['Failed', 'Error', 'Succeeded'].includes(textOf(operation, 'phase'))) return true
  const ended = parseTime(textOf(operation, 'finishedAt'))
  if (ended === undefined) return false
  const seen = ['reconciledAt', 'observedAt'].map((field) => parseTime(textOf(status, field)) ?? 0)
  return seen.some((at) => at >= ended)
}

/** The notifications that an Application has to send now, each once, and what to remember. */
export function planNotifications(seen: NotificationSeen): NotificationPlan {
  const { application, project, config } = seen
  const { metadata } = application
  const before = readState(metadata.annotations?.[NOTIFIED])
  const state = new Map(before)
  const deliveries: Delivery[] = []
  const problems: Problem[] = [...config.problems]
  if (!isRefreshed(application)) return { deliveries, state, problems }
  const wanted = destinationsOf(metadata, project?.metadata.annotations ?? {}, config)
  for (const [trigger, destinations] of wanted) {
    const conditions = config.triggers.get(trigger)
    if (!conditions) problems.push(problem(`trigger '${trigger}' is not configured`))
    for (const [index, condition] of (conditions ?? []).entries()) {
      const verdict = judge(condition, seen)
      if (!verdict.ok) problems.push(...verdict.error)
      const { fires, oncePer } = verdict.ok ? verdict.value : { fires: false, oncePer: '' }
      for (const destination of destinations) {
        const key = stateKey(trigger, `[${index}].${hashOf(condition.when)}`, destination, oncePer)
        if (!fires) state.delete(key)
        if (!fires || before.has(key)) continue
        const request = requestFor(condition, destination, seen)
        if (request.ok) deliveries.push({ key, trigger, destination, request: request.value, because: condition.when })
        else problems.push(...request.error)
      }
    }
  }
  return { deliveries, state, problems }
}

const problem = (message: string): Problem => ({ code: 'notification-failed', message })
const hashOf = (text: string): string => createHash('sha1').update(text).digest('base64url')

function judge(
  condition: Condition,
  seen: NotificationSeen,
): Result<{ readonly fires: boolean; readonly oncePer: string }> {
  const { nowMs } = seen
  const environment = triggerEnvironment(factsOf(seen))
  const value = condition.program.run(environment, { nowMs })
  if (!value.ok) return value
  if (value.value !== true) return succeed({ fires: false, oncePer: '' })
  const once = condition.oncePer?.run(environment, { nowMs })
  if (once && !once.ok) return once
  return succeed({ fires: true, oncePer: once ? exprText(once.value) : '' })
}

const factsOf = ({ application, project, config, nowMs, commit }: NotificationSeen) => ({
  app: application,
  appProject: project ?? {},
  context: config.context,
  nowMs,
  ...(commit ? { commit } : {}),
})

function requestFor(condition: Condition, destination: Destination, seen: NotificationSeen): Result<WebhookRequest> {
  const { services } = seen.config
  const service = services.get(destination.service)
  if (!service) return fail(problem(`notification service '${destination.service}' is not supported`))
  if (service.type !== 'webhook') {
    const message = `the notification service ${destination.service} is of the type ${service.type}: only webhook is served here`
    return fail({ ...problem(message), cure: 'send to a webhook service, or to a bridge behind one' })
  }
  return webhookFor(condition, destination, service, seen)
}

function webhookFor(
  condition: Condition,
  destination: Destination,
  service: Service,
  seen: NotificationSeen,
): Result<WebhookRequest> {
  const values = {
    ...templateEnvironment(factsOf(seen)),
    serviceType: destination.service,
    recipient: destination.recipient,
  }
  let [body, method, path] = ['', 'GET', '']
  for (const name of condition.send) {
    const template = seen.config.templates.get(name)
    if (!template) return fail(problem(`template '${name}' is not supported`))
    const webhook = fieldsOf(fieldsOf(template, 'webhook'), destination.service)
    const isWebhook = Object.keys(webhook).length > 0
    const text = isWebhook ? textOf(webhook, 'body') : textOf(template, 'message')
    const filled = fill(name, text, values, seen.functions)
    if (!filled.ok) return filled
    const place = fill(name, textOf(webhook, 'path'), values, seen.functions)
    if (!place.ok) return place
    if (isWebhook || filled.value !== '') body = filled.value
    method = textOf(webhook, 'method') || method
    path = place.value || path
  }
  return succeed(requestOf(service.options, { body, method, path }))
}

function requestOf(
  options: Readonly<Record<string, unknown>>,
  { body, method, path }: { readonly body: string; readonly method: string; readonly path: string },
): WebhookRequest {
  const base = textOf(options, 'url')
  const url = path === '' ? base : `${base.replace(/\/{1,100}$/, '')}/${path.replace(/^\/{1,100}/, '')}`
  const auth = fieldsOf(options, 'basicAuth')
  const user = textOf(auth, 'username')
  const credentials = Buffer.from(`${user}:${textOf(auth, 'password')}`).toString('base64')
  const listed = (objectsOf(options, 'headers') ?? []).map((header) => [
    textOf(header, 'name'),
    textOf(header, 'value'),
  ])
  const number = (name: string, usual: number): number => {
    const value = options[name]
    return typeof value === 'number' && value > 0 ? value : usual
  }
  return {
    url,
    method,
    body,
    headers: {
      ...Object.fromEntries(listed.filter(([name]) => name !== '')),
      ...(user === '' ? {} : { authorization: `Basic ${credentials}` }),
    },
    skipVerify: isSet(options, 'insecureSkipVerify'),
    tries: Math.min(number('retryMax', 3), 10) + 1,
    waitMs: number('retryWaitMin', 1e9) / 1e6,
    longestWaitMs: number('retryWaitMax', 5e9) / 1e6,
  }
}

function fill(name: string, text: string, values: unknown, functions: FunctionTable): Result<string> {
  if (!text.includes('{{')) return succeed(text)
  const set = parseTemplates([{ name, text }], functions)
  return set.ok ? execute(set.value, name, values) : set
}
