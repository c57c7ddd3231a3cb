import type { KubeObject } from '../../../kube/object.ts'
import { isDeeperThan } from '../../../kube/schema/walk.ts'
import { isEqual } from '../../../lib/json.ts'
import { explain, type Problem } from '../../../lib/result.ts'
import { isWildcard, matchesWildcard } from '../../engine/wildcard.ts'
import { allRules, controllersAnnotation } from '../autogen/autogen.ts'
import { isCleanup } from '../cleanup.ts'
import { policyNamespaceOf } from '../policy.ts'
import { type Fields, fieldsOf, listOf, textMapOf, textOf, textsOf } from '../read.ts'
import { readAction } from '../rule.ts'
import { celProgram } from '../validate/cel.ts'
import { invalid, type LintCluster } from './finding.ts'
import { lintConditions } from './lint-conditions.ts'
import { lintContext } from './lint-context.ts'
import { lintGenerate, lintMutate } from './lint-change.ts'
import { lintKinds, lintMatch } from './lint-match.ts'
import { lintValidate } from './lint-validate.ts'
import { holdsVariables, lintUserVariables, lintVariables } from './lint-variables.ts'

const LONGEST_NAME = 63
const DEEPEST = 200

/** Everything that an author must change in a policy, each with its place. */
export function lintPolicy(object: KubeObject, cluster?: LintCluster): readonly Problem[] {
  if (isDeeperThan(object['spec'], DEEPEST)) return [invalid('spec', `the policy nests deeper than ${DEEPEST} levels`)]
  const spec = fieldsOf(object['spec'])
  if (isCleanup(object.kind)) return lintCleanup(object, spec, cluster)
  return unique([
    ...lintHead(object, spec),
    ...lintSettings(object, spec),
    ...lintRules(object, spec, cluster),
    ...(spec['background'] === false || hasTargets(spec) ? [] : lintUserVariables(object, 'spec')),
  ])
}

function unique(problems: readonly Problem[]): readonly Problem[] {
  return problems.filter((one, index) => problems.findIndex((other) => isEqual(one, other)) === index)
}

const hasTargets = (spec: Fields): boolean =>
  listOf(spec['rules']).some((rule) => listOf(fieldsOf(fieldsOf(rule)['mutate'])['targets']).length > 0)

function lintHead({ kind, metadata }: KubeObject, spec: Fields): readonly Problem[] {
  const found: Problem[] = []
  if (kind === 'ClusterPolicy' && metadata.namespace)
    found.push(invalid('metadata.namespace', 'a ClusterPolicy lives in no namespace'))
  if ((metadata.name ?? '').length > LONGEST_NAME)
    found.push(invalid('metadata.name', `the name has more than ${LONGEST_NAME} characters`))
  if (textMapOf(metadata.annotations)[controllersAnnotation] === 'all') {
    found.push(
      invalid(
        `metadata.annotations[${controllersAnnotation}]`,
        'all is no longer supported',
        'remove the annotation, or name kinds',
      ),
    )
  }
  if (!Array.isArray(spec['rules']) && spec['rules'] !== undefined)
    found.push(invalid('spec.rules', 'rules must be a list'))
  return found
}

function lintSettings(object: KubeObject, spec: Fields): readonly Problem[] {
  const found: Problem[] = []
  const webhook = fieldsOf(spec['webhookConfiguration'])
  for (const [at, value] of [
    ['spec.webhookTimeoutSeconds', spec['webhookTimeoutSeconds']],
    ['spec.webhookConfiguration.timeoutSeconds', webhook['timeoutSeconds']],
  ] as const) {
    if (typeof value === 'number' && (value < 1 || value > 30))
      found.push(invalid(at, 'the timeout must be between 1 and 30 seconds'))
  }
  for (const [old, now] of [
    ['webhookTimeoutSeconds', 'timeoutSeconds'],
    ['failurePolicy', 'failurePolicy'],
  ] as const) {
    if (isSet(spec[old]) && isSet(webhook[now]))
      found.push(
        invalid(`spec.${old}`, `spec.webhookConfiguration.${now} says it already`, 'remove the deprecated field'),
      )
  }
  if (isSet(spec['generateExistingOnPolicyUpdate'])) {
    found.push(
      invalid(
        'spec.generateExistingOnPolicyUpdate',
        'the field is no longer supported',
        'use generate.generateExisting',
      ),
    )
  }
  if (spec['admission'] === false) {
    if (spec['background'] === false) found.push(invalid('spec', 'admission and background cannot both be false'))
    const changes = listOf(spec['rules'])
      .map(fieldsOf)
      .some((rule) => rule['mutate'] || rule['generate'] || rule['verifyImages'])
    if (changes) found.push(invalid('spec.admission', 'only policies that validate can do without admission'))
  }
  if (object.kind === 'Policy' && listOf(spec['validationFailureActionOverrides']).length > 0) {
    found.push(invalid('spec.validationFailureActionOverrides', 'overrides are for ClusterPolicies'))
  }
  for (const [index, item] of listOf(webhook['matchConditions']).entries()) {
    const program = celProgram(textOf(fieldsOf(item)['expression']))
    if (!program.ok)
      found.push(invalid(`spec.webhookConfiguration.matchConditions[${index}]`, program.error.map(explain).join('; ')))
  }
  return [...found, ...lintOverrides(spec['validationFailureActionOverrides'], 'spec.validationFailureActionOverrides')]
}

const isSet = (value: unknown): boolean => value !== undefined && value !== null

/** A namespace that one override enforces and another audits. */
function lintOverrides(overrides: unknown, at: string): readonly Problem[] {
  const seen: { readonly action: string; readonly namespace: string }[] = []
  return listOf(overrides).flatMap((item, index) => {
    const { action: written, namespaces } = fieldsOf(item)
    const action = readAction(written)
    if (!action) return [invalid(`${at}[${index}].action`, `${JSON.stringify(written)} is neither Enforce nor Audit`)]
    const conflict = textsOf(namespaces).flatMap((namespace) => {
      const other = seen.find((one) => one.action !== action && overlap(one.namespace, namespace))
      return other
        ? [
            invalid(
              `${at}[${index}].namespaces`,
              `${namespace} is in conflict with ${other.namespace}, whose action is ${other.action}`,
            ),
          ]
        : []
    })
    seen.push(...textsOf(namespaces).map((namespace) => ({ action, namespace })))
    return conflict
  })
}

const overlap = (a: string, b: string): boolean =>
  isWildcard(a) || isWildcard(b) ? matchesWildcard(a, b) || matchesWildcard(b, a) : a === b

function lintRules(object: KubeObject, spec: Fields, cluster: LintCluster | undefined): readonly Problem[] {
  const written = listOf(spec['rules']).map(fieldsOf)
  const names = written.map(({ name }) => textOf(name))
  const repeated = names.flatMap((name, index) =>
    names.indexOf(name) < index
      ? [invalid(`spec.rules[${index}].name`, `there are two rules called ${JSON.stringify(name)}`)]
      : [],
  )
  const isBackground = spec['background'] !== false
  // What is made for Pod controllers must hold as well, under the name of the rule it is made from.
  const made = allRules(object).slice(written.length)
  return [
    ...repeated,
    ...written.flatMap((rule, index) => lintRule(rule, `spec.rules[${index}]`, object, cluster)),
    ...made.flatMap((rule) => lintVariables(rule, `the rule ${textOf(rule['name'])}`, isBackground)),
  ]
}

const actions = ['mutate', 'validate', 'generate', 'verifyImages'] as const

function lintRule(rule: Fields, at: string, object: KubeObject, cluster: LintCluster | undefined): readonly Problem[] {
  const spec = fieldsOf(object['spec'])
  const namespace = policyNamespaceOf(object)
  const isBackground = spec['background'] !== false
  const setting = { isNamespaced: namespace !== undefined, isBackground, cluster }
  return [
    ...lintShape(rule, at, isBackground, hasTargets(spec)),
    ...lintMatch(rule, at, setting),
    ...lintKinds(rule, at, setting),
    ...lintContext(rule['context'], `${at}.context`),
    ...lintConditions(rule['preconditions'], `${at}.preconditions`),
    ...(rule['validate'] ? lintValidate(rule, `${at}.validate`) : []),
    ...(rule['validate'] && namespace === undefined
      ? lintOverrides(fieldsOf(rule['validate'])['failureActionOverrides'], `${at}.validate.failureActionOverrides`)
      : []),
    ...(rule['mutate'] ? [...lintMutate(rule, `${at}.mutate`, namespace), ...lintExisting(rule, spec, at)] : []),
    ...(rule['generate'] ? lintGenerate(rule, `${at}.generate`, { namespace, cluster }) : []),
    ...lintElements(rule, at),
    ...lintVariables(rule, at, isBackground),
  ]
}

function lintShape(rule: Fields, at: string, isBackground: boolean, changesOthers: boolean): readonly Problem[] {
  const found: Problem[] = []
  const given = actions.filter(
    (action) => rule[action] !== undefined && rule[action] !== null && !isEmpty(rule[action]),
  )
  if (given.length === 0)
    found.push(invalid(at, `the rule ${textOf(rule['name'])} does nothing: it needs one of ${actions.join(', ')}`))
  if (given.length > 1)
    found.push(invalid(at, `the rule ${textOf(rule['name'])} has ${given.join(' and ')}: one rule does one thing`))
  if (textOf(rule['name']).length > LONGEST_NAME)
    found.push(invalid(`${at}.name`, `the name has more than ${LONGEST_NAME} characters`))
  for (const side of ['match', 'exclude']) {
    if (holdsVariables(rule[side]))
      found.push(invalid(`${at}.${side}`, 'variables are not allowed here', 'use preconditions'))
    const user = isBackground && !changesOthers ? userNamedBy(rule[side]) : undefined
    if (user !== undefined) {
      found.push(
        invalid(
          `${at}.${side}`,
          `invalid variable used at path: ${user} speak of who asks, and a background scan is asked by nobody`,
          'set spec.background to false',
        ),
      )
    }
  }
  return found
}

const isEmpty = (value: unknown): boolean =>
  Array.isArray(value) ? value.length === 0 : Object.keys(fieldsOf(value)).length === 0

/** What of who asks a block matches by. */
function userNamedBy(match: unknown): string | undefined {
  const block = fieldsOf(match)
  return ['roles', 'clusterRoles', 'subjects'].find((key) =>
    [block, ...listOf(block['any']), ...listOf(block['all'])].some(
      (filter) => listOf(fieldsOf(filter)[key]).length > 0,
    ),
  )
}

/** Changes of existing objects on a change of the policy need targets. */
function lintExisting(rule: Fields, spec: Fields, at: string): readonly Problem[] {
  const mutate = fieldsOf(rule['mutate'])
  const isWanted = mutate['mutateExistingOnPolicyUpdate'] === true || spec['mutateExistingOnPolicyUpdate'] === true
  if (!isWanted || listOf(mutate['targets']).length > 0) return []
  return [invalid(`${at}.mutate.targets`, 'mutateExistingOnPolicyUpdate needs targets')]
}

/** `element` is for loops. */
function lintElements(rule: Fields, at: string): readonly Problem[] {
  const found: Problem[] = []
  const visit = (value: unknown, path: string, isInLoop: boolean): void => {
    if (typeof value === 'string') {
      const uses = [...value.matchAll(/\{\{-?\s*(element\w*)/g)].some(([, name = '']) => name.startsWith('element'))
      if (uses && !isInLoop) found.push(invalid(`${at}${path}`, 'element is known only within foreach'))
    } else if (typeof value === 'object' && value !== null) {
      for (const [key, below] of Object.entries(value)) visit(below, `${path}.${key}`, isInLoop || key === 'foreach')
    }
  }
  visit(rule, '', false)
  return found
}

function lintCleanup(object: KubeObject, spec: Fields, cluster: LintCluster | undefined): readonly Problem[] {
  const isNamespaced = object.kind === 'CleanupPolicy'
  const rule = { match: spec['match'], exclude: spec['exclude'] }
  const users = ['match', 'exclude'].flatMap((side) => {
    const block = fieldsOf(spec[side])
    return [...listOf(block['any']), ...listOf(block['all'])].flatMap((filter) =>
      ['roles', 'clusterRoles', 'subjects'].some((key) => listOf(fieldsOf(filter)[key]).length > 0)
        ? [invalid(`spec.${side}`, 'cleanup policies know no users')]
        : [],
    )
  })
  return unique([
    ...lintMatch(rule, 'spec', { isNamespaced, isBackground: false, cluster }),
    ...users,
    ...lintConditions(spec['conditions'], 'spec.conditions'),
    ...lintContext(spec['context'], 'spec.context'),
  ])
}
