import type { FailureAction, PolicyVerdict } from '../engine/rule-response.ts'
import { compileLabelMatcher } from './match/label-selector.ts'
import { compileMatch, type Matcher } from './match/match.ts'
import { matchesWildcard } from '../engine/wildcard.ts'
import { type Fields, fieldsOf, listOf, textOf, textsOf } from './read.ts'

/** A rule of a policy, read once. */
export interface Rule {
  readonly name: string
  readonly source: Fields
  readonly matches: Matcher
  readonly validate: Fields | undefined
  readonly mutate: Fields | undefined
  readonly generate: Fields | undefined
  readonly verifyImages: readonly unknown[]
  /** Whether a failure of this rule blocks, for an object of a namespace. */
  readonly actionFor: (namespace: string, namespaceLabels: Readonly<Record<string, string>>) => FailureAction
}

/** What a rule came to, before it is told whose it is. */
export interface Outcome {
  readonly verdict: PolicyVerdict
  readonly message: string
  readonly path?: string
  readonly properties?: Readonly<Record<string, string>>
  readonly auditAnnotations?: Readonly<Record<string, string>>
  readonly exceptions?: readonly string[]
  readonly isExistingViolation?: boolean
}

/** Reads a rule of a policy's `spec`. */
export function readRule(source: Fields, spec: Fields): Rule {
  const block = (name: string): Fields | undefined => {
    const value = fieldsOf(source[name])
    return Object.keys(value).length > 0 ? value : undefined
  }
  const validate = block('validate')
  return {
    name: textOf(source['name']),
    source,
    matches: compileMatch(source['match'], source['exclude']),
    validate,
    mutate: block('mutate'),
    generate: block('generate'),
    verifyImages: listOf(source['verifyImages']),
    actionFor: compileAction(
      validate,
      listOf(source['verifyImages'])
        .map((item) => readAction(fieldsOf(item)['failureAction']))
        .find(Boolean),
      spec,
    ),
  }
}

/** Reads `Enforce` and `Audit`, also in the older spelling. */
export function readAction(value: unknown): FailureAction | undefined {
  const text = textOf(value).toLowerCase()
  if (text === 'enforce') return 'Enforce'
  return text === 'audit' ? 'Audit' : undefined
}

type Override = (namespace: string, labels: Readonly<Record<string, string>>) => FailureAction | undefined

function compileAction(
  validate: Fields | undefined,
  imageAction: FailureAction | undefined,
  spec: Fields,
): Rule['actionFor'] {
  const ruleOverrides = overridesOf(validate?.['failureActionOverrides'])
  const specOverrides = overridesOf(spec['validationFailureActionOverrides'])
  const own = readAction(validate?.['failureAction']) ?? imageAction
  const general = readAction(spec['validationFailureAction']) ?? 'Audit'
  const first = (overrides: readonly Override[], namespace: string, labels: Readonly<Record<string, string>>) => {
    for (const override of overrides) {
      const action = override(namespace, labels)
      if (action) return action
    }
    return undefined
  }
  return (namespace, labels) =>
    first(ruleOverrides, namespace, labels) ?? own ?? first(specOverrides, namespace, labels) ?? general
}

function overridesOf(value: unknown): readonly Override[] {
  return listOf(value).flatMap((item): Override[] => {
    const { action: written, namespaces, namespaceSelector } = fieldsOf(item)
    const action = readAction(written)
    if (!action) return []
    const names = namespaces === undefined || namespaces === null ? undefined : textsOf(namespaces)
    const selects = namespaceSelector ? compileLabelMatcher(namespaceSelector) : undefined
    return [
      (namespace, labels) => {
        if (names && !names.some((name) => matchesWildcard(name, namespace))) return undefined
        if (!names && !selects) return undefined
        return !selects || selects(labels) ? action : undefined
      },
    ]
  })
}
