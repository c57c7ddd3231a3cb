import { isObject } from '../../lib/json.ts'
import { parseYaml } from '../../lib/yaml.ts'
import { editAt, lookUp, type PathEdit, pathParts } from './field-path.ts'
import type { Folder } from './files.ts'
import type { FieldOptions, ReplacementEntry } from './kustomization.ts'
import { replacementShape } from './kustomization-shape.ts'
import { demand, refuse, within } from './refusal.ts'
import type { Manifest, Resource } from './resource.ts'
import { idText, isSelected, type ResourceId } from './resource-id.ts'
import type { Resources } from './resources.ts'
import { retyped, scalarText } from './scalar-text.ts'
import { type CompiledTarget, compileTarget } from './select.ts'
import { readShape } from './shape.ts'
import { editInText } from './structured-text.ts'

type Target = NonNullable<ReplacementEntry['targets']>[number]

/** Entries of `replacements` with the files that they name read. */
export function loadReplacements(entries: readonly ReplacementEntry[], folder: Folder): readonly ReplacementEntry[] {
  return entries.flatMap((entry) => {
    if (!entry.path) return [entry]
    if (entry.source || (entry.targets?.length ?? 0) > 0) refuse('cannot specify both path and inline replacement')
    const value = demand(parseYaml(folder.readText(entry.path)))
    if (!Array.isArray(value) && !isObject(value)) {
      refuse(
        `unsupported replacement type encountered within replacement path: ${value === null ? 'invalid' : typeof value}`,
      )
    }
    const list: readonly unknown[] = Array.isArray(value) ? value : [value]
    const read = readShape({ list: replacementShape }, list, 'Replacement', { strict: false, coerce: true })
    // The shape was just read.
    return read as readonly ReplacementEntry[]
  })
}

/** Copies fields into other fields. */
export function replaceFields(resources: Resources, entries: readonly ReplacementEntry[]): void {
  for (const entry of entries) {
    if ((!entry.source && entry.sourceValue === undefined) || !entry.targets) {
      refuse('replacements must specify a source and at least one target')
    }
    const value = sourceOf(entry, resources.list)
    for (const target of entry.targets ?? []) copyInto(resources.list, value, target)
  }
}

/** A value to copy; a text is as good as what it would be without quotes. */
function sourceOf({ source, sourceValue }: ReplacementEntry, resources: readonly Resource[]): unknown {
  if (!source) return sourceValue
  if (sourceValue !== undefined) refuse('value and resource selectors are mutually exclusive')
  const resource = sourceResource(source, resources)
  const path = source.fieldPath || 'metadata.name'
  const value = within('error looking up replacement source', () => lookUp(resource.manifest, pathParts(path)))
  const isEmpty =
    value === undefined ||
    value === null ||
    value === '' ||
    (Array.isArray(value) && value.length === 0) ||
    (isObject(value) && Object.keys(value).length === 0)
  if (isEmpty && value !== '') {
    refuse(`fieldPath \`${path}\` is missing for replacement source ${sourceText(source)}`)
  }
  return refined(value, source.options)
}

const sourceText = (source: NonNullable<ReplacementEntry['source']>): string =>
  idText({
    group: source.group ?? '',
    version: source.version ?? '',
    kind: source.kind ?? '',
    name: source.name ?? '',
    namespace: source.namespace ?? '',
  })

/** The ids of a resource as replacements see them: the present one first, its namespace as it is written. */
const idsOf = (resource: Resource): readonly ResourceId[] => [resource.id, ...resource.previousIds]

function sourceResource(source: NonNullable<ReplacementEntry['source']>, resources: readonly Resource[]): Resource {
  const { name, namespace } = source
  const isWanted = (id: ResourceId): boolean =>
    (!name || name === id.name) && (!namespace || namespace === (id.namespace || 'default')) && isSelected(id, source)
  const found = resources.filter((resource) => idsOf(resource).some(isWanted))
  const [first] = found
  if (!first) return refuse(`nothing selected by ${sourceText(source)}`)
  if (found.length > 1) refuse(`multiple matches for selector ${sourceText(source)}`)
  return first
}

function refined(value: unknown, options: FieldOptions | undefined): unknown {
  if (!options?.delimiter) return value
  if (typeof value === 'object') refuse('delimiter option can only be used with scalar nodes')
  const text = scalarText(value)
  const index = options.index ?? 0
  const part = text.split(options.delimiter)[index]
  if (part === undefined || index < 0) return refuse(`options.index ${index} is out of bounds for value ${text}`)
  return typeof value === 'string' ? part : retyped(part, undefined)
}

function copyInto(resources: readonly Resource[], value: unknown, target: Target): void {
  const { select } = target
  if (!select) return refuse('target must specify resources to select')
  const wanted = within('error creating target selector', () => compileTarget(select))
  const rejected = (target.reject ?? []).map((reject) => ({ reject, compiled: compileTarget(reject) }))
  const matchesId = (compiled: CompiledTarget, id: ResourceId): boolean =>
    compiled.matchesGvk(id) && compiled.matchesName(id.name) && compiled.matchesNamespace(id.namespace)
  for (const resource of resources) {
    if (resource.isGone || !wanted.matchesMarks(resource)) continue
    const ids = idsOf(resource)
    const isRejected = rejected.some(({ reject, compiled }) => {
      const byMarks = Boolean(reject.annotationSelector || reject.labelSelector) && compiled.matchesMarks(resource)
      const hasId = reject.group || reject.version || reject.kind || reject.name || reject.namespace
      return byMarks || (Boolean(hasId) && ids.some((id) => matchesId(compiled, id)))
    })
    if (isRejected || !ids.some((id) => matchesId(wanted, id))) continue
    const paths = target.fieldPaths?.length ? target.fieldPaths : ['metadata.name']
    for (const path of paths) resource.manifest = withCopy(resource.manifest, value, path, target.options)
  }
}

const kindOf = (value: unknown): 'map' | 'list' | 'scalar' =>
  Array.isArray(value) ? 'list' : isObject(value) ? 'map' : 'scalar'

function withCopy(manifest: Manifest, value: unknown, path: string, options: FieldOptions | undefined): Manifest {
  const parts = pathParts(path)
  const edit: PathEdit = {
    creates: options?.create ? kindOf(value) : undefined,
    set: (before) => placed(before, value, options),
  }
  const inText = editInText(manifest, parts, edit)
  if (inText) return inText
  const failure = `unable to find${options?.create ? ' or create' : ''} field "${path}" in replacement target`
  const edited = within(failure, () => editAt(manifest, parts, edit))
  if (edited.count === 0) refuse(failure)
  // A manifest stays a map: only fields below it are edited.
  return edited.value as Manifest
}

/** The value in the place of another: whole, or as one of its delimited parts. */
function placed(before: unknown, value: unknown, options: FieldOptions | undefined): unknown {
  let next = value
  if (options?.delimiter) {
    if (typeof before === 'object' && before !== null) refuse('delimiter option can only be used with scalar nodes')
    const parts = scalarText(before).split(options.delimiter)
    const index = options.index ?? 0
    const part = scalarText(typeof value === 'object' ? '' : value)
    if (index < 0) parts.unshift(part)
    else if (index >= parts.length) parts.push(part)
    else parts[index] = part
    next = parts.join(options.delimiter)
  }
  if (typeof before === 'object' && before !== null) return next
  return retyped(typeof next === 'object' ? '' : scalarText(next), before)
}
