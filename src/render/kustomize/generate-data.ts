import { Buffer, isUtf8 } from 'node:buffer'
import { setOwn } from '../../lib/json.ts'
import type { Folder } from './files.ts'
import type { DataArguments, GeneratorOptions } from './kustomization.ts'
import { refuse, within } from './refusal.ts'
import { type Behavior, type Manifest, Resource, type Scopes } from './resource.ts'

type Pair = readonly [key: string, value: Buffer]

/** Makes the config map or secret that a generator describes. */
export function generateData(
  kind: 'ConfigMap' | 'Secret',
  args: DataArguments,
  folder: Folder,
  scopes: Scopes,
): Resource {
  if (!args.name) refuse('a configmap must have a name')
  const pairs = within('loading KV pairs', () => pairsOf(args, folder))
  const seen = new Set<string>()
  for (const [key] of pairs) {
    if (seen.has(key)) refuse(`configmap ${args.name} illegally repeats the key \`${key}\``)
    seen.add(key)
  }
  const { options } = args
  const sorted = pairs.toSorted(([a], [b]) => (a < b ? -1 : 1))
  const manifest: Manifest = {
    apiVersion: 'v1',
    kind,
    metadata: {
      name: args.name,
      ...(args.namespace ? { namespace: args.namespace } : {}),
      ...(hasAny(options?.labels) ? { labels: { ...options?.labels } } : {}),
      ...(hasAny(options?.annotations) ? { annotations: { ...options?.annotations } } : {}),
    },
    ...(kind === 'Secret' ? { type: args.type || 'Opaque' } : {}),
    ...(kind === 'Secret' ? { data: mapOf(sorted, foldedBase64) } : dataOf(sorted)),
    ...(options?.immutable ? { immutable: true } : {}),
  }
  const resource = new Resource(manifest, scopes)
  resource.needsHash = !options?.disableNameSuffixHash
  resource.behavior = behaviorOf(args.behavior)
  return resource
}

const hasAny = (map: Readonly<Record<string, string>> | undefined): boolean =>
  map !== undefined && Object.keys(map).length > 0

const behaviorOf = (text: string | undefined): Behavior =>
  text === 'create' || text === 'merge' || text === 'replace' ? text : 'unspecified'

function mapOf(pairs: readonly Pair[], encode: (value: Buffer) => string): Readonly<Record<string, string>> {
  const map: Record<string, string> = {}
  for (const [key, value] of pairs) setOwn(map, key, encode(value))
  return map
}

function dataOf(pairs: readonly Pair[]): Manifest {
  const plain = pairs.filter(([, value]) => isUtf8(value))
  const binary = pairs.filter(([, value]) => !isUtf8(value))
  return {
    ...(plain.length > 0 ? { data: mapOf(plain, (value) => value.toString('utf8')) } : {}),
    ...(binary.length > 0 ? { binaryData: mapOf(binary, foldedBase64) } : {}),
  }
}

const LINE = 70

/** Base64 in lines of 70 characters when it is longer than one line. */
function foldedBase64(value: Buffer): string {
  const text = value.toString('base64')
  // Exactly one full line counts as two, the second one empty.
  if (text.length < LINE) return text
  return `${text.match(/.{1,70}/g)?.join('\n') ?? ''}\n`
}

function pairsOf(args: DataArguments, folder: Folder): readonly Pair[] {
  const envs = args.env ? [...(args.envs ?? []), args.env] : (args.envs ?? [])
  return [
    ...within(`env source files: [${envs.join(' ')}]`, () => envs.flatMap((path) => linesOf(folder.read(path)))),
    ...within(`literal sources [${(args.literals ?? []).join(' ')}]`, () => (args.literals ?? []).map(literal)),
    ...within(`file sources: [${(args.files ?? []).join(' ')}]`, () =>
      (args.files ?? []).map((source) => fileSource(source, folder)),
    ),
  ]
}

function literal(source: string): Pair {
  const equals = source.indexOf('=')
  if (equals < 1) refuse(`invalid literal source ${source}, expected key=value`)
  const value = source.slice(equals + 1)
  const first = value.charAt(0)
  const isQuoted = value.length >= 2 && (first === '"' || first === "'") && value.endsWith(first)
  return [source.slice(0, equals), Buffer.from(isQuoted ? value.slice(1, -1) : value)]
}

function fileSource(source: string, folder: Folder): Pair {
  const [key = '', path, ...more] = source.split('=')
  if (path === undefined) return [source.slice(source.lastIndexOf('/') + 1), Buffer.from(folder.read(source))]
  if (more.length > 0) refuse(`source "${source}" key name or file path contains '='`)
  if (key === '') refuse(`missing key name for file path "${path}" in source "${source}"`)
  if (path === '') refuse(`missing file path for key name "${key}" in source "${source}"`)
  return [key, Buffer.from(folder.read(path))]
}

function linesOf(content: Uint8Array): readonly Pair[] {
  if (!isUtf8(content)) refuse('an env file has invalid utf8 bytes')
  const text = Buffer.from(content)
    .toString('utf8')
    .replace(/^\uFEFF/, '')
  return text.split('\n').flatMap((line): readonly Pair[] => {
    const trimmed = line.replace(/\r$/, '').replace(/^[\s\u0085]+/u, '')
    if (trimmed === '' || trimmed.startsWith('#')) return []
    const equals = trimmed.indexOf('=')
    const key = equals < 0 ? trimmed : trimmed.slice(0, equals)
    if (key === '') return []
    return [[key, Buffer.from(equals < 0 ? '' : trimmed.slice(equals + 1))]]
  })
}

/** What a kustomization says of all its generators, behind what one says of itself. */
export function withGlobalOptions(
  local: GeneratorOptions | undefined,
  global: GeneratorOptions | undefined,
): GeneratorOptions | undefined {
  if (!global) return local
  const labels = { ...global.labels, ...local?.labels }
  const annotations = { ...global.annotations, ...local?.annotations }
  return {
    labels,
    annotations,
    disableNameSuffixHash: Boolean(local?.disableNameSuffixHash) || Boolean(global.disableNameSuffixHash),
    immutable: Boolean(local?.immutable) || Boolean(global.immutable),
  }
}
