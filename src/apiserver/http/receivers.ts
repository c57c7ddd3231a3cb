import { sendBytes } from './answer.ts'
import type { PageHandler } from './pages.ts'

/** Takes what the world outside sends to a path, without an account: it has to check who sends. */
export interface Receiver {
  readonly path: string
  receive(request: {
    readonly method: string
    readonly headers: Readonly<Record<string, string | undefined>>
    readonly body: Uint8Array
  }): { readonly status: number; readonly body: string }
}

/** The pages of receivers. Who may send there at all is said by RBAC. */
export function receiverPages(receivers: () => readonly Receiver[]): PageHandler {
  return async ({ path, method, reply }) => {
    const receiver = receivers().find((one) => one.path === path)
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
    const answer = receiver.receive({ method, headers, body: read.body })
    await sendBytes(reply, answer.status, Buffer.from(answer.body), 'text/plain')
    return true
  }
}
