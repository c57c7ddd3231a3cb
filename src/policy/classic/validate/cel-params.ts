import { RuleFailure } from '../evaluation.ts'
import { compileLabelMatcher } from '../match/label-selector.ts'
import { at, type Fields, fieldsOf, textMapOf, textOf } from '../read.ts'
import type { CelSubject } from './cel.ts'

/** The parameters that a rule is held against one after the other; a rule without any is asked once. */
export function paramsFor(cel: Fields, { object, oldObject, evaluation }: CelSubject): readonly unknown[] {
  if (!cel['paramKind']) return [null]
  const { apiVersion, kind } = fieldsOf(cel['paramKind'])
  const reference = fieldsOf(cel['paramRef'])
  const identity = { apiVersion: textOf(apiVersion), kind: textOf(kind) }
  const own = textOf((object ?? oldObject)?.metadata.namespace)
  const namespace = textOf(reference['namespace']) || own
  const place = namespace === '' ? {} : { namespace }
  const name = textOf(reference['name'])
  const found =
    name !== ''
      ? [evaluation.fact({ what: 'object', ...identity, ...place, name })].filter((param) => param !== null)
      : selected(evaluation.fact({ what: 'objects', ...identity, ...place }), reference['selector'])
  if (found.length > 0) return found
  if (reference['parameterNotFoundAction'] === 'Allow') return []
  throw new RuleFailure('invalid', `there are no parameters of kind ${identity.kind} for the rule`)
}

function selected(objects: unknown, selector: unknown): readonly unknown[] {
  const all = Array.isArray(objects) ? objects : []
  if (!selector) return all
  const matches = compileLabelMatcher(selector)
  return all.filter((object) => matches(textMapOf(at(object, 'metadata', 'labels'))))
}
