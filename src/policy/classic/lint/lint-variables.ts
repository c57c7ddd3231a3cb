import { isObject } from '../../../lib/json.ts'
import { type Problem, explain } from '../../../lib/result.ts'
import { compileJmesPath } from '../../../lang/jmespath/jmespath.ts'
import { matchesWildcard } from '../../engine/wildcard.ts'
import { RuleFailure } from '../evaluation.ts'
import { type Fields, fieldsOf, listOf, textOf } from '../read.ts'
import { resolveReferences } from '../variables/reference.ts'
import { readBraces, VARIABLE } from '../variables/template.ts'
import { invalid } from './finding.ts'

/** What expressions may read without a context entry; a part of the expression is enough, as upstream. */
const FUNCTION = '([a-z_0-9]+\\()[^{}]'
const always = new RegExp(
  `request|serviceAccountName|serviceAccountNamespace|element|elementIndex|@|images|image|${FUNCTION}`,
)
const inBackground = new RegExp(`request\\.|element|elementIndex|@|images|images\\.|image\\.|${FUNCTION}`)
const inTarget = new RegExp(
  `request\\.|serviceAccountName|serviceAccountNamespace|element|elementIndex|@|images|image\\.|target\\.|${FUNCTION}`,
)
const inTargetInBackground = new RegExp(`request\\.|element|elementIndex|@|images|image\\.|target\\.|${FUNCTION}`)

const userVariables =
  /[^.](serviceAccountName|serviceAccountNamespace|request\.userInfo|request\.roles|request\.clusterRoles)\b/

/** Variables that a rule reads and that nothing defines, expressions that cannot be read, and references to nowhere. */
export function lintVariables(rule: Fields, at: string, isBackground: boolean): readonly Problem[] {
  const mutate = fieldsOf(rule['mutate'])
  const hasTargets = Array.isArray(mutate['targets'])
  const names = definedNames(rule)
  const { verifyImages: _images, ...checked } = rule
  const isAllowed = hasTargets ? (isBackground ? inTargetInBackground : inTarget) : isBackground ? inBackground : always
  return lintDocument(
    checked,
    at,
    (expression) => isAllowed.test(expression) || names.some((name) => matchesWildcard(name, expression)),
  )
}

/** Names that a rule's contexts define, as patterns. */
function definedNames(rule: Fields): readonly string[] {
  const contexts = [
    rule['context'],
    ...['validate', 'mutate', 'generate'].flatMap((action) =>
      [...listOf(fieldsOf(rule[action])['foreach']), ...listOf(fieldsOf(rule[action])['targets'])].flatMap(contextsOf),
    ),
  ]
  return contexts.flatMap((context) =>
    listOf(context).flatMap((item) => {
      const entry = fieldsOf(item)
      const name = textOf(entry['name'])
      return entry['configMap']
        ? [`${name}.data`, `${name}.metadata`, `${name}.data.*`, `${name}.metadata.*`]
        : [`${name}*`]
    }),
  )
}

const DEEPEST_LOOP = 10

function contextsOf(loop: unknown, depth: number = 0): readonly unknown[] {
  const { context, foreach: inner } = fieldsOf(loop)
  return depth > DEEPEST_LOOP ? [] : [context, ...listOf(inner).flatMap((below) => contextsOf(below, depth + 1))]
}

function lintDocument(document: unknown, at: string, isAllowed: (expression: string) => boolean): readonly Problem[] {
  const found: Problem[] = []
  const visitText = (text: string, path: string): void => {
    const place = `${at}${path.replaceAll('/', '.')}`
    let resolved = text
    if (text.includes('$(')) {
      try {
        resolved = resolveReferences(text, path, document)
      } catch (failure) {
        if (!(failure instanceof RuleFailure)) throw failure
        found.push(invalid(place, failure.message))
        return
      }
    }
    for (const expression of expressionsIn(resolved)) {
      const problem = judge(expression, place, isAllowed)
      if (problem) found.push(problem)
    }
  }
  const visit = (value: unknown, path: string): void => {
    if (typeof value === 'string') visitText(value, path)
    else if (Array.isArray(value)) for (const [index, item] of value.entries()) visit(item, `${path}/${index}`)
    else if (isObject(value)) {
      for (const [key, below] of Object.entries(value)) {
        visitText(key, path)
        visit(below, `${path}/${key}`)
      }
    }
  }
  visit(document, '')
  return found
}

const MOST_TURNS = 50

/** The expressions of a text, the innermost first; what is nested in them is taken for null. */
function expressionsIn(text: string): readonly string[] {
  const expressions: string[] = []
  let rest = text
  for (let turn = 0; turn < MOST_TURNS; turn++) {
    const found = [...rest.matchAll(VARIABLE)]
    if (found.length === 0) break
    for (const [, prefix = '', braces = ''] of found) {
      expressions.push(readBraces(braces).expression)
      rest = rest.replace(prefix + braces, () => `${prefix}null`)
    }
  }
  return expressions
}

function judge(expression: string, place: string, isAllowed: (expression: string) => boolean): Problem | undefined {
  if (expression === '') return invalid(place, 'a variable is empty')
  if (expression === '@') return undefined
  const compiled = compileJmesPath(expression)
  if (!compiled.ok) {
    return invalid(place, `${JSON.stringify(expression)} is not JMESPath: ${compiled.error.map(explain).join('; ')}`)
  }
  if (isAllowed(expression.replaceAll('"', ''))) return undefined
  return invalid(
    place,
    `the variable ${expression} is not defined`,
    'add a context entry of that name, or read request, element, images or target where there is one; without a user, set spec.background to false',
  )
}

/** Variables that speak of who asks, which a background scan does not know. */
export function lintUserVariables(policy: Fields, at: string): readonly Problem[] {
  const text = JSON.stringify({ metadata: fieldsOf(policy['metadata'])['annotations'] ?? {}, spec: policy['spec'] })
  for (const [, , braces = ''] of text.matchAll(VARIABLE)) {
    if (!userVariables.test(braces)) continue
    return [
      invalid(
        at,
        `variable ${braces} is not allowed: it speaks of who asks, and a background scan is asked by nobody`,
        'set spec.background to false',
      ),
    ]
  }
  return []
}

/** Tells whether a part of a rule holds variables. */
export const holdsVariables = (value: unknown): boolean => /\{\{[^{}]*\}\}/.test(JSON.stringify(value ?? null))
