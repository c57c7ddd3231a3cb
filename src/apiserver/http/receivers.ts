import type { UserInfo } from '../../kube/admission.ts'
import { sendBytes } from './answer.ts'
import type { PageHandler } from './pages.ts'

/** What a receiver gets of a request. */
export interface ReceivedRequest {
  readonly method: string
  /** As it was asked for, without the query. */
  readonly path: string
  readonly query: ReadonlyMap<string, readonly string[]>
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly user: UserInfo
  readonly body: Uint8Array
}

export interface ReceiverAnswer {
  readonly status: number
  readonly body: string
  /** Plain text where nobody says. */
  readonly contentType?: string
}

/** Takes requests to a path that is no resource, or to everything below a path that ends in a slash. */
export interface Receiver {
  readonly path: string
  /** Whether everybody may send there, without an account: it has to check itself who sends. Otherwise RBAC says who may. */
  readonly open?: boolean
  receive(request: ReceivedRequest): ReceiverAnswer | Promise<ReceiverAnswer>
}

/** The pages of receivers. Who may send there at all is said by RBAC. */
export function receiverPages(receivers: () => readonly Receiver[]): PageHandler {
  return async ({ path, query, method, user, reply }) => {
    const receiver = receivers().find((one) => (one.path.endsWith('/') ? path.startsWith(one.path) : path === one.path))
    if (!receiver) return false
    const { exchange } = reply
    const read = await exchange.readBody()
    if (!read.ok) {
      const status = read.because === 'too-large' ? 413 : 408
      await sendBytes(reply, status, Buffer.from(`the body is ${read.because.replace('-', ' ')}\n`), 'text/plain')
      return true
    }
    const headers = Object.fromEntries(
      exchange.headerNames().map((name) => [name.toLowerCase(), exchange.header(name)]),
    )
    const { status, body, contentType } = await receiver.receive({
      method,
      path,
      query,
      headers,
      user,
      body: read.body,
    })
    await sendBytes(reply, status, Buffer.from(body), contentType ?? 'text/plain')
    return true
  }
}
