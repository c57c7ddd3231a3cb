import type { AdmissionPlugin, AdmissionRequest, Mutation, Verdict } from '../../../kube/admission.ts'
import type { KubeObject } from '../../../kube/object.ts'
import { failure, type Status } from '../../../kube/status.ts'
import { isEqual } from '../../../lib/json.ts'
import { explain, type Result } from '../../../lib/result.ts'
import type { ClusterReader } from '../cluster-reader.ts'
import { isExempt, selects, type Webhook, type WebhookClient, webhooksOf } from './configuration.ts'
import { applyAnswer, callFailure, denialOf, parseAnswer, reviewOf, type WebhookAnswer } from './review.ts'

/** What asking webhooks needs of its surroundings. */
export interface WebhookPorts {
  readonly reader: ClusterReader
  /** Posts a review and answers the parsed body. */
  readonly call: (
    client: WebhookClient,
    review: unknown,
    options: { readonly timeoutMs: number; readonly signal: AbortSignal },
  ) => Promise<Result<unknown>>
  /** Evaluates the CEL match conditions of a webhook: whether all hold. */
  readonly conditionsHold: (webhook: Webhook, request: AdmissionRequest) => Result<boolean>
}

/** What came of asking one webhook; nothing when it was not concerned, or failed and may be ignored. */
type Asked = { readonly answer: WebhookAnswer } | { readonly refused: Status } | undefined

async function ask(
  webhook: Webhook,
  request: AdmissionRequest,
  { ports, signal }: { readonly ports: WebhookPorts; readonly signal: AbortSignal },
): Promise<Asked> {
  const concerned = ports.conditionsHold(webhook, request)
  if (concerned.ok && !concerned.value) return undefined
  const failed = (because: string): Asked =>
    webhook.failurePolicy === 'Ignore' ? undefined : { refused: callFailure(webhook.name, because) }
  if (!concerned.ok) return failed(concerned.error.map(explain).join('; '))
  if (request.dryRun && webhook.hasSideEffects) {
    return {
      refused: failure('BadRequest', `admission webhook ${JSON.stringify(webhook.name)} does not support dry run`),
    }
  }
  const body = await ports.call(webhook.client, reviewOf(request), { timeoutMs: webhook.timeoutMs, signal })
  if (!body.ok) return failed(body.error.map(({ message }) => message).join('; '))
  const answer = parseAnswer(body.value, request.uid)
  return answer.ok ? { answer: answer.value } : failed(answer.error.map(({ message }) => message).join('; '))
}

const chosen = (ports: WebhookPorts, type: 'mutating' | 'validating', request: AdmissionRequest): readonly Webhook[] =>
  isExempt(request) ? [] : webhooksOf(ports.reader, type).filter((webhook) => selects(webhook, request, ports.reader))

const hasConfigurations = (ports: WebhookPorts, type: 'mutating' | 'validating'): boolean =>
  ports.reader.list('admissionregistration.k8s.io', `${type}webhookconfigurations`).length > 0

/** Asks the webhooks of MutatingWebhookConfigurations one after the other; those that want it are asked again after later changes. */
export function mutatingWebhooks(ports: WebhookPorts): AdmissionPlugin {
  return {
    name: 'MutatingAdmissionWebhook',
    handles: () => hasConfigurations(ports, 'mutating'),
    async mutate(request, signal) {
      const warnings: string[] = []
      const first = await mutateRound(chosen(ports, 'mutating', request), request, { ports, signal, warnings })
      if ('refused' in first) return { allowed: false, status: first.refused, warnings }
      const again = first.webhooks.filter(
        (webhook, index) => webhook.reinvocationPolicy === 'IfNeeded' && first.lastChange > index,
      )
      const next = { ...request, ...(first.object ? { object: first.object } : {}) }
      const second = again.length > 0 ? await mutateRound(again, next, { ports, signal, warnings }) : first
      if ('refused' in second) return { allowed: false, status: second.refused, warnings }
      return mutationOf(second.object ?? first.object, request, warnings)
    },
  }
}

function mutationOf(object: KubeObject | undefined, request: AdmissionRequest, warnings: readonly string[]): Mutation {
  return { allowed: true, warnings, ...(object && object !== request.object ? { object } : {}) }
}

interface RoundContext {
  readonly ports: WebhookPorts
  readonly signal: AbortSignal
  readonly warnings: string[]
}

interface Round {
  readonly object: KubeObject | undefined
  readonly webhooks: readonly Webhook[]
  /** The place of the last webhook that changed something; -1 for none. */
  readonly lastChange: number
}

async function mutateRound(
  webhooks: readonly Webhook[],
  request: AdmissionRequest,
  context: RoundContext,
): Promise<Round | { readonly refused: Status }> {
  let object = request.object
  let lastChange = -1
  for (const [index, webhook] of webhooks.entries()) {
    const asked = await ask(webhook, { ...request, ...(object ? { object } : {}) }, context)
    if (!asked) continue
    if ('refused' in asked) return asked
    const { answer } = asked
    context.warnings.push(...answer.warnings)
    if (!answer.allowed) return { refused: denialOf(webhook.name, answer) }
    if (!answer.patch || answer.patch.length === 0 || !object) continue
    const patched = applyAnswer(object, answer.patch)
    if (!patched.ok) return { refused: callFailure(webhook.name, patched.error.map(explain).join('; ')) }
    if (!isEqual(patched.value, object)) {
      object = patched.value
      lastChange = index
    }
  }
  return { object, webhooks, lastChange }
}

/** Asks the webhooks of ValidatingWebhookConfigurations all at once; every denial is told. */
export function validatingWebhooks(ports: WebhookPorts): AdmissionPlugin {
  return {
    name: 'ValidatingAdmissionWebhook',
    handles: () => hasConfigurations(ports, 'validating'),
    async validate(request, signal): Promise<Verdict> {
      const webhooks = chosen(ports, 'validating', request)
      const all = await Promise.all(
        webhooks.map(async (webhook) => ({ webhook, asked: await ask(webhook, request, { ports, signal }) })),
      )
      const warnings: string[] = []
      const denials: Status[] = []
      const auditAnnotations: Record<string, string> = {}
      for (const { webhook, asked } of all) {
        if (!asked) continue
        if ('refused' in asked) {
          denials.push(asked.refused)
          continue
        }
        warnings.push(...asked.answer.warnings)
        for (const [key, value] of Object.entries(asked.answer.auditAnnotations))
          auditAnnotations[`${webhook.name}/${key}`] = value
        if (!asked.answer.allowed) denials.push(denialOf(webhook.name, asked.answer))
      }
      const [first, ...more] = denials
      if (!first) return { allowed: true, warnings, auditAnnotations }
      return {
        allowed: false,
        warnings,
        status: { ...first, message: [first, ...more].map(({ message }) => message).join('; ') },
      }
    },
  }
}
