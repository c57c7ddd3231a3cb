import type { KubeObject } from '../../kube/object.ts'
import type { OpenCluster } from '../clusters/clusters.ts'
import { type Comparison, type ComparisonCondition, keyText } from '../compare/comparison.ts'
import { applicationOf, keyOf, type Tracking } from '../compare/tracking.ts'
import type { AppProject } from '../project/app-project.ts'
import { orphanCondition, orphansAmong } from '../tree/orphans.ts'
import type { Application } from './application.ts'

interface Orphaning {
  readonly app: Application
  readonly project: AppProject
  readonly cluster: OpenCluster
  readonly comparison: Comparison
  readonly tracking: Tracking
  readonly isPermitted: (object: KubeObject) => boolean
}

/** Warns of what lies in an Application's namespace and nobody has put into Git, when its project wants to know. */
export function orphanConditions(seen: Orphaning): readonly ComparisonCondition[] {
  const { app, project, cluster, comparison, tracking, isPermitted } = seen
  const namespace = app.spec.destination.namespace ?? ''
  const wanted = project.orphanedResources
  if (!wanted?.isWarned || namespace === '') return []
  const own = new Set(comparison.resources.map(({ key }) => keyText(key)))
  const orphans = orphansAmong(cluster.live.inNamespace(namespace), {
    namespace,
    isManaged: (object) => own.has(keyText(keyOf(object))) || applicationOf(object, tracking) !== '',
    isPermitted,
    ignore: wanted.ignore,
  })
  const condition = orphanCondition(orphans.length)
  return condition ? [condition] : []
}
