import { platformProgress } from '../../../bootstrap/progress.ts'
import type { Application } from '../../../gitops/application/application.ts'
import type { Client } from '../../../kube/client.ts'
import { type Condition, conditionOf } from '../../../kube/condition.ts'
import type { KubeObject } from '../../../kube/object.ts'
import type { RunFile } from '../up/run-file.ts'

/** How a platform stands. A count that is missing belongs to something that the cluster does not serve. */
export interface PlatformStatus {
  readonly running?: { readonly pid: number; readonly url: string; readonly repository: string; readonly since: string }
  readonly desired: { readonly applicationSets: number; readonly applications: number; readonly settled: number }
  readonly actionable: {
    readonly policies?: number
    readonly violations?: number
    readonly eventSources?: number
    readonly sensors?: number
  }
  readonly observed: {
    readonly nodes?: number
    readonly pods?: number
    readonly certificates?: number
    readonly externalSecrets?: number
    readonly routes?: number
  }
  /** What is not as it should be, and why. */
  readonly red: readonly { readonly what: string; readonly because: string }[]
}

interface Counted {
  readonly total: number
  readonly red: PlatformStatus['red']
  readonly items: readonly KubeObject[]
}

/** The collections that are looked at, and the condition that says that an object of each is well. */
const looked = {
  nodes: { group: '', version: 'v1', plural: 'nodes', condition: 'Ready' },
  pods: { group: '', version: 'v1', plural: 'pods' },
  eventSources: { group: 'argoproj.io', version: 'v1alpha1', plural: 'eventsources', condition: 'Deployed' },
  sensors: { group: 'argoproj.io', version: 'v1alpha1', plural: 'sensors', condition: 'Ready' },
  certificates: { group: 'cert-manager.io', version: 'v1', plural: 'certificates', condition: 'Ready' },
  externalSecrets: { group: 'external-secrets.io', version: 'v1', plural: 'externalsecrets', condition: 'Ready' },
  secretStores: { group: 'external-secrets.io', version: 'v1', plural: 'clustersecretstores', condition: 'Ready' },
  gateways: { group: 'gateway.networking.k8s.io', version: 'v1', plural: 'gateways', condition: 'Programmed' },
  routes: { group: 'gateway.networking.k8s.io', version: 'v1', plural: 'httproutes' },
  clusterPolicies: { group: 'kyverno.io', version: 'v1', plural: 'clusterpolicies', condition: 'Ready' },
  policies: { group: 'kyverno.io', version: 'v1', plural: 'policies', condition: 'Ready' },
  validatingPolicies: { group: 'policies.kyverno.io', version: 'v1', plural: 'validatingpolicies' },
  reports: { group: 'wgpolicyk8s.io', version: 'v1alpha2', plural: 'policyreports' },
  clusterReports: { group: 'wgpolicyk8s.io', version: 'v1alpha2', plural: 'clusterpolicyreports' },
  applicationSets: { group: 'argoproj.io', version: 'v1alpha1', plural: 'applicationsets' },
  applications: { group: 'argoproj.io', version: 'v1alpha1', plural: 'applications' },
} as const

type Looked = keyof typeof looked

/** Asks the cluster how everything stands. */
export async function lookAtLoops(client: Client, running: RunFile | undefined): Promise<PlatformStatus> {
  const names = Object.keys(looked) as readonly Looked[]
  const found = new Map(
    await Promise.all(names.map(async (name) => [name, await count(client, looked[name])] as const)),
  )
  const total = (...those: readonly Looked[]): number | undefined => {
    const counts = those.flatMap((name) => found.get(name)?.total ?? [])
    return counts.length === 0 ? undefined : counts.reduce((sum, one) => sum + one, 0)
  }
  const items = (name: Looked): readonly KubeObject[] => found.get(name)?.items ?? []
  const progress = platformProgress(items('applicationSets'), items('applications') as readonly Application[])
  const reports = [...items('reports'), ...items('clusterReports')]
  return {
    ...(running
      ? { running: { pid: running.pid, url: running.url, repository: running.repository, since: running.startedAt } }
      : {}),
    desired: {
      applicationSets: progress.sets,
      applications: progress.applications,
      settled: progress.settled,
    },
    actionable: known({
      policies: total('clusterPolicies', 'policies', 'validatingPolicies'),
      violations: found.get('reports') ? reports.reduce((sum, report) => sum + failuresOf(report), 0) : undefined,
      eventSources: total('eventSources'),
      sensors: total('sensors'),
    }),
    observed: known({
      nodes: total('nodes'),
      pods: total('pods'),
      certificates: total('certificates'),
      externalSecrets: total('externalSecrets'),
      routes: total('routes'),
    }),
    red: [
      ...progress.blockers.map(({ what, because }) => ({ what, because })),
      ...names.flatMap((name) => found.get(name)?.red ?? []),
    ],
  }
}

function known<K extends string>(
  counts: Readonly<Record<K, number | undefined>>,
): Readonly<Partial<Record<K, number>>> {
  const entries = Object.entries(counts).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as Partial<Record<K, number>> // what is left are numbers
}

async function count(
  client: Client,
  { condition, ...resource }: (typeof looked)[Looked] & { readonly condition?: string },
): Promise<Counted | undefined> {
  const listed = await client.list({ resource })
  if (!listed.ok) return undefined
  const { items } = listed.value
  const red = condition === undefined ? [] : items.flatMap((item) => redness(item, condition))
  return { total: items.length, red, items }
}

function redness({ kind, metadata, ...rest }: KubeObject, type: string): PlatformStatus['red'] {
  const { conditions } = (rest['status'] ?? {}) as { readonly conditions?: readonly Condition[] }
  const condition = conditionOf(conditions, type)
  if (condition?.status === 'True') return []
  const { namespace, name = '' } = metadata
  const because = condition?.message || condition?.reason || `nobody has said yet that it is ${type}`
  return [{ what: `${kind} ${namespace ? `${namespace}/` : ''}${name}`, because }]
}

function failuresOf(report: KubeObject): number {
  const { fail = 0, error = 0 } = (report['summary'] ?? {}) as { readonly fail?: number; readonly error?: number }
  return fail + error
}
