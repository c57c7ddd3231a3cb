import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { testServer, valueOf, type TestServer } from '../../apiserver/apiserver.testkit.ts'
import { readData } from '../../lib/data-file.ts'
import { parseYamlDocuments } from '../../lib/yaml.ts'
import type { Target } from '../../kube/client.ts'
import { gvkOf } from '../../kube/gvk.ts'
import type { KubeObject } from '../../kube/object.ts'
import { lastAppliedAnnotation } from '../../kube/patch/last-applied.ts'
import { builtinSchemas } from '../../kube/schema/builtin.ts'
import { compileIgnoreRules } from './ignore.ts'
import { differingPaths } from './differing-paths.ts'
import { type DiffOptions, diffObjects } from './diff.ts'
import { FIELD_MANAGER } from './structured.ts'
import { usualTracking, withTracking } from './tracking.ts'

const builtin = builtinSchemas(readData)
const read = parseYamlDocuments(readFileSync(join(import.meta.dirname, 'testdata', 'kinds.yaml'), 'utf8'))
if (!read.ok) throw new Error(JSON.stringify(read.error))
const manifests = read.value.flatMap(({ value }) => (value === null ? [] : [value as KubeObject]))
const named = (object: KubeObject): string => `${object.apiVersion} ${object.kind} ${object.metadata.name ?? ''}`

const rules = compileIgnoreRules([{ group: '*', kind: '*', jsonPointers: ['/status'] }])
const options: DiffOptions = {
  kinds: (gvk) => {
    const schema = builtin.schemaOf(gvk)
    return schema ? { schema, isBuiltin: true } : undefined
  },
  tracking: usualTracking,
  ignored: (object) => rules.for(object),
  knownTypes: [],
  isServerSide: false,
  includesMutations: false,
}

let world: TestServer
beforeAll(async () => {
  world = await testServer()
})

/** Where a manifest belongs, and the manifest with its marks. */
function placed(manifest: KubeObject): { readonly where: Target; readonly target: KubeObject } {
  const gvk = gvkOf(manifest)
  const resource = builtin
    .resources()
    .find((one) => !one.subresource && one.group === gvk.group && one.version === gvk.version && one.kind === gvk.kind)
  if (!resource) throw new Error(`no such kind: ${named(manifest)}`)
  const namespace = resource.namespaced ? { namespace: 'default' } : {}
  const object = { ...manifest, metadata: { ...manifest.metadata, ...namespace } }
  return {
    where: { resource, ...namespace, name: manifest.metadata.name ?? '' },
    target: withTracking(object, 'shop', 'default', usualTracking),
  }
}

function differences(target: KubeObject, live: KubeObject, isServerSide: boolean): readonly string[] {
  const found = diffObjects(target, live, { ...options, isServerSide })
  if (!found.modified) return found.problems.map(({ message }) => message)
  return differingPaths(found.normalizedLive, found.predictedLive)
}

const withLast = (target: KubeObject): KubeObject => ({
  ...target,
  metadata: {
    ...target.metadata,
    annotations: { ...target.metadata.annotations, [lastAppliedAnnotation]: JSON.stringify(target) },
  },
})

test.each(manifests.map((manifest) => [named(manifest), manifest] as const))(
  'what was applied does not differ: %s',
  async (_name, manifest) => {
    const { where, target } = placed(manifest)
    const live = valueOf(await world.client.create(where, withLast(target)))
    expect(differences(target, live, false)).toEqual([])
    const changed = { ...target, metadata: { ...target.metadata, labels: { ...target.metadata.labels, added: 'x' } } }
    expect(differences(changed, live, false)).not.toEqual([])
  },
)

test.each(manifests.map((manifest) => [named(manifest), manifest] as const))(
  'what the server applied does not differ: %s',
  async (_name, manifest) => {
    const { where, target: given } = placed(manifest)
    const target = {
      ...given,
      metadata: {
        ...given.metadata,
        name: `${given.metadata.name ?? ''}${manifest.kind === 'CustomResourceDefinition' || manifest.kind === 'APIService' ? '' : '2'}`,
      },
    }
    const body = { type: 'apply', body: target } as const
    const applied = { fieldManager: FIELD_MANAGER, force: true }
    const live = valueOf(await world.client.patch({ ...where, name: target.metadata.name }, body, applied))
    expect(differences(target, live, true)).toEqual([])
    expect(differences(target, live, false)).toEqual([])
  },
)
