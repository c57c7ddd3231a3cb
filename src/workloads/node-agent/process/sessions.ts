import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect as connectTcp } from 'node:net'
import type { PodConnect } from '../../../apiserver/pod-runtime.ts'
import type { Connection, SessionEnd, SessionStreams } from '../../../apiserver/request.ts'
import { type ApiResult, failure } from '../../../kube/status.ts'
import { describeError } from '../../../lib/log.ts'
import { readLog } from './container-log.ts'
import { containerOf, isTrue, logWishOf } from './log-wish.ts'
import type { Place } from './prepare.ts'
import type { ProcessRun } from './process-run.ts'
import { signalTo, treeOf } from './process-tree.ts'

/** What is known of a Pod that somebody wants to talk to. */
export interface PodInReach {
  readonly address: string
  /** The newest run of a container, and the one before. */
  newest(container: string): {
    readonly run: ProcessRun | undefined
    readonly log: string | undefined
    readonly previousLog: string | undefined
  }
  place(container: string): Place | undefined
}

const refuse = (message: string): ApiResult<never> => ({ ok: false, error: failure('BadRequest', message) })

/** Lets somebody read, join or reach into a Pod's containers. */
export function connectTo(request: PodConnect, pod: PodInReach | undefined, nowMs: number): ApiResult<Connection> {
  const { kind, query } = request
  const { name = '' } = request.pod.metadata
  if (!pod) return refuse(`nothing of pod ${name} runs on this node yet`)
  if (kind === 'portforward') return { ok: true, value: { kind, dial: (port) => dial(pod.address, port) } }
  const found = containerOf(request)
  if (!found.ok) return found
  const container = found.value.name
  const { run, log, previousLog } = pod.newest(container)
  if (kind === 'log') {
    const isPrevious = isTrue(query, 'previous')
    const path = isPrevious ? previousLog : log
    if (path === undefined)
      return refuse(
        isPrevious
          ? `previous terminated container ${container} in pod ${name} not found`
          : `container ${container} in pod ${name} is waiting to start`,
      )
    const wish = logWishOf(query, nowMs)
    const isLive = isTrue(query, 'follow') && !isPrevious && run !== undefined && !run.isOver
    return {
      ok: true,
      value: { kind, text: (signal) => readLog(path, wish, isLive ? { log: run.output, signal } : undefined) },
    }
  }
  const place = pod.place(container)
  if (!run || run.isOver || !place) return refuse(`container ${container} in pod ${name} is not running`)
  if (kind === 'attach') return { ok: true, value: { kind, run: (streams) => attach(run, streams) } }
  const command = query.get('command') ?? []
  if (command.length === 0) return refuse('you must specify at least one command for the container')
  return { ok: true, value: { kind, run: (streams) => execute(place, command, streams) } }
}

async function dial(host: string, port: number): Promise<ReturnType<typeof connectTcp>> {
  const socket = connectTcp({ host, port })
  await once(socket, 'connect')
  return socket
}

function execute(place: Place, argv: readonly string[], streams: SessionStreams): Promise<SessionEnd> {
  const { file, args, cwd, env } = place.spawnable(argv)
  const { stdin, stdout, stderr, tty, signal } = streams
  return new Promise((resolve) => {
    const child = spawn(file, args, { cwd, env: { ...env }, stdio: [stdin ? 'pipe' : 'ignore', 'pipe', 'pipe'] })
    child.on('error', (error) => resolve({ failure: describeError(error) }))
    if (tty) stdout?.write('(no terminal here: the process runtime passes input and output through as they are)\r\n')
    if (stdin && child.stdin) {
      stdin.pipe(child.stdin)
      child.stdin.on('error', () => {})
    }
    // Without a terminal's own stream, what is complained goes where everything goes.
    const complaints = stderr ?? (tty ? stdout : undefined)
    if (stdout) child.stdout?.pipe(stdout, { end: false })
    else child.stdout?.resume()
    if (complaints) child.stderr?.pipe(complaints, { end: false })
    else child.stderr?.resume()
    const stop = (): void => {
      for (const pid of child.pid === undefined ? [] : treeOf(child.pid)) signalTo(pid, 'SIGKILL')
    }
    signal.addEventListener('abort', stop, { once: true })
    child.on('close', (code) => {
      signal.removeEventListener('abort', stop)
      resolve({ exitCode: code ?? 137 })
    })
  })
}

async function attach(run: ProcessRun, { stdin, stdout, stderr, signal }: SessionStreams): Promise<SessionEnd> {
  if (stdin && run.stdin) stdin.pipe(run.stdin, { end: false })
  for await (const line of run.output.follow(signal)) {
    const [, stream, , ...text] = line.split(' ')
    const sink = stream === 'stderr' ? (stderr ?? stdout) : stdout
    sink?.write(`${text.join(' ')}\n`)
  }
  const { state } = run
  return { exitCode: state.is === 'ended' ? state.exitCode : 0 }
}
