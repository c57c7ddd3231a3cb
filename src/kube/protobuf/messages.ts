/**
 * The field numbers of built-in kinds, unpacked from `data/protobuf` (written by tools/generate-protobuf.ts):
 *
 *     @apps/v1 apps              a package and the API group it serves
 *     DeploymentSpec             a message
 *      1 replicas int *          number, JSON name, type; * may be absent (a zero is then a value), ! is always written
 *      2 ~ VolumeSource          ~ the fields of the message stand among those of its owner
 *
 * Types: string, bool, int, double, bytes, byte; `[]T` a list, `{}T` a map by string, `()T` a list in a message of its own;
 * `Msg` of the same package or `package:Msg`; and the kinds whose JSON form is another one: Time, Quantity and so on.
 */
export interface Message {
  readonly fields: ReadonlyMap<number, Field>
}

export interface Field {
  readonly name: string
  readonly type: FieldType
  readonly isInline: boolean
  /** Whether a zero on the wire is left out, as Go's JSON form leaves it out. */
  readonly dropsZero: boolean
}

export type Special =
  | 'Time'
  | 'MicroTime'
  | 'Duration'
  | 'Quantity'
  | 'IntOrString'
  | 'Raw'
  | 'RawExtension'
  | 'SchemaOrArray'
  | 'SchemaOrBool'
  | 'SchemaOrStrings'
export type Scalar = 'string' | 'bool' | 'int' | 'double' | 'bytes' | 'byte'

export type FieldType =
  | { readonly is: 'scalar'; readonly scalar: Scalar }
  | { readonly is: 'special'; readonly special: Special }
  | { readonly is: 'message'; readonly message: string }
  | { readonly is: 'list' | 'map' | 'wrapped'; readonly of: FieldType }

const scalars: ReadonlySet<string> = new Set<Scalar>(['string', 'bool', 'int', 'double', 'bytes', 'byte'])
const specials: ReadonlySet<string> = new Set<Special>([
  'Time',
  'MicroTime',
  'Duration',
  'Quantity',
  'IntOrString',
  'Raw',
  'RawExtension',
  'SchemaOrArray',
  'SchemaOrBool',
  'SchemaOrStrings',
])

/** Messages by `package:Name`, each parsed when it is first asked for. */
export class MessageTable {
  readonly #texts = new Map<string, string>()
  readonly #packages = new Map<string, string>()
  readonly #messages = new Map<string, Message>()

  constructor(text: string) {
    let home = ''
    for (const block of text.split(/\n(?=[@A-Za-z])/)) {
      const end = block.indexOf('\n')
      const head = end < 0 ? block : block.slice(0, end)
      if (head.startsWith('@')) {
        const [name = '', group = ''] = head.slice(1).split(' ')
        home = name
        this.#packages.set(`${group}/${name.split('/').at(-1) ?? ''}`, name)
      } else this.#texts.set(`${home}:${head}`, end < 0 ? '' : block.slice(end + 1))
    }
  }

  /** The message of a kind; the options of requests are the same in every group. */
  forKind(group: string, version: string, kind: string): string | undefined {
    const home = this.#packages.get(`${group}/${version}`)
    return [`${home ?? ''}:${kind}`, `meta/v1:${kind}`].find((name) => this.#texts.has(name))
  }

  message(name: string): Message {
    const known = this.#messages.get(name)
    if (known) return known
    const text = this.#texts.get(name)
    if (text === undefined) throw new Error(`the packed table has no message ${name}`)
    const home = name.slice(0, name.indexOf(':'))
    const fields = text.split('\n').flatMap((line) => (line.trim() === '' ? [] : [readField(line, home)]))
    const message = { fields: new Map(fields) }
    this.#messages.set(name, message)
    return message
  }
}

function readField(line: string, home: string): [number, Field] {
  const [number = '', name = '', type = '', flags = ''] = line.trim().split(' ')
  return [Number(number), { name, type: readType(type, home), isInline: name === '~', dropsZero: flags === '' }]
}

function readType(text: string, home: string): FieldType {
  if (text.startsWith('[]')) return { is: 'list', of: readType(text.slice(2), home) }
  if (text.startsWith('{}')) return { is: 'map', of: readType(text.slice(2), home) }
  if (text.startsWith('()')) return { is: 'wrapped', of: readType(text.slice(2), home) }
  if (scalars.has(text)) return { is: 'scalar', scalar: text as Scalar }
  if (specials.has(text)) return { is: 'special', special: text as Special }
  return { is: 'message', message: text.includes(':') ? text : `${home}:${text}` }
}
