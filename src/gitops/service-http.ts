import type { Agent } from 'undici'

/** A question to a service outside, such as generators ask and notifications tell. */
export interface ServiceRequest {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  /** Certificates of authorities, in PEM, instead of the system's. */
  readonly ca?: string
  readonly skipVerify?: boolean
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

export interface ServiceResponse {
  readonly status: number
  /** By lower-case name. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
}

/** HTTP to services as a port: resolves with what is answered, rejects when there is no answer. Redirects are not followed. */
export type ServiceHttp = (request: ServiceRequest) => Promise<ServiceResponse>

const LONGEST = 32 * 1024 * 1024

/** HTTP over undici. */
export const undiciServiceHttp: ServiceHttp = async (asked) => {
  const undici = await import('undici')
  const connect = {
    ...(asked.ca === undefined ? {} : { ca: asked.ca }),
    ...(asked.skipVerify ? { rejectUnauthorized: false } : {}),
  }
  const agent: Agent = new undici.Agent({ connect })
  try {
    const { url, method, headers, body, signal, timeoutMs } = asked
    const answer = await undici.request(url, {
      method,
      headers,
      dispatcher: agent,
      ...(body === undefined ? {} : { body }),
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    })
    const chunks: Buffer[] = []
    let size = 0
    for await (const chunk of answer.body as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size > LONGEST) throw new Error(`the answer of ${new URL(url).host} is longer than ${LONGEST} bytes`)
      chunks.push(chunk)
    }
    const known = Object.entries(answer.headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name.toLowerCase(), Array.isArray(value) ? value.join(', ') : value] as const],
    )
    return { status: answer.statusCode, headers: new Map(known), body: Buffer.concat(chunks).toString('utf8') }
  } finally {
    void agent.close()
  }
}
