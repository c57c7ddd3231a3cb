import type { Client, ResourceInfo } from '../../kube/client.ts'
import { parseApiVersion } from '../../kube/gvk.ts'
import type { KubeObject } from '../../kube/object.ts'
import type { ServedKinds } from '../../runtime/served-kinds.ts'
import type { PolicyIdentity } from '../engine/rule-response.ts'
import type { GeneratedResource } from '../engine/rule-response.ts'

const PREFIX = 'generate.kyverno.io/'
export const MANAGED_BY = 'app.kubernetes.io/managed-by'
export const POLICY_LABEL: string = `${PREFIX}policy-name`
export const POLICY_NAMESPACE_LABEL: string = `${PREFIX}policy-namespace`
export const RULE_LABEL: string = `${PREFIX}rule-name`
export const SOURCE_LABEL: string = `${PREFIX}clone-source`
const TRIGGER_UID_LABEL = `${PREFIX}trigger-uid`
const LONGEST_LABEL = 63

/** Which object set a generation off. */
export interface Trigger {
  readonly apiVersion: string
  readonly kind: string
  readonly namespace?: string
  readonly name: string
  readonly uid?: string
}

/** The reference to an object as a trigger. */
export const triggerOf = ({ apiVersion, kind, metadata: { namespace, name = '', uid } }: KubeObject): Trigger => ({
  apiVersion,
  kind,
  ...(namespace === undefined ? {} : { namespace }),
  name,
  ...(uid === undefined ? {} : { uid }),
})

const cut = (text: string): string => text.slice(0, LONGEST_LABEL)

/** The labels by which generated objects, their policy, trigger and source find each other. */
export function downstreamLabels(
  policy: PolicyIdentity,
  rule: string,
  trigger: Trigger,
  source: GeneratedResource['source'],
  sourceUid: string | undefined,
): Readonly<Record<string, string>> {
  const { group, version } = parseApiVersion(trigger.apiVersion)
  const from = source ? parseApiVersion(source.apiVersion) : undefined
  return {
    [MANAGED_BY]: 'kyverno',
    [POLICY_LABEL]: cut(policy.name),
    [POLICY_NAMESPACE_LABEL]: policy.namespace ?? '',
    [RULE_LABEL]: cut(rule),
    [`${PREFIX}trigger-group`]: group,
    [`${PREFIX}trigger-version`]: version,
    [`${PREFIX}trigger-kind`]: trigger.kind,
    [`${PREFIX}trigger-namespace`]: trigger.namespace ?? '',
    ...(trigger.uid === undefined ? {} : { [TRIGGER_UID_LABEL]: trigger.uid }),
    ...(source && from
      ? {
          [`${PREFIX}source-group`]: from.group,
          [`${PREFIX}source-version`]: from.version,
          [`${PREFIX}source-kind`]: source.kind,
          [`${PREFIX}source-namespace`]: source.namespace ?? '',
          ...(sourceUid === undefined ? {} : { [`${PREFIX}source-uid`]: sourceUid }),
        }
      : {}),
  }
}

/** The trigger that a generated object's labels tell of; its name is found by its uid. */
export function triggerFromLabels(labels: Readonly<Record<string, string>>): Omit<Trigger, 'name'> | undefined {
  const get = (name: string): string | undefined => labels[`${PREFIX}${name}`]
  const [group = '', version, kind, namespace, uid] = [
    get('trigger-group'),
    get('trigger-version'),
    get('trigger-kind'),
    get('trigger-namespace'),
    get('trigger-uid'),
  ]
  if (version === undefined || kind === undefined || uid === undefined) return undefined
  return { apiVersion: group === '' ? version : `${group}/${version}`, kind, uid, ...(namespace ? { namespace } : {}) }
}

const selectorText = (labels: Readonly<Record<string, string>>): string =>
  Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(',')

/** The selector of what a policy has generated, by rule and trigger where they are given. */
export const ofPolicy = (
  policy: Pick<PolicyIdentity, 'name' | 'namespace'>,
  more: { readonly rule?: string; readonly triggerUid?: string } = {},
): string =>
  selectorText({
    [MANAGED_BY]: 'kyverno',
    [POLICY_LABEL]: cut(policy.name),
    [POLICY_NAMESPACE_LABEL]: policy.namespace ?? '',
    ...(more.rule === undefined ? {} : { [RULE_LABEL]: cut(more.rule) }),
    ...(more.triggerUid === undefined ? {} : { [TRIGGER_UID_LABEL]: more.triggerUid }),
  })

/** The selector of the copies of a source. */
export const copiesOf = (sourceUid: string): string => selectorText({ [`${PREFIX}source-uid`]: sourceUid })

/** A generated object with where it is. */
export interface Downstream {
  readonly object: KubeObject
  readonly info: ResourceInfo
}

/** Kinds of which nothing is generated, and that are many. */
const skipped = new Set(['events', 'leases', 'endpointslices', 'replicasets', 'pods', 'nodes'])

/** Finds generated objects by their labels, among the kinds that something was generated of, or all. */
export class DownstreamIndex {
  readonly #client: Client
  readonly #served: ServedKinds
  /** Collections in which something was made since the start; before the first look all count. */
  #known: Map<string, ResourceInfo> | undefined

  constructor(client: Client, served: ServedKinds) {
    this.#client = client
    this.#served = served
  }

  /** Notes that something was generated there. */
  note(info: ResourceInfo): void {
    this.#known?.set(`${info.plural}.${info.group}`, info)
  }

  async find(selector: string, signal: AbortSignal): Promise<readonly Downstream[]> {
    const found: Downstream[] = []
    for (const info of (await this.#collections(signal)).values()) {
      const listed = await this.#client.list({ resource: info }, { labelSelector: selector, signal })
      if (listed.ok) for (const object of listed.value.items) found.push({ object, info })
    }
    return found
  }

  /** After a restart every collection is looked into once, for what was generated before. */
  async #collections(signal: AbortSignal): Promise<ReadonlyMap<string, ResourceInfo>> {
    if (this.#known) return this.#known
    const known = new Map<string, ResourceInfo>()
    for (const info of await this.#served.all()) {
      const key = `${info.plural}.${info.group}`
      const isListed = info.subresource === undefined && info.verbs.includes('list') && info.verbs.includes('delete')
      if (!isListed || skipped.has(info.plural) || known.has(key)) continue
      const listed = await this.#client.list(
        { resource: info },
        { labelSelector: `${MANAGED_BY}=kyverno,${POLICY_LABEL}`, limit: 1, signal },
      )
      if (listed.ok && listed.value.items.length > 0) known.set(key, info)
    }
    this.#known = known
    return known
  }
}
