import type { UserInfo } from '../../kube/admission.ts'
import type { KubeObject } from '../../kube/object.ts'
import type { Kernel } from '../kernel.ts'
import { withMetadata, withRevision } from '../storage/stamp.ts'
import { prefixOf } from '../storage/keys.ts'
import { deleteCollection } from '../verbs/delete-collection.ts'
import { conditionOf, readDefinition } from './definition.ts'
import { CLEANUP, DEFINITIONS } from './follow.ts'
import { withPlannedStatus } from './status.ts'

/** Deletes the objects of deleted definitions, and lets the definitions go once the last object has gone. */
export function cleanUpDefinitions(kernel: Kernel, user: UserInfo): () => void {
  const { store, log } = kernel
  const running = new Map<string, () => void>()
  const start = (object: KubeObject): void => {
    const name = object.metadata.name ?? ''
    if (running.has(name) || !isWaiting(object)) return
    running.set(name, () => {})
    void cleanUp(object).catch((error: unknown) => {
      running.get(name)?.()
      running.delete(name)
      log.error('cannot clean up after a definition', error, { definition: name })
    })
  }
  const cleanUp = async (object: KubeObject): Promise<void> => {
    const { name, group, names, versions } = readDefinition(object)
    const prefix = prefixOf(group, names.plural)
    // In the storage version nothing has to be converted first, which could fail.
    const ordered = versions.toSorted((a, b) => Number(b.storage) - Number(a.storage))
    const served = ordered.flatMap((version) => kernel.registry().find(group, version.name, names.plural) ?? [])
    const [resource] = served
    if (resource && store.count(prefix) > 0) {
      const request = { verb: 'deletecollection', group, version: resource.version, plural: names.plural } as const
      await deleteCollection(kernel, resource, { ...request, user, options: {} })
    }
    const letGo = async (): Promise<void> => {
      if (store.count(prefix) > 0) return
      running.get(name)?.()
      running.delete(name)
      await release(kernel, name)
    }
    const watching = store.watch(prefix, store.revision, () => {
      void letGo().catch((error: unknown) => log.error('cannot let a definition go', error, { definition: name }))
    })
    if (watching.ok) running.set(name, watching.close)
    await letGo()
  }
  const all = store.range(DEFINITIONS)
  if (all.ok) for (const { value } of all.entries) start(value)
  const watching = store.watch(DEFINITIONS, store.revision, (changes) => {
    for (const change of changes) {
      if (change.type === 'put') start(change.value)
      else {
        void reconsider(kernel, change.value).catch((error: unknown) => {
          log.error('cannot give freed names away', error, { definition: change.value.metadata.name })
        })
      }
    }
  })
  return () => {
    if (watching.ok) watching.close()
    for (const stop of running.values()) stop()
  }
}

/** Gives the names that a definition has freed to those of its group that waited for them. */
async function reconsider({ store, clock }: Kernel, gone: KubeObject): Promise<void> {
  const range = store.range(DEFINITIONS)
  if (!range.ok) return
  const { group } = readDefinition(gone)
  const all = range.entries.filter(({ value }) => readDefinition(value).group === group)
  for (const { key, value, revision } of all) {
    if (conditionOf(value, 'NamesAccepted')?.['status'] !== 'False') continue
    const others = all.flatMap((other) => (other.key === key ? [] : [other.value]))
    const planned = withPlannedStatus(value, others, clock.now())
    // Whoever changes it meanwhile has its names judged by that write.
    await store.put(key, (next) => withRevision(planned, next), { revision })
  }
}

function isWaiting({ metadata }: KubeObject): boolean {
  return metadata.deletionTimestamp !== undefined && (metadata.finalizers ?? []).includes(CLEANUP)
}

/** Takes the finalizer away; the definition goes with the last one. */
async function release({ store }: Kernel, name: string): Promise<void> {
  for (;;) {
    const entry = store.get(DEFINITIONS + name)
    if (!entry || !isWaiting(entry.value)) return
    const left = (entry.value.metadata.finalizers ?? []).filter((one) => one !== CLEANUP)
    const next = withMetadata(entry.value, { finalizers: left.length > 0 ? left : undefined })
    const value = (revision: number): KubeObject => withRevision(next, revision)
    const expect = { revision: entry.revision }
    const written =
      left.length > 0 ? await store.put(entry.key, value, expect) : await store.delete(entry.key, value, expect)
    if (written.ok) return
  }
}
