import { headerOf } from '../delivery.ts'
import { forgeData, readJson } from '../payload.ts'
import { type Provider, refuseDelivery, withoutSecret } from '../provider.ts'
import { isSameText } from '../signature.ts'

/** GitLab: a token that both sides know. */
export const gitlabWebhook: Provider = ({ headers, body }, { spec, secret }) => {
  const token = secret('secretToken')
  if (!token.ok) return withoutSecret('secret token')
  if (
    token.value !== undefined &&
    token.value !== '' &&
    !isSameText(headerOf(headers, 'X-Gitlab-Token'), token.value)
  ) {
    return refuseDelivery(400, 'token mismatch', 'token')
  }
  const read = readJson(body)
  if (!read.ok) return refuseDelivery(400, read.error[0]?.message ?? '', 'body')
  // The same at every attempt, from GitLab 17.4.
  const id = headerOf(headers, 'Idempotency-Key')
  const data = forgeData(headers, read.value.text, spec['metadata'])
  return { do: 'publish', events: [{ data, ...(id === '' ? {} : { delivery: id }) }] }
}
