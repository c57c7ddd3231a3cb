import { Buffer } from 'node:buffer'
import { PassThrough, Writable } from 'node:stream'
import type { WebSocket } from 'ws'
import type { SessionEnd, SessionStreams, TerminalSize } from '../../request.ts'
import type { SpdySession, SpdyStream } from './spdy-session.ts'

/** Which streams the client asked for. */
export interface CommandWish {
  readonly stdin: boolean
  readonly stdout: boolean
  readonly stderr: boolean
  readonly tty: boolean
}

type RunCommand = (streams: SessionStreams) => Promise<SessionEnd>

/** What the error stream says at the end, from version 4 of the protocol on. */
function statusOf(end: SessionEnd): object {
  if (end.failure !== undefined)
    return { metadata: {}, status: 'Failure', message: end.failure, reason: 'InternalError', code: 500 }
  if (end.exitCode === 0) return { metadata: {}, status: 'Success' }
  return {
    metadata: {},
    status: 'Failure',
    message: `command terminated with non-zero exit code: exit status ${end.exitCode}`,
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: String(end.exitCode) }] },
  }
}

const sizeIn = (text: string): TerminalSize | undefined => {
  try {
    const { Width, Height } = JSON.parse(text) as { readonly Width?: number; readonly Height?: number }
    return Width && Height ? { columns: Width, rows: Height } : undefined
  } catch {
    // Not a size: a terminal whose size is not known keeps the one it has.
    return undefined
  }
}

/** Runs a command over SPDY: each of its streams is one of the session. */
export async function commandOverSpdy(session: SpdySession, wish: CommandWish, run: RunCommand): Promise<void> {
  const gone = new AbortController()
  const streams = new Map<string, SpdyStream>()
  const wanted = [
    'error',
    ...(['stdin', 'stdout', 'stderr'] as const).filter((name) => wish[name] && !(wish.tty && name === 'stderr')),
  ]
  let begin: (() => void) | undefined
  const complete = new Promise<void>((resolve) => (begin = resolve))
  const served = session.run((stream) => {
    const name = stream.headers.get('streamtype') ?? ''
    streams.set(name, stream)
    if (name === 'resize') stream.resume()
    if (wanted.every((one) => streams.has(one))) begin?.()
  })
  const ended = served.finally(() => {
    gone.abort(new Error('the client is gone'))
    begin?.()
  })
  await complete
  const error = streams.get('error')
  if (gone.signal.aborted || !error) return ended
  const stdin = streams.get('stdin')
  const stdout = streams.get('stdout')
  const stderr = streams.get('stderr')
  const end = await run({
    ...(stdin ? { stdin } : {}),
    ...(stdout ? { stdout } : {}),
    ...(stderr ? { stderr } : {}),
    tty: wish.tty,
    signal: gone.signal,
  })
  await Promise.all([stdout, stderr].flatMap((stream) => (stream ? [finished(stream)] : [])))
  error.end(JSON.stringify(statusOf(end)))
  await finished(error)
  session.end()
  return ended
}

/** Ends a stream; resolves when everything is written, or nobody reads any more. */
function finished(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed) {
      resolve()
      return
    }
    stream.once('close', () => resolve())
    stream.end(() => resolve())
  })
}

const STDIN = 0
const STDOUT = 1
const STDERR = 2
const ERROR = 3
const RESIZE = 4
const CLOSE = 255
const MOST_WAITING = 1024 * 1024

/** Runs a command over a WebSocket: the first byte of each message is its channel. */
export async function commandOverWebSocket(socket: WebSocket, wish: CommandWish, run: RunCommand): Promise<void> {
  const isText = socket.protocol.startsWith('base64.')
  const gone = new AbortController()
  socket.on('close', () => gone.abort(new Error('the client is gone')))
  socket.on('error', () => gone.abort(new Error('the connection is broken')))
  const send = (channel: number, bytes: Buffer, done: () => void): void => {
    if (socket.readyState !== socket.OPEN) {
      done()
      return
    }
    const message = isText ? `${channel}${bytes.toString('base64')}` : Buffer.concat([Buffer.from([channel]), bytes])
    const isFull = socket.bufferedAmount > MOST_WAITING
    socket.send(message, () => isFull && done())
    if (!isFull) done()
  }
  const sink = (channel: number): Writable =>
    new Writable({ write: (bytes: Buffer, _, done) => send(channel, bytes, done) })
  const stdin = wish.stdin ? new PassThrough() : undefined
  const resized: ((size: TerminalSize) => void)[] = []
  socket.on('message', (data: Buffer) => {
    const channel = isText ? Number(String.fromCharCode(data[0] ?? 0)) : data[0]
    const bytes = isText ? Buffer.from(data.subarray(1).toString(), 'base64') : data.subarray(1)
    if (channel === STDIN && stdin && !stdin.write(bytes)) {
      socket.pause()
      stdin.once('drain', () => socket.resume())
    }
    if (channel === CLOSE && bytes[0] === STDIN) stdin?.end()
    if (channel === RESIZE) {
      const size = sizeIn(bytes.toString())
      if (size) for (const tell of resized) tell(size)
    }
  })
  // A client without the close channel ends its input by leaving.
  gone.signal.addEventListener('abort', () => stdin?.end(), { once: true })
  // Clients take the first message, even an empty one, as the sign that the streams are there.
  if (wish.stdout) send(STDOUT, Buffer.alloc(0), () => {})
  const end = await run({
    ...(stdin ? { stdin } : {}),
    ...(wish.stdout ? { stdout: sink(STDOUT) } : {}),
    ...(wish.stderr && !wish.tty ? { stderr: sink(STDERR) } : {}),
    tty: wish.tty,
    signal: gone.signal,
    onResize: (tell) => resized.push(tell),
  })
  send(ERROR, Buffer.from(JSON.stringify(statusOf(end))), () => {})
  socket.close(1000)
}
