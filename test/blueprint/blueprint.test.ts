import { beforeAll, describe, expect, test } from 'vitest'
import { testServer } from '../../src/apiserver/apiserver.testkit.ts'
import { installDefinitions } from '../../src/bootstrap/definitions.ts'
import { compilePolicies } from '../../src/cli/commands/policy/load-policies.ts'
import { kindsWith } from '../../src/cli/commands/policy/kinds.ts'
import { parseAppProject } from '../../src/gitops/project/app-project.ts'
import { checkApplication } from '../../src/gitops/project/check-application.ts'
import { isResourcePermitted } from '../../src/gitops/project/resource-rules.ts'
import { gvkOf } from '../../src/kube/gvk.ts'
import type { KubeObject } from '../../src/kube/object.ts'
import { packedCrds, packedProjects } from '../../src/kube/schema/packed-crds.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { readData } from '../../src/lib/data-file.ts'
import { seededIds } from '../../src/lib/ids.ts'
import { OfflineRun } from '../../src/policy/offline/offline-run.ts'
import { userOf } from '../../src/policy/offline/values.ts'
import { ServedKinds } from '../../src/runtime/served-kinds.ts'
import { good, isNamespaced, renderPlatform, type RenderedPlatform } from './platform.testkit.ts'

let platform: RenderedPlatform
beforeAll(async () => {
  platform = await renderPlatform()
})

const keyOf = ({ kind, metadata: { namespace = '', name = '' } }: KubeObject): string => `${kind} ${namespace}/${name}`
const cluster = { name: 'in-cluster', server: 'https://kubernetes.default.svc' }

describe('the blueprint', () => {
  test('has four phases and an Application for each folder of a stack, each team and each component of a team', () => {
    const paths = [...platform.files.keys()]
    const folders = (pattern: RegExp, name: (match: RegExpExecArray) => string): readonly string[] => [
      ...new Set(
        paths.flatMap((path) => {
          const match = pattern.exec(path)
          return match ? [name(match)] : []
        }),
      ),
    ]
    expect(platform.phases.map(({ name }) => name)).toEqual([
      '1-foundation',
      '2-network-and-pki',
      '3-secrets',
      '4-gitops',
    ])
    const wanted = [
      'policies',
      ...folders(/^K8s\/([^/]+)\/([^/]+)\//, ([, stack, folder]) => `${stack}-${folder}`),
      ...folders(/^Teams\/([^/]+)\/team\.yaml$/, ([, team]) => `tenancy-${team}`),
      ...folders(/^Teams\/([^/]+)\/([^/]+)\//, ([, team, folder]) => `${team}-${folder}`),
    ]
    expect(platform.applications.map(({ name }) => name).toSorted()).toEqual(wanted.toSorted())
    expect(wanted).toEqual(
      expect.arrayContaining([
        'observability-governance',
        'cicd-governance',
        'security-governance',
        'events-governance',
        'backstage-governance',
        'tenancy-demo',
        'demo-web',
      ]),
    )
  })

  test('every stack has a namespace with its contract, limits and a quota', () => {
    for (const stack of ['observability', 'cicd', 'security', 'events', 'backstage']) {
      const { objects = [] } = platform.applications.find(({ name }) => name === `${stack}-governance`) ?? {}
      expect(objects.map(({ kind }) => kind).toSorted(), stack).toEqual(['LimitRange', 'Namespace', 'ResourceQuota'])
    }
  })

  test('every namespace says who it belongs to, and comes before what is in it', () => {
    const namespaces = platform.objects.filter(({ kind }) => kind === 'Namespace')
    expect(namespaces.length).toBeGreaterThan(10)
    for (const { metadata } of namespaces) {
      expect(metadata.labels, metadata.name).toMatchObject({
        owner: expect.stringMatching(/./),
        'business-unit': expect.stringMatching(/./),
        environment: 'demo',
        'app.kubernetes.io/part-of': expect.stringMatching(/./),
      })
    }
    const stacks = platform.applications.flatMap(({ objects }) => objects).filter(({ kind }) => kind === 'Namespace')
    for (const { metadata } of stacks) {
      expect(Number(metadata.annotations?.['argocd.argoproj.io/sync-wave']), metadata.name).toBeLessThan(0)
    }
  })

  test('everything it makes carries its labels', () => {
    const bare = platform.objects.filter(({ metadata: { labels = {} } }) =>
      ['owner', 'business-unit', 'environment', 'app.kubernetes.io/part-of'].some((label) => !labels[label]),
    )
    expect(bare.map(keyOf)).toEqual([])
  })

  test('no reference to a setting is left over, and nothing has a value that the settings give elsewhere', () => {
    expect(platform.objects.filter((object) => JSON.stringify(object).includes('${idp.')).map(keyOf)).toEqual([])
    const written = [...platform.files].filter(
      ([path, text]) => /\.(?:yaml|tpl)$/.test(path) && path !== 'idp.yaml' && /idp\.localhost|18080|18443/.test(text),
    )
    expect(written.map(([path]) => path).filter((path) => !path.includes('/tests/'))).toEqual([])
  })

  test('projects allow what their Applications deploy, and let no stack write all kinds of the cluster', () => {
    const projects = new Map(
      platform.objects
        .filter(({ kind }) => kind === 'AppProject')
        .map((object) => [object.metadata.name ?? '', parseAppProject(object)]),
    )
    const refused = platform.applications.flatMap(({ application, name, project: called, objects }) => {
      const project = projects.get(called)
      if (!project) return [`${name}: there is no project ${called}`]
      const judged = { metadata: application.metadata, spec: application['spec'] as object }
      const surroundings = { cluster, controllerNamespace: 'argocd' }
      return [
        ...checkApplication(project, judged, surroundings).map(({ message }) => `${name}: ${message}`),
        ...objects.flatMap((object) => {
          const { group, kind } = gvkOf(object)
          const { name: called = '', namespace = '' } = object.metadata
          const wanted = { group, kind, name: called, namespace, isNamespaced: isNamespaced(object) }
          const verdict = isResourcePermitted(project, wanted, cluster)
          return verdict.permitted ? [] : [`${name}: ${keyOf(object)}: ${verdict.because}`]
        }),
      ]
    })
    expect(refused).toEqual([])
    for (const [name, { clusterResourceWhitelist, destinations, sourceRepos }] of projects) {
      const text = JSON.stringify([
        clusterResourceWhitelist,
        destinations.map(({ namespace }) => namespace),
        sourceRepos,
      ])
      expect(text, name).not.toContain('"*"')
    }
  })

  test('every object is valid, strictly, for a cluster with the definitions of the package', async () => {
    const { client } = await testServer()
    good(await installDefinitions(packedProjects, { client, clock: systemClock, readData }))
    const served = new ServedKinds(client, () => systemClock.now())
    const refused: string[] = []
    const all = [...platform.objects, ...platform.applications.map(({ application }) => application)]
    for (const object of all.toSorted((a, b) => Number(b.kind === 'Namespace') - Number(a.kind === 'Namespace'))) {
      const kind = await served.find(object.apiVersion, object.kind)
      if (!kind) {
        refused.push(`${keyOf(object)}: the cluster does not serve it`)
        continue
      }
      const { namespaced, group, version, plural } = kind
      const resource = { group, version, plural }
      expect(namespaced, keyOf(object)).toBe(isNamespaced(object))
      const { namespace } = object.metadata
      const made = await client.create(namespaced ? { resource, namespace: namespace ?? '' } : { resource }, object, {
        fieldValidation: 'Strict',
      })
      if (!made.ok && made.error.reason !== 'AlreadyExists') refused.push(`${keyOf(object)}: ${made.error.message}`)
    }
    expect(refused).toEqual([])
  })

  test('nothing in it breaks its own policies, if all of them refused', () => {
    const first = policiesOver(platform.objects)
    const generated = platform.objects.flatMap((object) =>
      first.judge({ object }).flatMap(({ rules }) => rules.flatMap((rule) => rule.generated ?? [])),
    )
    const made = generated.map(({ resource }) => resource)
    expect(made.map(keyOf).toSorted()).toEqual([
      'LimitRange team-demo/containers',
      'NetworkPolicy team-demo/closed',
      'NetworkPolicy team-demo/name-lookups',
      'ResourceQuota team-demo/team',
    ])
    const { judge } = policiesOver([...platform.objects, ...made])
    const broken = platform.objects.flatMap((object) =>
      judge({ object }).flatMap(({ policy, rules }) =>
        rules
          .filter(({ verdict }) => verdict !== 'pass' && verdict !== 'skip')
          .map(({ rule, message }) => `${keyOf(object)}: ${policy.identity.name}/${rule}: ${message}`),
      ),
    )
    expect(broken).toEqual([])
  })
})

function policiesOver(objects: readonly KubeObject[]): Pick<OfflineRun, 'judge'> {
  const enforced = objects.map((object): KubeObject => {
    if (object.kind !== 'ClusterPolicy') return object
    // Only the words are changed: what audits refuses.
    return JSON.parse(JSON.stringify(object).replaceAll('"Audit"', '"Enforce"')) as KubeObject
  })
  const loaded = compilePolicies(enforced)
  expect([...loaded.refused]).toEqual([])
  expect(loaded.policies.length).toBeGreaterThanOrEqual(10)
  const kinds = kindsWith(packedProjects.flatMap((project) => packedCrds(readData, project)))
  const run = new OfflineRun({
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
  return { judge: (question) => run.judge(question) }
}

describe('a platform that differs', () => {
  test('takes its names from the settings', async () => {
    const lab = await renderPlatform({}, { name: 'lab', dnsSuffix: 'lab.example.com' })
    const hosts = lab.objects.flatMap(
      (object) => (object['spec'] as { readonly hostnames?: string[] })?.hostnames ?? [],
    )
    expect(hosts).toContain('demo.lab.example.com')
    expect(JSON.stringify(lab.objects)).not.toContain('idp.localhost')
  })

  test('has no Applications of a stack that is switched off', async () => {
    const text = platform.files.get('idp.yaml')?.replace('security: true', 'security: false') ?? ''
    const without = await renderPlatform({ 'idp.yaml': text })
    const gone = (name: string): boolean => !without.applications.some((one) => one.name === name)
    expect(
      platform.applications
        .map(({ name }) => name)
        .filter(gone)
        .toSorted(),
    ).toEqual(['security-governance', 'security-scanning'])
  })

  test('has the Applications of a stack that its settings do not name', async () => {
    const text = platform.files.get('idp.yaml')?.replace(/\nstacks:\n(?: .*\n)+/, '\n') ?? ''
    const same = await renderPlatform({ 'idp.yaml': text })
    expect(same.settings.stacks['security']).toBe(true)
    expect(same.applications).toHaveLength(platform.applications.length)
  })

  test('breaks policies where something is missing', async () => {
    const bad = await renderPlatform({
      'Teams/demo/web/account.yaml': 'apiVersion: v1\nkind: Namespace\nmetadata: { name: orphan }\n',
      'Teams/demo/web/kustomization.yaml': 'resources: [account.yaml]\n',
    })
    const orphan = bad.objects.find(({ metadata }) => metadata.name === 'orphan')
    const verdicts = policiesOver(bad.objects)
      .judge(orphan ? { object: orphan } : {})
      .flatMap(({ policy, rules }) => rules.map(({ verdict }) => `${policy.identity.name} ${verdict}`))
    expect(verdicts).toContain('namespace-labels fail')
  })
})
