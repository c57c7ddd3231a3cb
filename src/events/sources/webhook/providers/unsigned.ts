import { headerOf } from '../delivery.ts'
import { forgeData, readJson } from '../payload.ts'
import { type Provider, refuseDelivery } from '../provider.ts'

/** Bitbucket and Gerrit sign nothing that Argo Events checks: `authSecret`, or a path that is hard to guess, keeps others out. */
export const unsignedWebhook: Provider = ({ headers, body }, { spec }) => {
  const read = readJson(body)
  if (!read.ok) return refuseDelivery(400, read.error[0]?.message ?? '', 'body')
  // The same at every attempt of Bitbucket.
  const id = headerOf(headers, 'X-Request-Uuid')
  const data = forgeData(headers, read.value.text, spec['metadata'])
  return { do: 'publish', events: [{ data, ...(id === '' ? {} : { delivery: id }) }] }
}
