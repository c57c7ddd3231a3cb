import { isObject } from '../../../lib/json.ts'
import { explain, type Problem } from '../../../lib/result.ts'
import { parseStandardVersion } from '../../../kube/pod-security/evaluate.ts'
import { parseAnchor } from '../pattern/anchor.ts'
import { type Fields, fieldsOf, listOf, textOf, textsOf } from '../read.ts'
import { celProgram } from '../validate/cel.ts'
import { lintConditions } from './lint-conditions.ts'
import { lintContext } from './lint-context.ts'
import { invalid } from './finding.ts'

const kinds = ['pattern', 'anyPattern', 'deny', 'foreach', 'podSecurity', 'cel', 'manifests', 'assert'] as const
const loopKinds = ['pattern', 'anyPattern', 'deny', 'foreach'] as const

const isSet = (value: unknown): boolean => value !== undefined && value !== null

/** What is wrong with a validate block. */
export function lintValidate(rule: Fields, at: string): readonly Problem[] {
  const block = fieldsOf(rule['validate'])
  const given = kinds.filter((kind) => isSet(block[kind]))
  const found: Problem[] = []
  if (given.length !== 1) {
    const many = given.length === 0 ? 'says nothing' : `says ${given.join(' and ')}`
    found.push(invalid(at, `a validate rule has exactly one of ${kinds.join(', ')}; this one ${many}`))
  }
  if (isSet(rule['celPreconditions']) && !isSet(block['cel'])) {
    found.push(invalid(at, 'celPreconditions are only for rules with validate.cel'))
  }
  return [
    ...found,
    ...lintPatterns(block, at),
    ...lintConditions(fieldsOf(block['deny'])['conditions'], `${at}.deny.conditions`),
    ...lintLoops(block['foreach'], `${at}.foreach`),
    ...lintPodSecurity(block['podSecurity'], `${at}.podSecurity`),
    ...lintCel(rule, block['cel'], `${at}.cel`),
  ]
}

function lintPatterns(block: Fields, at: string): readonly Problem[] {
  const any = block['anyPattern']
  if (isSet(any) && !Array.isArray(any)) return [invalid(`${at}.anyPattern`, 'anyPattern must be a list')]
  return [
    ...lintPattern(block['pattern'], `${at}.pattern`),
    ...listOf(any).flatMap((pattern, index) => lintPattern(pattern, `${at}.anyPattern[${index}]`)),
    ...lintLabels(block['pattern'], `${at}.pattern`),
  ]
}

const DEEPEST = 200

/** Anchors that validation knows, each with a value that it can use. */
export function lintPattern(pattern: unknown, at: string, depth: number = 0): readonly Problem[] {
  if (depth > DEEPEST) return [invalid(at, `the pattern nests deeper than ${DEEPEST} levels`)]
  if (Array.isArray(pattern)) return pattern.flatMap((item, index) => lintPattern(item, `${at}[${index}]`, depth + 1))
  if (!isObject(pattern)) return []
  return Object.entries(pattern).flatMap(([key, value]) => {
    const anchor = parseAnchor(key)
    const place = `${at}.${key}`
    if (anchor?.kind === 'add') return [invalid(place, '+() is for mutations')]
    if (anchor?.kind === 'existence' && (!Array.isArray(value) || value.length === 0)) {
      return [invalid(place, '^() needs a list with an item')]
    }
    return lintPattern(value, place, depth + 1)
  })
}

/** Labels and annotations are texts. */
export function lintLabels(pattern: unknown, at: string): readonly Problem[] {
  const metadata = fieldsOf(fieldsOf(pattern)['metadata'])
  return ['labels', 'annotations'].flatMap((tag) =>
    Object.entries(fieldsOf(metadata[tag])).flatMap(([key, value]) =>
      typeof value === 'string'
        ? []
        : [invalid(`${at}.metadata.${tag}.${key}`, 'labels and annotations are texts', 'put the value in quotes')],
    ),
  )
}

function lintLoops(loops: unknown, at: string, depth: number = 0): readonly Problem[] {
  if (depth > 10) return [invalid(at, 'foreach is nested deeper than 10 levels')]
  return listOf(loops).flatMap((item, index) => {
    const loop = fieldsOf(item)
    const place = `${at}[${index}]`
    const given = loopKinds.filter((kind) => isSet(loop[kind]))
    const found: Problem[] = []
    if (textOf(loop['list']) === '') found.push(invalid(`${place}.list`, 'a loop needs a list'))
    if (given.length !== 1) found.push(invalid(place, `a loop has exactly one of ${loopKinds.join(', ')}`))
    return [
      ...found,
      ...lintConditions(loop['preconditions'], `${place}.preconditions`),
      ...lintConditions(fieldsOf(loop['deny'])['conditions'], `${place}.deny.conditions`),
      ...lintContext(loop['context'], `${place}.context`),
      ...lintPatterns(loop, place),
      ...lintLoops(loop['foreach'], `${place}.foreach`, depth + 1),
    ]
  })
}

const restrictedControls = ['Volume Types', 'Privilege Escalation', 'Running as Non-root', 'Running as Non-root user']
const containerControls = [
  'Capabilities',
  'Privileged Containers',
  'Host Ports',
  '/proc Mount Type',
  'Privilege Escalation',
]
const podControls = ['Host Namespaces', 'HostPath Volumes', 'Sysctls', 'Volume Types']

function lintPodSecurity(value: unknown, at: string): readonly Problem[] {
  if (!isSet(value)) return []
  const standard = fieldsOf(value)
  const version = textOf(standard['version'])
  const found: Problem[] = []
  if (!['privileged', 'baseline', 'restricted'].includes(textOf(standard['level']))) {
    found.push(invalid(`${at}.level`, 'level must be privileged, baseline or restricted'))
  }
  if (parseStandardVersion(version) === undefined)
    found.push(invalid(`${at}.version`, `${JSON.stringify(version)} is no version such as v1.30 or latest`))
  for (const [index, item] of listOf(standard['exclude']).entries()) {
    found.push(...lintExclusion(fieldsOf(item), textOf(standard['level']), `${at}.exclude[${index}]`))
  }
  return found
}

/** What is wrong with an exclusion from the standards. */
export function lintExclusion(exclusion: Fields, level: string, at: string): readonly Problem[] {
  const control = textOf(exclusion['controlName'])
  const images = textsOf(exclusion['images'])
  const field = textOf(exclusion['restrictedField'])
  const values = textsOf(exclusion['values'])
  const found: Problem[] = []
  if (level === 'baseline' && restrictedControls.includes(control)) {
    found.push(invalid(`${at}.controlName`, `${control} belongs to the level restricted`))
  }
  if (containerControls.includes(control) && images.length === 0) {
    found.push(invalid(`${at}.images`, `${control} is about containers: say which by their images`))
  }
  if (podControls.includes(control) && images.length > 0) {
    found.push(invalid(`${at}.images`, `${control} is about the Pod, which has no image`))
  }
  if (field !== '' && values.length === 0) found.push(invalid(`${at}.values`, 'a restrictedField needs values'))
  if (field === '' && values.length > 0) found.push(invalid(`${at}.restrictedField`, 'values need a restrictedField'))
  return found
}

function lintCel(rule: Fields, value: unknown, at: string): readonly Problem[] {
  if (!isSet(value)) return []
  const cel = fieldsOf(value)
  const found: Problem[] = []
  if (listOf(rule['context']).length > 0) found.push(invalid(at, 'context entries are not for rules with validate.cel'))
  const expressions: (readonly [string, unknown])[] = [
    ...listOf(cel['expressions']).map(
      (item, index) => [`${at}.expressions[${index}].expression`, fieldsOf(item)['expression']] as const,
    ),
    ...listOf(cel['variables']).map(
      (item, index) => [`${at}.variables[${index}].expression`, fieldsOf(item)['expression']] as const,
    ),
    ...listOf(cel['auditAnnotations']).map(
      (item, index) => [`${at}.auditAnnotations[${index}].valueExpression`, fieldsOf(item)['valueExpression']] as const,
    ),
    ...listOf(rule['celPreconditions']).map(
      (item, index) => [`celPreconditions[${index}].expression`, fieldsOf(item)['expression']] as const,
    ),
  ]
  for (const [place, expression] of expressions) found.push(...lintExpression(expression, place))
  return [...found, ...lintParams(cel, at)]
}

function lintExpression(expression: unknown, at: string): readonly Problem[] {
  if (textOf(expression) === '') return [invalid(at, 'an expression is needed')]
  const program = celProgram(textOf(expression))
  return program.ok ? [] : [invalid(at, program.error.map(explain).join('; '))]
}

function lintParams(cel: Fields, at: string): readonly Problem[] {
  const kind = fieldsOf(cel['paramKind'])
  const reference = fieldsOf(cel['paramRef'])
  const hasKind = isSet(cel['paramKind'])
  const hasReference = isSet(cel['paramRef'])
  if (!hasKind && !hasReference) return []
  if (!hasReference) return [invalid(`${at}.paramRef`, 'paramKind needs a paramRef')]
  if (!hasKind) return [invalid(`${at}.paramKind`, 'paramRef needs a paramKind')]
  const found: Problem[] = []
  if (textOf(kind['apiVersion']) === '') found.push(invalid(`${at}.paramKind.apiVersion`, 'an apiVersion is needed'))
  if (textOf(kind['kind']) === '') found.push(invalid(`${at}.paramKind.kind`, 'a kind is needed'))
  if ((textOf(reference['name']) === '') === !isSet(reference['selector'])) {
    found.push(invalid(`${at}.paramRef`, 'a paramRef has either a name or a selector'))
  }
  if (!isSet(reference['parameterNotFoundAction'])) {
    found.push(invalid(`${at}.paramRef.parameterNotFoundAction`, 'say Allow or Deny for when there are no parameters'))
  }
  return found
}
