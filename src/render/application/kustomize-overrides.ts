import type { FileTree } from '../../lib/file-tree.ts'
import { isObject } from '../../lib/json.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import { emitYaml, parseYaml } from '../../lib/yaml.ts'
import { type KustomizeSource, substitute } from './source.ts'

type Fields = Readonly<Record<string, unknown>>

const names = ['kustomization.yaml', 'kustomization.yml', 'Kustomization']

/** The tree as if the overrides of an Application had been written into its kustomization. */
export function withOverrides(
  tree: FileTree,
  folder: string,
  source: KustomizeSource,
  variables: ReadonlyMap<string, string>,
): Result<FileTree> {
  const at = (name: string): string => (folder === '' ? name : `${folder}/${name}`)
  const file = names.map(at).find((path) => tree.read(path) !== undefined)
  if (file === undefined)
    return fail({
      code: 'kustomization-missing',
      at: folder || '.',
      message: `there is no kustomization in ${folder || '.'}`,
    })
  const parsed = parseYaml(new TextDecoder().decode(tree.read(file)), { file })
  if (!parsed.ok) return parsed
  if (!isObject(parsed.value))
    return fail({ code: 'kustomization-missing', at: file, message: `${file} holds no kustomization` })
  const edited = edit(parsed.value, source, variables)
  if (!edited.ok) return edited
  const bytes = new TextEncoder().encode(emitYaml(edited.value))
  return succeed({ read: (path) => (path === file ? bytes : tree.read(path)), list: (path) => tree.list(path) })
}

function edit(kustomization: Fields, source: KustomizeSource, variables: ReadonlyMap<string, string>): Result<Fields> {
  const labels = labelsOf(kustomization, source)
  if (!labels.ok) return labels
  const annotations = annotationsOf(kustomization, source, variables)
  if (!annotations.ok) return annotations
  const { namePrefix, nameSuffix, namespace } = source
  const texts = Object.entries({ namePrefix, nameSuffix, namespace }).filter(([, text]) => Boolean(text))
  return succeed({
    ...kustomization,
    ...Object.fromEntries(texts),
    ...listsOf(kustomization, source),
    ...labels.value,
    ...annotations.value,
  })
}

function listsOf(
  kustomization: Fields,
  { images = [], replicas = [], components = [], patches = [] }: KustomizeSource,
): Fields {
  const counts = replicas.map(({ name, count }) => ({ name, count: Number(count) }))
  return {
    ...(images.length > 0 ? { images: mergeBy(kustomization['images'], images.map(readImage)) } : {}),
    ...(counts.length > 0 ? { replicas: mergeBy(kustomization['replicas'], counts) } : {}),
    ...(components.length > 0 ? { components: [...listOf(kustomization['components']), ...components] } : {}),
    ...(patches.length > 0 ? { patches: [...listOf(kustomization['patches']), ...patches] } : {}),
  }
}

function labelsOf(kustomization: Fields, source: KustomizeSource): Result<Fields> {
  const { commonLabels = {}, labelWithoutSelector, labelIncludeTemplates, forceCommonLabels } = source
  if (Object.keys(commonLabels).length === 0) return succeed({})
  const merged = mergeNamed(kustomization, commonLabels, {
    field: 'commonLabels',
    isForced: forceCommonLabels === true,
  })
  if (!merged.ok || labelWithoutSelector !== true) return merged.ok ? succeed({ commonLabels: merged.value }) : merged
  const entry = {
    pairs: commonLabels,
    includeSelectors: false,
    ...(labelIncludeTemplates ? { includeTemplates: true } : {}),
  }
  return succeed({ labels: [...listOf(kustomization['labels']), entry] })
}

function annotationsOf(
  kustomization: Fields,
  source: KustomizeSource,
  variables: ReadonlyMap<string, string>,
): Result<Fields> {
  const wanted = Object.entries(source.commonAnnotations ?? {})
  if (wanted.length === 0) return succeed({})
  const values = wanted.map(
    ([name, value]) => [name, source.commonAnnotationsEnvsubst ? substitute(value, variables) : value] as const,
  )
  const options = { field: 'commonAnnotations', isForced: source.forceCommonAnnotations === true }
  const merged = mergeNamed(kustomization, Object.fromEntries(values), options)
  return merged.ok ? succeed({ commonAnnotations: merged.value }) : merged
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

/** A name that is there already is only taken over when that is forced. */
function mergeNamed(
  kustomization: Fields,
  added: Readonly<Record<string, string>>,
  { field, isForced }: { readonly field: string; readonly isForced: boolean },
): Result<Fields> {
  const before = isObject(kustomization[field]) ? kustomization[field] : {}
  const taken = Object.keys(added).find((name) => Object.hasOwn(before, name))
  if (taken !== undefined && !isForced) {
    return fail({
      code: 'kustomize-override-conflict',
      at: `${field}.${taken}`,
      message: `${field} of the kustomization has ${taken} already`,
      cure: 'set the force option of the Application, or take the name out of one of the two',
    })
  }
  return succeed({ ...before, ...added })
}

/** Entries of the same name are replaced where they stand; new ones come last. */
function mergeBy(before: unknown, added: readonly Fields[]): readonly unknown[] {
  const merged = [...listOf(before)]
  for (const entry of added) {
    const at = merged.findIndex((known) => isObject(known) && known['name'] === entry['name'])
    if (at < 0) merged.push(entry)
    else merged[at] = entry
  }
  return merged
}

/** Reads `name=new:tag`, `name:tag`, `name@digest` and `name=new@digest`. */
export function readImage(text: string): Fields {
  const equals = text.indexOf('=')
  const [name, rest] = equals < 0 ? [undefined, text] : [text.slice(0, equals), text.slice(equals + 1)]
  const { image, ...version } = splitImage(rest)
  return {
    name: name ?? image,
    ...(name === undefined || image === '' || image === name ? {} : { newName: image }),
    ...version,
  }
}

function splitImage(text: string): { readonly image: string; readonly newTag?: string; readonly digest?: string } {
  const at = text.indexOf('@')
  if (at >= 0) return { image: text.slice(0, at), digest: text.slice(at + 1) }
  const colon = text.lastIndexOf(':')
  if (colon <= text.lastIndexOf('/')) return { image: text }
  return { image: text.slice(0, colon), newTag: text.slice(colon + 1) }
}
