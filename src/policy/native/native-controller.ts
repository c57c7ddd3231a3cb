import type { Client } from '../../kube/client.ts'
import type { KubeObject } from '../../kube/object.ts'
import { isEqual, isObject } from '../../lib/json.ts'
import type { Result } from '../../lib/result.ts'
import { type Controller, retryAfter } from '../../runtime/controller.ts'
import type { Informers } from '../../runtime/informers.ts'
import { done, type Turn } from '../../runtime/work-queue.ts'
import { exceptionKinds, type PolicyKind, policyKinds } from '../catalog/policy-kinds.ts'
import { type FindCollections, nativeOfClassic } from '../cel/native-of-classic.ts'
import { type NativePair, nativeOfMutating, nativeOfValidating } from '../cel/native-pair.ts'
import { matchesWildcard } from '../engine/wildcard.ts'
import type { ServedKinds } from '../../runtime/served-kinds.ts'
import { planNative, type WantedObject } from './plan.ts'

export interface NativePorts {
  readonly client: Client
  readonly informers: Informers
  readonly served: ServedKinds
}

type Fields = Readonly<Record<string, unknown>>
const fieldsOf = (value: unknown): Fields => (isObject(value) ? value : {})

/** Which kinds become which, and how their status says so. */
interface Translation {
  readonly kind: PolicyKind
  readonly prefix: string
  readonly native: { readonly kind: string; readonly plural: string }
  /** Whether a policy asks for an admission policy at all: others are left alone. */
  readonly asks: (policy: KubeObject) => boolean
  readonly make: (policy: KubeObject, exceptions: readonly KubeObject[], find: FindCollections) => Result<NativePair>
  readonly statusOf: (status: Fields, generated: boolean, message: string) => Fields
}

const kindNamed = (name: string): PolicyKind => {
  const found = policyKinds.find(({ kind }) => kind === name)
  if (!found) throw new Error(`there is no kind of policies ${name}`)
  return found
}

const validating = { kind: 'ValidatingAdmissionPolicy', plural: 'validatingadmissionpolicies' }
const mutating = { kind: 'MutatingAdmissionPolicy', plural: 'mutatingadmissionpolicies' }
const isAsked = (policy: KubeObject, name: string): boolean =>
  fieldsOf(fieldsOf(fieldsOf(policy['spec'])['autogen'])[name])['enabled'] === true

const translations: readonly Translation[] = [
  {
    kind: kindNamed('ClusterPolicy'),
    prefix: 'cpol',
    native: validating,
    asks(policy) {
      const rules: unknown = fieldsOf(policy['spec'])['rules']
      return (
        Array.isArray(rules) &&
        rules.some((rule) => fieldsOf(fieldsOf(fieldsOf(rule)['validate'])['cel'])['generate'] === true)
      )
    },
    make: nativeOfClassic,
    statusOf: (status, generated, message) => ({ ...status, validatingadmissionpolicy: { generated, message } }),
  },
  {
    kind: kindNamed('ValidatingPolicy'),
    prefix: 'vpol',
    native: validating,
    asks: (policy) => isAsked(policy, 'validatingAdmissionPolicy'),
    make: nativeOfValidating,
    statusOf: (status, generated) => ({ ...status, generated }),
  },
  {
    kind: kindNamed('MutatingPolicy'),
    prefix: 'mpol',
    native: mutating,
    asks: (policy) => isAsked(policy, 'mutatingAdmissionPolicy'),
    make: nativeOfMutating,
    statusOf: (status, generated) => ({ ...status, generated }),
  },
]

/** Keeps the API server's admission policies that are made of Kyverno's; they go with the policies that own them. */
export const nativeControllers = (ports: NativePorts): readonly Controller[] =>
  translations.map((translation) => nativeController(translation, ports))

/** Names of the policies that an exception is for. */
function namesIn(exception: KubeObject, kind: string): readonly string[] {
  const { policyRefs, exceptions } = fieldsOf(exception['spec'])
  const listed = (value: unknown): readonly Fields[] => (Array.isArray(value) ? value.filter(isObject) : [])
  return [
    ...listed(policyRefs).flatMap((ref) =>
      ref['kind'] === kind && typeof ref['name'] === 'string' ? [ref['name']] : [],
    ),
    ...(kind === 'ClusterPolicy'
      ? listed(exceptions).flatMap(({ policyName }) => (typeof policyName === 'string' ? [policyName] : []))
      : []),
  ]
}

function nativeController(translation: Translation, { client, informers, served }: NativePorts): Controller {
  const { kind, native, prefix } = translation
  const policies = informers.shared({ collection: { resource: kind } })
  const exceptions = exceptionKinds
    .filter(({ group }) => group === kind.group)
    .map((resource) => informers.shared({ collection: { resource } }))
  return {
    name: `native-${kind.plural}`,
    watches: [
      { informer: policies },
      ...exceptions.map((informer) => ({
        informer,
        keys: (object: KubeObject) => namesIn(object, kind.kind).map((name) => `/${name}`),
      })),
    ],
    async reconcile(key, { signal }) {
      const policy = policies.cache.get(key)
      if (!policy || policy.metadata.deletionTimestamp !== undefined) return done
      const status = fieldsOf(policy['status'])
      const wasMade = !isEqual(status, translation.statusOf(status, false, '')) && hasMade(status)
      if (!translation.asks(policy) && !wasMade) return done
      const name = policy.metadata.name ?? ''
      const concerned = exceptions.flatMap(({ cache }) =>
        cache.list().filter((exception) => namesIn(exception, kind.kind).includes(name)),
      )
      const pair = translation.make(policy, concerned, await collectionsOf(served))
      const wanted = wantedOf(native, `${prefix}-${name}`, pair)
      for (const each of wanted) {
        const turn = await keep(each, signal)
        if (turn !== done) return turn
      }
      return say(policy, pair, signal)
    },
  }

  async function keep(wanted: WantedObject, signal: AbortSignal): Promise<Turn> {
    const { plural, name, object } = wanted
    const place = { resource: { group: 'admissionregistration.k8s.io', version: 'v1', plural }, name }
    const answer = await client.get(place, { signal })
    if (!answer.ok && answer.error.reason !== 'NotFound') return retryAfter(answer.error)
    const plan = planNative(object, answer.ok ? answer.value : undefined)
    switch (plan.do) {
      case 'nothing':
        return done
      case 'create': {
        const created = await client.create({ resource: place.resource }, plan.object, { signal })
        return created.ok ? done : retryAfter(created.error)
      }
      case 'update': {
        const updated = await client.update(place, plan.object, { signal })
        return updated.ok ? done : retryAfter(updated.error)
      }
      case 'delete': {
        const deleted = await client.delete(place, { signal })
        return deleted.ok || deleted.error.reason === 'NotFound' ? done : retryAfter(deleted.error)
      }
    }
  }

  /** Says in the policy's status whether an admission policy was made of it, and if not, why. */
  async function say(policy: KubeObject, pair: Result<NativePair>, signal: AbortSignal): Promise<Turn> {
    const before = fieldsOf(policy['status'])
    const message = pair.ok ? '' : pair.error.map((problem) => problem.message).join('; ')
    const status = translation.statusOf(before, pair.ok, message)
    if (isEqual(before, status)) return done
    const place = { resource: kind, name: policy.metadata.name ?? '', subresource: 'status' }
    const written = await client.update(place, { ...policy, status }, { signal })
    if (!written.ok) return written.error.reason === 'NotFound' ? done : retryAfter(written.error)
    return done
  }
}

const hasMade = (status: Fields): boolean =>
  status['generated'] === true || fieldsOf(status['validatingadmissionpolicy'])['generated'] === true

const wantedOf = (
  { plural }: Translation['native'],
  name: string,
  pair: Result<NativePair>,
): readonly WantedObject[] => [
  { plural, name, object: pair.ok ? pair.value.policy : undefined },
  {
    plural: plural.replace(/policies$/, 'policybindings'),
    name: `${name}-binding`,
    object: pair.ok ? pair.value.binding : undefined,
  },
]

/** What a kind of a rule names in the cluster, in the version that comes first. */
async function collectionsOf(served: ServedKinds): Promise<FindCollections> {
  const infos = await served.all()
  return ({ group, version, kind, subresource }) => {
    const found = new Map<string, { readonly group: string; readonly version: string; readonly plural: string }>()
    for (const info of infos) {
      if (info.subresource !== undefined || subresource !== '') continue
      if (!matchesWildcard(group, info.group) || !matchesWildcard(version, info.version)) continue
      if (!matchesWildcard(kind, info.kind)) continue
      const key = `${info.group} ${info.plural}`
      if (!found.has(key)) found.set(key, { group: info.group, version: info.version, plural: info.plural })
    }
    return [...found.values()]
  }
}
