import { isObject, own } from '../../lib/json.ts'
import { parseYaml } from '../../lib/yaml.ts'
import { refuse } from './refusal.ts'
import type { Manifest } from './resource.ts'

const DEEPEST_LIST = 20

const SEPARATOR = /\n---([^\n]*)\n/g

/** The documents of a stream, cut at every line that begins with `---` as kustomize's reader does. */
function split(text: string): readonly string[] {
  const parts: string[] = []
  let begin = 0
  for (const found of text.matchAll(SEPARATOR)) {
    const rest = (found[1] ?? '').trim()
    if (rest !== '' && !rest.startsWith('#')) refuse(`invalid document separator: ---${found[1]}`)
    if (found.index < begin - 1) continue
    parts.push(`${text.slice(begin, found.index)}\n`)
    begin = found.index + found[0].length
  }
  parts.push(text.slice(begin))
  return parts
}

function readDocument(text: string): unknown {
  const read = parseYaml(text, { dialect: 'kyaml', exactIntegers: true })
  if (read.ok) return read.value
  const [problem] = read.error
  return refuse(`MalformedYAMLError: yaml: ${problem?.message ?? 'cannot be read'}`, true)
}

/** The manifests of a file: several documents, and lists with their items in place of them. */
export function readManifests(text: string): readonly Manifest[] {
  const parts = split(text.replaceAll('\r\n', '\n'))
  const found: Manifest[] = []
  for (const part of parts) {
    const value = readDocument(part)
    if (value === null || value === undefined) continue
    if (!isObject(value)) {
      // An empty list says nothing; anything else was meant to be something.
      refuse('wrong node kind: expected MappingNode: node contents is not a resource')
    }
    const items = own(value, 'items')
    const isWrapper = own(value, 'kind') === 'List' || own(value, 'kind') === 'ResourceList'
    if (parts.length === 1 && isWrapper && (items !== undefined || Object.hasOwn(value, 'functionConfig'))) {
      found.push(...(Array.isArray(items) ? items : []).filter(isObject))
    } else found.push(value)
  }
  return withoutLists(checked(found))
}

const shown = (value: Manifest): string =>
  JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? String(part) : part)).slice(0, 500)

/** Leaves empty ones out and refuses what cannot be a resource. */
function checked(values: readonly Manifest[]): readonly Manifest[] {
  const kept: Manifest[] = []
  for (const value of values) {
    if (Object.keys(value).length === 0) continue
    const kind = own(value, 'kind')
    if (typeof kind !== 'string' || kind === '') refuse(`missing kind in object ${shown(value)}`)
    const metadata = own(value, 'metadata')
    if (metadata !== undefined && metadata !== null && !isObject(metadata)) {
      refuse(`expected metadata to be a map in object ${shown(value)}`)
    }
    const name = isObject(metadata) ? own(metadata, 'name') : undefined
    if (!kind.endsWith('List') && (name === undefined || name === null || name === '')) {
      refuse(`missing metadata.name in object ${shown(value)}`)
    }
    kept.push(value)
  }
  return kept
}

function withoutLists(values: readonly Manifest[], depth: number = 0): readonly Manifest[] {
  if (depth > DEEPEST_LIST) refuse(`lists of lists are nested deeper than ${DEEPEST_LIST} levels`)
  const plain: Manifest[] = []
  const inner: Manifest[] = []
  for (const value of values) {
    const kind = own(value, 'kind')
    const items = own(value, 'items')
    if (typeof kind !== 'string' || !kind.endsWith('List') || !Object.hasOwn(value, 'items')) plain.push(value)
    else if (Array.isArray(items)) inner.push(...checked(items.filter(isObject)))
    else if (items !== null) refuse(`expected array in ${kind}/items, but found ${typeof items}`)
  }
  // Items come behind all that stands in the file itself.
  return inner.length === 0 ? plain : [...plain, ...withoutLists(inner, depth + 1)]
}
