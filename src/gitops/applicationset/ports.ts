import type { Client } from '../../kube/client.ts'
import type { Clock } from '../../lib/clock.ts'
import type { EventRecorder } from '../../runtime/event-recorder.ts'
import type { Informer } from '../../runtime/informer.ts'
import type { GitFiles } from '../../sources/git/git-files.ts'
import type { Replace } from './engine/renderer.ts'
import type { ServiceAnswers } from './service-answers.ts'
import type { ServiceHttp } from '../../runtime/service-http.ts'

/** What the ApplicationSet controller works with. */
export interface ApplicationSetPorts {
  readonly client: Client
  readonly clock: Clock
  readonly git: GitFiles
  readonly http: ServiceHttp
  readonly replace: Replace
  readonly answers: ServiceAnswers
  readonly events: EventRecorder
  /** Where projects, cluster Secrets and settings live. */
  readonly namespace: string
  readonly caches: {
    readonly applicationSets: Informer
    /** Indexed by `owner`: the uid of the controller. */
    readonly applications: Informer
    readonly projects: Informer
    /** Secrets that describe clusters. */
    readonly clusters: Informer
    readonly configMaps: Informer
  }
}
