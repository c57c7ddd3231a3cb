import { isObject, own } from '../../lib/json.ts'
import { fail, type Problem, type Result, succeed } from '../../lib/result.ts'
import { parseYaml } from '../../lib/yaml.ts'
import type { HelmDialect } from './dialect.ts'

/** One document that a template printed, as it stands in the output. */
export interface Manifest {
  /** `app/templates/web.yaml`. */
  readonly source: string
  readonly text: string
  readonly kind: string
  readonly apiVersion: string
  readonly name: string
  /** What the document says, read once. */
  readonly value: unknown
  /** The line of the template's output on which the document begins. */
  readonly line: number
}

/** Where a document comes from: its chart, its template, and the line of what the template printed. */
export function originOf({ source, line }: Pick<Manifest, 'source' | 'line'>): {
  readonly chart: string
  readonly file: string
  readonly line: number
} {
  const below = source.lastIndexOf('/templates/')
  return { chart: below < 0 ? source : source.slice(0, below), file: source, line }
}

/** A document that runs at a point of a release's life instead of being part of it. */
export interface Hook extends Manifest {
  readonly events: readonly string[]
  readonly weight: number
  readonly deletePolicies: readonly string[]
}

/** The kinds in the order in which they are installed; others follow by name. */
const installOrder: readonly string[] = [
  'PriorityClass',
  'Namespace',
  'NetworkPolicy',
  'ResourceQuota',
  'LimitRange',
  'PodSecurityPolicy',
  'PodDisruptionBudget',
  'ServiceAccount',
  'Secret',
  'SecretList',
  'ConfigMap',
  'StorageClass',
  'PersistentVolume',
  'PersistentVolumeClaim',
  'CustomResourceDefinition',
  'ClusterRole',
  'ClusterRoleList',
  'ClusterRoleBinding',
  'ClusterRoleBindingList',
  'Role',
  'RoleList',
  'RoleBinding',
  'RoleBindingList',
  'Service',
  'DaemonSet',
  'Pod',
  'ReplicationController',
  'ReplicaSet',
  'Deployment',
  'HorizontalPodAutoscaler',
  'StatefulSet',
  'Job',
  'CronJob',
  'IngressClass',
  'Ingress',
  'APIService',
]
const ranks = (order: readonly string[]): ReadonlyMap<string, number> =>
  new Map(order.map((kind, rank) => [kind, rank]))

/** Where each kind stands in the order of a dialect. */
const rankOf: Readonly<Record<HelmDialect, ReadonlyMap<string, number>>> = {
  3: ranks(installOrder),
  4: ranks([...installOrder, 'MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration']),
}

function compareKinds(a: string, b: string, dialect: HelmDialect): number {
  const left = rankOf[dialect].get(a)
  const right = rankOf[dialect].get(b)
  if (left !== undefined && right !== undefined) return left - right
  if (left !== undefined) return -1
  if (right !== undefined) return 1
  return a === b ? 0 : a < b ? -1 : 1
}

/** Sorts by kind; what is equal keeps its order. */
export const sortByKind = <T extends { readonly kind: string }>(
  items: readonly T[],
  dialect: HelmDialect,
): readonly T[] => items.toSorted((a, b) => compareKinds(a.kind, b.kind, dialect))

const hookEvents: ReadonlySet<string> = new Set([
  'pre-install',
  'post-install',
  'pre-delete',
  'post-delete',
  'pre-upgrade',
  'post-upgrade',
  'pre-rollback',
  'post-rollback',
  'test',
  'test-success',
])

/** Go's white space, which is not JavaScript's: a byte order mark is none, the next-line character is. */
const EDGES =
  /^[\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+|[\t\n\v\f\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+$/g
export const trimGo = (text: string): string => text.replace(EDGES, '')

const BLANK = /[\t\n\f\r ]/

/** A document in the output of one template. */
interface Part {
  readonly text: string
  readonly line: number
}

/** Splits a template's output at its `---`, which need not stand alone on a line, as helm does. */
function splitParts(text: string): readonly Part[] {
  const all = trimGo(text)
  const parts: Part[] = []
  let from = 0
  let line = 1 + lineFeeds(text.slice(0, text.indexOf(all)))
  const close = (end: number): void => {
    const part = all.slice(from, end)
    const inner = trimGo(part)
    if (part !== '') parts.push({ text: inner, line: line + lineFeeds(part.slice(0, part.indexOf(inner))) })
    line += lineFeeds(part)
  }
  for (let dashes = all.indexOf('---'); dashes >= 0;) {
    if (dashes > 0 && (dashes === from || all[dashes - 1] !== '\n')) {
      dashes = all.indexOf('---', dashes + 1)
      continue
    }
    // White space around the dashes belongs to the separator.
    let start = dashes
    while (start > from && BLANK.test(all[start - 1] ?? '')) start--
    let end = dashes + 3
    while (end < all.length && BLANK.test(all[end] ?? '')) end++
    close(start)
    line += lineFeeds(all.slice(start, end))
    from = end
    dashes = all.indexOf('---', end)
  }
  close(all.length)
  return parts
}

function lineFeeds(text: string): number {
  let count = 0
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count++
  return count
}

/** The documents of a template's output, as helm takes them apart. */
export const splitManifests = (text: string): readonly string[] => splitParts(text).map((part) => part.text)

/** A scalar of a document's head as text; undefined where it is none. */
function headText(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'boolean') return String(value)
  return value === undefined || value === null ? '' : undefined
}

/** The problem with a document whose head has the wrong types. */
const headProblem = (source: string, because: string): Problem => ({
  code: 'manifest-invalid',
  at: source,
  message: `YAML parse error on ${source}: ${because}`,
})

const goType = (value: unknown): string =>
  Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value

function read(
  source: string,
  { text, line }: Part,
): Result<Manifest & { readonly annotations: ReadonlyMap<string, string> }> {
  const document = parseYaml(text)
  if (!document.ok) {
    return fail(
      ...document.error.map(({ message }) => headProblem(source, `error converting YAML to JSON: ${message}`)),
    )
  }
  const value = document.value ?? {}
  const wrong = (bad: unknown, into: string): Result<never> =>
    fail(
      headProblem(
        source,
        `error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${goType(bad)} into Go ${into}`,
      ),
    )
  if (!isObject(value)) return wrong(value, 'value of type releaseutil.SimpleHead')
  const metadata = own(value, 'metadata') ?? {}
  if (!isObject(metadata)) return wrong(metadata, 'struct field SimpleHead.metadata of type struct')
  const annotations = own(metadata, 'annotations') ?? {}
  if (!isObject(annotations)) return wrong(annotations, 'struct field .metadata.annotations of type map[string]string')
  const [kind, apiVersion, name] = [own(value, 'kind'), own(value, 'apiVersion'), own(metadata, 'name')].map(headText)
  if (kind === undefined) return wrong(own(value, 'kind'), 'struct field SimpleHead.kind of type string')
  if (apiVersion === undefined)
    return wrong(own(value, 'apiVersion'), 'struct field SimpleHead.apiVersion of type string')
  if (name === undefined) return wrong(own(metadata, 'name'), 'struct field .metadata.name of type string')
  const texts = new Map<string, string>()
  for (const [key, item] of Object.entries(annotations)) {
    const itemText = headText(item)
    if (itemText === undefined) return wrong(item, 'struct field .metadata.annotations of type string')
    texts.set(key, itemText)
  }
  return succeed({ source, text, kind, apiVersion, name, value: document.value, line, annotations: texts })
}

/** What a chart's templates printed, taken apart. */
export interface SortedManifests {
  readonly manifests: readonly Manifest[]
  readonly hooks: readonly Hook[]
  readonly warnings: readonly string[]
}

const list = (text: string | undefined): readonly string[] =>
  text === undefined ? [] : text.split(',').map((item) => trimGo(item).toLowerCase())

/** Takes the output of every template apart and sorts its documents into manifests and hooks, each by kind. */
export function sortManifests(printed: ReadonlyMap<string, string>, dialect: HelmDialect = 3): Result<SortedManifests> {
  const manifests: Manifest[] = []
  const hooks: Hook[] = []
  const warnings: string[] = []
  for (const source of [...printed.keys()].toSorted(compareBytes)) {
    const base = source.slice(source.lastIndexOf('/') + 1)
    if (base.startsWith('_')) continue
    for (const part of splitParts(printed.get(source) ?? '')) {
      const found = read(source, part)
      if (!found.ok) return found
      const { annotations, ...manifest } = found.value
      const hook = annotations.get('helm.sh/hook')
      if (hook === undefined) {
        manifests.push(manifest)
        continue
      }
      const events = list(hook)
      if (!events.every((event) => hookEvents.has(event))) {
        warnings.push(`skipping unknown hook: ${JSON.stringify(hook)}`)
        continue
      }
      hooks.push({
        ...manifest,
        events: events.map((event) => (event === 'test-success' ? 'test' : event)),
        weight: Number.parseInt(annotations.get('helm.sh/hook-weight') ?? '0', 10) || 0,
        deletePolicies: list(annotations.get('helm.sh/hook-delete-policy')),
      })
    }
  }
  return succeed({ manifests: sortByKind(manifests, dialect), hooks: sortByKind(hooks, dialect), warnings })
}

/** Go compares strings by bytes, JavaScript by UTF-16 units: the two differ beyond the basic plane. */
export function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}
