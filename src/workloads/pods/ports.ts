import type { Client } from '../../kube/client.ts'
import type { KubeObject } from '../../kube/object.ts'
import type { Clock } from '../../lib/clock.ts'
import type { EventNote } from '../../runtime/event-recorder.ts'
import type { Caches } from './caches.ts'

/** What a controller of workloads reaches the world by. */
export interface WorkloadPorts {
  readonly client: Client
  readonly clock: Clock
  readonly caches: Caches
  readonly events: { note(about: KubeObject, note: EventNote): void }
}
