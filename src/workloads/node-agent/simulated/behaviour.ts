import { isSidecar, podSpecOf } from '../../../kube/pod.ts'
import { controllerOf } from '../../../kube/owner.ts'
import type { KubeObject } from '../../../kube/object.ts'
import { millisecondsOf, parseDuration } from '../../../lib/duration.ts'
import { own } from '../../../lib/json.ts'
import type { Run } from '../runtime.ts'
import { knownEnd } from './known-command.ts'
import type { SimulationRule, Stage } from './rules.ts'

/** What a simulated container does in one of its runs. */
export interface Behaviour {
  /** What happens to it, in the order of time from its start. It begins neither started nor ready. */
  readonly stages: readonly Stage[]
  /** How long it takes to stop when it is asked to. */
  readonly stopMs: number
  /** Why its image cannot be pulled. */
  readonly pullProblem: string | undefined
}

/** Where a Pod says how its containers behave: `simulate.idp.dev/<container>: exit=1 after=5s`. */
export const ANNOTATION_PREFIX = 'simulate.idp.dev/'

/**
 * What a run does: as the Pod's annotation says, else as the first rule that matches says, else what follows from the Pod.
 * Containers of Pods that are not always restarted do their work and end: well, or as a command says that is known to do
 * nothing else. Others run on; probes succeed after their declared initial delays.
 */
export function behaviourOf(run: Run, rules: readonly SimulationRule[]): Behaviour {
  const { pod, container } = run
  const text = own(pod.metadata.annotations ?? {}, `${ANNOTATION_PREFIX}${container.name}`)
  if (text !== undefined) return annotated(run, wordsOf(text))
  const rule = rules.find((one) => one.matches(run))
  if (!rule) return annotated(run, new Map())
  const usual = annotated(run, new Map())
  return {
    stages: rule.stages === undefined ? usual.stages : withUsualReadiness(rule.stages, usual.stages),
    stopMs: rule.stopMs ?? 0,
    pullProblem: rule.pullProblem,
  }
}

/** A rule that says nothing of readiness leaves it as it is; one that says how it ends replaces the end. */
function withUsualReadiness(stages: readonly Stage[], usual: readonly Stage[]): readonly Stage[] {
  const saysReadiness = stages.some(({ become }) => become === 'ready' || become === 'unready')
  const saysStart = stages.some(({ become }) => become === 'started')
  const kept = usual.filter(
    ({ become }) => (become === 'started' && !saysStart) || (become === 'ready' && !saysReadiness),
  )
  return [...kept, ...stages].toSorted((a, b) => a.afterMs - b.afterMs)
}

/** `exit=1 after=5s times=2 ready=3s stop=1s pull=fail reason=OOMKilled`. */
function annotated(one: Run, words: ReadonlyMap<string, string>): Behaviour {
  const { pod, container, run, isInit } = one
  const times = Number(words.get('times') ?? Number.POSITIVE_INFINITY)
  const exit = words.get('exit')
  const isDeclared = exit !== undefined && run < times
  const endsWell = isInit ? !isSidecar(container) : doesWork(pod)
  const afterMs = durationMs(words.get('after')) ?? 0
  const reason = words.get('reason')
  const startedMs = delayOf(container['startupProbe'])
  const ready = words.get('ready')
  const stages: Stage[] = [{ afterMs: startedMs, become: 'started' }]
  if (ready !== 'never')
    stages.push({
      afterMs: durationMs(ready) ?? startedMs + delayOf(container['readinessProbe']),
      become: 'ready',
    })
  const unreadyMs = durationMs(words.get('unready'))
  if (unreadyMs !== undefined) stages.push({ afterMs: unreadyMs, become: 'unready' })
  if (isDeclared) {
    stages.push({ afterMs, become: 'ended', exitCode: exitCodeOf(exit), ...(reason === undefined ? {} : { reason }) })
  } else if (endsWell) {
    const { exitCode, afterMs: knownMs } = knownEnd(one) ?? { exitCode: 0, afterMs: 0 }
    stages.push({ afterMs: Math.max(afterMs, knownMs), become: 'ended', exitCode })
  }
  return {
    stages: stages.toSorted((a, b) => a.afterMs - b.afterMs),
    stopMs: durationMs(words.get('stop')) ?? 0,
    pullProblem: words.get('pull') === 'fail' ? 'not found' : undefined,
  }
}

/** Its containers are there to do something and end. */
function doesWork(pod: KubeObject): boolean {
  const { restartPolicy = 'Always' } = podSpecOf(pod)
  return restartPolicy !== 'Always' || controllerOf(pod)?.kind === 'Job'
}

function wordsOf(text: string): ReadonlyMap<string, string> {
  const words = new Map<string, string>()
  for (const word of text.split(/\s+/)) {
    const at = word.indexOf('=')
    if (at > 0) words.set(word.slice(0, at), word.slice(at + 1))
  }
  return words
}

function exitCodeOf(text: string): number {
  const code = Number(text)
  return Number.isInteger(code) && code >= 0 && code <= 255 ? code : 1
}

function durationMs(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const read = parseDuration(text)
  return read.ok ? Math.max(0, millisecondsOf(read.value)) : undefined
}

function delayOf(probe: unknown): number {
  if (typeof probe !== 'object' || probe === null) return 0
  const { initialDelaySeconds = 0 } = probe as { readonly initialDelaySeconds?: number }
  return initialDelaySeconds * 1_000
}
