import { Buffer } from 'node:buffer'
import { isObject, own, setOwn } from '../../lib/json.ts'
import { parseApiVersion } from '../../kube/gvk.ts'
import type { KubeObject } from '../../kube/object.ts'

type Fields = Readonly<Record<string, unknown>>

const asFields = (value: unknown): Fields => (isObject(value) ? value : {})
const asList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

/** What is written in several ways and means one thing, in one way (gitops-engine pkg/diff, and a few of our own). */
export function withoutQuirks(object: KubeObject): KubeObject {
  const plain = withoutBlanks(object)
  const { group } = parseApiVersion(plain.apiVersion)
  switch (`${group}/${plain.kind}`) {
    case '/Secret':
      return secret(plain)
    case '/Endpoints':
      return endpoints(plain)
    case 'rbac.authorization.k8s.io/ClusterRole':
    case 'rbac.authorization.k8s.io/Role':
      return role(plain)
    default:
      return plain
  }
}

const isBlank = (value: unknown): boolean =>
  value === null || (Array.isArray(value) ? value.length === 0 : isObject(value) && Object.keys(value).length === 0)

/** Exported manifests hold an empty time, and empty maps are no maps. */
function withoutBlanks(object: KubeObject): KubeObject {
  const { metadata } = object
  const blank = ['labels', 'annotations', 'finalizers', 'ownerReferences'].filter(
    (name) => Object.hasOwn(metadata, name) && isBlank(metadata[name]),
  )
  if (Object.hasOwn(metadata, 'creationTimestamp')) blank.push('creationTimestamp')
  if (blank.length === 0) return object
  return { ...object, metadata: Object.fromEntries(Object.entries(metadata).filter(([name]) => !blank.includes(name))) }
}

/** stringData is how data is written; a null value is an empty one. */
function secret(object: KubeObject): KubeObject {
  const { stringData, ...rest } = object
  const given = asFields(object['data'])
  const hasNull = Object.values(given).includes(null)
  if (!isObject(stringData) && !hasNull) return object
  const data: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(given)) setOwn(data, key, value ?? '')
  for (const [key, value] of Object.entries(asFields(stringData))) {
    setOwn(data, key, typeof value === 'string' ? Buffer.from(value, 'utf8').toString('base64') : value)
  }
  return Object.keys(data).length > 0 ? { ...rest, data } : rest
}

/** The control plane writes the rules of an aggregated role: whatever is in Git is not meant. No rules are no rules. */
function role(object: KubeObject): KubeObject {
  const isAggregated = isObject(object['aggregationRule'])
  const rules = object['rules']
  const isEmpty = rules === null || (Array.isArray(rules) && rules.length === 0)
  if (!Object.hasOwn(object, 'rules') || (!isAggregated && !isEmpty)) return object
  const { rules: _, ...rest } = object
  return rest
}

/** Addresses and ports have no order, and TCP need not be said. */
function endpoints(object: KubeObject): KubeObject {
  const subsets = asList(object['subsets']).map((subset) => {
    const { addresses, notReadyAddresses, ports, ...rest } = asFields(subset)
    return {
      ...rest,
      ...sorted('addresses', addresses),
      ...sorted('notReadyAddresses', notReadyAddresses),
      ...sorted(
        'ports',
        ports === undefined ? undefined : asList(ports).map((port) => ({ protocol: 'TCP', ...asFields(port) })),
      ),
    }
  })
  return Object.hasOwn(object, 'subsets') ? { ...object, subsets: inOrder(subsets) } : object
}

const sorted = (name: string, list: unknown): Fields => (list === undefined ? {} : { [name]: inOrder(asList(list)) })

const inOrder = (list: readonly unknown[]): readonly unknown[] =>
  list
    .map((item) => ({ item, text: JSON.stringify(item) }))
    .toSorted((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0))
    .map(({ item }) => item)

/** A line feed in base64: what manifests hold where a bundle of certificates is to be injected. */
const TO_BE_INJECTED: readonly unknown[] = [undefined, null, '', 'Cg==']

/** Where kinds keep the bundle that somebody injects; a list's items are known by their names. */
const bundles: Readonly<Record<string, readonly string[]>> = {
  'admissionregistration.k8s.io/MutatingWebhookConfiguration': ['webhooks', '*', 'clientConfig'],
  'admissionregistration.k8s.io/ValidatingWebhookConfiguration': ['webhooks', '*', 'clientConfig'],
  'apiextensions.k8s.io/CustomResourceDefinition': ['spec', 'conversion', 'webhook', 'clientConfig'],
  'apiregistration.k8s.io/APIService': ['spec'],
}

/** Takes bundles of certificates away from any side, where the target leaves them to an injector: they are no difference. */
export function withoutInjected(target: KubeObject): (side: KubeObject) => KubeObject {
  const path = own(bundles, `${parseApiVersion(target.apiVersion).group}/${target.kind}`)
  if (!path) return (side) => side
  return (side) => withoutBundle(side, target, path) as KubeObject // only a field below the kind's own is dropped
}

function withoutBundle(side: unknown, target: unknown, path: readonly string[]): unknown {
  const [step, ...rest] = path
  if (step === '*') return withoutBundles(side, target, rest)
  if (!isObject(side)) return side
  if (step === undefined) {
    const isOpen = TO_BE_INJECTED.includes(isObject(target) ? target['caBundle'] : undefined)
    if (!isOpen || !Object.hasOwn(side, 'caBundle')) return side
    const { caBundle: _, ...others } = side
    return others
  }
  const before = own(side, step)
  const after = withoutBundle(before, isObject(target) ? own(target, step) : undefined, rest)
  return after === before ? side : { ...side, [step]: after }
}

function withoutBundles(side: unknown, target: unknown, path: readonly string[]): unknown {
  if (!Array.isArray(side)) return side
  const byName = new Map(asList(target).map((item) => [asFields(item)['name'], item]))
  return side.map((item) => {
    const name = asFields(item)['name']
    return byName.has(name) ? withoutBundle(item, byName.get(name), path) : (item as unknown)
  })
}
