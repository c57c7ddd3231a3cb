import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { Clock } from '../../../lib/clock.ts'
import { describeError, type Log } from '../../../lib/log.ts'
import type { Run, RunState } from '../runtime.ts'
import type { ContainerLog } from './container-log.ts'
import { hasProbe, type ProbeKind, runProbe } from './probes.ts'
import { residentBytes, signalTo, startOf, treeOf } from './process-tree.ts'
import type { Spawnable } from './sandbox.ts'

/** What a run is started with, once it is known. */
export interface Prepared {
  readonly spawnable: Spawnable
  readonly address: string
  readonly terminationLog: string
  readonly memoryLimit: number | undefined
  /** Runs another command where the container is; answers its exit code. */
  readonly execute: (argv: readonly string[], signal: AbortSignal) => Promise<number>
  readonly postStart: ((signal: AbortSignal) => Promise<string | undefined>) | undefined
  readonly preStop: ((signal: AbortSignal) => Promise<string | undefined>) | undefined
}

export interface RunPorts {
  readonly clock: Clock
  readonly log: Log
  readonly prepare: (run: Run) => Promise<Prepared>
  readonly output: ContainerLog
  readonly changed: () => void
  /** Keeps the process's name until it has ended, so that a later start of the program can end what is left. */
  readonly remember: (pid: number, start: string) => () => void
}

const MEMORY_EVERY_MS = 500
const LONGEST_MESSAGE = 4_096
const signals: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGABRT: 6,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGTERM: 15,
}

/** One run of a container as a process of this machine. */
export class ProcessRun {
  readonly run: Run
  readonly #ports: RunPorts
  readonly #over = new AbortController()
  #child: ChildProcess | undefined
  #prepared: Prepared | undefined
  #state: RunState = { is: 'running', isStarted: false, isReady: false }
  #isStopping = false
  #killedFor: { readonly reason: string; readonly message: string } | undefined

  constructor(run: Run, ports: RunPorts) {
    this.run = run
    this.#ports = ports
    this.#begin().catch((error: unknown) =>
      this.#ended({ exitCode: 128, reason: 'StartError', message: describeError(error) }),
    )
  }

  get state(): RunState {
    return this.#state
  }

  get isOver(): boolean {
    return this.#state.is === 'ended'
  }

  get stdin(): NodeJS.WritableStream | undefined {
    return this.#child?.stdin ?? undefined
  }

  get output(): ContainerLog {
    return this.#ports.output
  }

  /** Asks the process to end, and ends it when the grace is over. */
  stop(graceMs: number): void {
    if (this.isOver || this.#isStopping) {
      if (graceMs === 0) this.kill()
      return
    }
    this.#isStopping = true
    this.#set({ isStarted: true, isReady: false })
    const cancel = this.#ports.clock.after(graceMs, () => this.kill())
    this.#over.signal.addEventListener('abort', cancel, { once: true })
    const hook = this.#prepared?.preStop
    const terminate = (): void => this.#signal('SIGTERM')
    if (!hook) {
      terminate()
      return
    }
    const limit = AbortSignal.any([this.#over.signal, AbortSignal.timeout(Math.max(1, graceMs))])
    hook(limit).then(terminate, terminate)
  }

  /** Ends the process and everything below it at once. */
  kill(): void {
    this.#isStopping = true
    this.#signal('SIGKILL')
  }

  #signal(signal: NodeJS.Signals): void {
    const pid = this.#child?.pid
    if (pid === undefined || this.isOver) return
    const tree = treeOf(pid)
    // In a sandbox the command is the last of the chain that only hands its end on; elsewhere it leads a group.
    if (signal === 'SIGKILL' || tree.length === 1) {
      signalTo(-pid, signal)
      for (const one of tree) signalTo(one, signal)
      return
    }
    const isSandboxed = this.#prepared?.spawnable.args.includes('--die-with-parent') === true
    const command = isSandboxed ? tree[2] : pid
    if (isSandboxed && command === undefined) for (const one of tree) signalTo(one, signal)
    else signalTo(isSandboxed ? (command ?? pid) : -pid, signal)
  }

  async #begin(): Promise<void> {
    const prepared = await this.#ports.prepare(this.run)
    if (this.#isStopping) {
      this.#ended({ exitCode: 143 })
      return
    }
    this.#prepared = prepared
    const { file, args, cwd, env } = prepared.spawnable
    const wantsStdin = this.run.container['stdin'] === true
    const child = spawn(file, args, {
      cwd,
      env: { ...env },
      detached: true,
      stdio: [wantsStdin ? 'pipe' : 'ignore', 'pipe', 'pipe'],
    })
    this.#child = child
    child.stdin?.on('error', () => {})
    for (const name of ['stdout', 'stderr'] as const) {
      child[name]?.setEncoding('utf8')
      child[name]?.on('data', (text: string) => this.output.append(name, text))
    }
    child.on('error', (error) => this.#ended({ exitCode: 128, reason: 'StartError', message: describeError(error) }))
    const start = child.pid === undefined ? undefined : startOf(child.pid)
    const forget = child.pid === undefined || start === undefined ? () => {} : this.#ports.remember(child.pid, start)
    child.on('exit', (code, signal) => {
      forget()
      const exitCode = code ?? 128 + (signals[signal ?? ''] ?? 0)
      // What it printed last is still on its way; what it left behind may keep the pipe open for ever.
      const end = (): void => this.#ended({ exitCode })
      const cancel = this.#ports.clock.after(1_000, end)
      child.on('close', () => {
        cancel()
        end()
      })
    })
    if (child.pid !== undefined) this.#running(prepared)
  }

  #running(prepared: Prepared): void {
    const { container } = this.run
    const { signal } = this.#over
    const isStarted = !hasProbe(container, 'startup')
    this.#set({ isStarted, isReady: isStarted && !hasProbe(container, 'readiness') })
    const watch = async (): Promise<void> => {
      const refusal = await prepared.postStart?.(signal)
      if (refusal !== undefined) this.#killFor('PostStartHookError', refusal)
      await this.#probe('startup')
      await Promise.all([this.#probe('liveness'), this.#probe('readiness'), this.#watchMemory(prepared.memoryLimit)])
    }
    watch().catch((error: unknown) => this.#ports.log.error('cannot watch over a container', error))
  }

  #probe(kind: ProbeKind): Promise<void> {
    const { container } = this.run
    const { clock } = this.#ports
    const { address = '', execute = () => Promise.resolve(1) } = this.#prepared ?? {}
    const tell = (_: ProbeKind, passes: boolean, because: string): void => {
      if (kind === 'readiness') this.#set({ isStarted: true, isReady: passes && !this.#isStopping })
      else if (!passes) this.#killFor('Error', `${kind} probe: ${because}`)
      else if (kind === 'startup') this.#set({ isStarted: true, isReady: !hasProbe(container, 'readiness') })
    }
    return runProbe(container, kind, { clock, address, execute, tell }, this.#over.signal)
  }

  async #watchMemory(limit: number | undefined): Promise<void> {
    const { signal } = this.#over
    const pid = this.#child?.pid
    if (limit === undefined || pid === undefined) return
    while (!signal.aborted) {
      const held = residentBytes(pid)
      if (held > limit) {
        this.#killedFor = { reason: 'OOMKilled', message: `it held ${held} bytes, more than its limit of ${limit}` }
        this.kill()
        return
      }
      await this.#ports.clock.sleep(MEMORY_EVERY_MS, { signal }).catch(() => undefined)
    }
  }

  #killFor(reason: string, message: string): void {
    this.#killedFor = { reason, message }
    const grace = this.run.pod['spec'] as { readonly terminationGracePeriodSeconds?: number } | undefined
    this.stop((grace?.terminationGracePeriodSeconds ?? 30) * 1_000)
  }

  #set(next: { readonly isStarted: boolean; readonly isReady: boolean }): void {
    if (this.#state.is === 'ended') return
    if (this.#state.isStarted === next.isStarted && this.#state.isReady === next.isReady) return
    this.#state = { is: 'running', ...next }
    this.#ports.changed()
  }

  #ended(end: { readonly exitCode: number; readonly reason?: string; readonly message?: string }): void {
    if (this.isOver) return
    this.#over.abort(new Error('the container has ended'))
    const killed = this.#killedFor
    const isOom = killed?.reason === 'OOMKilled'
    const exitCode = isOom ? 137 : end.exitCode
    const message = end.message ?? this.#lastWords(exitCode) ?? killed?.message
    const reason = end.reason ?? (isOom ? killed.reason : undefined)
    this.#state = {
      is: 'ended',
      exitCode,
      atMs: this.#ports.clock.now(),
      ...(reason === undefined ? {} : { reason }),
      ...(message === undefined ? {} : { message }),
    }
    this.output.close()
    this.#ports.changed()
  }

  /** What the container wrote for its end, or the last that it printed where it asked for that. */
  #lastWords(exitCode: number): string | undefined {
    const path = this.#prepared?.terminationLog
    if (path === undefined) return undefined
    const written = readFileSync(path, 'utf8').slice(0, LONGEST_MESSAGE)
    if (written !== '') return written
    if (this.run.container['terminationMessagePolicy'] !== 'FallbackToLogsOnError' || exitCode === 0) return undefined
    const lines = readFileSync(this.output.path, 'utf8').trimEnd().split('\n').slice(-80)
    return lines
      .map((line) => line.split(' ').slice(3).join(' '))
      .join('\n')
      .slice(-2_048)
  }
}
