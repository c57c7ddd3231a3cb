import { compileGlob } from '../../../../lib/glob.ts'
import { isObject } from '../../../../lib/json.ts'
import { type Result, succeed } from '../../../../lib/result.ts'
import { parseYaml } from '../../../../lib/yaml.ts'
import { stringList } from '../../../../lang/gotemplate/value.ts'
import { readSettings, SETTINGS_FILE, type SettingValue } from '../../../../render/settings/read-settings.ts'
import { mayRefer, settingValues, substituteSettings } from '../../../../render/settings/substitute-settings.ts'
import { isSet, objectsOf, textOf } from '../../../fields.ts'
import { EMPTY, type Fields, type Generator, type GeneratorContext, refuse, withValues, wrap } from '../generator.ts'
import { sanitizeName } from '../names.ts'
import type { Outcome } from '../need.ts'
import { flatten, goText, type Params, paramsFrom, withParams } from '../params.ts'
import { notDecoded, notYaml } from '../renderer.ts'

/** What a `git-files` need is answered with: paths to contents. */
export type GitFileTexts = Readonly<Record<string, string>>

/** Folders of a repository, or the files in it that hold parameters. */
export const git: Generator = (spec, context) => {
  const project =
    context.project === '' ? succeed(true) : context.lookup.ask({ need: 'project', name: context.project })
  const made = madeOf(spec, context)
  if (project?.ok === false) return wrap(project, `error getting project ${context.project}`)
  if (!project || !made) return undefined
  return made.ok || made.error[0]?.message === EMPTY ? made : wrap(made, 'error generating params from git')
}

function madeOf(spec: Fields, context: GeneratorContext): Outcome<readonly Params[]> {
  if ((objectsOf(spec, 'directories')?.length ?? 0) > 0) return fromDirectories(spec, context)
  return (objectsOf(spec, 'files')?.length ?? 0) > 0 ? fromFiles(spec, context) : refuse(EMPTY)
}

const placeOf = (
  spec: Fields,
  { project }: GeneratorContext,
): { repoURL: string; revision: string; project: string } => ({
  repoURL: textOf(spec, 'repoURL'),
  revision: textOf(spec, 'revision'),
  project,
})

function fromDirectories(spec: Fields, context: GeneratorContext): Outcome<readonly Params[]> {
  const known = context.lookup.ask({ need: 'git-directories', ...placeOf(spec, context) })
  if (!known?.ok) return known && wrap(known, 'error getting directories from repo')
  const made: Params[] = []
  for (const path of wantedFolders(objectsOf(spec, 'directories') ?? [], known.value as readonly string[])) {
    const params = withValues(paramsOfPath(path, undefined, spec, context), spec, context)
    if (!params.ok) return wrap(params, 'error generating params from apps: failed to append templated values')
    made.push(params.value)
  }
  return succeed(made)
}

/** The folders that an item names and no item excludes, whatever their order; a glob that does not compile names none. */
export function wantedFolders(items: readonly Fields[], folders: readonly string[]): readonly string[] {
  const rules = items.flatMap((item) => {
    const matches = compileGlob(textOf(item, 'path'), 'path')
    return matches.ok ? [{ matches: matches.value, isExcluded: isSet(item, 'exclude') }] : []
  })
  return folders.filter(
    (folder) =>
      rules.some((rule) => !rule.isExcluded && rule.matches(folder)) &&
      !rules.some((rule) => rule.isExcluded && rule.matches(folder)),
  )
}

function fromFiles(spec: Fields, context: GeneratorContext): Outcome<readonly Params[]> {
  const contents = wantedFiles(spec, context)
  if (!contents?.ok) return contents
  const repoURL = textOf(spec, 'repoURL')
  const settings = settingsFor([...contents.value.values()], spec, context)
  if (!settings?.ok) return settings
  const made: Params[] = []
  for (const [path, text] of [...contents.value].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const params = paramsOfFile({ path, text, settings: settings.value }, spec, context)
    if (!params.ok) return wrap(params, `unable to process file '${path}' from repository '${repoURL}'`)
    made.push(...params.value)
  }
  return succeed(made)
}

function wantedFiles(spec: Fields, context: GeneratorContext): Outcome<ReadonlyMap<string, string>> {
  const items = objectsOf(spec, 'files') ?? []
  const included = filesOf(
    items.filter((item) => !isSet(item, 'exclude')),
    spec,
    context,
  )
  if (included && !included.ok) return included
  const excluded = filesOf(
    items.filter((item) => isSet(item, 'exclude')),
    spec,
    context,
  )
  if (!included || !excluded?.ok) return excluded?.ok === false ? excluded : undefined
  return succeed(new Map([...included.value].filter(([path]) => !excluded.value.has(path))))
}

function filesOf(
  items: readonly Fields[],
  spec: Fields,
  context: GeneratorContext,
): Outcome<ReadonlyMap<string, string>> {
  const contents = new Map<string, string>()
  let isComplete = true
  for (const item of items) {
    const known = context.lookup.ask({ need: 'git-files', ...placeOf(spec, context), pattern: textOf(item, 'path') })
    if (known && !known.ok) return known
    if (!known) isComplete = false
    else for (const [path, text] of Object.entries(known.value as GitFileTexts)) contents.set(path, text)
  }
  return isComplete ? succeed(contents) : undefined
}

type SettingValues = ReadonlyMap<string, SettingValue>

/** The settings of the repository, where one of its files refers to some; none where it has no settings. */
function settingsFor(
  texts: readonly string[],
  spec: Fields,
  context: GeneratorContext,
): Outcome<SettingValues | undefined> {
  if (!texts.some(mayRefer)) return succeed(undefined)
  const known = filesOf([{ path: SETTINGS_FILE }], spec, context)
  if (!known?.ok) return known
  const text = known.value.get(SETTINGS_FILE)
  if (text === undefined) return succeed(undefined)
  const settings = readSettings(text)
  return settings.ok ? succeed(settingValues(settings.value)) : settings
}

interface ParamsFile {
  readonly path: string
  readonly text: string
  readonly settings: SettingValues | undefined
}

/** What one file says: an object, or a list of objects. */
function paramsOfFile(
  { path, text, settings }: ParamsFile,
  spec: Fields,
  context: GeneratorContext,
): Result<readonly Params[]> {
  const found = objectsIn(text)
  if (!found.ok) return wrap(found, 'unable to parse file')
  const made: Params[] = []
  for (const written of found.value) {
    const filled = settings ? substituteSettings(written, settings, path) : undefined
    if (filled?.ok === false) return filled
    const object = filled?.value.object ?? written
    const slash = path.lastIndexOf('/')
    const folder = slash < 0 ? '.' : path.slice(0, slash) || '/'
    const ofPath = paramsOfPath(folder, path.slice(slash + 1), spec, context)
    const ofObject = context.dialect.goTemplate
      ? object
      : paramsFrom([...flatten(object)].map(([key, value]) => [key, goText(value)] as const))
    const params = withValues(withParams(ofObject, ofPath), spec, context)
    if (!params.ok) return wrap(params, 'failed to append templated values')
    made.push(params.value)
  }
  return succeed(made)
}

function objectsIn(text: string): Result<readonly Params[]> {
  const read = parseYaml(text)
  if (!read.ok) return refuse(notYaml(read.error[0]?.message ?? ''))
  const { value } = read
  if (value === null || value === undefined) return succeed([{}])
  if (isObject(value)) return succeed([value])
  if (!Array.isArray(value)) return refuse(notDecoded(value, '[]map[string]interface {}'))
  const objects: Params[] = []
  for (const item of value as readonly unknown[]) {
    if (item !== null && !isObject(item)) return refuse(notDecoded(item, 'map[string]interface {}'))
    objects.push(item ?? {})
  }
  return succeed(objects)
}

const baseOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1)

function paramsOfPath(folder: string, file: string | undefined, spec: Fields, { dialect }: GeneratorContext): Params {
  const prefix = textOf(spec, 'pathParamPrefix')
  const base = baseOf(folder)
  const segments = folder.split('/')
  const names: readonly (readonly [string, string])[] = [
    ['basename', base],
    ['basenameNormalized', sanitizeName(base)],
    ...(file === undefined
      ? []
      : ([
          ['filename', file],
          ['filenameNormalized', sanitizeName(file)],
        ] as const)),
  ]
  if (dialect.goTemplate) {
    const path = paramsFrom([['path', folder], ...names, ['segments', stringList(segments)]])
    return prefix === '' ? { path } : paramsFrom([[prefix, { path }]])
  }
  const name = prefix === '' ? 'path' : `${prefix}.path`
  return paramsFrom([
    [name, folder],
    ...names.map(([key, value]) => [`${name}.${key}`, value] as const),
    ...segments.flatMap((segment, index) => (segment === '' ? [] : [[`${name}[${index}]`, segment] as const])),
  ])
}
