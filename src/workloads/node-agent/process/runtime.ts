import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Client } from '../../../kube/client.ts'
import type { KubeObject } from '../../../kube/object.ts'
import type { Clock } from '../../../lib/clock.ts'
import type { Log } from '../../../lib/log.ts'
import { keyOf } from '../../../runtime/object-cache.ts'
import { Pod } from '../../pods/kinds.ts'
import { podStatusOf } from '../../pods/pod-state.ts'
import { UNKNOWN_END } from '../container-step.ts'
import type { Run, Runtime } from '../runtime.ts'
import { ContainerLog } from './container-log.ts'
import { LoopbackAddresses } from '../../service-proxy/loopback.ts'
import { PodFolder } from './pod-folder.ts'
import { type Place, type PreparePorts, prepareRun } from './prepare.ts'
import { ProcessRun } from './process-run.ts'
import { signalTo, startOf, treeOf } from './process-tree.ts'
import { connectTo, type PodInReach } from './sessions.ts'

/** What the runtime needs. */
export interface ProcessRuntimeOptions {
  readonly stateFolder: string
  /** The part of the loopback network that Pods have their addresses from, such as `127.89`. */
  readonly network: string
  readonly client: Client
  readonly clock: Clock
  readonly log: Log
  readonly apiUrl: () => string | undefined
  /** A file that names Services, as `/etc/hosts` has it. */
  readonly hostsFile?: string
  /** The program of the sandbox; looked for where nothing is said, and done without where it does not work. */
  readonly bubblewrap?: string | undefined
}

/** A runtime that ends with what it runs. */
export interface ProcessRuntime extends Runtime {
  /** Ends everything that runs; resolves when it has ended. */
  close(): Promise<void>
}

const allocatable = { cpu: '16', memory: '64Gi' }

/** The path of bubblewrap, if it is there and may make sandboxes. */
export function findBubblewrap(): string | undefined {
  const args = ['--die-with-parent', '--unshare-pid', '--ro-bind', '/', '/', '--dev', '/dev', '--proc', '/proc', 'true']
  return spawnSync('bwrap', args, { stdio: 'ignore', timeout: 5_000 }).status === 0 ? 'bwrap' : undefined
}

/** What is kept of one Pod. */
interface KnownPod {
  readonly key: string
  readonly uid: string
  readonly folder: PodFolder
  readonly address: string
  readonly runs: Map<string, ProcessRun>
  readonly places: Map<string, Place>
}

/** Runs containers as processes of this machine. */
export function processRuntime(options: ProcessRuntimeOptions): ProcessRuntime {
  const { stateFolder, client, clock, log } = options
  // Looked for when the first container starts: most clusters only pretend.
  let sought: { readonly bubblewrap: string | undefined } | undefined
  const sandbox = (): string | undefined => {
    sought ??= { bubblewrap: 'bubblewrap' in options ? options.bubblewrap : findBubblewrap() }
    return sought.bubblewrap
  }
  const folders = join(stateFolder, 'pods')
  const names = join(stateFolder, 'processes')
  mkdirSync(folders, { recursive: true, mode: 0o700 })
  mkdirSync(names, { recursive: true, mode: 0o700 })
  endLeftovers(names, log)
  forgetGonePods(folders, client).catch((error: unknown) =>
    log.warn('cannot clean up after old Pods', { error: String(error) }),
  )
  const pods = new Map<string, KnownPod>()
  const addresses = new LoopbackAddresses(options.network)
  const listeners = new Set<(podKey: string) => void>()
  let hasWarned = false
  const prepareWith = (): PreparePorts => ({
    client,
    bubblewrap: sandbox(),
    apiUrl: options.apiUrl,
    hostsFile: options.hostsFile,
  })

  const knownPod = (pod: KubeObject): KnownPod => {
    const uid = pod.metadata.uid ?? ''
    const known = pods.get(uid)
    if (known) return known
    const folder = new PodFolder(join(folders, uid), join(stateFolder, 'claims'), pod.metadata.namespace ?? '')
    const address = addresses.of(uid, podStatusOf(pod).podIP)
    const made: KnownPod = { key: keyOf(pod), uid, folder, address, runs: new Map(), places: new Map() }
    pods.set(uid, made)
    return made
  }
  const remember = (pid: number, start: string): (() => void) => {
    const path = join(names, String(pid))
    writeFileSync(path, start, { mode: 0o600 })
    return () => rmSync(path, { force: true })
  }
  const forget = (pod: KnownPod): void => {
    pods.delete(pod.uid)
    for (const run of pod.runs.values()) if (!run.isOver) run.kill()
    addresses.release(pod.uid)
    rmSync(pod.folder.path, { recursive: true, force: true })
  }
  const start = (run: Run): void => {
    const pod = knownPod(run.pod)
    const { name } = run.container
    const before = pod.runs.get(name)
    if (before && before.run.run >= run.run) return
    if (sandbox() === undefined && !hasWarned) {
      hasWarned = true
      log.warn('containers run without a sandbox', {
        because: 'bubblewrap is not installed, or may not make namespaces',
        cure: 'install bubblewrap',
      })
    }
    const facts = { pod: run.pod, podIP: pod.address, hostIP: '127.0.0.1', allocatable }
    const output = new ContainerLog(pod.folder.logOf(name, run.run), () => clock.now())
    const made = new ProcessRun(run, {
      clock,
      log,
      output,
      remember,
      changed: () => listeners.forEach((tell) => tell(pod.key)),
      async prepare() {
        const { prepared, place } = await prepareRun(run, { folder: pod.folder, facts }, prepareWith())
        pod.places.set(name, place)
        return prepared
      },
    })
    pod.runs.set(name, made)
  }
  return {
    name: 'process',
    pullProblem: () => undefined,
    start,
    addressOf: (pod) => knownPod(pod).address,
    stop(run, graceMs) {
      pods
        .get(run.pod.metadata.uid ?? '')
        ?.runs.get(run.container.name)
        ?.stop(graceMs)
    },
    inspect(run, { nowMs, isBeginning }) {
      if (isBeginning) return { is: 'running', isStarted: false, isReady: false }
      const found = pods.get(run.pod.metadata.uid ?? '')?.runs.get(run.container.name)
      if (found?.run.run === run.run) return found.state
      const message = 'the process was started before this program was, and has been ended'
      return { is: 'ended', exitCode: 137, reason: UNKNOWN_END, message, atMs: nowMs }
    },
    keepOnly(podKey, uid) {
      for (const pod of pods.values()) if (pod.key === podKey && pod.uid !== uid) forget(pod)
    },
    listen(changed) {
      listeners.add(changed)
      return () => listeners.delete(changed)
    },
    connect: (request) =>
      Promise.resolve(connectTo(request, reachOf(pods.get(request.pod.metadata.uid ?? '')), clock.now())),
    async close() {
      const running = [...pods.values()].flatMap((pod) => [...pod.runs.values()]).filter((run) => !run.isOver)
      for (const run of running) run.kill()
      for (let left = 50; left > 0 && running.some((run) => !run.isOver); left--) await clock.sleep(20)
    },
  }
}

function reachOf(pod: KnownPod | undefined): PodInReach | undefined {
  if (!pod) return undefined
  const logOf = (container: string, run: number): string | undefined => {
    const path = pod.folder.logOf(container, run)
    return run >= 0 && existsSync(path) ? path : undefined
  }
  return {
    address: pod.address,
    place: (container) => pod.places.get(container),
    newest(container) {
      const run = pod.runs.get(container)
      const at = run?.run.run ?? 0
      return { run, log: logOf(container, at), previousLog: logOf(container, at - 1) }
    },
  }
}

/** Ends processes that an earlier start of the program left behind. */
function endLeftovers(names: string, log: Log): void {
  for (const name of readdirSync(names)) {
    const pid = Number(name)
    const path = join(names, name)
    if (startOf(pid) === readFileSync(path, 'utf8')) {
      log.info('ending a process of an earlier run', { pid })
      for (const one of treeOf(pid)) signalTo(one, 'SIGKILL')
      signalTo(-pid, 'SIGKILL')
    }
    rmSync(path, { force: true })
  }
}

/** Takes away the folders of Pods that are no more. */
async function forgetGonePods(folders: string, client: Client): Promise<void> {
  const kept = readdirSync(folders)
  if (kept.length === 0) return
  const listed = await client.list({ resource: Pod })
  if (!listed.ok) return
  const known = new Set(listed.value.items.map(({ metadata }) => metadata.uid))
  for (const uid of kept) if (!known.has(uid)) rmSync(join(folders, uid), { recursive: true, force: true })
}
