import type { Json } from '../../lib/json.ts'
import { gvkOf, type GroupVersionKind } from '../../kube/gvk.ts'
import type { KubeObject } from '../../kube/object.ts'
import type { Schema } from '../../kube/schema/schema.ts'
import type { CompiledPolicy, PolicyWorld } from '../engine/compiled-policy.ts'
import type { FactNeed } from '../engine/fact.ts'
import type { Operation, PolicyRequest, PolicyUser } from '../engine/policy-request.ts'
import { fieldsOf, listOf } from '../classic/read.ts'
import { type Judged, judgeResource } from './judge-resource.ts'
import { type MockedCall, type MockedImage, OfflineWorld } from './offline-world.ts'
import {
  namespaceLabels,
  namespaceObject,
  operationOf,
  parentOf,
  resourceValues,
  ruleValues,
  type Values,
  withObjectValues,
} from './values.ts'

/** Everything that an offline run is given: what the command line reads from files. */
export interface OfflineInput {
  readonly policies: readonly CompiledPolicy[]
  readonly bindings: readonly KubeObject[]
  readonly exceptions: readonly KubeObject[]
  /** The objects that policies can find; what is judged is among them. */
  readonly objects: readonly KubeObject[]
  /** Sources that policies can find for clones, by the keys of policies. */
  readonly values: Values
  readonly user: PolicyUser
  readonly calls: readonly MockedCall[]
  readonly globals: ReadonlyMap<string, Json>
  readonly images: readonly MockedImage[]
  /** The run stands for a cluster: contexts are answered from `objects` instead of staying unset. */
  readonly isCluster: boolean
  readonly pluralOf: (object: { readonly apiVersion: string; readonly kind: string }) => string
  readonly schemaOf: (kind: GroupVersionKind) => Schema | undefined
  readonly now: () => number
  readonly ids: PolicyWorld['ids']
}

/** One thing that policies are asked about. */
export interface OfflineQuestion {
  readonly object?: KubeObject
  /** A document that is no object. */
  readonly payload?: Json
  readonly payloadKind?: NonNullable<PolicyRequest['payloadKind']>
  /** Wins over what values say. */
  readonly operation?: Operation
}

/** Policies, ready to be asked about any number of objects without a cluster. */
export class OfflineRun {
  private readonly input: OfflineInput
  private readonly facts: OfflineWorld
  private readonly world: Omit<PolicyWorld, 'facts'>

  constructor(input: OfflineInput) {
    this.input = input
    const { values, exceptions, bindings, now, ids, schemaOf } = input
    this.facts = new OfflineWorld(input)
    this.world = {
      exceptions,
      bindings,
      now,
      ids,
      schemaOf,
      values: (policy, rule) => ruleValues(values, policy, rule),
      absent: absentSources(input),
    }
  }

  judge(question: OfflineQuestion): readonly Judged[] {
    return judgeResource(question.object, {
      policies: this.input.policies,
      requestFor: (policy, object) => this.request(policy, { ...question, ...(object ? { object } : {}) }),
      world: this.world,
      facts: this.facts,
    })
  }

  private request(policy: CompiledPolicy, { object, operation: wanted, ...document }: OfflineQuestion): PolicyRequest {
    const { values, user } = this.input
    const name = object?.metadata.name ?? ''
    const namespace = object?.metadata.namespace
    const given = resourceValues(values, policy.identity.name, name)
    const operation = wanted ?? operationOf(given['request.operation']) ?? 'CREATE'
    const objects = {
      ...(object && operation !== 'DELETE' ? { object } : {}),
      ...(object && (operation === 'DELETE' || operation === 'UPDATE') ? { oldObject: object } : {}),
    }
    const { kind, subresource } = object
      ? parentOf(values, gvkOf(object))
      : { kind: { group: '', version: '', kind: '' } }
    const space = namespace === undefined ? undefined : this.namespace(namespace)
    return {
      source: 'offline',
      operation,
      kind,
      ...(object
        ? {
            resource: {
              group: kind.group,
              version: kind.version,
              plural: this.input.pluralOf({ apiVersion: object.apiVersion, kind: kind.kind }),
            },
          }
        : {}),
      ...(subresource ? { subresource } : {}),
      ...(namespace === undefined ? {} : { namespace }),
      name,
      ...withObjectValues(objects, given),
      ...document,
      user,
      ...(space ? { namespaceObject: space } : {}),
      namespaceLabels: (namespace === undefined ? undefined : namespaceLabels(values, namespace)) ?? {},
    }
  }

  private namespace(name: string): KubeObject | undefined {
    const described = namespaceObject(this.input.values, name)
    if (described || !this.input.isCluster) return described
    return this.input.objects.find(
      ({ kind, apiVersion, metadata }) => kind === 'Namespace' && apiVersion === 'v1' && metadata.name === name,
    )
  }
}

/** Without a cluster there is nothing to read contexts from: their variables come from values. */
function absentSources({ isCluster, calls, globals, images }: OfflineInput): ReadonlySet<FactNeed['what']> {
  const absent = new Set<FactNeed['what']>()
  if (!isCluster) {
    absent.add('object')
    if (calls.length === 0) {
      absent.add('api-call')
      absent.add('service-call')
    }
  }
  if (globals.size === 0) absent.add('global-context')
  if (images.length === 0) absent.add('image')
  return absent
}

/**
 * Tells whether the match of a CEL policy does more than name one rule of resources: then not being matched is an answer,
 * as in Kyverno's command line.
 */
export function narrowsMatch({ source }: CompiledPolicy): boolean {
  const match = fieldsOf(source['spec'])['matchConstraints']
  if (match === undefined || match === null) return true
  const { namespaceSelector, objectSelector, excludeResourceRules, resourceRules } = fieldsOf(match)
  const rules = listOf(resourceRules)
  return (
    isSet(namespaceSelector) ||
    isSet(objectSelector) ||
    listOf(excludeResourceRules).length > 0 ||
    rules.length !== 1 ||
    listOf(fieldsOf(rules[0])['resourceNames']).length > 0
  )
}

function isSet(selector: unknown): boolean {
  const { matchLabels, matchExpressions } = fieldsOf(selector)
  return Object.keys(fieldsOf(matchLabels)).length > 0 || listOf(matchExpressions).length > 0
}
