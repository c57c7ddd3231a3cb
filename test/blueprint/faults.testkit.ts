import { testServer } from '../../src/apiserver/apiserver.testkit.ts'
import { installDefinitions } from '../../src/bootstrap/definitions.ts'
import { kindsWith } from '../../src/cli/commands/policy/kinds.ts'
import { compilePolicies } from '../../src/cli/commands/policy/load-policies.ts'
import { parseAppProject } from '../../src/gitops/project/app-project.ts'
import { checkApplication } from '../../src/gitops/project/check-application.ts'
import { isResourcePermitted } from '../../src/gitops/project/resource-rules.ts'
import { gvkOf } from '../../src/kube/gvk.ts'
import type { Client } from '../../src/kube/client.ts'
import type { KubeObject } from '../../src/kube/object.ts'
import { packedCrds, packedProjects } from '../../src/kube/schema/packed-crds.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { readData } from '../../src/lib/data-file.ts'
import { seededIds } from '../../src/lib/ids.ts'
import { OfflineRun } from '../../src/policy/offline/offline-run.ts'
import { userOf } from '../../src/policy/offline/values.ts'
import { ServedKinds } from '../../src/runtime/served-kinds.ts'
import { good, isNamespaced, type RenderedPlatform } from './platform.testkit.ts'

/** How an object is called in a fault. */
export const keyOf = ({ kind, metadata: { namespace = '', name = '' } }: KubeObject): string =>
  `${kind} ${namespace}/${name}`

/** Everything about a platform that a cluster, its projects or its policies would refuse. */
export async function faultsOf(platform: RenderedPlatform): Promise<readonly string[]> {
  const made = generatedBy(platform.objects)
  return [
    ...unlabelled(platform),
    ...projectFaults(platform),
    ...(await validityFaults(platform)),
    ...policyFaults(platform.objects, [...platform.objects, ...made]),
  ]
}

const LABELS = ['owner', 'business-unit', 'environment', 'app.kubernetes.io/part-of']

/** Objects that do not say who they belong to. What a Sensor or a policy makes says it there. */
export function unlabelled({ objects }: RenderedPlatform): readonly string[] {
  const bare = objects.filter(({ metadata: { labels = {} } }) => LABELS.some((label) => !labels[label]))
  // Workloads and Services of teams inherit their labels by policy.
  return bare.filter(({ kind }) => !['Deployment', 'Service'].includes(kind)).map(keyOf)
}

const cluster = { name: 'in-cluster', server: 'https://kubernetes.default.svc' }

/** What projects do not allow their Applications. */
export function projectFaults(platform: RenderedPlatform): readonly string[] {
  const projects = new Map(
    platform.objects
      .filter(({ kind }) => kind === 'AppProject')
      .map((object) => [object.metadata.name ?? '', parseAppProject(object)]),
  )
  return platform.applications.flatMap(({ application, name: app, project: called, objects }) => {
    const project = projects.get(called)
    if (!project) return [`${app}: there is no project ${called}`]
    const judged = { metadata: application.metadata, spec: application['spec'] as object }
    const surroundings = { cluster, controllerNamespace: 'argocd' }
    return [
      ...checkApplication(project, judged, surroundings).map(({ message }) => `${app}: ${message}`),
      ...objects.flatMap((object) => {
        const { group, kind } = gvkOf(object)
        const { name = '', namespace = '' } = object.metadata
        const wanted = { group, kind, name, namespace, isNamespaced: isNamespaced(object) }
        const verdict = isResourcePermitted(project, wanted, cluster)
        return verdict.permitted ? [] : [`${app}: ${keyOf(object)}: ${verdict.because}`]
      }),
    ]
  })
}

let server: ReturnType<typeof serverWithDefinitions> | undefined

async function serverWithDefinitions(): Promise<{ readonly client: Client; readonly served: ServedKinds }> {
  const { client } = await testServer()
  good(await installDefinitions(packedProjects, { client, clock: systemClock, readData }))
  return { client, served: new ServedKinds(client, () => systemClock.now()) }
}

/** What a cluster with the definitions of the package refuses, strictly. */
export async function validityFaults(platform: RenderedPlatform): Promise<readonly string[]> {
  const { client, served } = await (server ??= serverWithDefinitions())
  const faults: string[] = []
  const all = [...platform.objects, ...platform.applications.map(({ application }) => application)]
  for (const object of all.toSorted((a, b) => Number(b.kind === 'Namespace') - Number(a.kind === 'Namespace'))) {
    const kind = await served.find(object.apiVersion, object.kind)
    if (!kind) {
      faults.push(`${keyOf(object)}: the cluster does not serve it`)
      continue
    }
    const { namespaced, group, version, plural } = kind
    if (namespaced !== isNamespaced(object)) faults.push(`${keyOf(object)}: the tests think it lives elsewhere`)
    const resource = { group, version, plural }
    const { namespace = '' } = object.metadata
    const made = await client.create(namespaced ? { resource, namespace } : { resource }, object, {
      fieldValidation: 'Strict',
      // Only namespaces stay, so that what is in them can be tried.
      dryRun: object.kind !== 'Namespace',
    })
    if (!made.ok && made.error.reason !== 'AlreadyExists') faults.push(`${keyOf(object)}: ${made.error.message}`)
  }
  return faults
}

/** What the policies among some objects make of all of them. */
export function generatedBy(objects: readonly KubeObject[]): readonly KubeObject[] {
  const run = policiesOver(objects)
  return objects.flatMap((object) =>
    run
      .judge({ object })
      .flatMap(({ rules }) => rules.flatMap(({ generated = [] }) => generated.map(({ resource }) => resource))),
  )
}

/** What the policies among some objects say against them, if all of them refused. */
export function policyFaults(objects: readonly KubeObject[], present: readonly KubeObject[]): readonly string[] {
  const run = policiesOver(present)
  return objects.flatMap((object) =>
    run
      .judge({ object })
      .flatMap(({ policy, rules }) =>
        rules
          .filter(({ verdict }) => verdict !== 'pass' && verdict !== 'skip')
          .map(({ rule, message }) => `${keyOf(object)}: ${policy.identity.name}/${rule}: ${message}`),
      ),
  )
}

function policiesOver(objects: readonly KubeObject[]): OfflineRun {
  const enforced = objects.map((object): KubeObject => {
    if (object.kind !== 'ClusterPolicy') return object
    // Only the words are changed: what audits refuses.
    return JSON.parse(JSON.stringify(object).replaceAll('"Audit"', '"Enforce"')) as KubeObject
  })
  const loaded = compilePolicies(enforced)
  if (loaded.refused.size > 0) throw new Error(JSON.stringify([...loaded.refused]))
  if (loaded.policies.length < 10) throw new Error('there are fewer policies than the blueprint has')
  const kinds = kindsWith(packedProjects.flatMap((project) => packedCrds(readData, project)))
  return new OfflineRun({
    policies: loaded.policies,
    bindings: [],
    exceptions: [],
    objects,
    values: { source: {}, set: {} },
    user: userOf(undefined),
    calls: [],
    globals: new Map(),
    images: [],
    isCluster: true,
    pluralOf: kinds.pluralOf,
    schemaOf: kinds.schemaOf,
    now: () => 0,
    ids: seededIds(),
  })
}
