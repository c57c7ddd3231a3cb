import type { Target } from '../../kube/client.ts'
import type { JsonObject } from '../../lib/json.ts'
import type { Problem, Result } from '../../lib/result.ts'
import type { SensorEvent } from '../event.ts'
import type { FillTemplate } from '../filter/data-filter.ts'

/** A trigger as the Sensor's spec has it, with what is told of its kind under the name of the kind. */
export interface TriggerSpec {
  readonly template: TriggerTemplate
  readonly parameters?: readonly JsonObject[]
  readonly policy?: JsonObject
  readonly retryStrategy?: JsonObject
  readonly rateLimit?: JsonObject
  readonly atLeastOnce?: boolean
  readonly dlqTrigger?: TriggerSpec
}

/** `name` and `conditions`, then one of `k8s`, `argoWorkflow`, `http`, `log`, `slack`, ... as JSON. */
export interface TriggerTemplate {
  readonly name: string
  readonly conditions?: string
  readonly [kind: string]: unknown
}

/** A trigger that is about to fire: its own parameters (`parameters` of the trigger) are already in its template. */
export interface ResolvedTrigger {
  readonly sensor: { readonly namespace: string; readonly name: string; readonly uid: string }
  readonly template: TriggerTemplate
  /** `k8s`, `argoWorkflow`, `http`, ...: the one kind that the template names. */
  readonly kind: string
  /** The ServiceAccount, in the Sensor's namespace, in whose name it fires. */
  readonly serviceAccount: string
}

/** What a trigger fires with. */
export interface FireContext {
  /** By dependency name, transformed and filtered; parameters of the template (resource, payload) are taken from these. */
  readonly events: ReadonlyMap<string, SensorEvent>
  /**
   * Lower-case letters and digits: the same whenever the same events fire the same trigger, after a crash or a retry, and
   * another one otherwise. Names of what is created derive from it. A replay that somebody asks for keeps it too.
   */
  readonly fireId: string
  /** 1 at first, then one more each time it is tried again. */
  readonly attempt: number
  readonly fill: FillTemplate
  readonly signal: AbortSignal
}

/** What came of firing. */
export interface Fired {
  /** In a few words: `created Workflow ci/build-4x2k`, `POST https://... answered 200`. */
  readonly because: string
  /** The object that was made or changed; policies wait for its labels, traces follow what becomes of it. */
  readonly object?: Target & { readonly kind: string }
  /** The status of the answer, where an HTTP request was sent; policies say which are allowed. */
  readonly httpStatus?: number
  /** What else a trace shows; never a secret. */
  readonly values?: JsonObject
}

/** Does what a trigger says. Refusals are values and are tried again as the retry strategy says; it throws only at bugs. */
export type FireTrigger = (trigger: ResolvedTrigger, context: FireContext) => Promise<Result<Fired>>

/** One right that a trigger needs, as RBAC knows it. */
export interface Right {
  readonly verb: string
  readonly group: string
  readonly resource: string
  readonly subresource?: string
  readonly name?: string
  /** Left out for what is cluster-scoped. */
  readonly namespace?: string
}

/** What executes triggers, as Sensors see it. */
export interface TriggerExecutors {
  readonly fire: FireTrigger
  /** What is wrong with a template whatever the event; `at` is relative to the template. Empty when it can be fired. */
  readonly check: (kind: string, template: TriggerTemplate) => readonly Problem[]
  /** What its ServiceAccount has to be allowed, as far as the spec tells before any event. */
  readonly rightsOf: (trigger: ResolvedTrigger) => Promise<readonly Right[]>
}

/** What can be said of a trigger before there is a cluster. */
export interface TriggerChecks extends Pick<TriggerExecutors, 'check'> {
  /** The one kind that a template names, such as `k8s`; a template names exactly one. */
  readonly kindOf: (template: TriggerTemplate) => Result<string>
}
