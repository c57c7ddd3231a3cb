import type { ResourceInfo } from '../../kube/client.ts'
import type { KubeObject } from '../../kube/object.ts'

export type ObjectVerb = 'create' | 'update' | 'patch' | 'delete'
export type PatchType = 'merge' | 'strategic' | 'apply'

/** An object that is to be written, complete but for what the API server adds. */
export interface ObjectAction {
  readonly do: ObjectVerb
  readonly object: KubeObject
  readonly resource: ResourceInfo
  readonly patchType: PatchType
}

export type WorkflowVerb = 'submit' | 'submit-from' | 'resubmit' | 'resume' | 'retry' | 'suspend' | 'terminate' | 'stop'

/** What is to be done with a Workflow, or with what one is made from. */
export interface WorkflowAction {
  readonly do: 'workflow'
  readonly operation: WorkflowVerb
  readonly object: KubeObject
  readonly namespace: string
  readonly submission: Submission
}

/** What the arguments of a submission change. */
export interface Submission {
  readonly name?: string
  readonly generateName?: string
  readonly serviceAccount?: string
  readonly entrypoint?: string
  readonly priority?: number
  readonly labels: ReadonlyMap<string, string>
  readonly annotations: ReadonlyMap<string, string>
  readonly parameters: ReadonlyMap<string, string>
  /** With `stop`: what the Workflow says about why. */
  readonly message?: string
}

/** A value that is only read when it is sent, so that whoever looks at an action sees no secret. */
export type SentValue =
  | { readonly text: string }
  | { readonly from: 'Secret' | 'ConfigMap'; readonly name: string; readonly key: string }

/** A request that is to be sent. */
export interface RequestAction {
  readonly do: 'request'
  readonly method: string
  readonly url: string
  readonly host?: string
  readonly headers: readonly (readonly [name: string, value: SentValue])[]
  readonly basicAuth?: { readonly username?: SentValue; readonly password?: SentValue }
  readonly body?: string
  readonly timeoutMs: number
  readonly skipVerify: boolean
  readonly ca?: SentValue
  readonly clientCert?: SentValue
  readonly clientKey?: SentValue
}

/** A message that is to be posted to Slack. */
export interface SlackAction {
  readonly do: 'slack'
  readonly channel: string
  readonly token: SentValue
  readonly message: string
  readonly attachments?: unknown
  readonly blocks?: unknown
  readonly threadKey: string
  readonly isBroadcast: boolean
  readonly username: string
  readonly icon: string
}

/** A line that is to be logged for each event. */
export interface LogAction {
  readonly do: 'log'
  readonly intervalMs: number
}

export type ApplicationVerb = 'refresh' | 'hard-refresh' | 'sync' | 'rollback'

/** What is to be done with an Application of Argo CD. */
export interface ApplicationAction {
  readonly do: 'application'
  readonly operation: ApplicationVerb
  readonly name: string
  readonly namespace: string
  /** With a sync: another one than the spec says. */
  readonly revision?: string
  readonly prune: boolean
  readonly dryRun: boolean
  /** With a rollback: which sync of the history; without it, the one before that brought something else. */
  readonly historyId?: number
  /** Holds it back while an enforced policy reports a violation for one of its resources. */
  readonly unlessViolated: boolean
}

/** What a trigger is about to do, as data: it can be shown, or done. */
export type TriggerAction = ObjectAction | WorkflowAction | ApplicationAction | RequestAction | SlackAction | LogAction
