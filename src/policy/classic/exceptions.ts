import type { KubeObject } from '../../kube/object.ts'
import { matchesWildcard } from '../engine/wildcard.ts'
import { evaluateConditions } from './conditions/conditions.ts'
import type { Scope } from './context/scope.ts'
import { RuleFailure } from './evaluation.ts'
import { compileExceptionMatch, type Matcher, type Subject } from './match/match.ts'
import { fieldsOf, listOf, textOf, textsOf } from './read.ts'

/** A PolicyException, read once. */
interface Exception {
  /** `namespace/name`. */
  readonly key: string
  readonly isBackground: boolean
  readonly about: readonly { readonly policy: string; readonly rules: readonly string[] }[]
  readonly matches: Matcher
  readonly conditions: unknown
  readonly podSecurity: readonly unknown[]
}

/** The exceptions that take an object out of a rule. */
export interface Exempted {
  readonly keys: readonly string[]
  /** Set when every one of them is about controls of Pod security only: those controls. */
  readonly podSecurity: readonly unknown[] | undefined
}

const GROUP = 'kyverno.io/'
const cache = new WeakMap<KubeObject, Exception>()

function read(object: KubeObject): Exception {
  const known = cache.get(object)
  if (known) return known
  const spec = fieldsOf(object['spec'])
  const exception: Exception = {
    key: `${textOf(object.metadata.namespace)}/${textOf(object.metadata.name)}`,
    isBackground: spec['background'] !== false,
    about: listOf(spec['exceptions']).map((item) => {
      const { policyName, ruleNames } = fieldsOf(item)
      return { policy: textOf(policyName), rules: textsOf(ruleNames) }
    }),
    matches: compileExceptionMatch(spec['match']),
    conditions: spec['conditions'],
    podSecurity: listOf(spec['podSecurity']),
  }
  cache.set(object, exception)
  return exception
}

/** Tells whether an object is an exception to policies of this language. */
const isClassic = ({ apiVersion, kind }: KubeObject): boolean =>
  kind === 'PolicyException' && apiVersion.startsWith(GROUP)

/** The exceptions to a rule that match a subject; undefined when there are none. */
export function exemptionsFor(
  exceptions: readonly KubeObject[],
  { policy, rule }: { readonly policy: string; readonly rule: string },
  subject: Subject,
  scope: Scope,
): Exempted | undefined {
  const matched = exceptions
    .filter(isClassic)
    .map(read)
    .filter(
      (exception) =>
        exception.about.some(
          (entry) => entry.policy === policy && entry.rules.some((name) => matchesWildcard(name, rule)),
        ) &&
        (exception.isBackground || scope.evaluation.request.source !== 'background') &&
        exception.matches(subject) &&
        holds(exception.conditions, scope),
    )
  if (matched.length === 0) return undefined
  const isPartial = matched.every(({ podSecurity }) => podSecurity.length > 0)
  return {
    keys: matched.map(({ key }) => key),
    podSecurity: isPartial ? matched.flatMap(({ podSecurity }) => podSecurity) : undefined,
  }
}

/** Conditions that cannot be evaluated do not exempt. */
function holds(conditions: unknown, scope: Scope): boolean {
  try {
    return evaluateConditions(conditions, scope).holds
  } catch (failure) {
    if (failure instanceof RuleFailure && failure.kind !== 'over-budget') return false
    throw failure
  }
}
