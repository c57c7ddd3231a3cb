import type { FileTree } from '../../lib/file-tree.ts'
import { isObject, setOwn } from '../../lib/json.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import { readTarGz, type TarFile } from '../../lib/tar.ts'
import { parseYaml, parseYamlDocuments } from '../../lib/yaml.ts'
import { type Chart, type ChartFile, type ChartLock, textOf } from './chart.ts'
import { mergeMaps } from './coalesce.ts'
import { dialects, type HelmDialect } from './dialect.ts'
import { type Ignore, parseIgnore } from './ignore.ts'
import { parseLock, parseMetadata } from './metadata.ts'
import type { Values } from './strvals.ts'

const MAX_DEPTH = 20
const MAX_FILES = 50_000
const MAX_FILE_BYTES = 5 * 1024 * 1024
const MAX_CHART_BYTES = 100 * 1024 * 1024

const invalid = (message: string): Result<never> => fail({ code: 'chart-invalid', message })

const withoutMark = (data: Uint8Array): Uint8Array =>
  data[0] === 0xef && data[1] === 0xbb && data[2] === 0xbf ? data.subarray(3) : data

/** Reads a values file: one document, or with helm 4 several that are merged. */
export function parseValues(text: string, file: string, dialect: HelmDialect): Result<Values> {
  const wrong = (value: unknown): Result<Values> =>
    fail({
      code: 'values-invalid',
      at: file,
      message: `error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value} into Go value of type map[string]interface {}`,
    })
  if (!dialects[dialect].valuesManyDocuments) {
    const read = parseYaml(text, { file })
    if (!read.ok) return read
    if (read.value === null) return succeed({})
    return isObject(read.value) ? succeed(read.value) : wrong(read.value)
  }
  const read = parseYamlDocuments(text, { file })
  if (!read.ok) return read
  let values: Values = {}
  for (const { value } of read.value) {
    if (value === null) continue
    if (!isObject(value)) return wrong(value)
    values = mergeMaps(values, value)
  }
  return succeed(values)
}

/** The files of a chart's folder that .helmignore lets through, in the order of their names. */
export function chartFiles(tree: FileTree, folder: string): Result<readonly ChartFile[]> {
  const prefix = folder === '' ? '' : `${folder}/`
  const rules = parseIgnore(textOf(tree.read(`${prefix}.helmignore`) ?? new Uint8Array()))
  if (!rules.ok) return rules
  if (tree.list(folder) === undefined) {
    return fail({ code: 'chart-not-found', message: `path ${JSON.stringify(folder)} not found` })
  }
  const files: ChartFile[] = []
  const problem = collect({ tree, prefix, ignore: rules.value, files, bytes: 0 }, '', 0)
  return problem ?? succeed(files)
}

interface Walk {
  readonly tree: FileTree
  readonly prefix: string
  readonly ignore: Ignore
  readonly files: ChartFile[]
  bytes: number
}

function collect(walk: Walk, below: string, depth: number): Result<never> | undefined {
  if (depth > MAX_DEPTH * 3) return invalid(`chart folders are nested deeper than ${MAX_DEPTH * 3} levels`)
  for (const name of walk.tree.list((walk.prefix + below).replace(/\/$/, '')) ?? []) {
    const isFolder = name.endsWith('/')
    const path = below + (isFolder ? name.slice(0, -1) : name)
    if (walk.ignore(path, isFolder)) continue
    if (isFolder) {
      const problem = collect(walk, `${path}/`, depth + 1)
      if (problem) return problem
      continue
    }
    const data = walk.tree.read(walk.prefix + path)
    if (!data) continue
    walk.bytes += data.length
    if (walk.files.length >= MAX_FILES) return invalid(`chart has more than ${MAX_FILES} files`)
    if (walk.bytes > MAX_CHART_BYTES) return invalid(`chart is larger than ${MAX_CHART_BYTES} bytes`)
    walk.files.push({ name: path, data: withoutMark(data) })
  }
  return undefined
}

function archivedName({ name }: TarFile): string | { readonly refused: string } {
  const parts = name.includes('\\') ? name.split('\\') : name.split('/')
  const path = parts.slice(1).join('/')
  if (path.startsWith('/')) return { refused: 'chart illegally contains absolute paths' }
  const clean: string[] = []
  for (const part of path.split('/')) {
    if (part === '..') {
      if (clean.length === 0) return { refused: 'chart illegally references parent directory' }
      clean.pop()
    } else if (part !== '' && part !== '.') clean.push(part)
  }
  if (parts[0] === 'Chart.yaml') return { refused: 'chart yaml not in base directory' }
  if (clean.length === 0) {
    return { refused: `chart illegally contains content outside the base directory: ${JSON.stringify(name)}` }
  }
  if (clean[0]?.startsWith('..')) return { refused: 'chart illegally references parent directory' }
  if (/^[a-zA-Z]:/.test(clean[0] ?? '')) return { refused: 'chart contains illegally named files' }
  return clean.join('/')
}

/** The files of a packed chart. Paths out of the chart, links and archives that grow too large are refused. */
export function archivedFiles(archive: Uint8Array): Result<readonly ChartFile[]> {
  const unpacked = readTarGz(archive, { maxBytes: MAX_CHART_BYTES, maxFiles: MAX_FILES })
  if (!unpacked.ok) return unpacked
  const files: ChartFile[] = []
  for (const file of unpacked.value) {
    const name = archivedName(file)
    if (typeof name !== 'string') return invalid(name.refused)
    if (file.data.length > MAX_FILE_BYTES) {
      return invalid(
        `decompressed chart file ${JSON.stringify(name)} is larger than the maximum file size ${MAX_FILE_BYTES}`,
      )
    }
    files.push({ name, data: withoutMark(file.data) })
  }
  return files.length > 0 ? succeed(files) : invalid('no files in chart archive')
}

/** What each file of a chart is for. */
interface Sorted {
  readonly templates: ChartFile[]
  readonly files: ChartFile[]
  readonly below: Map<string, ChartFile[]>
  chartYaml: string | undefined
  requirements: ChartFile | undefined
  values: Uint8Array | undefined
  schema: Uint8Array | undefined
  lock: ChartFile | undefined
  oldLock: ChartFile | undefined
}

function sortFiles(all: readonly ChartFile[]): Sorted {
  const sorted: Sorted = {
    templates: [],
    files: [],
    below: new Map(),
    chartYaml: undefined,
    requirements: undefined,
    values: undefined,
    schema: undefined,
    lock: undefined,
    oldLock: undefined,
  }
  for (const file of all) {
    const { name, data } = file
    if (name === 'Chart.yaml') sorted.chartYaml = textOf(data)
    else if (name === 'Chart.lock') sorted.lock = file
    else if (name === 'values.yaml') sorted.values = data
    else if (name === 'values.schema.json') sorted.schema = data
    else if (name === 'requirements.yaml') sorted.requirements = file
    else if (name === 'requirements.lock') sorted.oldLock = file
    else if (name.startsWith('templates/')) sorted.templates.push(file)
    else if (!name.startsWith('charts/') || name.endsWith('.prov')) sorted.files.push(file)
    else {
      const path = name.slice('charts/'.length)
      const folder = path.split('/')[0] ?? ''
      const known = sorted.below.get(folder) ?? []
      known.push({ name: path, data })
      sorted.below.set(folder, known)
    }
  }
  return sorted
}

function lockOf(sorted: Sorted): Result<ChartLock | undefined> {
  const file = sorted.oldLock ?? sorted.lock
  return file ? parseLock(textOf(file.data), file.name) : succeed(undefined)
}

/** Builds a chart and the charts below it from their files. */
export function chartFrom(all: readonly ChartFile[], dialect: HelmDialect = 3, depth: number = 0): Result<Chart> {
  if (depth > MAX_DEPTH) return invalid(`charts are nested deeper than ${MAX_DEPTH} levels`)
  const sorted = sortFiles(all)
  if (sorted.chartYaml === undefined && !sorted.requirements) return invalid('Chart.yaml file is missing')
  const metadata = parseMetadata(sorted.chartYaml ?? '', sorted.requirements && textOf(sorted.requirements.data))
  if (!metadata.ok) return metadata
  const warnings: string[] = []
  if (metadata.value.apiVersion === 'v1') {
    sorted.files.push(...[sorted.requirements, sorted.oldLock].filter((file) => file !== undefined))
  } else if (sorted.requirements) {
    warnings.push(
      'Dependencies are handled in Chart.yaml since apiVersion "v2". We recommend migrating dependencies to Chart.yaml.',
    )
  }
  const values = parseValues(textOf(sorted.values ?? new Uint8Array()), 'values.yaml', dialect)
  if (!values.ok)
    return fail(
      ...values.error.map((problem) => ({ ...problem, message: `cannot load values.yaml: ${problem.message}` })),
    )
  const lock = lockOf(sorted)
  if (!lock.ok) return lock
  const dependencies = below(sorted.below, metadata.value.name, dialect, depth)
  if (!dependencies.ok) return dependencies
  return succeed({
    metadata: metadata.value,
    templates: sorted.templates,
    files: sorted.files.toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    values: values.value,
    schema: sorted.schema,
    lock: lock.value,
    dependencies: dependencies.value,
    warnings,
  })
}

function below(
  charts: ReadonlyMap<string, readonly ChartFile[]>,
  parent: string,
  dialect: HelmDialect,
  depth: number,
): Result<readonly Chart[]> {
  const found: Chart[] = []
  for (const [name, files] of [...charts].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    if (name.startsWith('_') || name.startsWith('.')) continue
    const chart = name.endsWith('.tgz')
      ? packedBelow(files, name, dialect, depth)
      : unpackedBelow(files, dialect, depth)
    if (!chart.ok) {
      const prefix = `error unpacking subchart ${name} in ${parent}: `
      return fail(...chart.error.map((problem) => ({ ...problem, message: prefix + problem.message })))
    }
    found.push(chart.value)
  }
  return succeed(found)
}

function packedBelow(files: readonly ChartFile[], name: string, dialect: HelmDialect, depth: number): Result<Chart> {
  const [file] = files
  if (!file || file.name !== name) return invalid(`expected ${name}, got ${file?.name ?? 'nothing'}`)
  const unpacked = archivedFiles(file.data)
  return unpacked.ok ? chartFrom(unpacked.value, dialect, depth + 1) : unpacked
}

function unpackedBelow(files: readonly ChartFile[], dialect: HelmDialect, depth: number): Result<Chart> {
  const inside = files.flatMap(({ name, data }) => {
    const slash = name.indexOf('/')
    return slash < 0 ? [] : [{ name: name.slice(slash + 1), data }]
  })
  return chartFrom(inside, dialect, depth + 1)
}

/** Loads a chart from a folder of a tree, or from a .tgz file in it. */
export function loadChart(tree: FileTree, path: string, dialect: HelmDialect = 3): Result<Chart> {
  const archive = tree.list(path) === undefined ? tree.read(path) : undefined
  const files = archive ? archivedFiles(archive) : chartFiles(tree, path)
  return files.ok ? chartFrom(files.value, dialect) : files
}

/** A copy of JSON-like values that shares nothing with them. */
export function copyValues<T>(value: T): T {
  if (Array.isArray(value)) return value.map(copyValues) as T
  if (!isObject(value) || Object.getPrototypeOf(value) !== Object.prototype) return value
  const copy: Record<string, unknown> = {}
  for (const [key, item] of Object.entries(value)) setOwn(copy, key, copyValues(item))
  return copy as T
}
