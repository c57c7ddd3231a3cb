import type { PodConnect } from '../../apiserver/pod-runtime.ts'
import type { Connection } from '../../apiserver/request.ts'
import type { KubeObject } from '../../kube/object.ts'
import type { Container } from '../../kube/pod.ts'
import type { ApiResult } from '../../kube/status.ts'

/** One run of a container: its first start is run 0, and every restart another one. */
export interface Run {
  readonly pod: KubeObject
  readonly container: Container
  readonly isInit: boolean
  readonly run: number
}

/** When a run began, whether it is to end, and what time it is. */
export interface RunTimes {
  readonly startedMs: number
  readonly nowMs: number
  /** It is being started at this very moment: `start` is still to be called. */
  readonly isBeginning?: boolean
  /** It has been asked to stop, and is killed when its grace is over. */
  readonly stopping?: { readonly askedMs: number; readonly graceMs: number }
}

/** How a run stands. */
export type RunState =
  | {
      readonly is: 'running'
      readonly isStarted: boolean
      readonly isReady: boolean
      /** When this will be different by itself; without it the runtime tells (`listen`). */
      readonly nextMs?: number
    }
  | {
      readonly is: 'ended'
      readonly exitCode: number
      readonly atMs: number
      /** `Completed` and `Error` follow from the exit code; this says more, such as `OOMKilled`. */
      readonly reason?: string
      readonly signal?: number
      readonly message?: string
    }

/**
 * What runs the containers of Pods: the seam between the node agent, which knows restarts, order, probes' consequences and
 * what a Pod's status says, and what a container really is. Which one a Pod gets is said by its RuntimeClass, or by its node.
 * Calls neither wait nor throw; what goes wrong is an ended run. `start` and `stop` may be called again for the same run.
 */
export interface Runtime {
  readonly name: string
  /** Why the image of a run cannot be had; undefined when it can. */
  pullProblem(run: Run): string | undefined
  /** Begins a run; from then on `inspect` tells how it stands. */
  start(run: Run): void
  /** Asks a run to end, and ends it when the grace is over. */
  stop(run: Run, graceMs: number): void
  /** How a run stands now. A run that was started before this process counts as ended, unless the runtime knows better. */
  inspect(run: Run, times: RunTimes): RunState
  /** Ends and forgets what ran under a Pod's key (`namespace/name`) for any other Pod than the one of the uid. */
  keepOnly(podKey: string, uid: string | undefined): void
  /** The address of a Pod that it runs, where it gives them out itself. */
  addressOf?(pod: KubeObject): string
  /** Calls with the key of a Pod when one of its runs changed by itself. */
  listen?(changed: (podKey: string) => void): () => void
  /** Lets somebody talk to a container: logs, exec, attach, port-forward. */
  connect?(request: PodConnect): Promise<ApiResult<Connection>>
}
