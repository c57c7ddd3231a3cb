import type { KubeObject } from '../../../kube/object.ts'
import type { FactNeed } from '../../engine/fact.ts'
import { isWildcard, matchesWildcard } from '../../engine/wildcard.ts'
import type { Scope } from '../context/scope.ts'
import { parseKindSelector } from '../match/kind-selector.ts'
import { compileLabelMatcher } from '../match/label-selector.ts'
import { at, type Fields, fieldsOf, listOf, textMapOf, textOf } from '../read.ts'
import { templateOf } from '../variables/template.ts'

/** An object that a rule changes because of another one. */
export interface MutationTarget {
  readonly object: KubeObject
  readonly subresource: string
  /** The entry of `targets` that chose it. */
  readonly entry: Fields
}

/** The objects that an entry of `targets` chooses. */
export function targetsOf(entry: Fields, scope: Scope, policyNamespace: string | undefined): readonly MutationTarget[] {
  const { context: _context, preconditions: _preconditions, ...selection } = entry
  const filled = fieldsOf(scope.fill(templateOf(selection)))
  const { group, version, kind, subresource } = parseKindSelector(
    `${textOf(filled['apiVersion'])}/${textOf(filled['kind'])}`,
  )
  const apiVersion = group === '*' || group === '' ? version : `${group}/${version}`
  const namespace = policyNamespace ?? textOf(filled['namespace'])
  const name = textOf(filled['name'])
  const found = candidates({ apiVersion, kind, namespace, name }, scope)
  const matches = filled['selector'] ? compileLabelMatcher(filled['selector']) : undefined
  return found
    .filter((object) => !matches || matches(textMapOf(at(object, 'metadata', 'labels'))))
    .map((object) => ({ object: object as unknown as KubeObject, subresource, entry })) // the API server answers objects
}

interface Selection {
  readonly apiVersion: string
  readonly kind: string
  readonly namespace: string
  readonly name: string
}

function candidates({ apiVersion, kind, namespace, name }: Selection, scope: Scope): readonly Fields[] {
  const isExact = name !== '' && namespace !== '' && ![apiVersion, kind, namespace, name].some(isWildcard)
  const place = namespace !== '' && !isWildcard(namespace) ? { namespace } : {}
  if (isExact) {
    const found = scope.evaluation.fact({ what: 'object', apiVersion, kind, ...place, name })
    return found === null ? [] : [fieldsOf(found)]
  }
  const need: FactNeed = { what: 'objects', apiVersion, kind, ...place }
  return listOf(scope.evaluation.fact(need))
    .map(fieldsOf)
    .filter((object) => {
      const metadata = fieldsOf(object['metadata'])
      if (name !== '' && !matchesWildcard(name, textOf(metadata['name']))) return false
      return namespace === '' || matchesWildcard(namespace, textOf(metadata['namespace']))
    })
}
