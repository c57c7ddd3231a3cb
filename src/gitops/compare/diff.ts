import { isEqual } from '../../lib/json.ts'
import type { Problem, Result } from '../../lib/result.ts'
import { gvkOf } from '../../kube/gvk.ts'
import type { KubeObject } from '../../kube/object.ts'
import { lastAppliedAnnotation } from '../../kube/patch/last-applied.ts'
import type { ResourceDiff } from './comparison.ts'
import { differingPaths } from './differing-paths.ts'
import { type Ignored, withoutIgnored } from './ignore.ts'
import { type KnownTypes, withKnownTypes } from './known-types.ts'
import { withoutManaged } from './managed-by.ts'
import { asKept, asRead, type KindFacts, type KindFactsOf } from './normal-form.ts'
import { withoutInjected, withoutQuirks } from './quirks.ts'
import { applyStructured, FIELD_MANAGER, withoutMutations } from './structured.ts'
import { applyThreeWay, lastApplied } from './three-way.ts'
import { type Tracking, withMigratedTracking } from './tracking.ts'

/** How two sides are compared. */
export interface DiffOptions {
  readonly kinds: KindFactsOf
  readonly tracking: Tracking
  /** What rules say of an object. */
  readonly ignored: (object: KubeObject) => Ignored
  readonly knownTypes: KnownTypes
  /** The Application is applied by the server. */
  readonly isServerSide: boolean
  /** What webhooks add counts as the Application's own. */
  readonly includesMutations: boolean
}

/** What was found out beside the two sides. */
export interface DiffFacts {
  /** The API server's answer to a server-side apply of the target that was only tried: then it decides alone. */
  readonly predicted?: KubeObject
  /** The API server's answer to a try of whatever a sync would do: it tells what admission makes of the target. */
  readonly admitted?: KubeObject
}

/** What differs, or why that cannot be told. */
export interface DiffOutcome extends ResourceDiff {
  /** The places where the target and the live object differ, and admission is why. */
  readonly admittedPaths: readonly string[]
  readonly problems: readonly Problem[]
}

/** Compares what Git wants with what the cluster has. */
export function diffObjects(
  target: KubeObject,
  live: KubeObject,
  options: DiffOptions,
  facts: DiffFacts = {},
): DiffOutcome {
  const kind = options.kinds(gvkOf(target))
  const sides = normalized(target, live, kind, options)
  const finished = (object: KubeObject): KubeObject => shown(sides.clean(asKept(object, kind)))
  const wanted = facts.predicted ? predictedBy(facts.predicted, sides, kind, options) : expected(sides, kind, options)
  const liveSide = finished(sides.live)
  if (!wanted.ok) return { modified: true, normalizedLive: liveSide, admittedPaths: [], problems: wanted.error }
  const predicted = finished(wanted.value)
  const modified = !isEqual(predicted, liveSide)
  const found = {
    modified,
    normalizedLive: liveSide,
    // Results are kept: where the sides are equal, one of them is enough, and it shares its parts with the live object.
    predictedLive: modified ? predicted : liveSide,
    admittedPaths: [],
    problems: [],
  }
  if (!modified || !facts.admitted || options.includesMutations) return found
  const admitted = finished(asRead(facts.admitted, kind))
  if (!isEqual(withoutRevision(admitted), withoutRevision(liveSide))) return found
  return { ...found, modified: false, predictedLive: liveSide, admittedPaths: differingPaths(predicted, liveSide) }
}

interface Sides {
  readonly target: KubeObject
  readonly live: KubeObject
  /** Any side of this comparison without what is never a difference in it. */
  readonly clean: (object: KubeObject) => KubeObject
}

/** Both sides as their API server reads them, without what is ignored. */
function normalized(target: KubeObject, live: KubeObject, kind: KindFacts | undefined, options: DiffOptions): Sides {
  const ignored = options.ignored(target)
  const withoutOpen = withoutInjected(target)
  const clean = (object: KubeObject): KubeObject => {
    const rest = withoutIgnored(withoutOpen(withoutQuirks(object)), ignored)
    return kind?.isBuiltin ? rest : withKnownTypes(rest, options.knownTypes)
  }
  const tracked = withMigratedTracking(live, target, options.tracking)
  const pair = withoutManaged({ live: tracked, target }, ignored.managers, kind?.schema)
  return {
    target: clean(asRead(withoutQuirks(pair.target), kind)),
    live: clean(asRead(withoutQuirks(pair.live), kind)),
    clean,
  }
}

/** The live object after a sync, in the way that upstream chooses; where that fails, in the plainest. */
function expected(sides: Sides, kind: KindFacts | undefined, options: DiffOptions): Result<KubeObject> {
  const { target, live, clean } = sides
  const last = lastApplied(live)
  if (isStructured(target, live, last !== undefined, options)) {
    const applied = applyStructured(target, live, kind)
    if (applied.ok) return applied
  }
  const original = last ? clean(asRead(withoutQuirks(last), kind)) : target
  const three = applyThreeWay(original, target, live, kind)
  if (three.ok) return three
  const two = applyThreeWay(target, target, live, kind)
  return two.ok ? two : applyThreeWay(target, target, live, undefined)
}

/** Server-side apply is asked for, or it is how the object came to be: then ownership knows what is to go, and nothing else does. */
function isStructured(target: KubeObject, live: KubeObject, hasLast: boolean, { isServerSide }: DiffOptions): boolean {
  const asked = target.metadata.annotations?.['argocd.argoproj.io/sync-options'] ?? ''
  const words = asked.split(',').map((word) => word.trim())
  if (words.includes('ServerSideApply=false')) return false
  if (isServerSide || words.includes('ServerSideApply=true')) return true
  const owns = live.metadata.managedFields?.some(
    ({ manager, operation }) => manager === FIELD_MANAGER && operation === 'Apply',
  )
  return !hasLast && owns === true
}

function predictedBy(
  predicted: KubeObject,
  sides: Sides,
  kind: KindFacts | undefined,
  options: DiffOptions,
): Result<KubeObject> {
  const read = asRead(withoutQuirks(predicted), kind)
  if (options.includesMutations) return { ok: true, value: read }
  return withoutMutations(read, sides.live, kind)
}

/** Without what only the API server writes. */
function shown(object: KubeObject): KubeObject {
  const { managedFields: _fields, annotations, ...metadata } = object.metadata
  if (!annotations || !Object.hasOwn(annotations, lastAppliedAnnotation)) {
    return { ...object, metadata: annotations ? { ...metadata, annotations } : metadata }
  }
  const kept = Object.fromEntries(Object.entries(annotations).filter(([name]) => name !== lastAppliedAnnotation))
  return { ...object, metadata: Object.keys(kept).length > 0 ? { ...metadata, annotations: kept } : metadata }
}

/** A try has a revision of its own. */
function withoutRevision(object: KubeObject): KubeObject {
  const { resourceVersion: _version, generation: _generation, ...metadata } = object.metadata
  return { ...object, metadata }
}
