import type { UserInfo } from '../../kube/admission.ts'
import type { Client } from '../../kube/client.ts'
import type { Clock } from '../../lib/clock.ts'
import { describeError, type Log } from '../../lib/log.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import type { ServiceHttp } from '../../runtime/service-http.ts'
import { ServedKinds } from '../../runtime/served-kinds.ts'
import type { FireContext, Fired, ResolvedTrigger, TriggerExecutors } from '../sensor/trigger.ts'
import type { LogAction, RequestAction, SentValue, TriggerAction } from './action.ts'
import { changeApplication } from './change-application.ts'
import { readKey } from './key-of.ts'
import { checkTemplate, prepare, type PreparePorts } from './prepare.ts'
import { guardedHttp } from '../guarded-http.ts'
import { rightsOf } from './rights.ts'
import { runWorkflow } from './run-workflow.ts'
import { type Sending, sendRequest, shownUrl } from './send-request.ts'
import { postToSlack, SLACK_API, SlackThreads } from './slack.ts'
import { writeObject } from './write-object.ts'

/** What triggers are carried out with. */
export interface TriggerPorts {
  /** The platform itself: discovery, and the Secrets and ConfigMaps that a Sensor's Pod could mount. */
  readonly client: Client
  readonly clientAs: (user: UserInfo) => Client
  /** HTTP to Services of the cluster and to what is outside, where an address is not refused. */
  readonly http: (refuse: (address: string) => string | undefined) => ServiceHttp
  readonly clock: Clock
  readonly log: Log
  /** Where Slack's API is. */
  readonly slack?: string
}

const LONGEST_LINE = 4_096
const LONGEST_URL_SOURCE = 512 * 1024
const SOURCE_TIMEOUT_MS = 30_000

/** The user as whom a ServiceAccount acts. */
export const accountUser = ({ namespace, name }: { readonly namespace: string; readonly name: string }): UserInfo => ({
  username: `system:serviceaccount:${namespace}:${name}`,
  groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
})

/** Makes what fires triggers: every one acts as its Sensor's ServiceAccount, or sends with bounds. */
export function makeTriggers(ports: TriggerPorts): TriggerExecutors {
  const { client, clientAs, clock, log, slack = SLACK_API } = ports
  const kinds = new ServedKinds(client, () => clock.now())
  const threads = new SlackThreads()
  const loggedMs = new Map<string, number>()
  const asAccount = ({ sensor, serviceAccount }: ResolvedTrigger): Client =>
    clientAs(accountUser({ namespace: sensor.namespace, name: serviceAccount }))
  const find: PreparePorts['find'] = (apiVersion, kind) => kinds.find(apiVersion, kind)

  const httpFor = guardedHttp(client, ports.http)

  const preparing = (namespace: string, signal: AbortSignal): PreparePorts => ({
    client,
    find,
    asAccount,
    now: () => clock.now(),
    async readUrl(url, { skipVerify }) {
      const http = await httpFor(namespace)
      return http.ok ? readUrl(http.value, url, skipVerify, signal) : http
    },
  })

  const sending = async (trigger: ResolvedTrigger, { fireId, signal }: FireContext): Promise<Result<Sending>> => {
    const { namespace } = trigger.sensor
    const http = await httpFor(namespace)
    if (!http.ok) return http
    const read = async (value: SentValue): Promise<Result<string>> =>
      'text' in value ? succeed(value.text) : readKey(value.from, value, { namespace, client })
    return succeed({ http: http.value, read, fireId, signal })
  }

  const perform = async (
    action: TriggerAction,
    trigger: ResolvedTrigger,
    context: FireContext,
  ): Promise<Result<Fired>> => {
    const { fireId, signal } = context
    const writing = { client: asAccount(trigger), trigger, fireId, signal }
    switch (action.do) {
      case 'workflow': {
        const maker = { sensor: trigger.sensor, trigger: trigger.template.name, fireId, nowMs: clock.now() }
        return runWorkflow(action, { ...writing, maker })
      }
      case 'application': {
        const { sensor, serviceAccount, template } = trigger
        const user = accountUser({ namespace: sensor.namespace, name: serviceAccount }).username
        const because = `trigger ${template.name} of Sensor ${sensor.namespace}/${sensor.name}`
        return changeApplication(action, { user, fireId, because }, writing)
      }
      case 'request': {
        const by = await sending(trigger, context)
        return by.ok ? request(action, by.value) : by
      }
      case 'slack': {
        const by = await sending(trigger, context)
        return by.ok ? postToSlack(action, { ...by.value, base: slack, threads }) : by
      }
      case 'log':
        return logged(action, trigger, context)
      default:
        return writeObject(action, writing)
    }
  }

  const logged = (
    { intervalMs }: LogAction,
    { sensor, template }: ResolvedTrigger,
    { events }: FireContext,
  ): Result<Fired> => {
    const key = `${sensor.uid}/${template.name}`
    const nowMs = clock.now()
    if (nowMs < (loggedMs.get(key) ?? 0) + intervalMs)
      return succeed({ because: 'logged nothing: its interval is not over' })
    if (intervalMs > 0) loggedMs.set(key, nowMs)
    for (const [dependency, { context, data = '' }] of events) {
      const text = data.length > LONGEST_LINE ? `${data.slice(0, LONGEST_LINE)}...` : data
      const { id = '', source = '', subject = '' } = context
      log.info('event', {
        sensor: `${sensor.namespace}/${sensor.name}`,
        trigger: template.name,
        dependency,
        id,
        source,
        subject,
        data: text,
      })
    }
    return succeed({ because: `logged ${events.size} ${events.size === 1 ? 'event' : 'events'}` })
  }

  return {
    check: checkTemplate,
    rightsOf: (trigger) => rightsOf(trigger, find),
    async fire(trigger, context) {
      const action = await prepare(trigger, context, preparing(trigger.sensor.namespace, context.signal))
      return action.ok ? perform(action.value, trigger, context) : action
    },
  }
}

async function request(action: RequestAction, sending: Sending): Promise<Result<Fired>> {
  const answered = await sendRequest(action, sending)
  if (!answered.ok) return answered
  const { response, url } = answered.value
  const because = `${action.method} ${shownUrl(url)} answered ${response.status}`
  return succeed({ because, httpStatus: response.status })
}

async function readUrl(
  http: ServiceHttp,
  url: string,
  skipVerify: boolean,
  signal: AbortSignal,
): Promise<Result<string>> {
  const unreadable = (why: string): Result<never> =>
    fail({ code: 'trigger-unreachable', message: `cannot read ${shownUrl(url)}: ${why}` })
  if (!/^https?:/.test(url)) return unreadable('it is no URL of HTTP')
  try {
    const bounds = { timeoutMs: SOURCE_TIMEOUT_MS, longest: LONGEST_URL_SOURCE, signal }
    const answer = await http({ method: 'GET', url, headers: {}, ...bounds, ...(skipVerify ? { skipVerify } : {}) })
    return answer.status === 200 ? succeed(answer.body) : unreadable(`the answer is ${answer.status}`)
  } catch (error) {
    if (signal.aborted) throw error
    return unreadable(describeError(error))
  }
}
