import { isObject } from '../../../../lib/json.ts'
import { type Delivery, headerOf } from '../delivery.ts'
import { forgeData, readJson } from '../payload.ts'
import { type Provider, refuseDelivery, withoutSecret } from '../provider.ts'
import { isSigned } from '../signature.ts'

const decoder = new TextDecoder()

/** GitHub, and whoever sends as GitHub does: Gitea, Forgejo and Gogs carry its headers too. */
export const githubWebhook: Provider = (delivery, { spec, secret }) => {
  const key = secret('webhookSecret')
  if (!key.ok) return withoutSecret('webhook secret')
  const { headers, body } = delivery
  const kind = contentType(delivery)
  if (kind !== 'application/json' && kind !== 'application/x-www-form-urlencoded') {
    return refuseDelivery(400, `webhook request has unsupported Content-Type ${JSON.stringify(kind)}`, 'content-type')
  }
  if (key.value !== undefined && key.value !== '' && !isSigned(signatureOf(delivery), key.value, body)) {
    return refuseDelivery(400, 'payload signature check failed', 'signature')
  }
  const text = kind === 'application/json' ? body : (new URLSearchParams(decoder.decode(body)).get('payload') ?? '')
  const read = readJson(text)
  if (!read.ok) return refuseDelivery(400, read.error[0]?.message ?? '', 'body')
  if (!isObject(read.value.value)) return refuseDelivery(400, 'the body is not a JSON object', 'body')
  const id = headerOf(headers, 'X-Github-Delivery')
  const named = withNames(read.value.text, Object.keys(read.value.value).length, [
    ['X-GitHub-Delivery', id],
    ['X-GitHub-Event', headerOf(headers, 'X-Github-Event')],
  ])
  const data = forgeData(headers, named, spec['metadata'])
  return { do: 'publish', events: [{ data, ...(id === '' ? {} : { delivery: id }) }] }
}

const contentType = ({ headers }: Delivery): string =>
  headerOf(headers, 'Content-Type').split(';', 1)[0]?.trim().toLowerCase() ?? ''

/** The best signature there is. Gitea's own says no algorithm: it is SHA-256. */
function signatureOf({ headers }: Delivery): string {
  const named = headerOf(headers, 'X-Hub-Signature-256') || headerOf(headers, 'X-Hub-Signature')
  if (named) return named
  const bare = headerOf(headers, 'X-Gitea-Signature') || headerOf(headers, 'X-Forgejo-Signature')
  return bare ? `sha256=${bare}` : ''
}

/** The text of an object with more keys, which are the last and so the ones that count. */
function withNames(text: string, size: number, names: readonly (readonly [string, string])[]): string {
  const more = names.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')
  return `${text.slice(0, text.lastIndexOf('}'))}${size === 0 ? '' : ','}${more}}`
}
