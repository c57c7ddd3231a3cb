// node scripts/run-ts.mjs tools/generate-builtin.ts DEFINITIONS.json PATHS.json
// Packs the OpenAPI v2 definitions of the built-in kinds and their resources into data/builtin/*.br, which is committed.
// DEFINITIONS.json: {definitions: {name: schema}} as in Kubernetes' swagger.json. PATHS.json: {path: {method: {action, gvk}}}.
// The notation is explained where it is read: src/kube/schema/notation.ts.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, constants } from 'node:zlib'
import { categoriesOf, declaredDefaults, shortNamesOf } from './builtin-facts.ts'

declare const IDP_ROOT: string

interface Definition {
  readonly type?: string
  readonly format?: string
  readonly $ref?: string
  readonly properties?: Readonly<Record<string, Definition>>
  readonly required?: readonly string[]
  readonly items?: Definition
  readonly additionalProperties?: Definition
  readonly 'x-kubernetes-list-type'?: string
  readonly 'x-kubernetes-list-map-keys'?: readonly string[]
  readonly 'x-kubernetes-map-type'?: string
  readonly 'x-kubernetes-patch-strategy'?: string
  readonly 'x-kubernetes-patch-merge-key'?: string
  readonly 'x-kubernetes-group-version-kind'?: readonly Gvk[]
}

interface Gvk {
  readonly group: string
  readonly version: string
  readonly kind: string
}

type Paths = Readonly<Record<string, Readonly<Record<string, { readonly action: string; readonly gvk?: Gvk }>>>>

const [definitionsPath, pathsPath] = process.argv.slice(2)
if (!definitionsPath || !pathsPath) throw new Error('usage: generate-builtin.ts DEFINITIONS.json PATHS.json')
const { definitions } = JSON.parse(readFileSync(definitionsPath, 'utf8')) as {
  readonly definitions: Readonly<Record<string, Definition>>
}
const paths = JSON.parse(readFileSync(pathsPath, 'utf8')) as Paths

/** `io.k8s.api.apps.v1.Deployment` -> pack `apps`, package `io.k8s.api.apps.v1`, short name `Deployment`. */
function placeOf(name: string): { readonly pack: string; readonly within: string; readonly short: string } {
  const parts = name.split('.')
  const short = parts.at(-1) ?? name
  const within = parts.slice(0, -1).join('.')
  if (name.startsWith('io.k8s.api.')) return { pack: parts[3] ?? '', within, short }
  if (name.startsWith('io.k8s.apiextensions-apiserver.')) return { pack: 'apiextensions', within, short }
  if (name.startsWith('io.k8s.kube-aggregator.')) return { pack: 'apiregistration', within, short }
  return { pack: 'apimachinery', within, short }
}

const scalars: Readonly<Record<string, string>> = {
  'string ': 'string',
  'string byte': 'bytes',
  'boolean ': 'boolean',
  'integer int32': 'int32',
  'integer int64': 'int64',
  'number double': 'double',
  'object ': 'object',
}

function typeText(node: Definition, within: string): string {
  if (node.$ref) {
    const name = node.$ref.replace('#/definitions/', '')
    const place = placeOf(name)
    return place.within === within ? place.short : name
  }
  if (node.items) return `[]${typeText(node.items, within)}`
  if (node.additionalProperties) return `{}${typeText(node.additionalProperties, within)}`
  const text = scalars[`${node.type ?? ''} ${node.format ?? ''}`]
  if (!text) throw new Error(`cannot write the type ${JSON.stringify(node)}`)
  return text
}

function flags(node: Definition): readonly string[] {
  const keys = node['x-kubernetes-list-map-keys']
  const list = node['x-kubernetes-list-type']
  return [
    ...(list ? [`list=${list}`] : []),
    ...(keys ? [`keys=${keys.join(',')}`] : []),
    ...(node['x-kubernetes-map-type'] ? [`map=${node['x-kubernetes-map-type']}`] : []),
    ...(node['x-kubernetes-patch-strategy'] ? [`patch=${node['x-kubernetes-patch-strategy']}`] : []),
    ...(node['x-kubernetes-patch-merge-key'] ? [`merge=${node['x-kubernetes-patch-merge-key']}`] : []),
  ]
}

function definitionText(name: string, node: Definition): string {
  const { within, short } = placeOf(name)
  const required = new Set(node.required)
  const head = [short, ...flags(node)]
  const fields = Object.entries(node.properties ?? {}).map(([field, below]) => {
    const fallback = declaredDefaults[`${name}.${field}`]
    const parts = [`${field}${required.has(field) ? '!' : ''}`, typeText(below, within), ...flags(below)]
    if (fallback !== undefined) parts.push(`default=${JSON.stringify(fallback)}`)
    return ` ${parts.join(' ')}`
  })
  return [head.join(' '), ...fields].join('\n')
}

function packs(): ReadonlyMap<string, string> {
  const texts = new Map<string, string[]>()
  let previous = ''
  for (const name of Object.keys(definitions).toSorted()) {
    const { pack, within } = placeOf(name)
    const lines = texts.get(pack) ?? []
    texts.set(pack, lines)
    if (within !== previous) lines.push(`@${within}`)
    previous = within
    lines.push(definitionText(name, definitions[name] ?? {}))
  }
  return new Map([...texts].map(([pack, lines]) => [pack, `${lines.join('\n')}\n`]))
}

/** One line a kind: `group/version Kind definition`; the kinds that exist in every group (DeleteOptions) are listed once with `*`. */
function kindsText(): string {
  const lines = Object.entries(definitions).flatMap(([name, node]) => {
    const gvks = node['x-kubernetes-group-version-kind'] ?? []
    if (gvks.length > 1) return [`* ${gvks[0]?.kind} ${name}`]
    return gvks.map(({ group, version, kind }) => `${group}/${version} ${kind} ${name}`)
  })
  return lines.toSorted().join('\n')
}

const verbs: Readonly<Record<string, readonly string[]>> = {
  list: ['list'],
  watchlist: ['watch'],
  watch: ['watch'],
  get: ['get'],
  post: ['create'],
  put: ['update'],
  patch: ['patch'],
  delete: ['delete'],
  deletecollection: ['deletecollection'],
}
const connectVerbs: Readonly<Record<string, readonly string[]>> = {
  get: ['get'],
  post: ['create'],
  put: ['update'],
  patch: ['patch'],
  delete: ['delete'],
}

interface Resource {
  readonly group: string
  readonly version: string
  readonly plural: string
  readonly subresource: string
  kind: Gvk
  namespaced: boolean
  readonly verbs: Set<string>
}

const PATH =
  /^\/(?:api|apis\/([^/]+))\/([^/]+)\/(watch\/)?(namespaces\/\{namespace\}\/)?([^/{]+)(?:\/\{name\})?(?:\/([^/{]+))?(\/\{path\})?$/

function addPath(found: Map<string, Resource>, path: string, methods: Paths[string]): void {
  const match = PATH.exec(path)
  if (!match || match[7]) return
  const [, group = '', version = '', , inNamespace, plural = '', subresource = ''] = match
  const key = `${group}/${version}/${plural}/${subresource}`
  for (const [method, { action, gvk }] of Object.entries(methods)) {
    if (!gvk) continue
    const known = found.get(key) ?? {
      group,
      version,
      plural,
      subresource,
      kind: gvk,
      namespaced: false,
      verbs: new Set<string>(),
    }
    found.set(key, known)
    if (inNamespace) known.namespaced = true
    for (const verb of (action === 'connect' ? connectVerbs[method] : verbs[action]) ?? []) known.verbs.add(verb)
  }
}

/** One line a resource: `group/version plural[/subresource] Kind[@group/version] N|C verbs [shortNames] [categories]`. */
function resourcesText(): string {
  const found = new Map<string, Resource>()
  for (const [path, methods] of Object.entries(paths)) addPath(found, path, methods)
  return [...found.entries()]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { group, version, plural, subresource, kind, namespaced, verbs: allowed }]) => {
      const foreign = kind.group !== group || kind.version !== version ? `@${kind.group}/${kind.version}` : ''
      const shortNames = subresource ? [] : shortNamesOf(group, plural)
      const categories = subresource ? [] : categoriesOf(group, plural)
      return [
        `${group}/${version}`,
        subresource ? `${plural}/${subresource}` : plural,
        `${kind.kind}${foreign}`,
        namespaced ? 'N' : 'C',
        [...allowed].toSorted().join(','),
        shortNames.join(',') || '-',
        categories.join(',') || '-',
      ].join(' ')
    })
    .join('\n')
}

const folder = join(IDP_ROOT, 'data', 'builtin')
rmSync(folder, { recursive: true, force: true })
mkdirSync(folder, { recursive: true })
let total = 0
const write = (name: string, text: string): void => {
  const packed = brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } })
  total += packed.length
  writeFileSync(join(folder, `${name}.br`), packed)
  console.log(`${name}: ${text.length} -> ${packed.length}`)
}
for (const [pack, text] of packs()) write(pack, text)
write('index', `${kindsText()}\n\n${resourcesText()}\n`)
console.log(`total ${total} bytes`)
