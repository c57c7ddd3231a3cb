import type { KubeObject } from '../../kube/object.ts'
import { isObject } from '../../lib/json.ts'
import type { Operation, PolicyRequest, PolicyUser } from '../engine/policy-request.ts'
import { nobody } from '../engine/policy-request.ts'
import { policyKey, type PolicyIdentity } from '../engine/rule-response.ts'
import { parseApiVersion } from '../../kube/gvk.ts'
import { KYVERNO_NAMESPACE } from '../settings/policy-settings.ts'
import type { Trigger } from './downstream.ts'

/** What the background has to do for a policy because of an object. */
export interface Work {
  readonly type: 'generate' | 'mutate'
  readonly policy: PolicyIdentity
  readonly trigger: Trigger
  /** What was generated because of the trigger goes. */
  readonly deleteDownstream: boolean
  /** Only these rules count, under their names or those made of them for Pod controllers; all without it. */
  readonly rules?: readonly string[]
  /** What set it off; absent where a policy came or changed. */
  readonly request?: PolicyRequest
}

type Fields = Readonly<Record<string, unknown>>

const isCel = ({ apiVersion }: PolicyIdentity): boolean => apiVersion.startsWith('policies.kyverno.io/')

/** The UpdateRequest in which work is written down, where everybody can see it. */
export function updateRequestOf(work: Work): KubeObject {
  const { type, policy, trigger, deleteDownstream, request, rules } = work
  const { apiVersion, kind, namespace, name, uid } = trigger
  const resource = {
    apiVersion,
    kind,
    name,
    ...(namespace === undefined ? {} : { namespace }),
    ...(uid ? { uid } : {}),
  }
  const prefix = type === 'generate' ? 'generate.kyverno.io' : 'mutate.updaterequest.kyverno.io'
  return {
    apiVersion: 'kyverno.io/v2',
    kind: 'UpdateRequest',
    metadata: {
      generateName: 'ur-',
      namespace: KYVERNO_NAMESPACE,
      labels: { [`${prefix}/policy-name`]: policy.name.slice(0, 63) },
      annotations: { [KIND]: policy.kind, [VERSION]: policy.apiVersion },
    },
    spec: {
      requestType: isCel(policy) ? `cel-${type}` : type,
      policy: policyKey(policy),
      rule: '',
      resource,
      deleteDownstream,
      ...(rules ? { ruleContext: rules.map((rule) => ({ rule, trigger: resource, deleteDownstream })) } : {}),
      context: request ? contextOf(request) : {},
    },
  }
}

const KIND = 'idp-blueprint.io/policy-kind'
const VERSION = 'idp-blueprint.io/policy-api-version'

function contextOf(request: PolicyRequest): Fields {
  const { user, kind, resource, operation, object, oldObject, namespace, name, subresource, uid, options, dryRun } =
    request
  const { roles, clusterRoles, ...userInfo } = user
  const gvr = resource ? { group: resource.group, version: resource.version, resource: resource.plural } : undefined
  return {
    userInfo: { roles, clusterRoles, userInfo },
    admissionRequestInfo: {
      operation,
      admissionRequest: {
        uid: uid ?? '',
        kind: { group: kind.group, version: kind.version, kind: kind.kind },
        ...(gvr ? { resource: gvr } : {}),
        ...(subresource === undefined ? {} : { subResource: subresource }),
        name,
        ...(namespace === undefined ? {} : { namespace }),
        operation,
        userInfo,
        ...(object ? { object } : {}),
        ...(oldObject ? { oldObject } : {}),
        dryRun: dryRun ?? false,
        ...(options ? { options } : {}),
      },
    },
  }
}

const fieldsOf = (value: unknown): Fields => (isObject(value) ? value : {})
const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

/** Reads the work back; undefined when it is none of ours. */
export function readUpdateRequest(object: KubeObject): Work | undefined {
  const spec = fieldsOf(object['spec'])
  const requestType = textOf(spec['requestType'])
  const type = requestType.endsWith('generate') ? 'generate' : requestType.endsWith('mutate') ? 'mutate' : undefined
  const { [KIND]: kind, [VERSION]: apiVersion } = object.metadata.annotations ?? {}
  if (!type || kind === undefined || apiVersion === undefined) return undefined
  const key = textOf(spec['policy'])
  const slash = key.indexOf('/')
  const resource = fieldsOf(spec['resource'])
  const [namespace, uid] = [textOf(resource['namespace']), textOf(resource['uid'])]
  const request = readRequest(fieldsOf(spec['context']))
  const contexts = Array.isArray(spec['ruleContext']) ? spec['ruleContext'].map(fieldsOf) : undefined
  return {
    ...(contexts ? { rules: contexts.map(({ rule }) => textOf(rule)) } : {}),
    type,
    policy: { apiVersion, kind, name: key.slice(slash + 1), ...(slash < 0 ? {} : { namespace: key.slice(0, slash) }) },
    trigger: {
      apiVersion: textOf(resource['apiVersion']),
      kind: textOf(resource['kind']),
      name: textOf(resource['name']),
      ...(namespace === '' ? {} : { namespace }),
      ...(uid === '' ? {} : { uid }),
    },
    deleteDownstream: spec['deleteDownstream'] === true,
    ...(request ? { request } : {}),
  }
}

function readRequest(context: Fields): PolicyRequest | undefined {
  const admission = fieldsOf(fieldsOf(context['admissionRequestInfo'])['admissionRequest'])
  const kind = fieldsOf(admission['kind'])
  const resource = fieldsOf(admission['resource'])
  if (admission['operation'] === undefined) return undefined
  const [namespace, subresource] = [textOf(admission['namespace']), textOf(admission['subResource'])]
  const gvr = {
    group: textOf(resource['group']),
    version: textOf(resource['version']),
    plural: textOf(resource['resource']),
  }
  // Objects were objects when they were written down.
  const [object, oldObject] = [admission['object'], admission['oldObject']] as readonly (KubeObject | undefined)[]
  return {
    source: 'admission',
    operation: textOf(admission['operation']) as Operation,
    kind: { group: textOf(kind['group']), version: textOf(kind['version']), kind: textOf(kind['kind']) },
    ...(gvr.plural === '' ? {} : { resource: gvr }),
    ...(subresource === '' ? {} : { subresource }),
    ...(namespace === '' ? {} : { namespace }),
    name: textOf(admission['name']),
    ...(object ? { object } : {}),
    ...(oldObject ? { oldObject } : {}),
    user: readUser(fieldsOf(context['userInfo'])),
    uid: textOf(admission['uid']),
  }
}

function readUser(context: Fields): PolicyUser {
  const info = fieldsOf(context['userInfo'])
  const texts = (value: unknown): readonly string[] => (Array.isArray(value) ? value.map(String) : [])
  return {
    ...nobody,
    username: textOf(info['username']),
    groups: texts(info['groups']),
    roles: texts(context['roles']),
    clusterRoles: texts(context['clusterRoles']),
  }
}

/** The question about a trigger as it is now: the one that set the work off, or none in particular. */
export function requestOfWork({ request, trigger }: Work, current: KubeObject | undefined): PolicyRequest {
  if (request) {
    if (request.operation === 'DELETE' || !current) return request
    return { ...request, object: current, name: trigger.name }
  }
  return {
    source: 'background',
    operation: 'CREATE',
    kind: { ...parseApiVersion(trigger.apiVersion), kind: trigger.kind },
    ...(trigger.namespace === undefined ? {} : { namespace: trigger.namespace }),
    name: trigger.name,
    ...(current ? { object: current } : {}),
    user: nobody,
  }
}
