import { compileSelector, formatLabelSelector } from '../../../../kube/selector.ts'
import { isObject, own } from '../../../../lib/json.ts'
import { type Result, succeed } from '../../../../lib/result.ts'
import { fieldsOf, textOf } from '../../../fields.ts'
import { type Fields, type Generator, type GeneratorContext, refuse, wrap } from '../generator.ts'
import type { ClusterFact, Need } from '../need.ts'
import { goText, type Params, paramsFrom, textMap } from '../params.ts'
import { selectorOf } from '../selector.ts'
import { IN_CLUSTER } from './clusters.ts'

const misdefined = 'there is a problem with the definition of the ClusterDecisionResource generator'

/** The clusters that the status of other objects names (the duck-typed generator). */
export const clusterDecisionResource: Generator = (spec, context) => {
  const known = context.lookup.ask({ need: 'clusters' })
  const settings = context.lookup.ask({ need: 'config-map', name: textOf(spec, 'configMapRef') })
  if (!known || !settings) return undefined
  if (!known.ok) return wrap(known, 'error listing clusters')
  if (!settings.ok) return wrap(settings, 'error reading configMapRef')
  const wanted = needOf(spec, settings.value)
  if (!wanted.ok) return wanted
  const found = context.lookup.ask(wanted.value)
  if (!found?.ok) return found && wrap(found, 'failed to get dynamic resources')
  const objects = found.value as readonly Fields[]
  if (objects.length === 0) return refuse('no clusterDecisionResources found')
  const matchKey = textOf(settings.value, 'matchKey')
  if (matchKey === '') return succeed([])
  const decisions = decisionsIn(objects, textOf(settings.value, 'statusListKey') || 'clusters')
  if (!decisions.ok) return decisions
  const byName = clustersByName(known.value as readonly ClusterFact[])
  return succeed(
    decisions.value.flatMap((decision) => {
      const cluster = byName.get(goText(own(decision, matchKey)))
      return cluster && own(decision, matchKey) !== undefined ? [paramsOf(cluster, decision, spec, context)] : []
    }),
  )
}

function needOf(spec: Fields, settings: unknown): Result<Need> {
  const apiVersion = textOf(settings, 'apiVersion')
  const plural = textOf(settings, 'kind')
  const slash = apiVersion.indexOf('/')
  if (plural === '' || slash < 1) {
    return refuse('there is a problem with the apiVersion, kind or resourceName provided')
  }
  const name = textOf(spec, 'name')
  const selector = selectorOf(fieldsOf(spec, 'labelSelector'))
  const hasSelector = selector.matchLabels !== undefined || selector.matchExpressions !== undefined
  if ((name === '') === !hasSelector) return refuse(misdefined)
  const place = {
    need: 'decisions',
    group: apiVersion.slice(0, slash),
    version: apiVersion.slice(slash + 1),
    plural,
  } as const
  if (name !== '') return succeed({ ...place, name })
  const compiled = compileSelector(selector)
  return compiled.ok ? succeed({ ...place, labelSelector: formatLabelSelector(compiled.value) }) : compiled
}

function clustersByName(clusters: readonly ClusterFact[]): ReadonlyMap<string, ClusterFact> {
  const byName = new Map<string, ClusterFact>()
  for (const cluster of clusters) if (!byName.has(cluster.name)) byName.set(cluster.name, cluster)
  const hasLocal = clusters.some((cluster) => cluster.server === IN_CLUSTER.server)
  if (!hasLocal && !byName.has(IN_CLUSTER.name)) byName.set(IN_CLUSTER.name, IN_CLUSTER)
  return byName
}

function decisionsIn(objects: readonly Fields[], key: string): Result<readonly Fields[]> {
  const decisions: Fields[] = []
  for (const object of objects) {
    const status = fieldsOf(object, 'status')
    if (Object.keys(status).length === 0) continue
    const listed = status[key]
    if (!Array.isArray(listed) || !listed.every(isObject)) return refuse(`status.${key} must be a list of objects`)
    decisions.push(...listed)
  }
  return succeed(decisions)
}

function paramsOf(cluster: ClusterFact, decision: Fields, spec: Fields, { dialect }: GeneratorContext): Params {
  const values = Object.entries(fieldsOf(spec, 'values')).map(([key, value]): [string, string] => [key, String(value)])
  const base: (readonly [string, unknown])[] = [
    ['name', cluster.name],
    ['server', cluster.server],
    ...Object.entries(decision).map(([key, value]) => [key, goText(value)] as const),
  ]
  if (values.length === 0) return paramsFrom(base)
  if (dialect.goTemplate) return paramsFrom([...base, ['values', textMap(values)]])
  return paramsFrom([...base, ...values.map(([key, value]) => [`values.${key}`, value] as const)])
}
