import { Agent, request } from 'undici'
import { describeError } from '../../../lib/log.ts'
import { readBounded } from '../../../lib/read-bounded.ts'
import { fail, type Result, succeed } from '../../../lib/result.ts'
import type { WebhookClient } from './configuration.ts'
import type { WebhookPorts } from './webhooks.ts'

/** Where a Service is reached from this process. */
export type ServiceResolver = (
  service: NonNullable<WebhookClient['service']>,
) => { readonly host: string; readonly port: number } | undefined

/** The longest answer that is read. */
const LONGEST_ANSWER = 8 * 1024 * 1024

const problem = (message: string): Result<never> => fail({ code: 'webhook-unreachable', message })

/** Calls webhooks over TLS; connections are kept by certificate authority and server name. */
export class WebhookCaller {
  readonly #resolve: ServiceResolver
  readonly #agents = new Map<string, Agent>()

  constructor(resolve: ServiceResolver) {
    this.#resolve = resolve
  }

  readonly call: WebhookPorts['call'] = async (client, review, { timeoutMs, signal }) => {
    const target = this.#target(client)
    if (!target.ok) return target
    const { url, serverName } = target.value
    try {
      const answer = await request(url, {
        method: 'POST',
        dispatcher: this.#agent(client.caBundle ?? '', serverName),
        headers: { 'content-type': 'application/json', accept: 'application/json' },
        body: JSON.stringify(review),
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
      })
      const bytes = await readBounded(answer.body, LONGEST_ANSWER)
      if (!bytes) return problem(`the answer is longer than ${LONGEST_ANSWER} bytes`)
      const text = bytes.toString('utf8')
      if (answer.statusCode !== 200) return problem(`the webhook answered ${answer.statusCode}: ${text.slice(0, 200)}`)
      return succeed(JSON.parse(text) as unknown)
    } catch (cause) {
      return problem(describeError(cause))
    }
  }

  #target(client: WebhookClient): Result<{ readonly url: URL; readonly serverName: string }> {
    if (client.url !== undefined) {
      if (!URL.canParse(client.url)) return problem(`${JSON.stringify(client.url)} is not a URL`)
      const url = new URL(client.url)
      return url.protocol === 'https:'
        ? succeed({ url, serverName: url.hostname })
        : problem('a webhook must be reached over https')
    }
    const { service } = client
    if (!service) return problem('the webhook names neither a url nor a service')
    const found = this.#resolve(service)
    if (!found) return problem(`service ${service.namespace}/${service.name} has no endpoint on port ${service.port}`)
    const path = service.path.startsWith('/') ? service.path : `/${service.path}`
    return succeed({
      url: new URL(`https://${found.host}:${found.port}${path}`),
      serverName: `${service.name}.${service.namespace}.svc`,
    })
  }

  #agent(caBundle: string, servername: string): Agent {
    const key = `${servername} ${caBundle}`
    const known = this.#agents.get(key)
    if (known) return known
    const ca = caBundle === '' ? {} : { ca: Buffer.from(caBundle, 'base64').toString('utf8') }
    const agent = new Agent({ connections: 16, connect: { servername, ...ca } })
    this.#agents.set(key, agent)
    return agent
  }

  /** Closes every connection. */
  async close(): Promise<void> {
    await Promise.all([...this.#agents.values()].map((agent) => agent.close()))
    this.#agents.clear()
  }
}
