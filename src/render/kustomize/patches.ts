import { parseYaml } from '../../lib/yaml.ts'
import { applyJsonPatch } from '../../kube/patch/json-patch.ts'
import { isObject } from '../../lib/json.ts'
import type { Folder } from './files.ts'
import type { PatchEntry, TargetPattern } from './kustomization.ts'
import { readManifests } from './read-manifests.ts'
import { demand, refuse, Refusal, within } from './refusal.ts'
import { type Manifest, Resource, type Scopes, withMetadata } from './resource.ts'
import { apiVersionOf, idText } from './resource-id.ts'
import type { Resources } from './resources.ts'
import { select } from './select.ts'

/** Merges a patch into a manifest; undefined when the patch deletes it. */
export type Merge = (manifest: Manifest, patch: Manifest) => Manifest | undefined

export type Transform = (resources: Resources) => void

/** What patches need from the build. */
export interface PatchTools {
  readonly folder: Folder
  readonly scopes: Scopes
  readonly merge: Merge
}

const readPatches = (text: string, scopes: Scopes): readonly Resource[] =>
  readManifests(text).map((manifest) => new Resource(manifest, scopes))

function attempt<T>(run: () => T): T | Refusal {
  try {
    return run()
  } catch (thrown) {
    if (thrown instanceof Refusal) return thrown
    throw thrown
  }
}

/** Reads a JSON patch, written as JSON or as YAML; what begins with a bracket must be JSON. */
function readOperations(text: string): readonly unknown[] {
  if (text === '') refuse('empty json patch operations')
  const value = text.startsWith('[') ? readJson(text) : demand(parseYaml(text, { exactIntegers: true }))
  if (value === null || value === undefined) return []
  if (!Array.isArray(value)) {
    const type = isObject(value) ? 'object' : typeof value
    return refuse(`json: cannot unmarshal ${type} into Go value of type jsonpatch.Patch`)
  }
  const wrong = value.find((operation) => !isObject(operation))
  if (wrong !== undefined) refuse(`json: cannot unmarshal ${typeof wrong} into Go value of type jsonpatch.Operation`)
  return value
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    return refuse(`cannot read the JSON patch: ${cause instanceof Error ? cause.message : String(cause)}`)
  }
}

/** Changes one resource by a strategic-merge patch; its name, kind and namespace stay unless the patch may change them. */
function applyMerge(resource: Resource, patch: Resource, manifest: Manifest, merge: Merge): void {
  const { name, namespace, kind } = resource
  if (patch.allowsNameChange || patch.allowsKindChange) resource.rememberId()
  let merged = merge(resource.manifest, manifest)
  if (merged === undefined || Object.keys(merged).length === 0) {
    resource.manifest = undefined
    return
  }
  if (!patch.allowsKindChange) merged = { ...merged, kind }
  if (!patch.allowsNameChange) merged = withMetadata(merged, 'name', name)
  resource.manifest = withMetadata(merged, 'namespace', namespace === '' ? undefined : namespace)
}

/** Applies a patch to resources that were chosen, and drops those it deletes. */
function mergeInto(resources: Resources, chosen: ReadonlySet<Resource>, patch: Resource, merge: Merge): void {
  for (const resource of resources.list) {
    if (!chosen.has(resource)) continue
    const manifest = { ...patch.manifest, apiVersion: apiVersionOf(resource.gvk) }
    applyMerge(resource, patch, manifest, merge)
  }
  const kept = resources.list.filter(({ isGone }) => !isGone)
  resources.list = []
  resources.appendAll(kept)
}

/** Kustomize keeps its own notes among the annotations, so that JSON patches always find a map there once it has taken any. */
function withAnnotations(resource: Resource): Manifest {
  const { manifest } = resource
  return resource.isNoted && !resource.annotations ? withMetadata(manifest, 'annotations', {}) : manifest
}

function applyOperations(resources: readonly Resource[], operations: readonly unknown[], remember: boolean): void {
  for (const resource of resources) {
    if (remember) resource.rememberId()
    const patched = demand(applyJsonPatch(withAnnotations(resource), operations))
    if (!isObject(patched)) return refuse('a JSON patch must leave an object')
    resource.manifest = patched
  }
}

function patchText(entry: PatchEntry, folder: Folder): { readonly text: string; readonly source: string } {
  const inline = (entry.patch ?? '').trim()
  const { path = '' } = entry
  if (inline === '' && path === '') refuse(`must specify one of patch and path in\n${describe(entry)}`)
  if (inline !== '' && path !== '') refuse(`patch and path can't be set at the same time\n${describe(entry)}`)
  if (inline !== '') return { text: inline, source: `[patch: ${JSON.stringify(inline)}]` }
  const text = within(`failed to get the patch file from path(${path})`, () => folder.readText(path))
  return { text, source: `[path: ${JSON.stringify(path)}]` }
}

/** An entry of `patches`: a merge patch or a JSON patch, whichever its text is. */
export function patchTransform(entry: PatchEntry, { folder, scopes, merge }: PatchTools): Transform {
  const { target } = entry
  const { text, source } = patchText(entry, folder)
  const merges = attempt(() => readPatches(text, scopes))
  const operations = attempt(() => readOperations(text))
  if (!(merges instanceof Refusal) && !(operations instanceof Refusal)) {
    refuse(`illegally qualifies as both an SM and JSON patch: ${source}`)
  }
  if (merges instanceof Refusal) {
    if (operations instanceof Refusal) return refuse(`unable to parse SM or JSON patch from ${source}`)
    return (resources) => {
      if (!target) return refuse(`must specify a target for JSON patch ${source}`)
      applyOperations(select(resources.list, target), operations, true)
    }
  }
  for (const patch of merges) {
    patch.allowsNameChange ||= entry.options?.allowNameChange ?? false
    patch.allowsKindChange ||= entry.options?.allowKindChange ?? false
  }
  return target ? mergeTargets(merges, target, source, merge) : mergeNamed(merges, merge)
}

function mergeTargets(patches: readonly Resource[], target: TargetPattern, source: string, merge: Merge): Transform {
  return (resources) => {
    const [patch] = patches
    if (patches.length > 1) {
      refuse(
        `Multiple Strategic-Merge Patches in one \`patches\` entry is not allowed to set \`patches.target\` field: ${source}`,
      )
    }
    if (patch) mergeInto(resources, new Set(select(resources.list, target)), patch, merge)
  }
}

function mergeNamed(patches: readonly Resource[], merge: Merge): Transform {
  return (resources) => {
    for (const patch of patches) {
      const id = patch.originalId
      const found = within(`no resource matches strategic merge patch "${idText(id)}"`, () => resources.unique(id))
      applyMerge(found, patch, patch.manifest, merge)
    }
  }
}

const describe = (entry: PatchEntry): string => JSON.stringify(entry)

/** The `patchesStrategicMerge` field: texts of patches, or paths of files with them. */
export function mergeFilesTransform(
  paths: readonly string[],
  inline: string,
  { folder, scopes, merge }: PatchTools,
): Transform {
  if (paths.length === 0 && inline === '') refuse('empty file path and empty patch content')
  const patches = paths.flatMap((path) => {
    const found = attempt(() => readPatches(path, scopes))
    return found instanceof Refusal ? within(path, () => readPatches(folder.readText(path), scopes)) : found
  })
  if (inline !== '') patches.push(...readPatches(inline, scopes))
  if (patches.length === 0) refuse(`patch appears to be empty; files=[${paths.join(' ')}], Patch=${inline}`)
  return (resources) => {
    for (const patch of patches) {
      mergeInto(resources, new Set([resources.unique(patch.originalId)]), patch, merge)
    }
  }
}

/** An entry of `patchesJson6902`. */
export function operationsTransform(
  target: TargetPattern | undefined,
  path: string,
  inline: string,
  folder: Folder,
): Transform {
  if (!target?.name) refuse('must specify the target name')
  if (path === '' && inline === '') refuse('empty file path and empty jsonOp')
  if (path !== '' && inline !== '') refuse('must specify a file path or jsonOp, not both')
  const text = path === '' ? inline : folder.readText(path)
  if (text === '') refuse(`patch file '${path}' empty seems to be empty`)
  const operations = within(`decoding ${text}`, () => readOperations(text))
  if (operations.length === 0) refuse(`patch appears to be empty; file=${path}, JsonOp=${text}`)
  return (resources) => applyOperations(select(resources.list, target ?? {}), operations, false)
}
