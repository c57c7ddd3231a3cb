// node scripts/run-ts.mjs tools/generate-crds.ts FOLDER
// Packs the CustomResourceDefinitions that the product serves. FOLDER holds one folder a project with one JSON manifest a
// file; the output is data/crds/<project>.br: a JSON list without descriptions, examples and status. It is committed.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, constants } from 'node:zlib'
import { packedProjects } from '../src/kube/schema/packed-crds.ts'

declare const IDP_ROOT: string

const [source] = process.argv.slice(2)
if (!source) throw new Error('usage: generate-crds.ts FOLDER')

type Node = Readonly<Record<string, unknown>>
const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null && !Array.isArray(value)
const mapValues = (node: Node, change: (value: unknown) => unknown): Node =>
  Object.fromEntries(Object.entries(node).map(([key, value]) => [key, change(value)]))

const prose = new Set(['description', 'title', 'example', 'externalDocs'])
const below = new Set(['items', 'additionalProperties', 'not'])
const lists = new Set(['allOf', 'anyOf', 'oneOf'])

/** A schema without prose. A property may well be called `description`, so names and keywords are told apart. */
function bare(schema: unknown): unknown {
  if (!isNode(schema)) return schema
  const kept = Object.entries(schema)
    .filter(([keyword, value]) => !(prose.has(keyword) && !isNode(value)) || keyword === 'default')
    .map(([keyword, value]) => {
      if (keyword === 'properties' && isNode(value)) return [keyword, mapValues(value, bare)]
      if (below.has(keyword)) return [keyword, bare(value)]
      if (lists.has(keyword) && Array.isArray(value)) return [keyword, value.map(bare)]
      return [keyword, value]
    })
  return Object.fromEntries(kept) as unknown
}

function bareVersion(version: unknown): unknown {
  if (!isNode(version)) return version
  const schema = isNode(version['schema']) ? version['schema']['openAPIV3Schema'] : undefined
  const columns = version['additionalPrinterColumns']
  return {
    ...version,
    ...(schema === undefined ? {} : { schema: { openAPIV3Schema: bare(schema) } }),
    ...(Array.isArray(columns)
      ? { additionalPrinterColumns: columns.map((column: Node) => ({ ...column, description: undefined })) }
      : {}),
  }
}

/** Groups of the Kubernetes project itself, whose definitions must say where they were approved. */
const APPROVED = 'api-approved.kubernetes.io'
const isProtected = (group: string): boolean => /(^|\.)(k8s|kubernetes)\.io$/.test(group)

function bareCrd(path: string): Node {
  const crd = JSON.parse(readFileSync(path, 'utf8')) as Node
  const metadata = crd['metadata'] as Node
  const spec = crd['spec'] as Node
  const known = isNode(metadata['annotations']) ? metadata['annotations'] : {}
  const approval = isProtected(String(spec['group']))
    ? { [APPROVED]: known[APPROVED] ?? 'https://github.com/kubernetes-sigs/gateway-api' }
    : {}
  const all = { ...known, ...approval }
  const annotations = Object.keys(all).length > 0 ? { annotations: all } : {}
  const labels = isNode(metadata['labels']) ? { labels: metadata['labels'] } : {}
  return {
    apiVersion: crd['apiVersion'],
    kind: crd['kind'],
    metadata: { name: metadata['name'], ...annotations, ...labels },
    spec: { ...spec, versions: (spec['versions'] as readonly unknown[]).map(bareVersion) },
  }
}

const folder = join(IDP_ROOT, 'data', 'crds')
rmSync(folder, { recursive: true, force: true })
mkdirSync(folder, { recursive: true })
let total = 0
for (const project of readdirSync(source).toSorted()) {
  if (!packedProjects.some((known) => known === project)) throw new Error(`${project} is not in packedProjects`)
  const names = readdirSync(join(source, project)).filter((name) => name.endsWith('.json'))
  const text = JSON.stringify(names.toSorted().map((name) => bareCrd(join(source, project, name))))
  const packed = brotliCompressSync(text, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: 11,
      [constants.BROTLI_PARAM_LGWIN]: 24,
      [constants.BROTLI_PARAM_SIZE_HINT]: text.length,
    },
  })
  total += packed.length
  writeFileSync(join(folder, `${project}.br`), packed)
  console.log(`${project}: ${names.length} definitions, ${text.length} -> ${packed.length}`)
}
console.log(`total ${total} bytes`)
