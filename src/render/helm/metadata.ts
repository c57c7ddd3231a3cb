import { isObject, own } from '../../lib/json.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import { parseVersion } from '../../lib/semver.ts'
import { goFloat, parseYaml } from '../../lib/yaml.ts'

export interface Maintainer {
  readonly name: string
  readonly email: string
  readonly url: string
}

/** One entry of a chart's dependencies. */
export interface Dependency {
  readonly name: string
  readonly version: string
  readonly repository: string
  readonly condition: string
  readonly tags: readonly string[]
  readonly importValues: readonly unknown[]
  readonly alias: string
}

/** Chart.yaml (with requirements.yaml for the first chart version), as helm reads it. */
export interface Metadata {
  readonly name: string
  readonly home: string
  readonly sources: readonly string[] | undefined
  readonly version: string
  readonly description: string
  readonly keywords: readonly string[] | undefined
  readonly maintainers: readonly Maintainer[] | undefined
  readonly icon: string
  readonly apiVersion: string
  readonly condition: string
  readonly tags: string
  readonly appVersion: string
  readonly deprecated: boolean
  readonly annotations: Readonly<Record<string, string>> | undefined
  readonly kubeVersion: string
  readonly dependencies: readonly Dependency[] | undefined
  readonly type: string
}

/** Makes Chart.yaml unreadable; becomes a problem at the exported functions. */
class MetadataError extends Error {}

/** A 32-bit float's shortest digits: what helm turns a bare version number into. */
function shortFloat(value: number): string {
  for (let digits = 1; digits < 17; digits++) {
    const text = value.toPrecision(digits)
    if (Math.fround(Number(text)) === Math.fround(value)) return goFloat(Number(text))
  }
  return goFloat(value)
}

function goTypeName(value: unknown): string {
  if (typeof value === 'number') return 'number'
  if (typeof value === 'boolean') return 'bool'
  if (typeof value === 'string') return 'string'
  return Array.isArray(value) ? 'array' : 'object'
}

const mismatch = (value: unknown, field: string, type: string): MetadataError =>
  new MetadataError(
    `error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${goTypeName(value)} into Go struct field ${field} of type ${type}`,
  )

/** Reads fields of one mapping; scalars become text as sigs.k8s.io/yaml does for string fields. */
class Fields {
  private readonly from: Readonly<Record<string, unknown>>
  private readonly type: string
  constructor(from: Readonly<Record<string, unknown>>, type: string) {
    this.from = from
    this.type = type
  }

  /** The value of a field; JSON names are matched without regard to case when the exact one is missing. */
  get(name: string): unknown {
    const exact = own(this.from, name)
    if (exact !== undefined) return exact
    const key = Object.keys(this.from).find((other) => other.toLowerCase() === name.toLowerCase())
    return key === undefined ? undefined : own(this.from, key)
  }

  text(name: string): string {
    return textFrom(this.get(name), `${this.type}.${name}`)
  }

  texts(name: string): readonly string[] | undefined {
    return this.list(name, '[]string')?.map((item) => textFrom(item, `${this.type}.${name}`))
  }

  list(name: string, type: string): readonly unknown[] | undefined {
    const value = this.get(name)
    if (value === undefined || value === null) return undefined
    if (!Array.isArray(value)) throw mismatch(value, `${this.type}.${name}`, type)
    return value
  }
}

function textFrom(value: unknown, field: string): string {
  if (value === undefined || value === null) return ''
  if (typeof value === 'string') return value
  if (typeof value === 'boolean') return String(value)
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value).toString() : shortFloat(value)
  throw mismatch(value, field, 'string')
}

const PRINTABLE = /[\p{L}\p{M}\p{N}\p{P}\p{S} ]/u

/** White space becomes a space, what cannot be printed goes. */
const clean = (text: string): string =>
  /^[\x20-\x7e]*$/.test(text)
    ? text
    : Array.from(text, (char) =>
        /[\s\u0085]/.test(char) && char !== '\uFEFF' ? ' ' : PRINTABLE.test(char) ? char : '',
      ).join('')

function dependencyOf(value: unknown): Dependency {
  if (value === null || value === undefined) {
    throw new MetadataError('validation: dependencies must not contain empty or null nodes')
  }
  if (!isObject(value)) throw mismatch(value, 'Metadata.dependencies', 'chart.Dependency')
  const fields = new Fields(value, 'Dependency')
  const dependency: Dependency = {
    name: clean(fields.text('name')),
    version: clean(fields.text('version')),
    repository: clean(fields.text('repository')),
    condition: clean(fields.text('condition')),
    tags: (fields.texts('tags') ?? []).map(clean),
    importValues: fields.list('import-values', '[]interface {}') ?? [],
    alias: fields.text('alias'),
  }
  if (dependency.alias !== '' && !/^[a-zA-Z0-9_-]+$/.test(dependency.alias)) {
    throw new MetadataError(
      `validation: dependency ${JSON.stringify(dependency.name)} has disallowed characters in the alias`,
    )
  }
  return dependency
}

function maintainerOf(value: unknown): Maintainer {
  if (!isObject(value)) throw new MetadataError('validation: maintainers must not contain empty or null nodes')
  const fields = new Fields(value, 'Maintainer')
  return { name: clean(fields.text('name')), email: clean(fields.text('email')), url: clean(fields.text('url')) }
}

function annotationsOf(fields: Fields): Readonly<Record<string, string>> | undefined {
  const value = fields.get('annotations')
  if (value === undefined || value === null) return undefined
  if (!isObject(value)) throw mismatch(value, 'Metadata.annotations', 'map[string]string')
  return Object.fromEntries(Object.entries(value).map(([key, text]) => [key, textFrom(text, 'Metadata.annotations')]))
}

function metadataFrom(from: Readonly<Record<string, unknown>>): Metadata {
  const fields = new Fields(from, 'Metadata')
  const deprecated = fields.get('deprecated') ?? false
  if (typeof deprecated !== 'boolean') throw mismatch(deprecated, 'Metadata.deprecated', 'bool')
  return {
    name: clean(fields.text('name')),
    home: clean(fields.text('home')),
    sources: fields.texts('sources')?.map(clean),
    version: fields.text('version'),
    description: clean(fields.text('description')),
    keywords: fields.texts('keywords')?.map(clean),
    maintainers: fields.list('maintainers', '[]*chart.Maintainer')?.map(maintainerOf),
    icon: clean(fields.text('icon')),
    // A chart that names no version of the format was written for the first one.
    apiVersion: fields.text('apiVersion') || 'v1',
    condition: clean(fields.text('condition')),
    tags: clean(fields.text('tags')),
    appVersion: clean(fields.text('appVersion')),
    deprecated,
    annotations: annotationsOf(fields),
    kubeVersion: clean(fields.text('kubeVersion')),
    dependencies: fields.list('dependencies', '[]*chart.Dependency')?.map(dependencyOf),
    type: fields.text('type'),
  }
}

function validate(metadata: Metadata): void {
  const invalid = (message: string): MetadataError => new MetadataError(`validation: ${message}`)
  const { name, version, type } = metadata
  if (name === '') throw invalid('chart.metadata.name is required')
  if (name.includes('/')) throw invalid(`chart.metadata.name ${JSON.stringify(name)} is invalid`)
  if (name === '.' || name === '..') throw invalid(`chart.metadata.name ${JSON.stringify(name)} is not allowed`)
  if (version === '') throw invalid('chart.metadata.version is required')
  if (!parseVersion(version).ok) throw invalid(`chart.metadata.version ${JSON.stringify(version)} is invalid`)
  if (type !== '' && type !== 'application' && type !== 'library') {
    throw invalid('chart.metadata.type must be application or library')
  }
  const seen = new Set<string>()
  for (const dependency of metadata.dependencies ?? []) {
    const key = dependency.alias || dependency.name
    if (seen.has(key)) throw invalid(`more than one dependency with name or alias ${JSON.stringify(key)}`)
    seen.add(key)
  }
}

function reading<T>(what: string, read: () => T): Result<T> {
  try {
    return succeed(read())
  } catch (cause) {
    if (!(cause instanceof MetadataError)) throw cause
    const prefix = cause.message.startsWith('validation:') ? '' : `cannot load ${what}: `
    return fail({ code: 'chart-invalid', message: `${prefix}${cause.message}` })
  }
}

function mappingOf(text: string, file: string): Result<Readonly<Record<string, unknown>>> {
  const read = parseYaml(text, { file })
  if (!read.ok) {
    return fail({
      ...(read.error[0] ?? { code: 'chart-invalid' }),
      message: `cannot load ${file}: ${read.error[0]?.message ?? ''}`,
    })
  }
  if (read.value === null) return succeed({})
  if (isObject(read.value)) return succeed(read.value)
  return fail({
    code: 'chart-invalid',
    message: `cannot load ${file}: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${goTypeName(read.value)} into Go value of type chart.Metadata`,
  })
}

/** Reads Chart.yaml and, for charts of the first version, the dependencies of requirements.yaml. */
export function parseMetadata(chartYaml: string, requirements?: string): Result<Metadata> {
  const chart = mappingOf(chartYaml, 'Chart.yaml')
  if (!chart.ok) return chart
  let from = chart.value
  if (requirements !== undefined) {
    const more = mappingOf(requirements, 'requirements.yaml')
    if (!more.ok) return more
    from = { ...from, ...more.value }
  }
  return reading('Chart.yaml', () => {
    const metadata = metadataFrom(from)
    validate(metadata)
    return metadata
  })
}

/** Reads Chart.lock or requirements.lock. */
export function parseLock(
  text: string,
  file: string,
): Result<{ readonly digest: string; readonly generated: string; readonly dependencies: readonly Dependency[] }> {
  const read = mappingOf(text, file)
  if (!read.ok) return read
  return reading(file, () => {
    const fields = new Fields(read.value, 'Lock')
    return {
      digest: fields.text('digest'),
      generated: fields.text('generated'),
      dependencies: (fields.list('dependencies', '[]*chart.Dependency') ?? []).map(dependencyOf),
    }
  })
}
