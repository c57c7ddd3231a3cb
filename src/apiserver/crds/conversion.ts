import type { KubeObject } from '../../kube/object.ts'
import { type ApiResult, refuse } from '../../kube/status.ts'
import { isObject, type JsonObject } from '../../lib/json.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import { readClient, type WebhookClient } from '../admission/webhooks/configuration.ts'
import type { WebhookPorts } from '../admission/webhooks/webhooks.ts'

/** What asking conversion webhooks needs of its surroundings. */
export interface ConversionPorts {
  /** Absent where no webhook can be called. */
  readonly call: WebhookPorts['call'] | undefined
  readonly uid: () => string
}

/** Converts objects of one kind to a version, in the order given; those that are in it already are left alone. */
export type Converter = (
  objects: readonly KubeObject[],
  apiVersion: string,
) => Promise<ApiResult<readonly KubeObject[]>>

const GROUP = 'apiextensions.k8s.io'
const TIMEOUT_MS = 30_000
/** Objects are sent in portions, so that the answer for a long list is not too long to be read. */
const AT_ONCE = 100

interface Hook {
  readonly kind: string
  readonly client: WebhookClient
  /** The version of the review that the webhook is spoken to in. */
  readonly reviewVersion: string
}

/** The converter of a definition with a conversion webhook. */
export function webhookConverter(
  { webhook, kind }: { readonly webhook: Readonly<Record<string, unknown>>; readonly kind: string },
  ports: ConversionPorts,
): Converter {
  const versions: readonly unknown[] = Array.isArray(webhook['conversionReviewVersions'])
    ? webhook['conversionReviewVersions']
    : []
  const spoken = versions.find((version) => version === 'v1' || version === 'v1beta1') === 'v1beta1' ? 'v1beta1' : 'v1'
  const hook: Hook = { kind, client: readClient(webhook['clientConfig']), reviewVersion: `${GROUP}/${spoken}` }
  return async (objects, apiVersion) => {
    const foreign = objects.filter((object) => object.apiVersion !== apiVersion)
    const converted: KubeObject[] = []
    for (let start = 0; start < foreign.length; start += AT_ONCE) {
      const portion = foreign.slice(start, start + AT_ONCE)
      const answered = await ask(hook, ports, portion, apiVersion)
      if (!answered.ok) {
        const from = `${portion[0]?.apiVersion ?? ''}, Kind=${kind}`
        const because = answered.error.map(({ message }) => message).join('; ')
        return refuse('InternalError', `conversion webhook for ${from} failed: ${because}`)
      }
      for (const object of answered.value) converted.push(object)
    }
    let next = 0
    return succeed(objects.map((object) => (object.apiVersion === apiVersion ? object : (converted[next++] ?? object))))
  }
}

const broken = (message: string): Result<never> => fail({ code: 'conversion-failed', message })

async function ask(
  { kind, client, reviewVersion }: Hook,
  ports: ConversionPorts,
  objects: readonly KubeObject[],
  desiredAPIVersion: string,
): Promise<Result<readonly KubeObject[]>> {
  if (!ports.call) return broken('webhooks cannot be called from here')
  const uid = ports.uid()
  const review = {
    kind: 'ConversionReview',
    apiVersion: reviewVersion,
    request: { uid, desiredAPIVersion, objects },
  }
  const signal = new AbortController().signal
  const body = await ports.call(client, review, { timeoutMs: TIMEOUT_MS, signal })
  if (!body.ok) return body
  const answered = readAnswer(body.value, { uid, reviewVersion })
  if (!answered.ok) return answered
  if (answered.value.length !== objects.length) {
    return broken(`expected ${objects.length} converted objects, got ${answered.value.length}`)
  }
  const checked: KubeObject[] = []
  for (const [index, original] of objects.entries()) {
    const made = checkConverted(answered.value[index], original, { kind, apiVersion: desiredAPIVersion })
    if (typeof made === 'string') return broken(`invalid converted object at index ${index}: ${made}`)
    checked.push(made)
  }
  return succeed(checked)
}

/** The objects that a review answers, when it is an answer to the review that was sent and says that all went well. */
function readAnswer(
  body: unknown,
  { uid, reviewVersion }: { readonly uid: string; readonly reviewVersion: string },
): Result<readonly unknown[]> {
  if (!isObject(body) || body['kind'] !== 'ConversionReview' || body['apiVersion'] !== reviewVersion) {
    return broken(`expected a ConversionReview of ${reviewVersion} as the answer`)
  }
  const response = body['response']
  if (!isObject(response)) return broken('no response provided')
  if (response['uid'] !== uid) {
    return broken(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(response['uid'] ?? '')}`)
  }
  const result = isObject(response['result']) ? response['result'] : {}
  if (result['status'] !== 'Success') {
    const { message } = result
    if (typeof message === 'string' && message !== '') return broken(message)
    return broken(`response.result.status was ${JSON.stringify(result['status'] ?? '')}, not "Success"`)
  }
  const converted = response['convertedObjects']
  return succeed(Array.isArray(converted) ? converted : [])
}

/** The converted object with the metadata of the original, of which only labels and annotations may change; or what is wrong. */
function checkConverted(
  converted: unknown,
  original: KubeObject,
  wanted: { readonly kind: string; readonly apiVersion: string },
): KubeObject | string {
  if (!isObject(converted)) return 'it is not an object'
  const { apiVersion, kind, metadata } = converted
  if (apiVersion !== wanted.apiVersion)
    return `invalid apiVersion, expected=${wanted.apiVersion}, got=${show(apiVersion)}`
  if (kind !== wanted.kind) return `invalid kind, expected=${wanted.kind}, got=${show(kind)}`
  if (!isObject(metadata)) return 'missing metadata'
  for (const field of ['name', 'namespace', 'uid']) {
    const before = original.metadata[field] ?? ''
    if ((metadata[field] ?? '') !== before) {
      return `metadata.${field} mutated, expected=${show(before)}, got=${show(metadata[field])}`
    }
  }
  const { labels: _labels, annotations: _annotations, ...kept } = original.metadata
  const changed: Record<string, unknown> = { ...kept }
  for (const field of ['labels', 'annotations']) {
    const texts = metadata[field] ?? undefined
    if (texts === undefined) continue
    if (!isTexts(texts)) return `metadata.${field} must be a map of strings`
    changed[field] = texts
  }
  return { ...converted, apiVersion, kind: wanted.kind, metadata: changed }
}

const show = (value: unknown): string => (typeof value === 'string' ? value : (JSON.stringify(value) ?? ''))

const isTexts = (value: unknown): value is JsonObject =>
  isObject(value) && Object.values(value).every((text) => typeof text === 'string')
