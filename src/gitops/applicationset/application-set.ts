import type { Kind } from '../../kube/gvk.ts'
import type { KubeObject, ObjectMeta } from '../../kube/object.ts'
import { own } from '../../lib/json.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import { fieldsOf, isSet, objectsOf, textOf, textsOf } from '../fields.ts'

type Fields = Readonly<Record<string, unknown>>

/** An ApplicationSet, as far as decisions read it. */
export interface ApplicationSet {
  readonly name: string
  readonly namespace: string
  readonly metadata: ObjectMeta
  readonly goTemplate: boolean
  readonly goTemplateOptions: readonly string[]
  readonly generators: readonly Fields[]
  readonly template: Fields
  readonly templatePatch: string | undefined
  readonly preserveResourcesOnDeletion: boolean
  /** Undefined where the ApplicationSet leaves it to the installation. */
  readonly applicationsSync: ApplicationsSync | undefined
  readonly preservedAnnotations: readonly string[]
  readonly preservedLabels: readonly string[]
  readonly ignoreDifferences: readonly IgnoredDifference[]
  readonly strategy: Strategy
  /** The object itself, for what passes through. */
  readonly object: KubeObject
}

/** What may happen to Applications that exist, or exist no longer in what is generated. */
export type ApplicationsSync = 'sync' | 'create-only' | 'create-update' | 'create-delete'

/** A part of Applications that others may change. */
export interface IgnoredDifference {
  /** The Application that it is about; '' for all. */
  readonly name: string
  readonly jsonPointers: readonly string[]
  readonly jqPathExpressions: readonly string[]
}

/** How changes reach Applications: all at once, or step by step. */
export interface Strategy {
  readonly isRolling: boolean
  readonly steps: readonly RolloutStep[]
  readonly deletesInReverse: boolean
}

export interface RolloutStep {
  readonly matchExpressions: readonly MatchExpression[]
  /** A number, or a percentage; undefined means all at once. */
  readonly maxUpdate: number | string | undefined
}

export interface MatchExpression {
  readonly key: string
  readonly operator: string
  readonly values: readonly string[]
}

/** The kind ApplicationSet. */
export const ApplicationSetKind: Kind = {
  group: 'argoproj.io',
  version: 'v1alpha1',
  kind: 'ApplicationSet',
  plural: 'applicationsets',
  scope: 'Namespaced',
}

/** Asks the controller to run the generators again; it removes the annotation when it has. */
export const REFRESH_ANNOTATION = 'argocd.argoproj.io/application-set-refresh'

const syncs: readonly ApplicationsSync[] = ['sync', 'create-only', 'create-update', 'create-delete']

const invalid = (at: string, message: string): Result<never> => fail({ code: 'appset-invalid', at, message })

/** Reads an ApplicationSet; its schema has checked the rest. */
export function parseApplicationSet(object: KubeObject): Result<ApplicationSet> {
  const spec = fieldsOf(object, 'spec')
  const generators = objectsOf(spec, 'generators')
  if (!generators) return invalid('spec.generators', 'spec.generators must be a list of generators')
  const syncPolicy = fieldsOf(spec, 'syncPolicy')
  const applicationsSync = own(syncPolicy, 'applicationsSync')
  const known = syncs.find((sync) => sync === applicationsSync)
  if (applicationsSync !== undefined && applicationsSync !== null && !known) {
    return invalid('spec.syncPolicy.applicationsSync', `applicationsSync must be one of ${syncs.join(', ')}`)
  }
  const preserved = fieldsOf(spec, 'preservedFields')
  const patch = own(spec, 'templatePatch')
  return succeed({
    name: object.metadata.name ?? '',
    namespace: object.metadata.namespace ?? '',
    metadata: object.metadata,
    goTemplate: isSet(spec, 'goTemplate'),
    goTemplateOptions: textsOf(spec, 'goTemplateOptions') ?? [],
    generators,
    template: fieldsOf(spec, 'template'),
    templatePatch: typeof patch === 'string' ? patch : undefined,
    preserveResourcesOnDeletion: isSet(syncPolicy, 'preserveResourcesOnDeletion'),
    applicationsSync: known,
    preservedAnnotations: textsOf(preserved, 'annotations') ?? [],
    preservedLabels: textsOf(preserved, 'labels') ?? [],
    ignoreDifferences: (objectsOf(spec, 'ignoreApplicationDifferences') ?? []).map((item) => ({
      name: textOf(item, 'name'),
      jsonPointers: textsOf(item, 'jsonPointers') ?? [],
      jqPathExpressions: textsOf(item, 'jqPathExpressions') ?? [],
    })),
    strategy: strategyOf(fieldsOf(spec, 'strategy')),
    object,
  })
}

function strategyOf(strategy: Fields): Strategy {
  const isRolling = textOf(strategy, 'type') === 'RollingSync' && own(strategy, 'rollingSync') !== undefined
  return {
    isRolling,
    steps: isRolling ? (objectsOf(fieldsOf(strategy, 'rollingSync'), 'steps') ?? []).map(stepOf) : [],
    deletesInReverse: isRolling && textOf(strategy, 'deletionOrder') === 'Reverse',
  }
}

function stepOf(step: Fields): RolloutStep {
  const maxUpdate = own(step, 'maxUpdate')
  return {
    matchExpressions: (objectsOf(step, 'matchExpressions') ?? []).map((item) => ({
      key: textOf(item, 'key'),
      operator: textOf(item, 'operator'),
      values: textsOf(item, 'values') ?? [],
    })),
    maxUpdate: typeof maxUpdate === 'number' || typeof maxUpdate === 'string' ? maxUpdate : undefined,
  }
}
