import { beforeAll, describe, expect, test } from 'vitest'
import { parseAppProject } from '../../src/gitops/project/app-project.ts'
import { generatedBy, keyOf, policyFaults, projectFaults, unlabelled, validityFaults } from './faults.testkit.ts'
import { renderPlatform, type RenderedPlatform } from './platform.testkit.ts'

let platform: RenderedPlatform
beforeAll(async () => {
  platform = await renderPlatform()
})

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
    expect(unlabelled(platform)).toEqual([])
  })

  test('no reference to a setting is left over, and nothing has a value that the settings give elsewhere', () => {
    expect(platform.objects.filter((object) => JSON.stringify(object).includes('${idp.')).map(keyOf)).toEqual([])
    const written = [...platform.files].filter(
      ([path, text]) => /\.(?:yaml|tpl)$/.test(path) && path !== 'idp.yaml' && /idp\.localhost|18080|18443/.test(text),
    )
    expect(written.map(([path]) => path).filter((path) => !path.includes('/tests/'))).toEqual([])
  })

  test('projects allow what their Applications deploy, and let no stack write all kinds of the cluster', () => {
    expect(projectFaults(platform)).toEqual([])
    for (const object of platform.objects.filter(({ kind }) => kind === 'AppProject')) {
      const { clusterResourceWhitelist, destinations, sourceRepos } = parseAppProject(object)
      const places = destinations.map(({ namespace }) => namespace)
      expect(JSON.stringify([clusterResourceWhitelist, places, sourceRepos]), keyOf(object)).not.toContain('"*"')
    }
  })

  test('every object is valid, strictly, for a cluster with the definitions of the package', async () => {
    expect(await validityFaults(platform)).toEqual([])
  })

  test('nothing in it breaks its own policies, if all of them refused', () => {
    const made = generatedBy(platform.objects)
    expect(made.map(keyOf).toSorted()).toEqual([
      'LimitRange team-demo/containers',
      'NetworkPolicy team-demo/closed',
      'NetworkPolicy team-demo/name-lookups',
      'ResourceQuota team-demo/team',
    ])
    expect(policyFaults(platform.objects, [...platform.objects, ...made])).toEqual([])
  })
})

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
    const orphan = bad.objects.filter(({ metadata }) => metadata.name === 'orphan')
    expect(policyFaults(orphan, bad.objects)).toEqual([
      expect.stringMatching(/^Namespace \/orphan: namespace-labels\/contract: .*has to say who it belongs to/),
    ])
  })
})
