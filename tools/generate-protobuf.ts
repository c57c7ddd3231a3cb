// node scripts/run-ts.mjs tools/generate-protobuf.ts API_DIR APIMACHINERY_DIR APIEXTENSIONS_DIR
// Reads the struct tags of Kubernetes' Go types (checkouts of k8s.io/api, k8s.io/apimachinery, k8s.io/apiextensions-apiserver)
// and packs the field numbers of their protobuf form into data/protobuf.br, which is committed.
// The notation is explained where it is read: src/kube/protobuf/messages.ts.
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { brotliCompressSync, constants } from 'node:zlib'

declare const IDP_ROOT: string

const roots = process.argv.slice(2)
if (roots.length === 0) throw new Error('usage: generate-protobuf.ts DIR ...')

interface GoPackage {
  /** `apps/v1`, `core/v1`, `meta/v1`, `apiextensions/v1`: the last two folders. */
  readonly name: string
  readonly group: string | undefined
  readonly structs: Map<string, Declared>
  readonly aliases: Map<string, Declared>
}

/** The text of a declaration, with what its file imports: alias to the last two folders of the path. */
interface Declared {
  readonly text: string
  readonly imports: ReadonlyMap<string, string>
}

const packages = new Map<string, GoPackage>()

function foldersBelow(folder: string): readonly string[] {
  const below = readdirSync(folder)
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isDirectory())
  return [folder, ...below.flatMap(foldersBelow)]
}

function importsOf(text: string): ReadonlyMap<string, string> {
  const found = text.matchAll(/^\s*(?:import )?(?:(\w+) )?"(k8s\.io\/[^"]+)"$/gm)
  return new Map(
    [...found].map(([, alias, path = '']) => [
      alias ?? path.split('/').at(-1) ?? '',
      path.split('/').slice(-2).join('/'),
    ]),
  )
}

function readPackage(folder: string): void {
  const files = readdirSync(folder).filter(
    (name) => name.endsWith('.go') && !/_test\.go$|^zz_|generated\.pb/.test(name),
  )
  const texts = files.map((name) => readFileSync(join(folder, name), 'utf8'))
  if (!texts.some((text) => text.includes('protobuf:"'))) return
  const name = folder.split('/').slice(-2).join('/')
  const structs = new Map<string, Declared>()
  const aliases = new Map<string, Declared>()
  for (const text of texts) {
    const imports = importsOf(text)
    for (const [, type = '', body = ''] of text.matchAll(/^type (\w+) struct(?: \{\n([\s\S]*?)^\}| ?\{\})$/gm))
      structs.set(type, { text: body, imports })
    for (const [, type = '', target = ''] of text.matchAll(/^type (\w+) =? ?(\S+)$/gm))
      aliases.set(type, { text: target, imports })
  }
  const group = texts.map((text) => /GroupName\s*=\s*"([^"]*)"/.exec(text)?.[1]).find((found) => found !== undefined)
  packages.set(name, { name, group, structs, aliases })
}

for (const root of roots) for (const folder of foldersBelow(root)) readPackage(folder)

/** Types whose JSON form is not the message's: the reader knows them by these names. */
const special: Readonly<Record<string, string>> = {
  'meta/v1.Time': 'Time',
  'meta/v1.MicroTime': 'MicroTime',
  'meta/v1.Duration': 'Duration',
  'meta/v1.FieldsV1': 'Raw',
  'api/resource.Quantity': 'Quantity',
  'util/intstr.IntOrString': 'IntOrString',
  'pkg/runtime.RawExtension': 'RawExtension',
  'apiextensions/v1.JSON': 'Raw',
  'apiextensions/v1.JSONSchemaPropsOrArray': 'SchemaOrArray',
  'apiextensions/v1.JSONSchemaPropsOrBool': 'SchemaOrBool',
  'apiextensions/v1.JSONSchemaPropsOrStringArray': 'SchemaOrStrings',
}

const scalars: Readonly<Record<string, string>> = {
  string: 'string',
  bool: 'bool',
  int32: 'int',
  int64: 'int',
  uint32: 'int',
  byte: 'byte',
  float64: 'double',
  'types.UID': 'string',
  'types.NodeName': 'string',
  'apimachinerytypes.UID': 'string',
}

/** The notation of a Go type as it is written in a package. */
function typeText(go: string, imports: Declared['imports'], from: GoPackage, depth: number = 0): string {
  if (depth > 20) throw new Error(`the alias ${go} in ${from.name} has no end`)
  if (go.startsWith('*')) return typeText(go.slice(1), imports, from, depth + 1)
  if (go === '[]byte') return 'bytes'
  if (go.startsWith('[]')) return `[]${typeText(go.slice(2), imports, from, depth + 1)}`
  const map = /^map\[[^\]]+\](.+)$/.exec(go)
  if (map) return `{}${typeText(map[1] ?? '', imports, from, depth + 1)}`
  const scalar = scalars[go]
  if (scalar) return scalar
  const [alias, type] = go.includes('.') ? (go.split('.') as [string, string]) : [undefined, go]
  const path = alias ? (imports.get(alias) ?? alias) : from.name
  const home = alias ? packages.get(path) : from
  const known = special[`${path}.${type}`]
  if (known) return known
  if (!home) throw new Error(`cannot find the package of ${go}, used in ${from.name}`)
  if (home.structs.has(type)) return `${home.name}:${type}`
  const target = home.aliases.get(type)
  if (!target) throw new Error(`cannot find ${type} in ${home.name}, used in ${from.name}`)
  const text = typeText(target.text, target.imports, home, depth + 1)
  // A named list travels as a message with one repeated field.
  return text.startsWith('[]') && /^(ExtraValue|Verbs|AttestationValue)$/.test(type) ? `()${text.slice(2)}` : text
}

const FIELD = /^\s*(?:(\w+)\s+)?(\S+)\s+`json:"([^"]*)"[^`]*?protobuf:"[^,]*,(\d+),(\w+)/

function messageText(name: string, { text: body, imports }: Declared, from: GoPackage): string {
  const fields = body.split('\n').flatMap((line) => {
    const found = FIELD.exec(line)
    if (!found) return []
    const [, goName, goType = '', json = '', number = ''] = found
    const [jsonName = '', ...options] = json.split(',')
    const isInline = jsonName === '' && goName === undefined
    const flags = [
      ...(goType.startsWith('*') ? ['*'] : []),
      ...(options.includes('omitempty') || options.includes('omitzero') ? [] : ['!']),
    ].join('')
    return [
      ` ${number} ${isInline ? '~' : jsonName} ${typeText(goType, imports, from).replace(`${from.name}:`, '')}${flags ? ` ${flags}` : ''}`,
    ]
  })
  return [name, ...fields].join('\n')
}

const lines: string[] = []
for (const [name, home] of [...packages].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
  const messages = [...home.structs]
    .filter(([, { text }]) => text.trim() === '' || text.includes('protobuf:"'))
    .map(([type, body]) => messageText(type, body, home))
  if (messages.length > 0) lines.push(`@${name} ${home.group ?? '-'}`, ...messages)
}
const text = Buffer.from(`${lines.join('\n')}\n`)
const packed = brotliCompressSync(text, {
  params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: text.length },
})
const path = join(IDP_ROOT, 'data', 'protobuf.br')
writeFileSync(path, packed)
console.log(
  `${relative(IDP_ROOT, path)}: ${packages.size} packages, ${text.length} bytes of text, ${packed.length} packed`,
)
