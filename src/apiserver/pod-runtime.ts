import type { KubeObject } from '../kube/object.ts'
import type { ApiResult } from '../kube/status.ts'
import type { Connection } from './request.ts'

/** What runs containers, as log, exec, attach and portforward reach it. A node's stand-in provides it. */
export interface PodRuntime {
  connect(request: PodConnect): Promise<ApiResult<Connection>>
}

/** A wish to talk to a container. */
export interface PodConnect {
  readonly kind: Connection['kind']
  readonly pod: KubeObject
  readonly query: ReadonlyMap<string, readonly string[]>
  readonly signal?: AbortSignal
}
