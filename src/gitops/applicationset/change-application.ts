import type { KubeObject, OwnerReference } from '../../kube/object.ts'
import { controllerOf, controllerReference } from '../../kube/owner.ts'
import { createMergePatch } from '../../kube/patch/merge-patch.ts'
import { isObject, own, setOwn } from '../../lib/json.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import { compileIgnoreRules, type IgnoreRules, withoutIgnored } from '../compare/ignore.ts'
import { fieldsOf, textsOf } from '../fields.ts'
import { type ApplicationSet, ApplicationSetKind } from './application-set.ts'

type Fields = Readonly<Record<string, unknown>>

/** Annotations that others write and that no template takes away. */
const KEPT_ANNOTATIONS = [
  'notified.notifications.argoproj.io',
  'argocd.argoproj.io/refresh',
  'argocd.argoproj.io/hydrate',
  // A pause, and what somebody was rolled back to, hold until somebody ends them.
  'idp-blueprint.io/paused-until',
  'idp-blueprint.io/paused-because',
  'idp-blueprint.io/rolled-back-to',
]

/** Finalizers of hooks that are under way; stages follow after a slash. */
const KEPT_FINALIZERS = ['pre-delete-finalizer.argocd.argoproj.io', 'post-delete-finalizer.argocd.argoproj.io']

/** Metadata that the installation keeps on all generated Applications, beside what each ApplicationSet says. */
export interface GlobalPreserved {
  readonly annotations: readonly string[]
  readonly labels: readonly string[]
}

/** The rules of an ApplicationSet for what others may change in its Applications. */
export function ignoreRulesOf(set: ApplicationSet): Result<IgnoreRules> {
  const rules = compileIgnoreRules(
    set.ignoreDifferences.map((rule) => ({ group: 'argoproj.io', kind: 'Application', ...rule })),
  )
  // Leaving a rule out would overwrite what somebody wants to keep.
  return rules.problems.length > 0 ? fail(...rules.problems) : succeed(rules)
}

/** The spec in the form in which two are compared: a project, and no renderer's options that say nothing. */
export function normalSpec(spec: Fields): Fields {
  const normal: Record<string, unknown> = { ...spec, project: spec['project'] || 'default' }
  if (isObject(spec['source'])) normal['source'] = normalSource(spec['source'])
  if (Array.isArray(spec['sources'])) {
    normal['sources'] = spec['sources'].map((source: unknown) => (isObject(source) ? normalSource(source) : source))
  }
  return withoutNulls(normal, 0) as Fields // an object stays one
}

const RENDERERS = new Set(['helm', 'kustomize', 'directory', 'plugin'])

function normalSource(source: Fields): Fields {
  const entries = Object.entries(source).filter(
    ([key, value]) => !(RENDERERS.has(key) && (value === null || (isObject(value) && Object.keys(value).length === 0))),
  )
  return Object.fromEntries(entries)
}

function withoutNulls(value: unknown, depth: number): unknown {
  if (depth > 200) return value
  if (Array.isArray(value)) return value.map((item) => withoutNulls(item, depth + 1))
  if (!isObject(value)) return value
  const kept: Record<string, unknown> = {}
  for (const [key, item] of Object.entries(value)) {
    if (item !== null && item !== undefined) setOwn(kept, key, withoutNulls(item, depth + 1))
  }
  return kept
}

/** A new Application as it is created. */
export function newApplication(set: ApplicationSet, generated: Fields): Fields {
  const metadata = fieldsOf(generated, 'metadata')
  return {
    ...generated,
    metadata: { ...metadata, ownerReferences: [controllerReference(set.object, ApplicationSetKind)] },
    spec: normalSpec(fieldsOf(generated, 'spec')),
  }
}

export interface ChangeOptions {
  readonly rules: IgnoreRules
  readonly preserved?: GlobalPreserved
}

/**
 * The merge patch that makes an Application what its ApplicationSet says; undefined when it is so. What is ignored, and
 * what is preserved, stays as others have left it (applicationset/utils/createOrUpdate.go).
 */
export function changeOf(
  set: ApplicationSet,
  found: KubeObject,
  generated: Fields,
  { rules, preserved = { annotations: [], labels: [] } }: ChangeOptions,
): Result<Fields | undefined> {
  const owner = controllerOf(found)
  if (owner && owner.uid !== set.metadata.uid) {
    return fail({
      code: 'appset-application-owned',
      at: found.metadata.name ?? '',
      message: `the Application ${found.metadata.name ?? ''} belongs to ${owner.kind} ${owner.name}`,
      cure: 'generate it under another name, or delete the other owner first',
    })
  }
  const wanted = wantedParts(set, found, generated, preserved)
  const current = currentParts(found)
  const [from, to] = [current, wanted].map((parts) => comparable(found, parts, rules))
  const patch = createMergePatch(from, to)
  if (!patch.ok) return patch
  return succeed(Object.keys(patch.value).length === 0 ? undefined : patch.value)
}

interface Parts {
  readonly metadata: Fields
  readonly spec: Fields
  readonly operation?: unknown
}

/** The parts that are compared: without what is ignored, and without maps that are empty only because of that. */
function comparable(found: KubeObject, parts: Parts, rules: IgnoreRules): Fields {
  const whole = objectOf(found, parts)
  const kept = withoutIgnored(whole, rules.for(found))
  const solid = withoutHollow(kept, whole, 0) as KubeObject // metadata is never hollow: it has a name
  return { metadata: solid.metadata, spec: normalSpec(fieldsOf(solid, 'spec')), ...operationIn(solid) }
}

function withoutHollow(kept: unknown, whole: unknown, depth: number): unknown {
  if (kept === whole || depth > 200 || !isObject(kept) || !isObject(whole)) return kept
  const solid: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(kept)) {
    const before = own(whole, key)
    const below = withoutHollow(value, before, depth + 1)
    const isHollow = isObject(below) && Object.keys(below).length === 0 && isObject(before) && below !== before
    if (!isHollow || Object.keys(before).length === 0) setOwn(solid, key, below)
  }
  return solid
}

const objectOf = (found: KubeObject, { metadata, spec, operation }: Parts): KubeObject => ({
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'Application',
  metadata: { name: found.metadata.name ?? '', namespace: found.metadata.namespace ?? '', ...metadata },
  spec,
  ...(operation === undefined ? {} : { operation }),
})

const operationIn = (object: KubeObject): { readonly operation?: unknown } =>
  object['operation'] === undefined ? {} : { operation: object['operation'] }

const filled = (map: Fields): Fields => (Object.keys(map).length === 0 ? {} : map)

function currentParts(found: KubeObject): Parts {
  const { labels = {}, annotations = {}, finalizers = [], ownerReferences = [] } = found.metadata
  return {
    metadata: { labels: filled(labels), annotations: filled(annotations), finalizers, ownerReferences },
    spec: fieldsOf(found, 'spec'),
    ...operationIn(found),
  }
}

function wantedParts(set: ApplicationSet, found: KubeObject, generated: Fields, preserved: GlobalPreserved): Parts {
  const metadata = fieldsOf(generated, 'metadata')
  const { labels = {}, annotations = {}, finalizers = [] } = found.metadata
  const keptFinalizers = finalizers.filter((name) => KEPT_FINALIZERS.some((prefix) => name.startsWith(prefix)))
  const operation = own(generated, 'operation') ?? found['operation']
  return {
    metadata: {
      labels: kept(fieldsOf(metadata, 'labels'), labels, [...set.preservedLabels, ...preserved.labels]),
      annotations: kept(fieldsOf(metadata, 'annotations'), annotations, [
        ...set.preservedAnnotations,
        ...preserved.annotations,
        ...KEPT_ANNOTATIONS,
      ]),
      finalizers: [...new Set([...(textsOf(metadata, 'finalizers') ?? []), ...keptFinalizers])],
      ownerReferences: ownersOf(set, found),
    },
    spec: fieldsOf(generated, 'spec'),
    ...(operation === undefined ? {} : { operation }),
  }
}

/** What is generated, with the current values of keys that are preserved. */
function kept(generated: Fields, current: Readonly<Record<string, string>>, keys: readonly string[]): Fields {
  const map: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(generated)) setOwn(map, key, value)
  for (const key of keys) if (Object.hasOwn(current, key)) setOwn(map, key, current[key])
  return map
}

function ownersOf(set: ApplicationSet, found: KubeObject): readonly OwnerReference[] {
  const before = found.metadata.ownerReferences ?? []
  if (before.some((owner) => owner.uid === set.metadata.uid && owner.controller === true)) return before
  return [
    ...before.filter((owner) => owner.uid !== set.metadata.uid),
    controllerReference(set.object, ApplicationSetKind),
  ]
}

/** Whether an Application's spec is what is wanted, but for what is ignored. */
export function isSameSpec(found: KubeObject, wanted: Fields, rules: IgnoreRules): boolean {
  const [a, b] = [fieldsOf(found, 'spec'), wanted].map((spec) => comparable(found, { metadata: {}, spec }, rules))
  const patch = createMergePatch(a, b)
  return patch.ok && Object.keys(patch.value).length === 0
}
