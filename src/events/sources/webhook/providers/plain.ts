import { type Delivery, headerOf } from '../delivery.ts'
import { readJson, webhookData } from '../payload.ts'
import { type Provider, type Received, refuseDelivery } from '../provider.ts'

const decoder = new TextDecoder()

/** The values of a query or a form, as Go writes them: a list for every name. */
function valuesText(values: URLSearchParams): string {
  const names = [...new Set(values.keys())].toSorted()
  return `{${names.map((name) => `${JSON.stringify(name)}:${JSON.stringify(values.getAll(name))}`).join(',')}}`
}

/** A plain webhook: the query of a GET, the form or the JSON of a POST. */
export const plainWebhook: Provider = (delivery, { spec }) => {
  const body = bodyOf(delivery)
  if (typeof body !== 'string') return body
  return { do: 'publish', events: [{ data: webhookData(delivery.headers, body, spec['metadata']) }] }
}

function bodyOf({ method, query, headers, body }: Delivery): string | Received {
  if (method === 'GET') return valuesText(query)
  if (method !== 'POST') return refuseDelivery(400, `unsupported method: ${method}`, 'method')
  if (headerOf(headers, 'Content-Type') === 'application/x-www-form-urlencoded') {
    return valuesText(new URLSearchParams(decoder.decode(body)))
  }
  const read = readJson(body)
  return read.ok ? read.value.text : refuseDelivery(400, read.error[0]?.message ?? '', 'body')
}
