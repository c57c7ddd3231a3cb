import type { ControllerPart, ControllerPorts } from '../runtime/controller-part.ts'
import { ApplicationKind } from './application/application.ts'
import { ApplicationSetKind } from './applicationset/application-set.ts'
import { clusterFact } from './applicationset/fetch-facts.ts'
import { textOf } from './fields.ts'
import { applicationMetrics, applicationSetMetrics } from './metrics/application-metrics.ts'

/** Argo CD's metrics from what the caches hold; nothing where nobody collects metrics. */
export function gitOpsMetrics({ metrics, informers }: ControllerPorts, namespace: string): ControllerPart {
  const secrets = informers.shared({
    collection: { resource: { group: '', version: 'v1', plural: 'secrets' }, namespace },
    labelSelector: 'argocd.argoproj.io/secret-type=cluster',
  })
  const applications = informers.shared({ collection: { resource: ApplicationKind } })
  const sets = informers.shared({ collection: { resource: ApplicationSetKind } })
  const serverOf = (destination: Readonly<Record<string, unknown>>): string => {
    const [server, name] = [textOf(destination, 'server'), textOf(destination, 'name')]
    if (server !== '') return server
    if (name === 'in-cluster') return 'https://kubernetes.default.svc'
    return (
      secrets.cache
        .list(namespace)
        .map(clusterFact)
        .find((cluster) => cluster.name === name)?.server ?? ''
    )
  }
  return {
    pending: () => [],
    async run(signal) {
      if (!metrics) return
      const leave = [
        applications.listen(applicationMetrics(metrics, serverOf)),
        sets.listen(applicationSetMetrics(metrics)),
      ]
      await new Promise<void>((resolve) => {
        if (signal.aborted) resolve()
        else signal.addEventListener('abort', () => resolve(), { once: true })
      })
      for (const stop of leave) stop()
    },
  }
}
