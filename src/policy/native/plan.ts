import type { KubeObject } from '../../kube/object.ts'
import { isEqual, isObject, own } from '../../lib/json.ts'

/** An object that shall exist, or not. */
export interface WantedObject {
  readonly plural: string
  readonly name: string
  readonly object: KubeObject | undefined
}

export type NativePlan =
  | { readonly do: 'nothing'; readonly because: string }
  | { readonly do: 'create' | 'update'; readonly object: KubeObject; readonly because: string }
  | { readonly do: 'delete'; readonly because: string }

const MANAGED_BY = 'app.kubernetes.io/managed-by'

/** Decides what is to be done about one admission policy or binding. What Kyverno did not make is left alone. */
export function planNative(wanted: KubeObject | undefined, live: KubeObject | undefined): NativePlan {
  if (!live) {
    return wanted
      ? { do: 'create', object: wanted, because: 'the policy asks for it' }
      : { do: 'nothing', because: 'neither wanted nor there' }
  }
  if (live.metadata.labels?.[MANAGED_BY] !== 'kyverno')
    return { do: 'nothing', because: 'one of the same name was made by somebody else' }
  if (!wanted) return { do: 'delete', because: 'the policy does not ask for it any more' }
  const { labels, ownerReferences } = wanted.metadata
  if (isFilledIn(live['spec'], wanted['spec']) && isEqual(live.metadata.ownerReferences, ownerReferences))
    return { do: 'nothing', because: 'it is as it should be' }
  const metadata = {
    ...live.metadata,
    labels: { ...live.metadata.labels, ...labels },
    ...(ownerReferences ? { ownerReferences } : {}),
  }
  return { do: 'update', object: { ...live, metadata, spec: wanted['spec'] }, because: 'the policy has changed' }
}

const DEEPEST = 100

/** What the server fills in where nothing is said. */
const defaults: Readonly<Record<string, unknown>> = {
  failurePolicy: 'Fail',
  reinvocationPolicy: 'Never',
  matchPolicy: 'Equivalent',
  namespaceSelector: {},
  objectSelector: {},
  scope: '*',
}

/** Tells whether a value is another one with its defaults filled in. */
function isFilledIn(live: unknown, wanted: unknown, depth = 0): boolean {
  if (depth > DEEPEST) return false
  if (Array.isArray(wanted)) {
    return (
      Array.isArray(live) &&
      live.length === wanted.length &&
      wanted.every((item, index) => isFilledIn(live[index], item, depth + 1))
    )
  }
  if (!isObject(wanted)) return isEqual(live, wanted)
  if (!isObject(live)) return false
  const isKept = Object.entries(wanted).every(([key, value]) => isFilledIn(own(live, key), value, depth + 1))
  const more = Object.keys(live).filter((key) => !Object.hasOwn(wanted, key))
  return isKept && more.every((key) => Object.hasOwn(defaults, key) && isEqual(live[key], defaults[key]))
}
