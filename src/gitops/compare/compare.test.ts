import { expect, test } from 'vitest'
import { readData } from '../../lib/data-file.ts'
import type { KubeObject } from '../../kube/object.ts'
import { builtinSchemas } from '../../kube/schema/builtin.ts'
import type { Application } from '../application/application.ts'
import { healthOf } from '../health/health.ts'
import { compareApplication, type ComparisonSeen } from './compare.ts'
import { createComparer } from './comparer.ts'
import { keyText } from './comparison.ts'
import { maskSecrets } from './mask.ts'
import { readResourceSettings } from './resource-settings.ts'
import { keyOf, TRACKING_ID } from './tracking.ts'

const builtin = builtinSchemas(readData)
const namespaced = new Set(['ConfigMap', 'Deployment', 'Secret', 'Job', 'Pod'])

const application = (spec: object = {}, metadata: object = {}): Application => ({
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'Application',
  metadata: { name: 'shop', namespace: 'argocd', ...metadata },
  spec: { project: 'default', destination: { namespace: 'prod' }, source: { repoURL: 'r' }, ...spec },
})

const object = (kind: string, name: string, more: object = {}, metadata: object = {}): KubeObject => ({
  apiVersion: kind === 'Deployment' ? 'apps/v1' : 'v1',
  kind,
  metadata: { name, ...metadata },
  ...more,
})

const marked = (one: KubeObject, owner: string = 'shop', namespace: string = 'prod'): KubeObject => {
  const { group, kind, name } = keyOf(one)
  return {
    ...one,
    metadata: {
      ...one.metadata,
      ...(namespaced.has(kind) ? { namespace } : {}),
      uid: `${kind}-${name}`,
      resourceVersion: '1',
      annotations: { ...one.metadata.annotations, [TRACKING_ID]: `${owner}:${group}/${kind}:${namespace}/${name}` },
    },
  }
}

interface World {
  readonly manifests?: readonly KubeObject[] | undefined
  readonly live?: readonly KubeObject[]
  readonly app?: Application
  readonly data?: Readonly<Record<string, string>>
  readonly more?: Partial<ComparisonSeen>
}

function compare({ manifests = [], live = [], app = application(), data = {}, more = {} }: World) {
  const settings = readResourceSettings(data)
  const comparer = createComparer({
    application: app,
    settings,
    builtin,
    kinds: (gvk) => {
      const schema = builtin.schemaOf(gvk)
      return schema ? { schema, isBuiltin: true } : undefined
    },
  })
  return compareApplication({
    application: app,
    instanceName: 'shop',
    manifests,
    problems: [],
    live: new Map(live.map((one) => [keyText(keyOf(one)), one])),
    settings,
    comparer,
    server: 'https://kubernetes.default.svc',
    isNamespaced: (_group, kind) => namespaced.has(kind),
    isKindPermitted: () => true,
    healthOf,
    ...more,
  })
}

const summary = (world: World) => {
  const { resources, syncStatus, healthStatus, conditions } = compare(world)
  return {
    sync: syncStatus,
    health: healthStatus,
    resources: resources.map(({ key, status }) => `${key.namespace}/${key.name} ${status ?? '-'}`),
    conditions: conditions.map(({ type }) => type),
  }
}

const config = object('ConfigMap', 'a', { data: { x: '1' } })

test('what agrees is in sync, in the namespace of the Application', () => {
  expect(summary({ manifests: [config], live: [marked(config)] })).toEqual({
    sync: 'Synced',
    health: 'Healthy',
    resources: ['prod/a Synced'],
    conditions: [],
  })
})

test('what is missing is out of sync, and an Application without anything is missing', () => {
  expect(summary({ manifests: [config] })).toMatchObject({ sync: 'OutOfSync', health: 'Missing' })
  const other = object('ConfigMap', 'b')
  expect(summary({ manifests: [config, other], live: [marked(other)] })).toMatchObject({
    sync: 'OutOfSync',
    health: 'Healthy',
  })
})

test('what Git has no more is to be pruned, unless it asks not to count', () => {
  const [extra] = compare({ live: [marked(config)] }).resources
  expect(extra).toMatchObject({ status: 'OutOfSync', requiresPruning: true })
  const silent = {
    ...config,
    metadata: { name: 'a', annotations: { 'argocd.argoproj.io/compare-options': 'IgnoreExtraneous' } },
  }
  expect(summary({ live: [marked(silent)] })).toMatchObject({ sync: 'Synced', resources: ['prod/a OutOfSync'] })
})

test('a child that carries the marks of its parent is not the Application’s', () => {
  const copied = { ...marked(config), metadata: { ...marked(config).metadata, name: 'copy' } }
  const [extra] = compare({ live: [copied] }).resources
  expect(extra).toMatchObject({ requiresPruning: false })
  expect(summary({ live: [copied] }).sync).toBe('Synced')
})

test('two Applications that want one object are told of each other', () => {
  const { conditions, syncStatus } = compare({ manifests: [config], live: [marked(config, 'team_other')] })
  expect(conditions).toEqual([
    { type: 'SharedResourceWarning', message: 'ConfigMap/a is part of applications shop and team/other' },
  ])
  expect(syncStatus).toBe('OutOfSync')
})

test('of manifests of one object the last one counts, and it is said', () => {
  const again = object('ConfigMap', 'a', { data: { x: '2' } })
  expect(summary({ manifests: [config, again], live: [marked(again)] })).toMatchObject({
    sync: 'Synced',
    conditions: ['RepeatedResourceWarning'],
  })
})

test('an object of the cluster loses a namespace that it cannot have', () => {
  const namespace = object('Namespace', 'n', {}, { namespace: 'prod' })
  expect(compare({ manifests: [namespace] }).resources[0]?.target?.metadata).not.toHaveProperty('namespace')
})

test('definitions are not marked, so they are never garbage', () => {
  const crd: KubeObject = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'widgets.example.com' },
    spec: { group: 'example.com' },
  }
  expect(compare({ manifests: [crd] }).resources[0]?.target).toBe(crd)
})

test('what cannot be read makes nothing in or out of sync, and prunes nothing', () => {
  const found = compare({ live: [marked(config)], more: { manifests: undefined, problems: ['no such branch'] } })
  expect(found.syncStatus).toBe('Unknown')
  expect(found.resources.map(({ status }) => status)).toEqual(['Unknown'])
  expect(found.conditions).toEqual([{ type: 'ComparisonError', message: 'no such branch' }])
})

test('hooks take no part in being in sync', () => {
  const hook = object('ConfigMap', 'h', {}, { annotations: { 'argocd.argoproj.io/hook': 'PreSync' } })
  expect(summary({ manifests: [hook, config], live: [marked(config)] })).toMatchObject({
    sync: 'Synced',
    health: 'Healthy',
    resources: ['prod/h -', 'prod/a Synced'],
  })
})

test('excluded kinds are left out, and it is said', () => {
  const data = { 'resource.exclusions': '- kinds: [ConfigMap]\n  apiGroups: [""]\n  clusters: ["*"]\n' }
  expect(summary({ manifests: [config], data })).toMatchObject({
    resources: [],
    conditions: ['ExcludedResourceWarning'],
  })
})

test('a kind that the project does not allow is unknown', () => {
  expect(
    summary({ manifests: [config], live: [marked(config)], more: { isKindPermitted: () => false } }).resources,
  ).toEqual(['prod/a Unknown'])
})

test('the worst object gives the Application its health, and says why', () => {
  const pod = object('Pod', 'p', {
    spec: { restartPolicy: 'Always' },
    status: { containerStatuses: [{ state: { waiting: { reason: 'ImagePullBackOff', message: 'no such image' } } }] },
  })
  const found = compare({ manifests: [config], live: [marked(config), marked(pod)] })
  expect(found.healthStatus).toBe('Degraded')
  expect(found.healthBecause).toBe('because of Pod prod/p (no such image)')
})

test('marking by label changes to marking by annotation without a difference', () => {
  const live = {
    ...marked(config),
    metadata: { name: 'a', namespace: 'prod', labels: { 'app.kubernetes.io/instance': 'shop' } },
  }
  expect(summary({ manifests: [config], live: [live] })).toMatchObject({ sync: 'Synced' })
})

test('with marks by label, names decide', () => {
  const data = { 'application.resourceTrackingMethod': 'label' }
  const live = {
    ...config,
    metadata: { name: 'a', namespace: 'prod', labels: { 'app.kubernetes.io/instance': 'shop' } },
  }
  expect(summary({ manifests: [config], live: [live], data })).toMatchObject({ sync: 'Synced', conditions: [] })
})

test('what a Namespace shall look like is compared when the Application looks after it', () => {
  const app = application({ syncPolicy: { managedNamespaceMetadata: { labels: { team: 'a' } } } })
  const namespace = (labels: object): KubeObject => marked(object('Namespace', 'prod', {}, { labels }), 'shop', 'prod')
  expect(summary({ app, live: [namespace({ team: 'a', other: 'b' })] }).sync).toBe('Synced')
  expect(summary({ app, live: [namespace({ team: 'b' })] }).sync).toBe('OutOfSync')
})

test('settings that cannot be read are reported, and the others hold', () => {
  const settings = readResourceSettings({
    'resource.exclusions': '- kinds: [',
    'application.resourceTrackingMethod': 'stars',
    'resource.customizations.ignoreDifferences.all': 'jsonPointers: [/metadata/labels]',
    'resource.customizations.colour.v1_Pod': 'x',
  })
  expect(settings.problems.map(({ at }) => at)).toEqual([
    'resource.customizations.colour.v1_Pod',
    'application.resourceTrackingMethod',
    'resource.exclusions',
  ])
  expect(settings.ignoreDifferences[0]).toMatchObject({ group: '*', kind: '*', jsonPointers: ['/metadata/labels'] })
})

test('the older form of customizations is read too', () => {
  const data = {
    'resource.customizations':
      'apps/Deployment:\n  health.lua: return {}\n  ignoreDifferences: |\n    jsonPointers: [/spec/replicas]\n',
  }
  expect(readResourceSettings(data).overrides).toMatchObject([
    {
      group: 'apps',
      kind: 'Deployment',
      healthLua: 'return {}',
      ignoreDifferences: { jsonPointers: ['/spec/replicas'] },
    },
  ])
})

test('values of Secrets are not shown, and changes are', () => {
  const secret = (data: object): KubeObject => object('Secret', 's', { data })
  const sides = maskSecrets([secret({ a: 'MQ==', b: 'Mg==' }), secret({ a: 'MQ==', b: 'Mw==' })])
  expect(JSON.stringify(sides)).not.toMatch(/M[Qgw]==/)
  const [before, after] = sides.map((side) => side['data'] as Readonly<Record<string, string>>)
  expect(before?.['a']).toBe(after?.['a'])
  expect(before?.['b']).not.toBe(after?.['b'])
})

test('a last manifest that cannot be read is not shown either', () => {
  const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': '{"data": {"a": "MQ==", ' }
  expect(JSON.stringify(maskSecrets([object('Secret', 's', {}, { annotations })]))).not.toContain('MQ==')
})
