import { cleanPath, type FileTree } from '../../lib/file-tree.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import type { ValueSource } from '../helm/merge-values.ts'
import { type HelmSource, substitute } from './source.ts'
import { expandGlob, isGlob } from './value-globs.ts'

/** Where value files are looked up: beside the chart, or in the source that a reference names. */
export interface ValueFiles {
  readonly tree: FileTree
  readonly folder: string
  readonly refs: ReadonlyMap<string, FileTree>
}

/** The values of a source in the order in which they override each other: files, inline values, parameters, file parameters. */
export function valueSources(
  helm: HelmSource,
  files: ValueFiles,
  variables: ReadonlyMap<string, string>,
): Result<readonly ValueSource[]> {
  const read = readValueFiles(helm, files, variables)
  if (!read.ok) return read
  const sources = [...read.value]
  if (helm.valuesObject) sources.push({ from: 'object', values: { ...helm.valuesObject } })
  else if (helm.values) sources.push({ from: 'file', file: 'spec.source.helm.values', text: helm.values })
  for (const { name = '', value = '', forceString } of helm.parameters ?? []) {
    sources.push({
      from: 'set',
      form: forceString ? 'set-string' : 'set',
      line: `${name}=${cleanParameter(substitute(value, variables))}`,
    })
  }
  for (const { name = '', path = '' } of helm.fileParameters ?? []) {
    sources.push({ from: 'set', form: 'set-file', line: `${name}=${substitute(path, variables)}` })
  }
  return succeed(sources)
}

/** The files that override a chart's own values, patterns expanded. */
function readValueFiles(
  helm: HelmSource,
  files: ValueFiles,
  variables: ReadonlyMap<string, string>,
): Result<readonly ValueSource[]> {
  const sources: ValueSource[] = []
  const names = (helm.valueFiles ?? []).map((name) => resolved(name, files.refs, variables))
  for (const name of names) {
    const expanded = expand(name, names, files)
    if (expanded.length === 0 && helm.ignoreMissingValueFiles !== true) {
      return fail({ code: 'file-not-found', at: name, message: `no value file matches the pattern ${name}` })
    }
    for (const each of expanded) {
      const file = readValueFile(each, files)
      if (file.ok) sources.push(file.value)
      else if (helm.ignoreMissingValueFiles !== true || file.error[0]?.code !== 'file-not-found') return file
    }
  }
  return succeed(sources)
}

/** The files that a pattern stands for; one that is named by itself keeps the place where it is named. */
function expand(name: string, all: readonly string[], { tree, folder, refs }: ValueFiles): readonly string[] {
  if (!isGlob(name) || /^https?:\/\//.test(name)) return [name]
  const [, ref, below = ''] = /^\$([A-Za-z0-9_-]+)\/(.*)$/.exec(name) ?? []
  const within = ref === undefined ? tree : refs.get(ref)
  const pattern = ref === undefined ? cleanPath(name.startsWith('/') ? '' : folder, name) : cleanPath('', below)
  if (!within || pattern === undefined) return []
  const paths = expandGlob(within, pattern).map((path) => (ref === undefined ? `/${path}` : `$${ref}/${path}`))
  const placeOf = (each: string): string =>
    each.startsWith('$') ? each : `/${cleanPath(each.startsWith('/') ? '' : folder, each) ?? each}`
  const named = new Set(all.filter((each) => !isGlob(each)).map(placeOf))
  return paths.filter((path) => !named.has(path))
}

/** A `$name` at the beginning of a path is a reference, unless it is a build variable. */
function resolved(name: string, refs: ReadonlyMap<string, FileTree>, variables: ReadonlyMap<string, string>): string {
  const first = /^\$([A-Za-z0-9_-]+)/.exec(name)?.[1]
  const isReference = first !== undefined && (refs.has(first) || !variables.has(first))
  return isReference ? `$${first}${substitute(name.slice(first.length + 1), variables)}` : substitute(name, variables)
}

/** Commas separate assignments, unless they stand in a list. */
function cleanParameter(value: string): string {
  return /^\{.*\}$/.test(value) ? value : value.replace(/\\?,/g, (comma) => (comma.length === 2 ? comma : '\\,'))
}

function readValueFile(name: string, { tree, folder, refs }: ValueFiles): Result<ValueSource> {
  if (/^https?:\/\//.test(name)) {
    return fail({
      code: 'source-unsupported',
      at: name,
      message: `the value file ${name} is on the network`,
      cure: 'commit it beside the chart or in a source of its own',
    })
  }
  const reference = /^\$([A-Za-z0-9_-]+)(?:\/(.*))?$/.exec(name)
  const within = reference ? refs.get(reference[1] ?? '') : tree
  if (!within) {
    return fail({
      code: 'file-not-found',
      at: name,
      message: `no source of the application has the ref ${reference?.[1] ?? ''}`,
    })
  }
  const path = reference ? cleanPath('', reference[2] ?? '') : cleanPath(name.startsWith('/') ? '' : folder, name)
  const bytes = path === undefined ? undefined : within.read(path)
  if (!bytes) return fail({ code: 'file-not-found', at: name, message: `there is no value file ${name}` })
  return succeed({ from: 'file', file: name, text: new TextDecoder().decode(bytes) })
}

/** Reads a file parameter relative to the chart. */
export function readParameterFile({ tree, folder }: ValueFiles): (path: string) => Result<string> {
  return (path) => {
    const clean = cleanPath(folder, path)
    const bytes = clean === undefined ? undefined : tree.read(clean)
    return bytes
      ? succeed(new TextDecoder().decode(bytes))
      : fail({ code: 'file-not-found', at: path, message: `there is no file ${path}` })
  }
}
