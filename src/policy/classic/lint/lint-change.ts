import { isObject } from '../../../lib/json.ts'
import { explain, type Problem } from '../../../lib/result.ts'
import { parseYaml } from '../../../lib/yaml.ts'
import { parseAnchor } from '../pattern/anchor.ts'
import { parseKindSelector } from '../match/kind-selector.ts'
import { type Fields, fieldsOf, listOf, textOf, textsOf } from '../read.ts'
import { hasVariable, VARIABLE } from '../variables/template.ts'
import { lintConditions } from './lint-conditions.ts'
import { lintContext } from './lint-context.ts'
import { lintLabels } from './lint-validate.ts'
import { invalid, type LintCluster } from './finding.ts'

const isSet = (value: unknown): boolean => value !== undefined && value !== null

/** What is wrong with a mutate block. */
export function lintMutate(rule: Fields, at: string, namespace: string | undefined): readonly Problem[] {
  const block = fieldsOf(rule['mutate'])
  const given = ['foreach', 'patchStrategicMerge', 'patchesJson6902'].filter(
    (key) => isSet(block[key]) && block[key] !== '',
  )
  const found: Problem[] = []
  if (given.length !== 1)
    found.push(invalid(at, 'a mutate rule has exactly one of patchStrategicMerge, patchesJson6902, foreach'))
  if (isSet(rule['celPreconditions'])) found.push(invalid(at, 'celPreconditions are only for rules with validate.cel'))
  for (const [index, item] of listOf(block['targets']).entries()) {
    const target = fieldsOf(item)
    const place = `${at}.targets[${index}]`
    if (namespace !== undefined && textOf(target['namespace']) !== '' && target['namespace'] !== namespace) {
      found.push(invalid(`${place}.namespace`, 'a policy of a namespace changes objects of that namespace only'))
    }
    found.push(
      ...lintContext(target['context'], `${place}.context`),
      ...lintConditions(target['preconditions'], `${place}.preconditions`),
    )
  }
  return [
    ...found,
    ...lintJsonPatch(block['patchesJson6902'], `${at}.patchesJson6902`, true),
    ...lintLabels(block['patchStrategicMerge'], `${at}.patchStrategicMerge`),
    ...lintLoops(block['foreach'], `${at}.foreach`),
  ]
}

const operations = ['add', 'remove', 'replace', 'move', 'copy', 'test']

function lintJsonPatch(patch: unknown, at: string, isPathFixed: boolean): readonly Problem[] {
  // A patch that is made of variables alone is known only when it is filled in.
  if (typeof patch !== 'string' || patch === '' || /^\s*\{\{/.test(patch)) return []
  const parsed = parseYaml(patch.replace(VARIABLE, (_, prefix: string) => `${prefix}placeholder`))
  if (!parsed.ok) return [invalid(at, `not YAML: ${parsed.error.map(explain).join('; ')}`)]
  if (!Array.isArray(parsed.value)) return [invalid(at, 'a JSON patch is a list of operations')]
  const raw = isPathFixed ? parseYaml(patch) : parsed
  return parsed.value.flatMap((item: unknown, index) => {
    const { op, path, value } = fieldsOf(item)
    const place = `${at}[${index}]`
    if (!operations.includes(textOf(op)))
      return [invalid(`${place}.op`, `${JSON.stringify(op)} is not one of ${operations.join(', ')}`)]
    if (!textOf(path).startsWith('/')) return [invalid(`${place}.path`, 'a path begins with a slash')]
    const written = raw.ok && Array.isArray(raw.value) ? textOf(fieldsOf(raw.value[index])['path']) : ''
    if (isPathFixed && hasVariable(written))
      return [invalid(`${place}.path`, 'the path of an operation cannot hold variables')]
    const needsValue = ['add', 'replace', 'test'].includes(textOf(op))
    return needsValue && !(isObject(item) && 'value' in item) && value === undefined
      ? [invalid(`${place}.value`, 'a value is needed')]
      : []
  })
}

function lintLoops(loops: unknown, at: string, depth: number = 0): readonly Problem[] {
  if (depth > 10) return [invalid(at, 'foreach is nested deeper than 10 levels')]
  return listOf(loops).flatMap((item, index) => {
    const loop = fieldsOf(item)
    const place = `${at}[${index}]`
    const inner = listOf(loop['foreach'])
    const patches = ['patchStrategicMerge', 'patchesJson6902'].filter((key) => isSet(loop[key]) && loop[key] !== '')
    const found: Problem[] = []
    if (textOf(loop['list']) === '') found.push(invalid(`${place}.list`, 'a loop needs a list'))
    if (
      inner.length > 0
        ? patches.length > 0 || isSet(loop['context']) || isSet(loop['preconditions'])
        : patches.length !== 1
    ) {
      found.push(
        invalid(place, 'a loop has either patchStrategicMerge or patchesJson6902, or a foreach and nothing else'),
      )
    }
    return [
      ...found,
      ...lintContext(loop['context'], `${place}.context`),
      ...lintConditions(loop['preconditions'], `${place}.preconditions`),
      ...lintJsonPatch(loop['patchesJson6902'], `${place}.patchesJson6902`, false),
      ...lintLoops(inner, `${place}.foreach`, depth + 1),
    ]
  })
}

/** Where a generate rule may make things. */
export interface GenerateSetting {
  readonly namespace: string | undefined
  readonly cluster: LintCluster | undefined
}

/** What is wrong with a generate block. */
export function lintGenerate(rule: Fields, at: string, setting: GenerateSetting): readonly Problem[] {
  const block = fieldsOf(rule['generate'])
  const given = ['data', 'clone', 'cloneList', 'foreach'].filter(
    (key) => isSet(block[key]) && !isEmptyClone(block[key]),
  )
  const found: Problem[] = []
  if (given.length > 1) found.push(invalid(at, 'only one of data, clone, cloneList and foreach can be given'))
  if (isSet(rule['celPreconditions'])) found.push(invalid(at, 'celPreconditions are only for rules with validate.cel'))
  const matched = textsOf(fieldsOf(fieldsOf(rule['match'])['resources'])['kinds'])
  if (textOf(block['kind']) !== '' && matched.includes(textOf(block['kind']))) {
    found.push(invalid(`${at}.kind`, 'a rule cannot make what it matches'))
  }
  if (hasAnchors(block['data'])) found.push(invalid(`${at}.data`, 'anchors are not for data that is generated'))
  const loops = listOf(block['foreach'])
  if (loops.length === 0) return [...found, ...lintPattern(block, at, setting)]
  return [...found, ...loops.flatMap((loop, index) => lintPattern(fieldsOf(loop), `${at}.foreach[${index}]`, setting))]
}

const isEmptyClone = (value: unknown): boolean => isObject(value) && Object.keys(value).length === 0

function hasAnchors(data: unknown): boolean {
  if (Array.isArray(data)) return data.some(hasAnchors)
  return (
    isObject(data) && Object.entries(data).some(([key, value]) => parseAnchor(key) !== undefined || hasAnchors(value))
  )
}

function lintPattern(pattern: Fields, at: string, { namespace, cluster }: GenerateSetting): readonly Problem[] {
  const list = fieldsOf(pattern['cloneList'])
  const cloned = textsOf(list['kinds'])
  if (cloned.length > 0) return lintCloneList(list, cloned, at, { namespace, cluster })
  const found = ['kind', 'name', 'apiVersion'].flatMap((key) =>
    textOf(pattern[key]) === '' ? [invalid(`${at}.${key}`, `${key} must be given`)] : [],
  )
  const target = textOf(pattern['namespace'])
  const isNamespaced = scopeOf(textOf(pattern['apiVersion']), textOf(pattern['kind']), cluster)
  if (isNamespaced === true && target === '')
    found.push(invalid(`${at}.namespace`, 'what is made lives in a namespace: say which'))
  if (isNamespaced === false && target !== '')
    found.push(invalid(`${at}.namespace`, 'what is made lives in no namespace'))
  if (namespace === undefined) return found
  const from = textOf(fieldsOf(pattern['clone'])['namespace'])
  if (isNamespaced === false || (target !== '' && target !== namespace)) {
    found.push(invalid(`${at}.namespace`, `a policy of namespace ${namespace} makes things in that namespace only`))
  }
  if (from !== '' && from !== namespace) {
    found.push(invalid(`${at}.clone.namespace`, `a policy of namespace ${namespace} copies from that namespace only`))
  }
  return found
}

function scopeOf(apiVersion: string, kind: string, cluster: LintCluster | undefined): boolean | undefined {
  if (!cluster || hasVariable(kind) || kind === '') return undefined
  const { group, version } = parseKindSelector(`${apiVersion}/${kind}`)
  return cluster.isNamespaced(group, version, kind)
}

function lintCloneList(
  list: Fields,
  kinds: readonly string[],
  at: string,
  { namespace, cluster }: GenerateSetting,
): readonly Problem[] {
  const found: Problem[] = []
  const scopes = new Set(
    kinds.map((text) => {
      const { group, version, kind } = parseKindSelector(text)
      return cluster?.isNamespaced(group, version, kind)
    }),
  )
  if (scopes.has(true) && scopes.has(false)) {
    found.push(invalid(`${at}.cloneList.kinds`, 'the kinds must all live in namespaces, or none of them'))
  }
  if (JSON.stringify(list['selector'] ?? null).match(/[*?]/))
    found.push(invalid(`${at}.cloneList.selector`, 'wildcards are not supported here'))
  if (namespace !== undefined && textOf(list['namespace']) !== namespace) {
    found.push(
      invalid(`${at}.cloneList.namespace`, `a policy of namespace ${namespace} copies from that namespace only`),
    )
  }
  return found
}
