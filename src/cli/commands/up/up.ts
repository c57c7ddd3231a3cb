import { existsSync, renameSync, rmSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { parts } from '../../../backbone.ts'
import { runPhases } from '../../../bootstrap/phases/run-phases.ts'
import type { PlatformProgress } from '../../../bootstrap/progress.ts'
import { readPlatformFile } from '../../../bootstrap/settings/platform-file.ts'
import { systemClock } from '../../../lib/clock.ts'
import { explain, fail, type Problem, type Result, succeed } from '../../../lib/result.ts'
import { SETTINGS_FILE } from '../../../render/settings/read-settings.ts'
import { repositoryAbove } from '../../../sources/git/local-repository.ts'
import { listenPlace } from '../../listen-place.ts'
import { aborted, type EmbeddedPlatform, startEmbedded, warningsTo } from '../../embedded-platform.ts'
import { openCluster } from '../../cluster-client.ts'
import type { Io } from '../../command.ts'
import { canListen } from '../doctor/look.ts'
import { readRunFile, removeRunFile, writeRunFile } from './run-file.ts'
import { summaryJson, summaryText } from './summary.ts'
import { platformPhases, phaseWork } from './phases.ts'
import { type Teller, tellerTo, tellStep } from './teller.ts'
import { untilSettled } from './watch-progress.ts'

interface Up {
  readonly state: string
  readonly listen?: string
  readonly once?: boolean
  readonly timeoutMs: number
  readonly audit: boolean
  readonly output: string
}

const GATE_MS = 60_000
const USUAL_PORT = 6443

/** `idp up`: starts, bootstraps, follows, says what there is, and stays. */
export async function up(dir: string | undefined, flags: Up, io: Io): Promise<0 | 1 | 2> {
  const began = systemClock.now()
  const isText = flags.output === 'text'
  const teller = tellerTo(isText ? io : { out: io.err }, () => systemClock.now())
  const complain = (problems: readonly Problem[]): 1 => {
    teller.end()
    for (const problem of problems) io.err(`idp up: ${explain(problem)}\n`)
    return 1
  }
  const stateFolder = resolve(io.cwd, flags.state)
  const other = readRunFile(stateFolder)
  if (other) {
    return complain([
      {
        code: 'platform-running',
        message: `the platform on ${flags.state} runs already, as process ${other.pid}, at ${other.url}`,
        cure: 'stop it with idp down, or use another folder with --state',
      },
    ])
  }
  const place = await placeOf(flags.listen, teller)
  if (!place.ok) {
    complain(place.error)
    return 2
  }
  const repository = await findRepository(dir, stateFolder, teller, io)
  if (!repository.ok) return complain(repository.error)
  const file = await readPlatformFile(repository.value)
  if (!file.ok) return complain(file.error)
  const { settings, nodes } = file.value
  const phases = platformPhases(repository.value, settings)
  if (!phases.ok) return complain(phases.error)
  teller.now('starting the API server and its controllers')
  const log = warningsTo({ err: (text) => (teller.end(), io.err(text)) })
  const workingFolder = repository.value
  const started = await startEmbedded(
    { ...place.value, stateFolder, workingFolder, chosen: parts, nodes, audit: flags.audit, log },
    io,
  )
  if (!started.ok) return complain(started.error)
  const platform = started.value
  const { url } = platform.running
  writeRunFile(stateFolder, { pid: process.pid, url, repository: workingFolder, startedAt: isoNow() })
  try {
    teller.say(`API server     ready at ${url} ${secondsSince(began)}`)
    const client = platform.client
    const remote = openCluster({ state: flags.state }, io)
    if (!remote.ok) return complain(remote.error)
    const ran = await runPhases(phases.value, {
      client,
      clock: systemClock,
      tell: (step) => tellStep(step, teller),
      signal: io.signal,
      gateMs: Math.min(GATE_MS, flags.timeoutMs),
      work: phaseWork(workingFolder, stateFolder, remote.value),
    })
    await remote.value.close()
    if (io.signal.aborted) return 0
    if (!ran.ok) return complain(ran.error)
    const timeoutMs = Math.max(0, flags.timeoutMs - (systemClock.now() - began))
    const progress = await untilSettled(client, systemClock, {
      timeoutMs,
      signal: io.signal,
      tell: (now) => teller.now(`Applications   ${countsText(now)} ${secondsSince(began)}${blockerText(now)}`),
    })
    if (io.signal.aborted) return 0
    const seconds = (systemClock.now() - began) / 1_000
    if (!progress?.isSettled) {
      complain(notSettled(progress, flags.timeoutMs))
      if (flags.once) return 1
    } else teller.say(`Applications   ${countsText(progress)} ${secondsSince(began)}`)
    const facts = { platform, settings, stateFolder, repository: workingFolder, cwd: io.cwd, progress, seconds }
    if (isText) io.out(await summaryText(facts))
    else io.out(`${JSON.stringify(await summaryJson(facts))}\n`)
    if (!flags.once) await stay(platform, teller, io)
    return 0
  } finally {
    teller.now('stopping')
    await platform.close()
    removeRunFile(stateFolder)
    teller.end()
  }
}

const isoNow = (): string => new Date(systemClock.now()).toISOString()
const secondsSince = (ms: number): string => `(${((systemClock.now() - ms) / 1_000).toFixed(1)} s)`

/** Where to listen: what was said, or the usual port, or another one where that is taken. */
async function placeOf(
  listen: string | undefined,
  teller: Teller,
): Promise<Result<{ readonly host: string; readonly port: number }>> {
  if (listen === undefined) {
    const isFree = await canListen('127.0.0.1', USUAL_PORT)
    if (!isFree) teller.say(`port ${USUAL_PORT} is taken: the API listens on another one`)
    return succeed({ host: '127.0.0.1', port: isFree ? USUAL_PORT : 0 })
  }
  const found = listenPlace(listen)
  if (found) return succeed(found)
  const message = `--listen ${JSON.stringify(listen)} is not HOST:PORT, such as 127.0.0.1:6443`
  return fail({ code: 'listen-invalid', message })
}

/** The platform repository to use: the one that is named, the one around here, or one of our own in the state folder. */
async function findRepository(
  dir: string | undefined,
  stateFolder: string,
  teller: Teller,
  io: Io,
): Promise<Result<string>> {
  const here = repositoryAbove(resolve(io.cwd, dir ?? '.'))
  if (here !== undefined && existsSync(join(here, SETTINGS_FILE))) return succeed(here)
  if (dir !== undefined) {
    return fail({
      code: 'repository-no-platform',
      at: dir,
      message: `is no platform repository: there is no Git repository with ${SETTINGS_FILE} at its root`,
      cure: `make one with idp init ${dir}`,
    })
  }
  const own = join(stateFolder, 'platform')
  if (existsSync(join(own, SETTINGS_FILE)) && repositoryAbove(own) === own) return succeed(own)
  teller.now('writing a platform repository')
  const { initPlatform } = await import('../../../bootstrap/init/platform-repository.ts')
  // A half one, of a process that was killed, begins anew; it gets its place when it is whole.
  const making = join(stateFolder, '.platform.making')
  rmSync(making, { recursive: true, force: true })
  const ports = { clock: systemClock, path: io.env['PATH'] ?? '', signal: io.signal }
  const made = await initPlatform({ folder: making }, ports)
  if (!made.ok) return made
  rmSync(own, { recursive: true, force: true })
  renameSync(making, own)
  teller.say(`Repository     made in ${relative(io.cwd, own) || own}`)
  return succeed(own)
}

const countsText = ({ settled, applications, sets }: PlatformProgress): string =>
  `${settled} of ${applications} Synced and Healthy, from ${sets} ApplicationSets`

function blockerText({ blockers }: PlatformProgress): string {
  const [first] = blockers.toSorted((a, b) => Number(b.isStuck) - Number(a.isStuck))
  return first ? `; ${first.what}: ${first.because.split('\n')[0] ?? ''}` : ''
}

function notSettled(progress: PlatformProgress | undefined, timeoutMs: number): readonly Problem[] {
  const because = progress?.blockers.slice(0, 20) ?? []
  return [
    {
      code: 'platform-not-settled',
      message: `not everything is Synced and Healthy after ${Math.round(timeoutMs / 1_000)} s${because.length === 0 ? ': there is nothing to follow' : ''}`,
      cure: 'idp app why NAME says more; idp status shows all',
    },
    ...because.map(({ what, because: why }) => ({ code: 'platform-not-settled', at: what, message: why })),
  ]
}

const LOOK_MS = 2_000

/** Stays until it is stopped, and says when Applications stop being as Git says, and when they are again. */
async function stay({ client }: EmbeddedPlatform, teller: Teller, io: Io): Promise<void> {
  const { progressOf } = await import('./watch-progress.ts')
  const known = new Map<string, string>()
  while (!io.signal.aborted) {
    await Promise.race([aborted(io.signal), systemClock.sleep(LOOK_MS, { signal: io.signal }).catch(() => {})])
    if (io.signal.aborted) return
    const progress = await progressOf(client)
    if (!progress) continue
    const stuck = new Map(progress.blockers.filter(({ isStuck }) => isStuck).map((one) => [one.what, one.because]))
    for (const [what, because] of stuck) {
      if (known.get(what) !== because) teller.say(`${what}: ${because.split('\n')[0] ?? ''}`)
    }
    for (const what of known.keys()) {
      if (!stuck.has(what)) teller.say(`${what}: as Git says again, or on its way`)
    }
    known.clear()
    for (const [what, because] of stuck) known.set(what, because)
  }
}
