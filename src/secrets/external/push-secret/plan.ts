import type { Labels } from '../../../lib/metrics.ts'
import { compileSelector, matchesLabels } from '../../../kube/selector.ts'
import { compilePattern } from '../../../lib/re2.ts'
import { succeed } from '../../../lib/result.ts'
import type { SecretData } from '../data/decode.ts'
import { reverseKey, withKeys } from '../data/keys.ts'
import { type RenderName, rewrite } from '../data/rewrite.ts'
import { failed, type Fetched, within } from '../data/trouble.ts'
import { versionOf } from '../external-secret/hashes.ts'
import {
  entryRef,
  type PushEach,
  type PushEntry,
  type PushSecret,
  type PushSecretSpec,
  type PushStoreRef,
} from './push-secret.ts'

/** Whether it is to be pushed now; or when it will be. */
export type PushPlan = { readonly do: 'push' } | { readonly do: 'rest'; readonly untilMs?: number }

/** Decides by what changed and by refreshInterval; a source that changed counts as due. */
export function planPush(
  { parsed: { spec, status }, metadata }: PushSecret,
  { nowMs, isStale }: { readonly nowMs: number; readonly isStale: boolean },
): PushPlan {
  const refreshedMs = Date.parse(status.refreshTime)
  if (status.syncedResourceVersion !== versionOf(metadata) || Number.isNaN(refreshedMs)) return { do: 'push' }
  if (spec.refreshIntervalMs <= 0) return { do: 'rest' }
  const untilMs = refreshedMs + spec.refreshIntervalMs
  // A generator makes new values at every look, so it is not looked at because something else has changed.
  return untilMs <= nowMs || (isStale && !spec.generator) ? { do: 'push' } : { do: 'rest', untilMs }
}

/** One push as it is carried out: the data whose key is meant are those that it carries. */
export interface Push {
  readonly entry: PushEntry
  readonly data: SecretData
}

/** A store as a reference may mean it. */
export interface NamedStore {
  readonly kind: string
  readonly name: string
  readonly labels: Labels
}

/** Tells whether a reference means a store. */
export function meansStore(ref: PushStoreRef, store: NamedStore): boolean {
  if (ref.kind !== store.kind) return false
  if (ref.name !== '') return ref.name === store.name
  const compiled = ref.labelSelector ? compileSelector(ref.labelSelector) : undefined
  return compiled?.ok === true && matchesLabels(compiled.value, store.labels)
}

/** Why a spec cannot be carried out, whatever there is to push. */
export function specProblem({ dataTo, stores }: PushSecretSpec): string | undefined {
  for (const [index, { store, remoteKey, rewrite: steps }] of dataTo.entries()) {
    if (!store) return `dataTo[${index}]: storeRef is required`
    if (store.name === '' && !store.labelSelector) return `dataTo[${index}]: storeRef must have name or labelSelector`
    if (store.name !== '' && !stores.some(({ kind, name }) => kind === store.kind && name === store.name)) {
      return `dataTo[${index}]: storeRef ${JSON.stringify(store.name)} not found in secretStoreRefs`
    }
    if (remoteKey !== '' && steps.length > 0) {
      return `dataTo[${index}]: remoteKey and rewrite are mutually exclusive: rewrite is only supported in per-key mode (without remoteKey)`
    }
  }
  return undefined
}

/** Every push to one store: what `data` says, and what `dataTo` says of keys that `data` does not. */
export function pushesFor(
  spec: PushSecretSpec,
  store: NamedStore,
  data: SecretData,
  renderName: RenderName,
): Fetched<readonly Push[]> {
  const each: Push[] = []
  for (const [index, one] of spec.dataTo.entries()) {
    if (!one.store || !meansStore(one.store, store)) continue
    const expanded = expand(one, data, renderName)
    if (!expanded.ok) return within(`dataTo[${index}]`, expanded.error)
    each.push(...expanded.value)
  }
  const said = new Set(spec.data.map(({ secretKey }) => secretKey))
  const explicit: Push[] = []
  for (const entry of spec.data) {
    const converted = withKeys(data, (key) => reverseKey(entry.conversionStrategy, key))
    if (!converted.ok) return within('could not apply conversion strategy to keys', converted.error)
    if (entry.secretKey !== '' && !converted.value.has(entry.secretKey))
      return failed(`secret key ${entry.secretKey} does not exist`)
    explicit.push({ entry, data: converted.value })
  }
  const all = [...each.filter(({ entry }) => entry.secretKey === '' || !said.has(entry.secretKey)), ...explicit]
  const refs = all.map(({ entry }) => entryRef(entry))
  const twice = refs.find((ref, index) => refs.indexOf(ref) !== index)
  return twice === undefined
    ? succeed(all)
    : failed(`duplicate remote key ${JSON.stringify(twice)}: two entries would be written to it`)
}

function expand(each: PushEach, data: SecretData, renderName: RenderName): Fetched<readonly Push[]> {
  const pattern = compilePattern(each.match)
  if (!pattern.ok) return failed(`match failed: ${pattern.error[0]?.message ?? ''}`)
  const converted = withKeys(data, (key) => reverseKey(each.conversionStrategy, key))
  if (!converted.ok) return within('conversion failed', converted.error)
  const originals = new Map([...data.keys()].map((key) => [reverseKey(each.conversionStrategy, key), key]))
  const keys = [...converted.value.keys()]
    .toSorted()
    .filter((key) => each.match === '' || pattern.value.matcher(key).find())
  if (keys.length === 0) return succeed([])
  const { metadata } = each
  if (each.remoteKey !== '') {
    const matched = new Map(keys.map((key) => [key, converted.value.get(key) ?? '']))
    return succeed([{ entry: newEntry('', each.remoteKey, metadata), data: matched }])
  }
  const pushes: Push[] = []
  for (const key of keys) {
    const renamed = rewrite(each.rewrite, new Map([[key, '']]), renderName)
    if (!renamed.ok) return within('rewrite failed', renamed.error)
    const [remoteKey = ''] = renamed.value.keys()
    if (remoteKey === '') return failed(`empty remote key produced for source key ${JSON.stringify(key)}`)
    pushes.push({ entry: newEntry(originals.get(key) ?? key, remoteKey, metadata), data })
  }
  return succeed(pushes)
}

function newEntry(secretKey: string, remoteKey: string, metadata: unknown): PushEntry {
  const source = {
    match: { ...(secretKey === '' ? {} : { secretKey }), remoteRef: { remoteKey } },
    conversionStrategy: 'None',
    ...(metadata === undefined ? {} : { metadata }),
  }
  return { secretKey, remoteKey, property: '', conversionStrategy: 'None', metadata, source }
}
