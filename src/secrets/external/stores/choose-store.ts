import { isTrue, conditionOf } from '../../../kube/condition.ts'
import { compileSelector, matchesLabels } from '../../../kube/selector.ts'
import { isObject } from '../../../lib/json.ts'
import { compilePattern } from '../../../lib/re2.ts'
import { succeed } from '../../../lib/result.ts'
import { failed, type Fetched } from '../data/trouble.ts'
import { CONTROLLER_CLASS } from '../kinds.ts'
import { isClusterStore, type SecretStore } from '../spec/secret-store.ts'

/** Tells whether a store is for us to serve. */
export const isOurs = ({ parsed: { spec } }: SecretStore): boolean =>
  spec.controller === '' || spec.controller === CONTROLLER_CLASS

/** Tells whether a namespace may use a store: any part of any condition that fits lets it. */
export function mayUseStore(
  { kind, parsed: { spec } }: SecretStore,
  namespace: string,
  labels: Readonly<Record<string, string>>,
): boolean {
  if (!kind.startsWith('Cluster') || spec.conditions.length === 0) return true
  return spec.conditions.some(({ selector, namespaces, patterns }) => {
    if (namespaces.includes(namespace)) return true
    const compiled = isObject(selector) ? compileSelector(selector) : undefined
    if (compiled?.ok === true && matchesLabels(compiled.value, labels)) return true
    return patterns.some((pattern) => {
      const read = compilePattern(pattern)
      return read.ok && read.value.matcher(namespace).find()
    })
  })
}

/** The store as it may be used now, or why not. */
export function usableStore(
  store: SecretStore,
  namespace: string,
  labels: Readonly<Record<string, string>>,
): Fetched<SecretStore> {
  const name = store.metadata.name ?? ''
  if (!isOurs(store)) return failed('can not reference unmanaged store')
  if (!mayUseStore(store, namespace, labels)) {
    return failed(
      `using cluster store ${JSON.stringify(name)} is not allowed from namespace ${JSON.stringify(namespace)}: denied by spec.condition`,
    )
  }
  const { conditions } = store.parsed.status
  if (isTrue(conditions, 'Ready')) return succeed(store)
  const ready = conditionOf(conditions, 'Ready')
  const because = ready?.message ? `: ${ready.message}` : ' yet'
  return failed(
    `${isClusterStore(store) ? 'ClusterSecretStore' : 'SecretStore'} ${JSON.stringify(name)} is not ready${because}`,
  )
}
