import type { KubeObject } from '../../kube/object.ts'
import type { Informers } from '../../runtime/informers.ts'
import { policyKinds } from '../catalog/policy-kinds.ts'
import type { ReportedResource, ReportWriter } from './report-writer.ts'

const reports = [
  { group: 'wgpolicyk8s.io', version: 'v1alpha2', plural: 'policyreports' },
  { group: 'wgpolicyk8s.io', version: 'v1alpha2', plural: 'clusterpolicyreports' },
]

/** Takes the rows of a policy that is gone out of all reports. */
export function reviewReports({
  informers,
  writer,
}: {
  readonly informers: Informers
  readonly writer: ReportWriter
}): { run(signal: AbortSignal): Promise<void> } {
  return {
    async run(signal) {
      const caches = reports.map((resource) => informers.shared({ collection: { resource } }))
      const review = (policy: KubeObject): void => {
        const key = [policy.metadata.namespace, policy.metadata.name].filter(Boolean).join('/')
        for (const { cache } of caches) {
          for (const report of cache.list()) {
            if (namesPolicy(report, key)) writer.add(report['scope'] as ReportedResource, noChange)
          }
        }
      }
      const leave = policyKinds.map((resource) =>
        informers.shared({ collection: { resource } }).listen(({ type, object }) => {
          if (type === 'removed') review(object)
        }),
      )
      await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
      for (const stop of leave) stop()
    },
  }
}

const noChange = { results: [], settled: new Set<string>() }

/** Only reports that we wrote, each on one resource, are ours to change. */
function namesPolicy(report: KubeObject, key: string): boolean {
  if (report.metadata.labels?.['app.kubernetes.io/managed-by'] !== 'kyverno' || !report['scope']) return false
  const results = (report['results'] ?? []) as readonly { readonly policy?: string }[]
  return results.some(({ policy }) => policy === key)
}
