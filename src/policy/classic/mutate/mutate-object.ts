import type { KubeObject } from '../../../kube/object.ts'
import { evaluateConditions } from '../conditions/conditions.ts'
import { type ContextOwner, loadContext } from '../context/load-context.ts'
import type { Scope } from '../context/scope.ts'
import { RuleFailure } from '../evaluation.ts'
import { type Fields, fieldsOf, listOf, textOf } from '../read.ts'
import type { Outcome } from '../rule.ts'
import { elementsOf, elementValues, failed } from '../validate/check-resource.ts'
import { type MergeSchemas, patchObject } from './patch-object.ts'

/** What one mutate rule makes of one object. */
export interface Mutated {
  readonly outcome: Outcome
  readonly object: KubeObject
}

/** What a mutation works with. */
export interface Mutation {
  readonly scope: Scope
  readonly owner: ContextOwner
  readonly schemas: MergeSchemas
  readonly nesting: number
}

/** Applies a `mutate` block to an object. */
export function mutateObject(block: Fields, object: KubeObject, mutation: Mutation): Mutated {
  const loops = block['foreach']
  if (Array.isArray(loops)) return mutateForeach(loops, object, mutation)
  try {
    const patched = patchObject(block, object, mutation.scope, mutation.schemas)
    return { outcome: patched === object ? unchanged : changed(patched), object: patched }
  } catch (failure) {
    return { outcome: failed('failed to patch resource', failure), object }
  }
}

const unchanged: Outcome = { verdict: 'skip', message: 'no patches applied' }

function changed({ kind, metadata }: KubeObject): Outcome {
  const place = metadata.namespace ? ` in namespace ${metadata.namespace}` : ''
  return { verdict: 'pass', message: `mutated ${kind}/${metadata.name ?? metadata.generateName ?? ''}${place}` }
}

const DEEPEST_LOOP = 10

function mutateForeach(loops: readonly unknown[], object: KubeObject, mutation: Mutation): Mutated {
  if (mutation.nesting >= DEEPEST_LOOP)
    throw new RuleFailure('over-budget', `foreach is nested deeper than ${DEEPEST_LOOP} levels`)
  let current = object
  const { scope } = mutation
  for (const item of loops) {
    const loop = fieldsOf(item)
    let elements: readonly unknown[]
    try {
      elements = elementsOf(textOf(loop['list']), scope)
    } catch (failure) {
      return { outcome: failed(`failed to evaluate list ${textOf(loop['list'])}`, failure), object }
    }
    const mutated = mutateElements(loop, elements, current, mutation)
    if (mutated.outcome.verdict === 'error') return { outcome: mutated.outcome, object }
    current = mutated.object
    if (scope.self === 'request.object') scope.set('request', { ...fieldsOf(scope.get('request')), object: current })
    else scope.set('target', current)
  }
  return { outcome: current === object ? unchanged : changed(current), object: current }
}

function mutateElements(loop: Fields, elements: readonly unknown[], object: KubeObject, mutation: Mutation): Mutated {
  const order = textOf(loop['order'])
  const isMerge = loop['patchStrategicMerge'] !== undefined && loop['patchStrategicMerge'] !== null
  // The items of a merge patch come first in the list, so the last one is applied first.
  const isReversed = order === '' ? isMerge : order === 'Descending'
  const numbered = elements.map((element, index) => ({ element, index }))
  let current = object
  for (const { element, index } of isReversed ? numbered.toReversed() : numbered) {
    if (element === null || element === undefined) continue
    mutation.scope.charge(1, 0)
    const scope = mutation.scope.inner(elementValues(element, index, mutation.nesting))
    const mutated = mutateElement(loop, current, { ...mutation, scope })
    if (mutated.outcome.verdict === 'error') return mutated
    current = mutated.object
  }
  return { outcome: unchanged, object: current }
}

function mutateElement(loop: Fields, object: KubeObject, mutation: Mutation): Mutated {
  try {
    loadContext(loop['context'], mutation.scope, mutation.owner)
    const { holds } = evaluateConditions(loop['preconditions'], mutation.scope)
    if (!holds) return { outcome: unchanged, object }
  } catch (failure) {
    return { outcome: failed('failed to evaluate mutate.foreach preconditions', failure), object }
  }
  const inner = listOf(loop['foreach'])
  return mutateObject(inner.length > 0 ? { foreach: inner } : { ...loop, foreach: undefined }, object, {
    ...mutation,
    nesting: mutation.nesting + 1,
  })
}
