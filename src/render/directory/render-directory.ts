import type { FileTree } from '../../lib/file-tree.ts'
import { compileGlob, type GlobMatcher } from '../../lib/glob.ts'
import { isObject, own } from '../../lib/json.ts'
import { fail, type Problem, type Result, succeed } from '../../lib/result.ts'
import { parseYamlDocuments } from '../../lib/yaml.ts'

/** Which files of a folder are manifests. */
export interface DirectoryOptions {
  /** Looks into folders below as well. */
  readonly recurse?: boolean
  /** A glob over paths below the folder, in Argo CD's syntax: a star takes slashes too, braces hold alternatives. */
  readonly include?: string
  readonly exclude?: string
}

/** An object and where it was written. */
export interface DirectoryObject {
  readonly object: Readonly<Record<string, unknown>>
  readonly origin: { readonly file: string; readonly line: number }
}

const MANIFEST = /\.(?:yaml|yml|json)$/
const DEEPEST = 50
const MOST_FILES = 20_000
const MOST_BYTES = 100 * 1024 * 1024
/** A file that says this in a comment is passed over, as by Argo CD. */
const SKIP_MARK = '+argocd:skip-file-rendering'

interface Found {
  readonly files: string[]
  readonly jsonnet: string[]
}

function walk(tree: FileTree, folder: string, recurse: boolean, found: Found, depth: number): Problem | undefined {
  if (depth > DEEPEST)
    return { code: 'directory-too-large', at: folder, message: `folders are nested deeper than ${DEEPEST} levels` }
  for (const name of tree.list(folder) ?? []) {
    const path = folder === '' ? name : `${folder}/${name}`
    if (name.endsWith('/')) {
      const problem = recurse && name !== '.git/' ? walk(tree, path.slice(0, -1), recurse, found, depth + 1) : undefined
      if (problem) return problem
    } else if (MANIFEST.test(name)) found.files.push(path)
    else if (/\.(?:jsonnet|libsonnet)$/.test(name)) found.jsonnet.push(path)
    if (found.files.length > MOST_FILES) {
      return { code: 'directory-too-large', at: folder, message: `the folder holds more than ${MOST_FILES} manifests` }
    }
  }
  return undefined
}

function matcherOf(glob: string | undefined, otherwise: boolean): Result<GlobMatcher> {
  return glob === undefined || glob === '' ? succeed(() => otherwise) : compileGlob(glob, 'gobwas')
}

const decoder = new TextDecoder('utf-8', { fatal: true })

function readText(tree: FileTree, file: string): Result<string> {
  const data = tree.read(file)
  if (!data)
    return fail({ code: 'file-not-found', at: file, message: `cannot read ${file}: there is no such file in the tree` })
  try {
    return succeed(decoder.decode(data))
  } catch {
    return fail({ code: 'yaml-invalid', at: file, message: `cannot read ${file}: it is not UTF-8` })
  }
}

/** Takes lists apart: an object whose kind is List, or ends in it and has items, stands for its items. */
function flatten(
  object: Readonly<Record<string, unknown>>,
  origin: DirectoryObject['origin'],
): readonly DirectoryObject[] {
  const kind = own(object, 'kind')
  const items = own(object, 'items')
  if (typeof kind !== 'string' || !kind.endsWith('List') || !Array.isArray(items)) return [{ object, origin }]
  return items.flatMap((item) => (isObject(item) ? flatten(item, origin) : []))
}

function objectsOf(file: string, text: string): Result<readonly DirectoryObject[]> {
  if (text.includes(SKIP_MARK)) return succeed([])
  const read = parseYamlDocuments(text, { file })
  if (!read.ok) return read
  const objects: DirectoryObject[] = []
  for (const { line, value } of read.value) {
    if (value === null || (isObject(value) && Object.keys(value).length === 0)) continue
    const at = `${file}:${line}`
    const refuse = (because: string): Result<never> =>
      fail({ code: 'manifest-invalid', at, message: `cannot use the document at ${at}: ${because}` })
    if (!isObject(value)) return refuse('it is no mapping')
    for (const field of ['apiVersion', 'kind'] as const) {
      const text = own(value, field)
      if (typeof text !== 'string' || text === '') return refuse(`it has no ${field}`)
    }
    if (own(value, 'kind') === 'ConfigManagementPlugin') {
      return fail({
        code: 'source-unsupported',
        at,
        message: `${at} defines a config management plugin: plugins are programs and are not run here`,
        cure: 'render what the plugin makes and commit the result, or use the upstream Argo CD for this application',
      })
    }
    objects.push(...flatten(value, { file, line }))
  }
  return succeed(objects)
}

/** Reads every manifest of a folder in the order of the paths. Nothing is rendered by halves: one bad file is the result. */
export function renderDirectory(
  tree: FileTree,
  folder: string,
  options: DirectoryOptions = {},
): Result<readonly DirectoryObject[]> {
  const include = matcherOf(options.include, true)
  if (!include.ok) return include
  const exclude = matcherOf(options.exclude, false)
  if (!exclude.ok) return exclude
  if (!tree.list(folder))
    return fail({
      code: 'file-not-found',
      at: folder,
      message: `cannot render ${folder || '.'}: there is no such folder`,
    })
  const found: Found = { files: [], jsonnet: [] }
  const tooLarge = walk(tree, folder, options.recurse ?? false, found, 0)
  if (tooLarge) return fail(tooLarge)
  const below = (path: string): string => (folder === '' ? path : path.slice(folder.length + 1))
  const isWanted = (path: string): boolean => include.value(below(path)) && !exclude.value(below(path))
  const jsonnet = found.jsonnet.find((path) => path.endsWith('.jsonnet') && isWanted(path))
  if (jsonnet !== undefined) {
    return fail({
      code: 'source-unsupported',
      at: jsonnet,
      message: `${jsonnet} is Jsonnet, which is not evaluated here`,
      cure: 'exclude it, or commit what it evaluates to',
    })
  }
  const objects: DirectoryObject[] = []
  let bytes = 0
  for (const file of found.files.filter(isWanted)) {
    const text = readText(tree, file)
    if (!text.ok) return text
    bytes += text.value.length
    if (bytes > MOST_BYTES)
      return fail({
        code: 'directory-too-large',
        at: folder,
        message: `the manifests are larger than ${MOST_BYTES} bytes`,
      })
    const read = objectsOf(file, text.value)
    if (!read.ok) return read
    objects.push(...read.value)
  }
  return succeed(objects)
}
