/** What was found out about the machine and the state folder. */
export interface MachineFacts {
  readonly node: string
  /** What `git --version` says; undefined where git is not found. */
  readonly git: string | undefined
  readonly stateFolder: string
  readonly state:
    | { readonly is: 'missing' }
    | { readonly is: 'unusable'; readonly because: string }
    | { readonly is: 'there'; readonly mode: number; readonly newestMs: number; readonly kubeconfigMode?: number }
  readonly freeBytes: number | undefined
  readonly nowMs: number
  /** Ports that the platform wants, and whether they can be had; who has them, where that is the platform itself. */
  readonly ports: readonly { readonly name: string; readonly port: number; readonly use: 'free' | 'ours' | 'taken' }[]
  /** What is wrong with `idp.yaml`; empty where it is well or there is none. */
  readonly settings: readonly string[]
  readonly sandbox: boolean
  /** Whose name resolves to this machine, by the suffix of the platform. */
  readonly suffix: { readonly name: string; readonly isHere: boolean }
}

export interface Finding {
  readonly subject: string
  readonly verdict: 'ok' | 'warning' | 'failed'
  readonly what: string
  /** What to do about it. */
  readonly cure?: string
}

const OLDEST_NODE = [20, 19] as const
const OLDEST_GIT = [2, 28] as const
const ENOUGH_BYTES = 1_000_000_000
const SKEW_MS = 60_000

/** Says of each thing that the platform needs how it stands, and what to do where it does not. */
export function judgeMachine(facts: MachineFacts): readonly Finding[] {
  const { name, isHere } = facts.suffix
  return [
    isAtLeast(facts.node, OLDEST_NODE)
      ? ok('Node', `${facts.node} runs this`)
      : failed('Node', `${facts.node} is too old`, `install Node ${OLDEST_NODE.join('.')} or newer`),
    gitFinding(facts.git),
    ...stateFindings(facts),
    diskFinding(facts.freeBytes),
    ...facts.ports.map(({ name: what, port, use }) => {
      if (use !== 'taken') return ok(`Port ${port}`, use === 'ours' ? `${what}: the platform has it` : `${what}: free`)
      const cure = what === 'API' ? 'idp up takes another one by itself, or say --listen' : `change it in idp.yaml`
      return {
        subject: `Port ${port}`,
        verdict: what === 'API' ? 'warning' : 'failed',
        what: `${what}: another program has it`,
        cure,
      } as const
    }),
    ...facts.settings.map((what) => failed('idp.yaml', what, 'mend that line')),
    isHere
      ? ok('Names', `${name} is this machine`)
      : warning(
          'Names',
          `${name} does not resolve to this machine`,
          'browsers know *.localhost by themselves; for other programs use curl --resolve, or a suffix such as 127-0-0-1.nip.io',
        ),
    facts.sandbox
      ? ok('Sandbox', 'process Pods are kept apart by bubblewrap')
      : warning(
          'Sandbox',
          'bubblewrap is not there: Pods of the process runtime run as plain processes',
          'install bubblewrap (bwrap) to keep them apart',
        ),
  ]
}

const ok = (subject: string, what: string): Finding => ({ subject, verdict: 'ok', what })
const warning = (subject: string, what: string, cure: string): Finding => ({ subject, verdict: 'warning', what, cure })
const failed = (subject: string, what: string, cure: string): Finding => ({ subject, verdict: 'failed', what, cure })

function isAtLeast(text: string, [major, minor]: readonly [number, number]): boolean {
  const [, a = '0', b = '0'] = /(\d+)\.(\d+)/.exec(text) ?? []
  return Number(a) > major || (Number(a) === major && Number(b) >= minor)
}

function gitFinding(git: string | undefined): Finding {
  if (git === undefined) return failed('Git', 'git is not found in PATH', 'install git')
  return isAtLeast(git, OLDEST_GIT)
    ? ok('Git', git)
    : failed('Git', `${git} is too old`, `install git ${OLDEST_GIT.join('.')} or newer`)
}

function stateFindings({ state, stateFolder, nowMs }: MachineFacts): readonly Finding[] {
  if (state.is === 'missing') return [ok('State', `${stateFolder} is made at the first start`)]
  if (state.is === 'unusable')
    return [failed('State', `${stateFolder}: ${state.because}`, 'use a folder that you may write to: --state')]
  const found: Finding[] = [ok('State', `${stateFolder} can be used`)]
  const isOpen = (mode: number): boolean => (mode & 0o077) !== 0
  if (isOpen(state.mode)) found.push(warning('State', 'others may read the state folder', `chmod 700 ${stateFolder}`))
  if (state.kubeconfigMode !== undefined && isOpen(state.kubeconfigMode)) {
    found.push(failed('State', "others may read the administrator's kubeconfig", `chmod 600 ${stateFolder}/kubeconfig`))
  }
  const aheadMs = state.newestMs - nowMs
  found.push(
    aheadMs > SKEW_MS
      ? failed(
          'Clock',
          `the clock is ${Math.round(aheadMs / 1_000)} s behind what was written before`,
          'set the clock: certificates and schedules go by it',
        )
      : ok('Clock', 'it has not gone back since the last run'),
  )
  return found
}

function diskFinding(freeBytes: number | undefined): Finding {
  if (freeBytes === undefined) return warning('Disk', 'it cannot be told how much is free', 'look at df')
  const shown = `${(freeBytes / 1e9).toFixed(1)} GB free`
  return freeBytes >= ENOUGH_BYTES
    ? ok('Disk', shown)
    : failed('Disk', shown, 'make room: a full disk stops all writes')
}
