import { dataJson } from '../event.ts'
import type { Json } from '../../lib/json.ts'
import { type Result, succeed } from '../../lib/result.ts'
import { isSecretName, redact, REDACTED } from '../trace/redact.ts'
import type { FireContext, ResolvedTrigger } from '../sensor/trigger.ts'
import { planApplication } from '../triggers/application-action.ts'
import { targetOf } from '../triggers/change-application.ts'
import { accountUser } from '../triggers/executors.ts'
import type { ApplicationAction, RequestAction, SentValue, TriggerAction } from '../triggers/action.ts'
import type { PreparePorts } from '../triggers/prepare.ts'
import { originOf, workflowToCreate } from '../triggers/run-workflow.ts'
import { SlackThreads, slackBody } from '../triggers/slack.ts'
import { calledAs } from '../triggers/write-object.ts'

/** An action as it is shown: what in a few words, and the exact object, request or message. */
export interface ShownAction {
  readonly does: string
  readonly object?: Json
  readonly request?: Json
  readonly message?: Json
}

const shownValue = (value: SentValue): string =>
  'text' in value ? value.text : `(${value.key} of ${value.from} ${value.name})`

/** Shows what a trigger would do; what Secrets hold is not read, and what an object keeps secret is not shown. */
export async function showAction(
  action: TriggerAction,
  trigger: ResolvedTrigger,
  context: FireContext,
  ports: PreparePorts,
): Promise<Result<ShownAction>> {
  switch (action.do) {
    case 'request':
      return succeed({ does: `${action.method} ${action.url}`, request: shownRequest(action) })
    case 'slack': {
      const message = redact(slackBody(action, new SlackThreads()))
      return succeed({ does: `post to the Slack channel ${action.channel}`, message })
    }
    case 'application':
      return shownChange(action, trigger, context, ports)
    case 'log':
      return succeed({ does: `log ${context.events.size} ${context.events.size === 1 ? 'event' : 'events'}` })
    case 'workflow': {
      const target = originOf(action)
      const client = target && ports.asAccount(trigger)
      const origin = target && client ? await client.get(target) : undefined
      const maker = {
        sensor: trigger.sensor,
        trigger: trigger.template.name,
        fireId: context.fireId,
        nowMs: ports.now(),
      }
      const made = workflowToCreate(action, origin?.ok === true ? origin.value : undefined, maker)
      if (made) return succeed({ does: `${action.operation}: create ${calledAs(made)}`, object: redact(made) })
      return succeed({ does: `${action.operation} Workflow ${action.namespace}/${action.object.metadata.name ?? ''}` })
    }
    default: {
      const how = action.do === 'patch' ? ` (${action.patchType})` : ''
      return succeed({ does: `${action.do} ${calledAs(action.object)}${how}`, object: redact(action.object) })
    }
  }
}

/** The exact patch where the Application is known; otherwise what is asked for. */
async function shownChange(
  action: ApplicationAction,
  trigger: ResolvedTrigger,
  { fireId }: FireContext,
  ports: PreparePorts,
): Promise<Result<ShownAction>> {
  const named = `Application ${action.namespace}/${action.name}`
  const found = await ports.asAccount(trigger)?.get(targetOf(action))
  if (found?.ok !== true) return succeed({ does: `${action.operation} ${named}` })
  const { sensor, serviceAccount, template } = trigger
  const plan = planApplication(action, found.value, {
    user: accountUser({ namespace: sensor.namespace, name: serviceAccount }).username,
    fireId,
    because: `trigger ${template.name} of Sensor ${sensor.namespace}/${sensor.name}`,
  })
  if (!plan.ok) return plan
  if (plan.value.do === 'nothing')
    return succeed({ does: `${action.operation}: nothing, ${plan.value.because} ${named}` })
  return succeed({ does: `${action.operation} ${named}: patch`, object: redact(plan.value.body) })
}

function shownRequest(action: RequestAction): Json {
  const { method, url, host, headers, basicAuth, body, timeoutMs, skipVerify, ca, clientCert } = action
  const shown = Object.fromEntries(
    headers.map(([name, value]) => [name, 'text' in value && isSecretName(name) ? REDACTED : shownValue(value)]),
  )
  const read = body === undefined ? undefined : dataJson(body)
  return {
    method,
    url,
    ...(host === undefined ? {} : { host }),
    headers: shown,
    ...(basicAuth
      ? {
          basicAuth: {
            username: basicAuth.username ? shownValue(basicAuth.username) : '',
            password: basicAuth.password ? shownValue(basicAuth.password) : '',
          },
        }
      : {}),
    ...(body === undefined ? {} : { body: read === undefined ? body : redact(read) }),
    timeoutSeconds: timeoutMs / 1_000,
    ...(skipVerify ? { insecureSkipVerify: true } : {}),
    ...(ca ? { ca: shownValue(ca) } : {}),
    ...(clientCert ? { clientCertificate: shownValue(clientCert) } : {}),
  }
}
