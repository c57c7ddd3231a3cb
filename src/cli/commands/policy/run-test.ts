import { existsSync } from 'node:fs'
import type { Json } from '../../../lib/json.ts'
import { systemIds } from '../../../lib/ids.ts'
import { systemClock } from '../../../lib/clock.ts'
import { compileJmesPath } from '../../../lang/jmespath/jmespath.ts'
import { parseApiVersion } from '../../../kube/gvk.ts'
import type { KubeObject } from '../../../kube/object.ts'
import { type Fields, fieldsOf, listOf, textOf, textsOf } from '../../../policy/classic/read.ts'
import type { Judged } from '../../../policy/offline/judge-resource.ts'
import type { MockedCall, MockedImage } from '../../../policy/offline/offline-world.ts'
import { OfflineRun } from '../../../policy/offline/offline-run.ts'
import { operationOf, userOf, type Values } from '../../../policy/offline/values.ts'
import { type Kinds, kindsWith } from './kinds.ts'
import { loadDocuments, loadObjects, objectsIn } from './load-objects.ts'
import { compilePolicies } from './load-policies.ts'
import { pathsOf, type PolicyTest } from './test-file.ts'

/** What came out of a test's policies, by object: `apiVersion,kind,namespace,name`. */
export interface TestRun {
  readonly triggers: ReadonlyMap<string, readonly Judged[]>
  readonly byOperation: ReadonlyMap<string, ReadonlyMap<string, readonly Judged[]>>
  /** For each target object, what changed it. */
  readonly targets: ReadonlyMap<string, readonly Judged[]>
  readonly refused: ReadonlyMap<string, string>
  /** Every object that an expectation can name. */
  readonly known: readonly string[]
  readonly kinds: Kinds
}

/** How a test names an object. */
export const keyOf = ({ apiVersion, kind, metadata }: KubeObject): string =>
  [apiVersion, kind, metadata.namespace ?? '', metadata.name ?? ''].join(',')

/** Runs the policies of a test over its objects. */
export function runTest(test: PolicyTest): TestRun {
  const { source } = test
  const cluster = clusterOf(test)
  const kinds = kindsWith(cluster.definitions)
  const load = (value: unknown): readonly KubeObject[] => loadObjects(pathsOf(test, value), kinds.isNamespaced)
  const loaded = compilePolicies(load(source['policies']))
  const resources = unique(load(source['resources']))
  const targets = load(source['targetResources'])
  const sources = test.expectations.flatMap(({ cloneSource }) => (cloneSource === '' ? [] : load(cloneSource)))
  const context = contextOf(test, kinds)
  const run = new OfflineRun({
    policies: loaded.policies,
    bindings: loaded.bindings,
    exceptions: [...load(source['exceptions']), ...loaded.exceptions],
    objects: [
      ...resources,
      ...targets,
      ...load(source['paramResources']),
      ...sources,
      ...cluster.objects,
      ...context.objects,
    ],
    values: valuesOf(test),
    user: userOf(
      source['userinfo'] ? fieldsOf(loadDocuments(pathsOf(test, source['userinfo'])[0] ?? '')[0]) : undefined,
    ),
    calls: callsOf(source),
    globals: globalsOf(test),
    images: context.images,
    isCluster: cluster.isGiven,
    pluralOf: kinds.pluralOf,
    schemaOf: kinds.schemaOf,
    now: () => systemClock.now(),
    ids: systemIds,
  })
  const triggers = new Map(resources.map((object) => [keyOf(object), run.judge({ object })]))
  for (const [name, payload] of payloadsOf(test)) triggers.set(name, run.judge({ payload }))
  for (const [name, payload] of proxyRequests(test, 'envoyPayloads'))
    triggers.set(name, run.judge({ payload, payloadKind: 'envoy' }))
  for (const [name, payload] of proxyRequests(test, 'httpPayloads'))
    triggers.set(name, run.judge({ payload, payloadKind: 'http' }))
  const byOperation = new Map<string, ReadonlyMap<string, readonly Judged[]>>()
  for (const { operation: wanted } of test.expectations) {
    const operation = operationOf(wanted)
    if (!operation || byOperation.has(operation)) continue
    byOperation.set(operation, new Map(resources.map((object) => [keyOf(object), run.judge({ object, operation })])))
  }
  const all = [...triggers.values(), ...[...byOperation.values()].flatMap((judged) => [...judged.values()])].flat()
  return {
    triggers,
    byOperation,
    targets: changedTargets(targets, all),
    refused: loaded.refused,
    known: [...triggers.keys(), ...targets.map(keyOf)],
    kinds,
  }
}

function unique(objects: readonly KubeObject[]): readonly KubeObject[] {
  const seen = new Set<string>()
  return objects.filter(({ apiVersion, kind, metadata }) => {
    const key = JSON.stringify([parseApiVersion(apiVersion).group, kind, metadata.namespace, metadata.name])
    return !seen.has(key) && seen.add(key)
  })
}

function changedTargets(
  targets: readonly KubeObject[],
  judged: readonly Judged[],
): ReadonlyMap<string, readonly Judged[]> {
  const changed = new Map<string, readonly Judged[]>()
  for (const target of targets) {
    const key = keyOf(target)
    const by = judged.filter(({ rules }) =>
      rules.some(({ patchedTarget }) => patchedTarget && keyOf(patchedTarget.after) === key),
    )
    if (by.length > 0) changed.set(key, by)
  }
  return changed
}

interface Cluster {
  readonly isGiven: boolean
  readonly definitions: readonly KubeObject[]
  readonly objects: readonly KubeObject[]
}

/** `clusterResources`: definitions in files of their own, and objects. */
function clusterOf(test: PolicyTest): Cluster {
  const specs = pathsOf(test, test.source['clusterResources']).flatMap((path) =>
    loadDocuments(path).map((document) => fieldsOf(fieldsOf(document)['spec'])),
  )
  // Without its definition a kind is taken for what its name suggests.
  const files = specs.flatMap((spec) => pathsOf(test, spec['crds'])).filter((path) => existsSync(path))
  const definitions = loadObjects(files, () => false)
  const kinds = kindsWith(definitions)
  const objects = specs.flatMap((spec) =>
    listOf(spec['resources']).flatMap((item) => objectsIn(item, kinds.isNamespaced)),
  )
  return { isGiven: specs.length > 0, definitions, objects: [...definitions, ...objects] }
}

/** `context`: objects and images that CEL policies find. */
function contextOf(
  test: PolicyTest,
  kinds: Kinds,
): { readonly objects: readonly KubeObject[]; readonly images: readonly MockedImage[] } {
  const specs = pathsOf(test, test.source['context']).flatMap((path) =>
    loadDocuments(path).map((document) => fieldsOf(fieldsOf(document)['spec'])),
  )
  return {
    objects: specs.flatMap((spec) => listOf(spec['resources']).flatMap((item) => objectsIn(item, kinds.isNamespaced))),
    images: specs.flatMap((spec) =>
      listOf(spec['images']).map((item) => ({
        image: textOf(fieldsOf(item)['image']),
        data: imageData(fieldsOf(item)),
      })),
    ),
  }
}

function imageData(image: Fields): Json {
  const { config } = image
  return { ...image, ...(config === undefined ? {} : { configData: config }) } as Json // read from YAML
}

function valuesOf(test: PolicyTest): Values {
  const { values, variables } = test.source
  if (values) return { source: fieldsOf(values), set: {} }
  const [path] = pathsOf(test, variables)
  return { source: path === undefined ? {} : fieldsOf(loadDocuments(path)[0]), set: {} }
}

function callsOf(source: Fields): readonly MockedCall[] {
  return listOf(source['apiCallResponses']).map((item) => {
    const { url, urlPath, method, response } = fieldsOf(item)
    const { statusCode, body } = fieldsOf(response)
    const verb = textOf(method).trim().toUpperCase()
    return {
      ...(verb === '' ? {} : { method: verb }),
      url: textOf(url).trim() || textOf(urlPath).trim(),
      status: typeof statusCode === 'number' ? statusCode : 200,
      body: body as Json, // read from YAML
    }
  })
}

/** `globalContextEntries`: data, objects, or files of objects, narrowed down by paths. */
function globalsOf(test: PolicyTest): ReadonlyMap<string, Json> {
  return new Map(
    listOf(test.source['globalContextEntries']).map((item) => {
      const entry = fieldsOf(item)
      const files = textsOf(entry['resourceFiles'])
      const objects = files.length > 0 ? pathsOf(test, files).flatMap(loadDocuments) : entry['resources']
      const root = (entry['data'] ?? objects ?? null) as Json // read from YAML
      const path = textOf(entry['fieldPath'])
      const data = path === '' ? root : searched(path, root)
      const projections = listOf(entry['projections']).map(fieldsOf)
      if (projections.length === 0) return [textOf(entry['name']), data] as const
      const projected = projections.map(
        ({ name, path: below }) => [textOf(name), searched(textOf(below), data)] as const,
      )
      return [textOf(entry['name']), Object.fromEntries(projected)] as const
    }),
  )
}

function searched(path: string, data: Json): Json {
  const compiled = compileJmesPath(path)
  const found = compiled.ok ? compiled.value.search(data, { now: () => systemClock.now(), ids: systemIds }) : compiled
  return found.ok ? (found.value as Json) : null // of JSON data comes JSON
}

/** Requests that policies for proxies are asked about. */
const proxyRequests = (
  test: PolicyTest,
  field: 'envoyPayloads' | 'httpPayloads',
): readonly (readonly [string, Json])[] =>
  textsOf(test.source[field]).map(
    (path) => [path, (loadDocuments(pathsOf(test, path)[0] ?? '')[0] ?? null) as Json] as const,
  )

/** Documents that are judged as they are. */
function payloadsOf(test: PolicyTest): readonly (readonly [string, Json])[] {
  const { jsonPayload, jsonPayloads } = test.source
  const given =
    textsOf(jsonPayloads).length > 0 ? textsOf(jsonPayloads) : [textOf(jsonPayload)].filter((path) => path !== '')
  return given.map((path) => [path, (loadDocuments(pathsOf(test, path)[0] ?? '')[0] ?? null) as Json] as const)
}
