import { parseDuration, millisecondsOf } from '../../lib/duration.ts'
import { own } from '../../lib/json.ts'
import { type Container, isSidecar } from '../../kube/pod.ts'
import type { KubeObject } from '../../kube/object.ts'
import { controllerOf } from '../../kube/owner.ts'
import { podSpecOf } from '../../kube/pod.ts'

/** What a simulated container does once it has been started. */
export interface Behaviour {
  /** How it ends by itself; without one it runs until it is stopped. */
  readonly ends?: { readonly exitCode: number; readonly afterMs: number }
  /** From its start until its probes succeed; never, when they do not. */
  readonly readyMs: number | 'never'
  readonly startedMs: number
  /** How long it takes to stop when it is asked to. */
  readonly stopMs: number
  readonly isImageMissing: boolean
}

const PREFIX = 'simulate.idp.dev/'

/**
 * Reads `simulate.idp.dev/<container>: exit=1 after=5s times=2 ready=3s stop=1s pull=fail`. What is not said follows from
 * the Pod: containers of Pods that are not always restarted do their work and end well, others run on; probes succeed
 * after their declared initial delays.
 */
export function behaviourOf(pod: KubeObject, container: Container, run: number, isInit: boolean): Behaviour {
  const { annotations = {} } = pod.metadata
  const words = wordsOf(own(annotations, `${PREFIX}${container.name}`) ?? '')
  const times = Number(words.get('times') ?? Number.POSITIVE_INFINITY)
  const exit = words.get('exit')
  const isDeclared = exit !== undefined && run < times
  const endsWell = isInit ? !isSidecar(container) : doesWork(pod)
  const afterMs = durationMs(words.get('after')) ?? 0
  const ends = isDeclared ? { exitCode: exitCodeOf(exit), afterMs } : endsWell ? { exitCode: 0, afterMs } : undefined
  const startedMs = delayOf(container['startupProbe'])
  const ready = words.get('ready')
  return {
    ...(ends ? { ends } : {}),
    startedMs,
    readyMs: ready === 'never' ? 'never' : (durationMs(ready) ?? startedMs + delayOf(container['readinessProbe'])),
    stopMs: durationMs(words.get('stop')) ?? 0,
    isImageMissing: words.get('pull') === 'fail',
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
