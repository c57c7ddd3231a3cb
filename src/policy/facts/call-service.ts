import { Agent, request } from 'undici'
import { isObject, type Json } from '../../lib/json.ts'
import { readBounded } from '../../lib/read-bounded.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import type { CallService } from './fetch-facts.ts'

/** The longest answer that is read. */
const LONGEST_ANSWER = 2 * 1024 * 1024
const TIMEOUT_MS = 10_000

const problem = (message: string): Result<Json> => fail({ code: 'policy-service-failed', message })

/** Where the Service of a URL such as `http://name.namespace.svc` is reached from this process. */
export type ResolveService = (
  host: string,
  port: number,
) => { readonly host: string; readonly port: number } | undefined

/** Calls services over HTTP; what they answer must be JSON. */
export function serviceCaller(resolve: ResolveService = () => undefined): CallService {
  return async ({ method, url, headers, body, caBundle, keepsStatus, signal }) => {
    if (!URL.canParse(url)) return problem(`${JSON.stringify(url)} is not a URL`)
    const target = new URL(url)
    if (target.protocol !== 'http:' && target.protocol !== 'https:') return problem(`${url} is not an HTTP URL`)
    const name = target.hostname
    const found = resolve(name, Number(target.port || (target.protocol === 'https:' ? 443 : 80)))
    if (found) {
      target.hostname = found.host
      target.port = String(found.port)
    }
    const agent = new Agent({ connect: { servername: name, ...(caBundle ? { ca: caBundle } : {}) } })
    try {
      const answer = await request(target, {
        method,
        dispatcher: agent,
        headers: { accept: 'application/json', host: found ? name : target.host, ...headers },
        ...(body === undefined ? {} : { body }),
        signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
      })
      const bytes = await readBounded(answer.body, LONGEST_ANSWER)
      if (!bytes) return problem(`the answer of ${url} is longer than ${LONGEST_ANSWER} bytes`)
      const text = bytes.toString('utf8')
      if (keepsStatus) return succeed(withStatus(text, answer.statusCode))
      if (answer.statusCode < 200 || answer.statusCode >= 300) {
        return problem(`HTTP ${answer.statusCode} from ${url}: ${text.slice(0, 300)}`)
      }
      return succeed(JSON.parse(text) as Json)
    } catch (error) {
      return problem(`failed to call ${url}: ${error instanceof Error ? error.message : String(error)}`)
    } finally {
      void agent.close()
    }
  }
}

/** An answer as expressions see it: an object has its status beside its fields, anything else is a body with a status. */
function withStatus(text: string, statusCode: number): Json {
  const body = readJson(text)
  return isObject(body) ? { ...body, statusCode } : { body, statusCode }
}

function readJson(text: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch {
    // What is no JSON is no body.
    return null
  }
}
