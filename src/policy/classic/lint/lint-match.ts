import { isEqual } from '../../../lib/json.ts'
import { explain, type Problem } from '../../../lib/result.ts'
import { compileSelector } from '../../../kube/selector.ts'
import { isWildcard, matchesWildcard } from '../../engine/wildcard.ts'
import { parseKindSelector } from '../match/kind-selector.ts'
import { type Fields, fieldsOf, listOf, textMapOf, textOf, textsOf } from '../read.ts'
import { invalid, type LintCluster } from './finding.ts'

/** Where a policy lives, and what is known of its cluster. */
export interface MatchSetting {
  readonly isNamespaced: boolean
  readonly isBackground: boolean
  readonly cluster: LintCluster | undefined
}

/** What is wrong with `match` and `exclude` of a rule. */
export function lintMatch(rule: Fields, at: string, setting: MatchSetting): readonly Problem[] {
  return [
    ...lintBlock(fieldsOf(rule['match']), `${at}.match`, setting),
    ...lintBlock(fieldsOf(rule['exclude']), `${at}.exclude`, setting),
    ...lintSpecified(fieldsOf(rule['match']), `${at}.match`),
    ...(matchesNothing(rule) ? [invalid(at, 'the rule excludes everything that it matches')] : []),
  ]
}

const descriptionOf = (filter: Fields): Fields => fieldsOf(filter['resources'])
const isEmpty = (fields: Fields): boolean => Object.keys(fields).length === 0

function lintBlock(block: Fields, at: string, setting: MatchSetting): readonly Problem[] {
  const any = listOf(block['any']).map(fieldsOf)
  const all = listOf(block['all']).map(fieldsOf)
  const found: Problem[] = []
  if (any.length > 0 && all.length > 0) found.push(invalid(at, 'any and all cannot both be given'))
  if ((any.length > 0 || all.length > 0) && !isEmpty(descriptionOf(block))) {
    found.push(invalid(`${at}.resources`, 'any and all cannot be given beside resources'))
  }
  for (const [index, filter] of any.entries()) found.push(...lintFilter(filter, `${at}.any[${index}]`, setting))
  for (const [index, filter] of all.entries()) found.push(...lintFilter(filter, `${at}.all[${index}]`, setting))
  return [...found, ...lintFilter(block, at, setting)]
}

function lintFilter(filter: Fields, at: string, setting: MatchSetting): readonly Problem[] {
  return [...lintUsers(filter, at), ...lintDescription(descriptionOf(filter), `${at}.resources`, setting)]
}

function lintUsers(filter: Fields, at: string): readonly Problem[] {
  const roles = textsOf(filter['roles']).flatMap((role, index) =>
    role.split(':').length === 2
      ? []
      : [invalid(`${at}.roles[${index}]`, `${JSON.stringify(role)} must be written namespace:name`)],
  )
  const subjects = listOf(filter['subjects']).flatMap((item, index) => {
    const { kind, name, namespace } = fieldsOf(item)
    const place = `${at}.subjects[${index}]`
    if (kind !== 'User' && kind !== 'Group' && kind !== 'ServiceAccount') {
      return [invalid(`${place}.kind`, 'kind must be User, Group or ServiceAccount')]
    }
    if (textOf(name) === '') return [invalid(`${place}.name`, 'a subject needs a name')]
    if (kind === 'ServiceAccount' && textOf(namespace) === '')
      return [invalid(`${place}.namespace`, 'a ServiceAccount needs its namespace')]
    return []
  })
  return [...roles, ...subjects]
}

function lintDescription(description: Fields, at: string, { isNamespaced, cluster }: MatchSetting): readonly Problem[] {
  const found: Problem[] = []
  if (textOf(description['name']) !== '' && textsOf(description['names']).length > 0) {
    found.push(invalid(at, 'name and names cannot both be given'))
  }
  found.push(...lintSelector(description['selector'], `${at}.selector`))
  if (!isNamespaced) return found
  if (textsOf(description['namespaces']).length > 0) {
    found.push(invalid(`${at}.namespaces`, 'a policy of a namespace is about that namespace, and cannot name others'))
  }
  for (const [index, text] of textsOf(description['kinds']).entries()) {
    const { group, version, kind } = parseKindSelector(text)
    if (cluster?.isNamespaced(group, version, kind) === false) {
      found.push(
        invalid(
          `${at}.kinds[${index}]`,
          `${text} does not live in namespaces, so a policy of a namespace cannot be about it`,
        ),
      )
    }
  }
  return found
}

function lintSelector(selector: unknown, at: string): readonly Problem[] {
  if (selector === undefined || selector === null) return []
  const { matchLabels, matchExpressions } = fieldsOf(selector)
  const labels = textMapOf(matchLabels)
  if (Object.entries(labels).some(([key, value]) => isWildcard(key) || isWildcard(value))) return []
  if (Object.keys(labels).length === 0 && listOf(matchExpressions).length === 0)
    return [invalid(at, 'the selector asks for nothing')]
  const compiled = compileSelector({
    matchLabels: labels,
    matchExpressions: listOf(matchExpressions).map((item) => {
      const { key, operator, values } = fieldsOf(item)
      return { key: textOf(key), operator: textOf(operator), values: textsOf(values) }
    }),
  })
  return compiled.ok ? [] : [invalid(at, compiled.error.map(explain).join('; '))]
}

/** A rule says what it is about, and names kinds. */
function lintSpecified(match: Fields, at: string): readonly Problem[] {
  const any = listOf(match['any']).map(fieldsOf)
  const all = listOf(match['all']).map(fieldsOf)
  const filters = any.length > 0 ? any : all.length > 0 ? all : [match]
  const withoutKinds = filters.some((filter) => textsOf(descriptionOf(filter)['kinds']).length === 0)
  return withoutKinds ? [invalid(at, 'every filter must name kinds', 'name them in resources.kinds')] : []
}

/** What is wrong with the kinds of a rule. */
export function lintKinds(rule: Fields, at: string, { isBackground, cluster }: MatchSetting): readonly Problem[] {
  return ['match', 'exclude'].flatMap((side) => {
    const block = fieldsOf(rule[side])
    return [block, ...listOf(block['any']), ...listOf(block['all'])].flatMap((filter) =>
      lintKindList(textsOf(descriptionOf(fieldsOf(filter))['kinds']), rule, `${at}.${side}`, { isBackground, cluster }),
    )
  })
}

function lintKindList(
  kinds: readonly string[],
  rule: Fields,
  at: string,
  { isBackground, cluster }: Pick<MatchSetting, 'isBackground' | 'cluster'>,
): readonly Problem[] {
  if (!kinds.includes('*')) {
    // A kind may come later, but a rule about nothing that exists is a slip of the pen.
    if (cluster && kinds.length > 0 && !kinds.some((kind) => cluster.serves(kind))) {
      return [
        invalid(
          at,
          `the cluster serves none of ${kinds.join(', ')}`,
          'check the spelling, or install what defines the kind first',
        ),
      ]
    }
    if (!isBackground || !cluster || isEmpty(fieldsOf(rule['validate']))) return []
    const sub = kinds.find((kind) => !isWildcard(kind) && parseKindSelector(kind).subresource !== '')
    return sub === undefined
      ? []
      : [invalid(at, `${sub} is a subresource, which a background scan does not see`, 'set spec.background to false')]
  }
  if (isBackground)
    return [invalid(at, 'a rule about every kind cannot run in the background', 'set spec.background to false')]
  if (kinds.length > 1) return [invalid(at, 'a rule about every kind cannot name others')]
  const validate = fieldsOf(rule['validate'])
  if (rule['generate'] || listOf(rule['verifyImages']).length > 0 || Array.isArray(validate['foreach'])) {
    return [invalid(at, 'a rule about every kind cannot generate, verify images or loop')]
  }
  return isAboutMetadata(rule) ? [] : [invalid(at, 'a rule about every kind can deal with metadata only')]
}

function isAboutMetadata(rule: Fields): boolean {
  const mutate = fieldsOf(rule['mutate'])
  const validate = fieldsOf(rule['validate'])
  const patterns = [mutate['patchStrategicMerge'], validate['pattern'], ...listOf(validate['anyPattern'])]
  return patterns.every((pattern) => Object.keys(fieldsOf(pattern)).every((key) => key === 'metadata'))
}

/** Whether an exclusion takes away all that is matched. */
function matchesNothing(rule: Fields): boolean {
  const match = fieldsOf(rule['match'])
  const exclude = fieldsOf(rule['exclude'])
  if (isEmpty(exclude) || listOf(match['all']).length > 0 || listOf(exclude['all']).length > 0) return false
  const wanted = listOf(match['any'])
  const unwanted = listOf(exclude['any'])
  if (wanted.length > 0 && unwanted.length > 0)
    return wanted.some((one) => unwanted.some((other) => isEqual(one, other)))
  if (wanted.length > 0 || unwanted.length > 0) return false
  return covers(exclude, match)
}

/** Whether everything that one filter matches, another one matches too; as far as can be told from how they are written. */
function covers(wide: Fields, narrow: Fields): boolean {
  const outer = descriptionOf(wide)
  const inner = descriptionOf(narrow)
  const lists: readonly (readonly [unknown, unknown])[] = [
    [wide['roles'], narrow['roles']],
    [wide['clusterRoles'], narrow['clusterRoles']],
    [wide['subjects'], narrow['subjects']],
    [outer['namespaces'], inner['namespaces']],
    [outer['kinds'], inner['kinds']],
  ]
  for (const [outerList, innerList] of lists) {
    const all = listOf(outerList)
    const some = listOf(innerList)
    if (all.length > 0 && (some.length === 0 || !some.every((one) => all.some((other) => isEqual(one, other)))))
      return false
  }
  if (textOf(outer['name']) !== '' && !matchesWildcard(textOf(outer['name']), textOf(inner['name']))) return false
  const names = textsOf(outer['names'])
  if (names.length > 0)
    return textsOf(inner['names']).some((name) => names.some((pattern) => matchesWildcard(pattern, name)))
  return ['selector', 'namespaceSelector', 'annotations'].every((key) =>
    isEqual(outer[key] ?? null, inner[key] ?? null),
  )
}
