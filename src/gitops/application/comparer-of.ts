import type { OpenCluster } from '../clusters/clusters.ts'
import { COMPARE_OPTIONS, type Comparer, createComparer } from '../compare/comparer.ts'
import type { KindFactsOf } from '../compare/normal-form.ts'
import { annotationOf } from '../sync/annotation-options.ts'
import type { AppMemory, AppPorts } from './app-ports.ts'
import type { Application } from './application.ts'

/** The comparer of an Application: the one it had, while nothing that it depends on has changed. */
export function comparerOf(
  app: Application,
  memory: AppMemory,
  { live }: OpenCluster,
  { settings, schemas }: Pick<AppPorts, 'settings' | 'schemas'>,
): Comparer {
  const { resources, serverSideDiff } = settings()
  const inputs = JSON.stringify([
    app.spec.ignoreDifferences,
    app.spec.syncPolicy?.syncOptions,
    annotationOf(app, COMPARE_OPTIONS),
    serverSideDiff,
  ])
  const known = memory.comparer
  if (known?.inputs === inputs && known.settings === resources && known.kinds === live.kinds) return known.comparer
  const kinds: KindFactsOf = (kind) => {
    const schema = schemas.schemaOf(kind)
    return schema ? { schema, isBuiltin: true } : live.typeOf(kind)
  }
  const comparer = createComparer({ application: app, settings: resources, kinds, builtin: schemas, serverSideDiff })
  memory.comparer = { inputs, settings: resources, kinds: live.kinds, comparer }
  return comparer
}
