import { compileSelector, matchesLabels } from '../../../../kube/selector.ts'
import { type Result, succeed } from '../../../../lib/result.ts'
import { fieldsOf, isSet } from '../../../fields.ts'
import { type Fields, type Generator, type GeneratorContext, withValues, wrap } from '../generator.ts'
import { sanitizeName } from '../names.ts'
import type { ClusterFact } from '../need.ts'
import { type Params, paramsFrom, textMap } from '../params.ts'
import { selectorOf } from '../selector.ts'

/** The cluster that the controller itself runs in. */
export const IN_CLUSTER: ClusterFact = { name: 'in-cluster', server: 'https://kubernetes.default.svc' }

/** One set of parameters a cluster, in the order of their names; the local one is added where no Secret describes it. */
export const clusters: Generator = (spec, context) => {
  const selector = selectorOf(fieldsOf(spec, 'selector'))
  const compiled = compileSelector(selector)
  if (!compiled.ok) return wrap(compiled, 'error getting cluster secrets: error converting label selector')
  const known = context.lookup.ask({ need: 'clusters' })
  if (!known?.ok) return known && wrap(known, 'error getting cluster secrets')
  const matching = (known.value as readonly ClusterFact[]).filter((cluster) =>
    matchesLabels(compiled.value, cluster.labels),
  )
  const byName = [...new Map(matching.map((cluster) => [cluster.name, cluster])).values()]
  byName.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
  const isSelective = compiled.value.length > 0
  const hasLocal = byName.some((cluster) => cluster.server === IN_CLUSTER.server)
  const made = paramsOfAll(byName, !isSelective && !hasLocal, spec, context)
  if (!made.ok) return made
  return succeed(isSet(spec, 'flatList') ? [paramsFrom([['clusters', made.value]])] : made.value)
}

function paramsOfAll(
  byName: readonly ClusterFact[],
  addsLocal: boolean,
  spec: Fields,
  context: GeneratorContext,
): Result<readonly Params[]> {
  const all: Params[] = []
  for (const cluster of byName) {
    const params = withValues(paramsOf(cluster, context.dialect.goTemplate), spec, context)
    if (!params.ok) return wrap(params, 'error appending templated values for cluster')
    all.push(params.value)
  }
  if (addsLocal) {
    const params = withValues(paramsFrom(identityOf(IN_CLUSTER)), spec, context)
    if (!params.ok) return wrap(params, 'error appending templated values for local cluster')
    all.push(params.value)
  }
  return succeed(all)
}

const identityOf = (cluster: ClusterFact): readonly (readonly [string, string])[] => [
  ['name', cluster.name],
  ['nameNormalized', sanitizeName(cluster.name)],
  ['server', cluster.server],
  ['project', cluster.project ?? ''],
]

function paramsOf(cluster: ClusterFact, isGoTemplate: boolean): Params {
  const annotations = Object.entries(cluster.annotations ?? {})
  const labels = Object.entries(cluster.labels ?? {})
  if (!isGoTemplate) {
    return paramsFrom([
      ...identityOf(cluster),
      ...annotations.map(([key, value]): [string, string] => [`metadata.annotations.${key}`, value]),
      ...labels.map(([key, value]): [string, string] => [`metadata.labels.${key}`, value]),
    ])
  }
  const metadata = paramsFrom([
    ...(annotations.length > 0 ? ([['annotations', textMap(annotations)]] as const) : []),
    ...(labels.length > 0 ? ([['labels', textMap(labels)]] as const) : []),
  ])
  return paramsFrom([...identityOf(cluster), ['metadata', metadata]])
}
