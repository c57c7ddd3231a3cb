import type { Json } from '../../lib/json.ts'
import type { Schema } from './schema.ts'
import { JSON_SCHEMA_PROPS, schemaUnions, wellKnown } from './well-known.ts'

/*
 * The notation of packed definitions (data/builtin/*, written by tools/generate-builtin.ts). One line a thing:
 *
 *   @io.k8s.api.apps.v1                      the package of the definitions that follow
 *   DeploymentStrategy map=atomic            a definition: an object, with flags of its own
 *    rollingUpdate RollingUpdateDeployment   a field (one space), of a type in the same package
 *    ports! []io.k8s.api.core.v1.ServicePort list=map keys=port,protocol     required; a list of a type elsewhere
 *
 * Types: string bytes boolean int32 int64 double, `[]T` a list, `{}T` an object with any names, or a definition.
 * Flags: list, keys, map (x-kubernetes-list-type, -list-map-keys, -map-type), patch, merge (patch strategy and merge key), default.
 */

/** A schema while it is being built. */
type Draft = { -readonly [K in keyof Schema]: Schema[K] }

/** Where a definition's lines are. */
interface Place {
  readonly within: string
  readonly lines: readonly string[]
  readonly from: number
}

/** Turns definitions in the packed notation into schema nodes, each when it is first asked for. */
export interface Definitions {
  /** The node of a definition by its full name, such as `io.k8s.api.core.v1.Pod`. */
  node(name: string): Schema | undefined
  /** Every definition of a pack, by its full name. */
  names(pack: string): readonly string[]
}

const scalars: ReadonlyMap<string, Schema> = new Map<string, Schema>([
  ['string', { type: 'string' }],
  ['bytes', { type: 'string', format: 'byte' }],
  ['boolean', { type: 'boolean' }],
  ['int32', { type: 'integer', format: 'int32' }],
  ['int64', { type: 'integer', format: 'int64' }],
  ['double', { type: 'number', format: 'double' }],
])

/** The pack that holds a definition. */
export function packOf(definition: string): string {
  if (definition.startsWith('io.k8s.api.')) return definition.split('.')[3] ?? ''
  if (definition.startsWith('io.k8s.apiextensions-apiserver.')) return 'apiextensions'
  if (definition.startsWith('io.k8s.kube-aggregator.')) return 'apiregistration'
  return 'apimachinery'
}

/** Definitions from packs, which are read when one of their definitions is needed. */
export function packedDefinitions(readPack: (pack: string) => string): Definitions {
  const packs = new Map<string, ReadonlyMap<string, Place>>()
  const nodes = new Map<string, Schema>()
  /** Copies of named nodes with flags of their own wait until the node that they copy is complete. */
  const waiting: (() => void)[] = []
  let depth = 0

  function packAt(pack: string): ReadonlyMap<string, Place> {
    const known = packs.get(pack)
    if (known) return known
    const places = placesOf(readPack(pack))
    packs.set(pack, places)
    return places
  }

  function build(name: string): Schema | undefined {
    const known = nodes.get(name)
    if (known) return known
    const special = wellKnown.get(name)
    if (special) return buildSpecial(name, special)
    const place = packAt(packOf(name)).get(name)
    if (!place) return undefined
    const properties = new Map<string, Schema>()
    const draft: Draft = { type: 'object', definition: name, properties }
    nodes.set(name, draft)
    depth++
    fill(draft, properties, place)
    depth--
    if (depth === 0) while (waiting.length > 0) waiting.pop()?.()
    return draft
  }

  /** A schema may stand where a flag or a list of schemas may: those are typed as well. */
  function buildSpecial(name: string, special: Schema): Schema {
    const draft: Draft = { ...special }
    nodes.set(name, draft)
    const alternative = schemaUnions.get(name)
    const props = alternative && build(JSON_SCHEMA_PROPS)
    if (props) draft.anyOf = [props, alternative]
    return draft
  }

  function fill(draft: Draft, properties: Map<string, Schema>, { within, lines, from }: Place): void {
    const required: string[] = []
    addFlags(draft, (lines[from] ?? '').split(' ').slice(1))
    for (let at = from + 1; lines[at]?.startsWith(' '); at++) {
      const [, mark = '', type = '', ...flags] = (lines[at] ?? '').split(' ')
      const field = mark.endsWith('!') ? mark.slice(0, -1) : mark
      if (mark.endsWith('!')) required.push(field)
      const plain = typeNode(type, within)
      if (flags.length === 0) {
        properties.set(field, plain)
        continue
      }
      const own: Draft = { ...plain }
      properties.set(field, own)
      waiting.push(() => addFlags(Object.assign(own, plain), flags))
    }
    if (required.length > 0) draft.required = required
  }

  function typeNode(text: string, within: string): Schema {
    if (text.startsWith('[]')) return { type: 'array', items: typeNode(text.slice(2), within) }
    if (text.startsWith('{}')) return { type: 'object', additionalProperties: typeNode(text.slice(2), within) }
    const scalar = scalars.get(text)
    if (scalar) return scalar
    const node = build(text.includes('.') ? text : `${within}.${text}`)
    if (!node) throw new Error(`the packed definitions name ${text}, which they do not hold`)
    return node
  }

  return { node: build, names: (pack) => [...packAt(pack).keys()] }
}

function placesOf(text: string): ReadonlyMap<string, Place> {
  const lines = text.split('\n')
  const places = new Map<string, Place>()
  let within = ''
  for (const [from, line] of lines.entries()) {
    if (line === '' || line.startsWith(' ')) continue
    if (line.startsWith('@')) within = line.slice(1)
    else places.set(`${within}.${line.split(' ', 1)[0] ?? ''}`, { within, lines, from })
  }
  return places
}

function addFlags(draft: Draft, flags: readonly string[]): void {
  for (const flag of flags) {
    const equals = flag.indexOf('=')
    const value = flag.slice(equals + 1)
    switch (flag.slice(0, equals)) {
      case 'list':
        draft.listType = value as 'atomic' | 'set' | 'map' // the generator writes no other
        break
      case 'keys':
        draft.listMapKeys = value.split(',')
        break
      case 'map':
        draft.mapType = value as 'atomic' | 'granular' // the generator writes no other
        break
      case 'patch':
        draft.patchStrategy = value.split(',') as ('merge' | 'replace' | 'retainKeys')[] // the generator writes no other
        break
      case 'merge':
        draft.patchMergeKey = value
        break
      case 'default':
        draft.default = JSON.parse(value) as Json
        break
      default:
        throw new Error(`the packed definitions use the unknown flag ${flag}`)
    }
  }
}
