import { isObject, own } from '../../lib/json.ts'
import { compilePattern } from '../../lib/re2.ts'
import { demandScalar, editField, type FieldSpec } from './field-spec.ts'
import type { ImageEntry } from './kustomization.ts'
import type { Manifest } from './resource.ts'
import type { Resources } from './resources.ts'

interface ImageName {
  readonly name: string
  readonly tag: string
  readonly digest: string
}

/** Takes an image apart; a port behind the registry's host is no tag. */
export function splitImage(image: string): ImageName {
  const slash = Math.max(image.indexOf('/'), 0)
  const at = image.indexOf('@', slash)
  const colon = image.indexOf(':', slash)
  if (at < 0 && colon < 0) return { name: image, tag: '', digest: '' }
  if (at >= 0 && (colon < 0 || at < colon)) return { name: image.slice(0, at), tag: '', digest: image.slice(at + 1) }
  if (at < 0) return { name: image.slice(0, colon), tag: image.slice(colon + 1), digest: '' }
  return { name: image.slice(0, colon), tag: image.slice(colon + 1, at), digest: image.slice(at + 1) }
}

/** The image with what the entry says of it. */
function changed(image: string, entry: ImageEntry): string {
  const old = splitImage(image)
  const name = entry.newName || old.name
  let { tag, digest } = old
  if (entry.newTag) {
    tag = entry.newTag
    digest = entry.digest ?? ''
  } else if (entry.digest) {
    tag = ''
    digest = entry.digest
  } else if (entry.tagSuffix) {
    tag += entry.tagSuffix
    digest = ''
  }
  return name + (tag === '' ? '' : `:${tag}`) + (digest === '' ? '' : `@${digest}`)
}

const REST = '(:[a-zA-Z0-9_.{}-]*)?(@[a-zA-Z0-9]+([.+_-][a-zA-Z0-9]+)*:[a-zA-Z0-9_.{}-]*)?$'

/** Gives images another name, tag or digest wherever containers stand, and in the fields of the specs. */
export function setImages(resources: Resources, entry: ImageEntry, specs: readonly FieldSpec[]): void {
  const pattern = compilePattern(`^${entry.name ?? ''}${REST}`)
  const set = (value: unknown): unknown => {
    demandScalar(value)
    if (typeof value !== 'string' || !pattern.ok || !pattern.value.matcher(value).find()) return value
    return changed(value, entry)
  }
  for (const resource of resources.list) {
    if (resource.kind === 'CustomResourceDefinition') continue
    resource.manifest = inContainers(resource.manifest, set) as Manifest
    // A spec may ask for creating: there is no image to create.
    for (const spec of specs) resource.manifest = editField(resource.manifest, spec, { set })
  }
}

type Change = (value: unknown) => unknown

/** Looks for containers at any depth. */
function inContainers(value: unknown, change: Change): unknown {
  if (Array.isArray(value)) return mapItems(value, (item) => inContainers(item, change))
  if (!isObject(value)) return value
  let copy: Record<string, unknown> | undefined
  for (const [key, below] of Object.entries(value)) {
    if (typeof below !== 'object' || below === null) continue
    let next = inContainers(below, change)
    if ((key === 'containers' || key === 'initContainers') && Array.isArray(next)) {
      next = mapItems(next, (item) => inContainer(item, change))
    }
    if (next === below) continue
    copy ??= { ...value }
    Object.defineProperty(copy, key, { value: next, writable: true, enumerable: true, configurable: true })
  }
  return copy ?? value
}

function mapItems(items: readonly unknown[], change: Change): readonly unknown[] {
  let isChanged = false
  const mapped = items.map((item) => {
    const next = change(item)
    isChanged ||= next !== item
    return next
  })
  return isChanged ? mapped : items
}

function inContainer(container: unknown, change: Change): unknown {
  if (!isObject(container)) return container
  const image = own(container, 'image')
  if (image === undefined || image === null) return container
  const next = change(image)
  return next === image ? container : { ...container, image: next }
}
