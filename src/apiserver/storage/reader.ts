import type { KubeObject } from '../../kube/object.ts'
import type { Store } from '../../store/store.ts'
import type { ClusterReader } from '../admission/cluster-reader.ts'
import { collectionPrefix, keyOf, prefixOf } from './keys.ts'

/** The committed objects of a store as admission and authorization read them. Lists are remembered until something changes in them. */
export function clusterReader(store: Store<KubeObject>): ClusterReader {
  const lists = new Map<string, readonly KubeObject[]>()
  const followed = new Set<string>()
  const follow = (prefix: string): void => {
    if (followed.has(prefix)) return
    followed.add(prefix)
    store.watch(prefix, store.revision, (changes) => {
      if (changes.length === 0) return
      for (const key of lists.keys()) if (key.startsWith(prefix)) lists.delete(key)
    })
  }
  return {
    get: (group, plural, { namespace, name }) => store.get(keyOf(prefixOf(group, plural), namespace, name))?.value,
    list(group, plural, namespace) {
      const all = prefixOf(group, plural)
      const prefix = collectionPrefix(all, namespace)
      const known = lists.get(prefix)
      if (known) return known
      follow(all)
      const range = store.range(prefix)
      if (!range.ok) throw new Error(`cannot read ${prefix} at the newest revision: ${range.because}`)
      const found = range.entries.map(({ value }) => value)
      lists.set(prefix, found)
      return found
    },
  }
}
