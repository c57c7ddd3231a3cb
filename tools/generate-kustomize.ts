// node scripts/run-ts.mjs tools/generate-kustomize.ts BUNDLE.json
// From kustomize's own OpenAPI bundle (unpacked: {definitions, resources}) keeps what strategic merges and scopes need:
// the fields that merge by key, the fields that lead to them, and whether a kind is namespaced. Writes
// data/kustomize/merge-table.br, which is committed. The form is explained where it is read: src/render/kustomize/merge/table.ts.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, constants } from 'node:zlib'

declare const IDP_ROOT: string

interface Node {
  readonly type?: string
  readonly $ref?: string
  readonly items?: Node
  readonly additionalProperties?: Node
  readonly properties?: Readonly<Record<string, Node>>
  readonly 'x-kubernetes-patch-strategy'?: string
  readonly 'x-kubernetes-patch-merge-key'?: string
  readonly 'x-kubernetes-list-map-keys'?: readonly string[]
}

interface Bundle {
  readonly definitions: Readonly<Record<string, Node>>
  readonly resources: readonly {
    readonly apiVersion: string
    readonly kind: string
    readonly definition?: string
    readonly scope?: string
  }[]
}

const [path] = process.argv.slice(2)
if (!path) throw new Error('usage: generate-kustomize.ts BUNDLE.json')
const { definitions, resources } = JSON.parse(readFileSync(path, 'utf8')) as Bundle

const refOf = (node: Node): string | undefined => node.$ref?.replace('#/definitions/', '')

/** Definitions from which a field that merges can be reached. */
function reaching(): ReadonlySet<string> {
  const found = new Set<string>()
  const leads = (node: Node): boolean => {
    if (node['x-kubernetes-patch-strategy']?.split(',').includes('merge')) return true
    const ref = refOf(node)
    if (ref !== undefined) return found.has(ref)
    return [node.items, node.additionalProperties].some((below) => below !== undefined && leads(below))
  }
  for (let before = -1; before !== found.size;) {
    before = found.size
    for (const [name, node] of Object.entries(definitions)) {
      if (Object.values(node.properties ?? {}).some(leads)) found.add(name)
    }
  }
  return found
}

const kept = reaching()
const numbers = new Map([...kept].map((name, index) => [name, index]))

/** `5` a definition, `[5` a list of it, `{5` a map to it, `[` a list of scalars; merge keys follow `+` where a list merges. */
function typeText(node: Node): string | undefined {
  const ref = refOf(node)
  if (ref !== undefined) return kept.has(ref) ? String(numbers.get(ref)) : undefined
  if (node.items) {
    const below = typeText(node.items) ?? ''
    const merges = node['x-kubernetes-patch-strategy']?.split(',').includes('merge') === true
    const keys =
      node['x-kubernetes-list-map-keys'] ?? [node['x-kubernetes-patch-merge-key'] ?? ''].filter((key) => key !== '')
    if (!merges) return below === '' ? undefined : `[${below}`
    return `[${below}+${keys.join('+')}`
  }
  const below = node.additionalProperties && typeText(node.additionalProperties)
  return below === undefined ? undefined : `{${below}`
}

const lines = [...kept].map((name) =>
  Object.entries(definitions[name]?.properties ?? {})
    .flatMap(([field, node]) => {
      const text = typeText(node)
      return text === undefined ? [] : [`${field}:${text}`]
    })
    .join(' '),
)
const kinds = resources.flatMap(({ apiVersion, kind, definition, scope }) => {
  const number = definition === undefined ? undefined : numbers.get(definition)
  if (number === undefined && scope === undefined) return []
  return [`${apiVersion} ${kind} ${scope?.slice(0, 1) ?? '-'}${number ?? ''}`]
})
const text = `${lines.join('\n')}\n=\n${kinds.join('\n')}\n`
const folder = join(IDP_ROOT, 'data', 'kustomize')
mkdirSync(folder, { recursive: true })
const packed = brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } })
writeFileSync(join(folder, 'merge-table.br'), packed)
console.log(`${lines.length} definitions, ${kinds.length} kinds, ${text.length} bytes of text, ${packed.length} packed`)
