import { isEqual } from '../../lib/json.ts'
import type { Problem } from '../../lib/result.ts'
import { gvkOf } from '../../kube/gvk.ts'
import type { KubeObject } from '../../kube/object.ts'
import type { BuiltinSchemas } from '../../kube/schema/builtin.ts'
import type { Application } from '../application/application.ts'
import { keyText } from './comparison.ts'
import { type DiffFacts, type DiffOptions, type DiffOutcome, diffObjects } from './diff.ts'
import { compileIgnoreRules } from './ignore.ts'
import { definitionOfKnownType, type KnownTypes } from './known-types.ts'
import type { KindFactsOf } from './normal-form.ts'
import type { ResourceSettings } from './resource-settings.ts'
import { respectIgnored } from './respect-ignored.ts'
import { keyOf } from './tracking.ts'

/** Compares the objects of one Application, and remembers what did not change. */
export interface Comparer {
  diff(target: KubeObject, live: KubeObject, facts?: DiffFacts): DiffOutcome
  /** The target with live values where differences are ignored: what a sync writes that respects them. */
  respecting(target: KubeObject, live: KubeObject): KubeObject
  /** The API server is asked what it would make of a target (`ServerSideDiff=true`). */
  readonly asksServer: boolean
  /** Rules that cannot be read. */
  readonly problems: readonly Problem[]
}

export interface ComparerOptions {
  readonly application: Application
  readonly settings: ResourceSettings
  readonly kinds: KindFactsOf
  /** For fields of custom resources that are of Kubernetes' types. */
  readonly builtin: Pick<BuiltinSchemas, 'definition'>
  /** `controller.diff.server.side` of the settings. */
  readonly serverSideDiff?: boolean
  /** How many results are kept. */
  readonly cacheSize?: number
}

export const COMPARE_OPTIONS = 'argocd.argoproj.io/compare-options'

interface Remembered {
  readonly target: KubeObject
  readonly uid: string | undefined
  readonly version: string | undefined
  readonly facts: DiffFacts
  readonly outcome: DiffOutcome
}

const NO_FACTS: DiffFacts = {}

/** Makes the comparer of an Application: anew whenever its spec, its annotations, the settings or the kinds change. */
export function createComparer(options: ComparerOptions): Comparer {
  const { application, settings, kinds, serverSideDiff = false, cacheSize = 50_000 } = options
  const rules = compileIgnoreRules([...settings.ignoreDifferences, ...(application.spec.ignoreDifferences ?? [])])
  const flags = flagsOf(application)
  const diffOptions: DiffOptions = {
    kinds,
    tracking: settings.tracking,
    ignored: (object) => rules.for(object),
    knownTypes: knownTypesOf(settings, options.builtin),
    isServerSide: application.spec.syncPolicy?.syncOptions?.includes('ServerSideApply=true') === true,
    includesMutations: flags.includes('IncludeMutationWebhook=true'),
  }
  const remembered = new Map<string, Remembered>()
  return {
    asksServer: (serverSideDiff || flags.includes('ServerSideDiff=true')) && !flags.includes('ServerSideDiff=false'),
    problems: rules.problems,
    respecting: (target, live) => respectIgnored(target, live, rules.for(target), kinds(gvkOf(target))),
    diff(target, live, facts = NO_FACTS) {
      const key = keyText(keyOf(target))
      const known = remembered.get(key)
      if (known && isSame(known, target, live, facts)) return known.outcome
      const outcome = diffObjects(target, live, diffOptions, facts)
      if (remembered.size >= cacheSize) remembered.clear()
      const { uid, resourceVersion: version } = live.metadata
      // Of what does not differ, nobody asks for the sides again: thousands of them are a lot of memory.
      const { normalizedLive: _live, predictedLive: _predicted, ...verdict } = outcome
      const kept = outcome.modified ? outcome : verdict
      if (version !== undefined) remembered.set(key, { target, uid, version, facts, outcome: kept })
      return outcome
    },
  }
}

/** A live object is known by its revision, a target by its content, which is most often the very same object. */
function isSame(known: Remembered, target: KubeObject, live: KubeObject, facts: DiffFacts): boolean {
  if (live.metadata.resourceVersion !== known.version || live.metadata.uid !== known.uid) return false
  if (facts.predicted !== known.facts.predicted || facts.admitted !== known.facts.admitted) return false
  return target === known.target || isEqual(target, known.target)
}

function flagsOf({ metadata }: Application): readonly string[] {
  return (metadata.annotations?.[COMPARE_OPTIONS] ?? '').split(',').map((word) => word.trim())
}

function knownTypesOf({ overrides }: ResourceSettings, builtin: ComparerOptions['builtin']): KnownTypes {
  const podSpec = builtin.definition('io.k8s.api.core.v1.PodSpec')
  const named = overrides.flatMap(({ group, kind, knownTypeFields }) =>
    knownTypeFields.flatMap(({ field, type }) => {
      const definition = definitionOfKnownType(type)
      const schema = definition === undefined ? undefined : builtin.definition(definition)
      return schema ? [{ group, kind, path: field.split('.'), schema }] : []
    }),
  )
  const isRollout = ({ group, kind }: { readonly group: string; readonly kind: string }): boolean =>
    group === 'argoproj.io' && kind === 'Rollout'
  if (!podSpec || named.some(isRollout)) return named
  return [...named, { group: 'argoproj.io', kind: 'Rollout', path: ['spec', 'template', 'spec'], schema: podSpec }]
}
