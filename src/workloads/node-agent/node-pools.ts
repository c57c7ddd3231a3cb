import { checkDnsLabel, checkLabelValue, checkQualifiedName, type NameCheck } from '../../kube/names.ts'
import { parseQuantity } from '../../kube/quantity.ts'
import { isObject, own, setOwn } from '../../lib/json.ts'
import { type Problem, type Result, succeed } from '../../lib/result.ts'
import type { Taint } from '../scheduler/node.ts'
import type { DeclaredNode } from './declared-nodes.ts'
import type { NodeAgentOptions } from './node-agent.ts'
import { parseRules } from './simulated/rules.ts'

const NODES_MOST = 2_000
const PODS_MOST = 250
const POOL_FIELDS = ['name', 'count', 'role', 'capacity', 'labels', 'taints', 'runtime'] as const
const TAINT_FIELDS = ['key', 'value', 'effect'] as const
const EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute']
const CONTROL_PLANE = 'control-plane'

/**
 * Reads the sections `nodes` and `simulation` of a platform's settings:
 *
 *     nodes:
 *       - { name: control-plane, role: control-plane }
 *       - name: workload
 *         count: 3
 *         role: workload
 *         capacity: { cpu: 8, memory: 32Gi, pods: 110, example.com/gpu: 1 }
 *         labels: { topology.kubernetes.io/zone: a }
 *         taints: [{ key: dedicated, value: batch, effect: NoSchedule }]
 *         runtime: process
 *     simulation:
 *       missingImages: ['*:broken*']
 *       rules: []
 *
 * Other sections are for others to read.
 */
export function parseNodeSettings(raw: unknown): Result<NodeAgentOptions> {
  const problems: Problem[] = []
  if (raw === undefined || raw === null) return succeed({})
  if (!isObject(raw)) return { ok: false, error: [wrong('', 'must be an object with `nodes` or `simulation`')] }
  const nodes = parsePools(own(raw, 'nodes'), problems)
  const simulation = own(raw, 'simulation') ?? {}
  if (!isObject(simulation)) problems.push(wrong('simulation', 'must be an object'))
  const from = isObject(simulation) ? simulation : {}
  for (const key of Object.keys(from))
    if (key !== 'rules' && key !== 'missingImages')
      problems.push(wrong(`simulation.${key}`, 'is not known; there are rules, missingImages'))
  const rules = parseRules(own(from, 'rules'), 'simulation.rules')
  if (!rules.ok) problems.push(...rules.error)
  const missing = own(from, 'missingImages')
  const images = missing === undefined ? undefined : strings(missing)
  if (missing !== undefined && !images) problems.push(wrong('simulation.missingImages', 'must be a list of patterns'))
  if (problems.length > 0) return { ok: false, error: problems }
  return succeed({
    ...(nodes ? { nodes } : {}),
    ...(images ? { missingImages: images } : {}),
    ...(rules.ok && rules.value.length > 0 ? { rules: rules.value } : {}),
  })
}

const wrong = (at: string, message: string): Problem => ({ code: 'node-settings-invalid', at, message })

const strings = (raw: unknown): readonly string[] | undefined =>
  Array.isArray(raw) && raw.every((one) => typeof one === 'string') ? raw : undefined

function parsePools(raw: unknown, problems: Problem[]): readonly DeclaredNode[] | undefined {
  if (raw === undefined || raw === null) return undefined
  if (!Array.isArray(raw) || raw.length === 0) {
    problems.push(wrong('nodes', 'must be a list of pools, with one at least'))
    return undefined
  }
  const nodes = raw.flatMap((one: unknown, at) => parsePool(one, `nodes[${at}]`, problems))
  const names = new Set<string>()
  for (const { name } of nodes) {
    if (names.has(name)) problems.push(wrong('nodes', `two nodes are called ${JSON.stringify(name)}`))
    names.add(name)
  }
  if (nodes.length > NODES_MOST) problems.push(wrong('nodes', `there are more than ${NODES_MOST} nodes`))
  return nodes
}

function parsePool(raw: unknown, at: string, problems: Problem[]): readonly DeclaredNode[] {
  if (!isObject(raw)) {
    problems.push(wrong(at, 'must be an object with a name'))
    return []
  }
  onlyKnown(raw, POOL_FIELDS, at, problems)
  const name = nameAt(own(raw, 'name'), `${at}.name`, checkDnsLabel, problems)
  const count = own(raw, 'count') ?? 1
  const isCount = typeof count === 'number' && Number.isInteger(count) && count >= 0 && count <= NODES_MOST
  if (!isCount) problems.push(wrong(`${at}.count`, `must be a whole number from 0 to ${NODES_MOST}`))
  const roleText = own(raw, 'role')
  const role = roleText === undefined ? undefined : nameAt(roleText, `${at}.role`, checkDnsLabel, problems)
  const runtimeText = own(raw, 'runtime')
  const runtime = runtimeText === undefined ? undefined : nameAt(runtimeText, `${at}.runtime`, checkDnsLabel, problems)
  const capacity = parseCapacity(own(raw, 'capacity'), `${at}.capacity`, problems)
  const taints = parseTaints(own(raw, 'taints'), `${at}.taints`, problems)
  const roleLabel = role ? { [`node-role.kubernetes.io/${role}`]: '' } : {}
  const labels = {
    'idp.dev/pool': name,
    ...roleLabel,
    ...parseLabels(own(raw, 'labels'), `${at}.labels`, problems),
  }
  const usual: readonly Taint[] =
    role === CONTROL_PLANE ? [{ key: `node-role.kubernetes.io/${CONTROL_PLANE}`, effect: 'NoSchedule' }] : []
  const node = { labels, taints: taints ?? usual, ...capacity, ...(runtime ? { runtime } : {}) }
  const length = isCount ? Number(count) : 0
  return Array.from({ length }, (_, index) => ({ name: length === 1 ? name : `${name}-${index + 1}`, ...node }))
}

function onlyKnown(
  raw: Readonly<Record<string, unknown>>,
  known: readonly string[],
  at: string,
  problems: Problem[],
): void {
  for (const key of Object.keys(raw))
    if (!known.includes(key)) problems.push(wrong(`${at}.${key}`, `is not known; there are ${known.join(', ')}`))
}

function nameAt(raw: unknown, at: string, check: NameCheck, problems: Problem[]): string {
  const text = typeof raw === 'string' ? raw : ''
  for (const message of check(text)) problems.push(wrong(at, message))
  return text
}

function parseLabels(raw: unknown, at: string, problems: Problem[]): Readonly<Record<string, string>> {
  const labels: Record<string, string> = {}
  if (raw === undefined) return labels
  if (!isObject(raw)) {
    problems.push(wrong(at, 'must be labels with their values'))
    return labels
  }
  for (const [key, value] of Object.entries(raw)) {
    nameAt(key, `${at}.${key}`, checkQualifiedName, problems)
    if (typeof value !== 'string') problems.push(wrong(`${at}.${key}`, 'must be a text; put it in quotes'))
    else setOwn(labels, key, nameAt(value, `${at}.${key}`, checkLabelValue, problems))
  }
  return labels
}

function parseTaints(raw: unknown, at: string, problems: Problem[]): readonly Taint[] | undefined {
  if (raw === undefined) return undefined
  if (!Array.isArray(raw)) {
    problems.push(wrong(at, 'must be a list of taints'))
    return undefined
  }
  return raw.flatMap((one: unknown, index): readonly Taint[] => {
    const place = `${at}[${index}]`
    if (!isObject(one)) {
      problems.push(wrong(place, 'must be an object with key and effect'))
      return []
    }
    onlyKnown(one, TAINT_FIELDS, place, problems)
    const key = nameAt(own(one, 'key'), `${place}.key`, checkQualifiedName, problems)
    const effect = own(one, 'effect')
    const value = own(one, 'value')
    if (typeof effect !== 'string' || !EFFECTS.includes(effect))
      problems.push(wrong(`${place}.effect`, `must be one of ${EFFECTS.join(', ')}`))
    const text = value === undefined ? undefined : nameAt(value, `${place}.value`, checkLabelValue, problems)
    return [{ key, ...(text === undefined ? {} : { value: text }), effect: String(effect) }]
  })
}

type Capacity = Pick<DeclaredNode, 'cpu' | 'memory' | 'pods' | 'resources'>

function parseCapacity(raw: unknown, at: string, problems: Problem[]): Capacity {
  if (raw === undefined) return {}
  if (!isObject(raw)) {
    problems.push(wrong(at, 'must be amounts by resource, such as { cpu: 8, memory: 32Gi }'))
    return {}
  }
  const resources: Record<string, string> = {}
  for (const [name, amount] of Object.entries(raw)) {
    const isText = typeof amount === 'string' || typeof amount === 'number'
    const read = isText ? parseQuantity(String(amount)) : undefined
    if (!read?.ok || read.value.nano < 0n) problems.push(wrong(`${at}.${name}`, 'must be an amount such as 8 or 32Gi'))
    else {
      nameAt(name, `${at}.${name}`, checkQualifiedName, problems)
      setOwn(resources, name, String(amount))
    }
  }
  const { cpu, memory, pods, ...others } = resources
  const limit = pods === undefined ? undefined : Number(pods)
  if (limit !== undefined && !(Number.isInteger(limit) && limit <= PODS_MOST))
    problems.push(wrong(`${at}.pods`, `must be a whole number up to ${PODS_MOST}`))
  return {
    ...(cpu === undefined ? {} : { cpu }),
    ...(memory === undefined ? {} : { memory }),
    ...(limit === undefined ? {} : { pods: limit }),
    ...(Object.keys(others).length > 0 ? { resources: others } : {}),
  }
}
