import { isObject } from '../../lib/json.ts'
import { demandScalar, editPath, splitPath } from './field-spec.ts'
import type { TargetPattern } from './kustomization.ts'
import { withNamespace } from './namespaces.ts'
import { refuse } from './refusal.ts'
import type { Resources } from './resources.ts'
import { scalarText } from './scalar-text.ts'
import { select } from './select.ts'

/** Where a value is added. */
export interface ValueTarget {
  readonly selector?: TargetPattern
  readonly fieldPath?: string
  readonly filePathPosition?: number
}

/** Refuses targets that name no field. */
export function checkValueTargets(targets: readonly ValueTarget[]): void {
  if (targets.length === 0) refuse('must specify at least one target')
  for (const { fieldPath, filePathPosition = 0 } of targets) {
    if (!fieldPath) refuse('fieldPath cannot be empty')
    if (filePathPosition < 0) refuse(`value of FilePathPosition (${filePathPosition}) cannot be negative`)
  }
}

/** Writes a value into fields, or as one part of the paths that they hold. */
export function addValue(resources: Resources, value: string, targets: readonly ValueTarget[]): void {
  for (const { selector, fieldPath = '', filePathPosition = 0 } of targets) {
    for (const resource of selector ? select(resources.list, selector) : resources.list) {
      if (fieldPath === 'metadata/namespace') {
        const setting = { namespace: value, specs: [], unsetOnly: false, subjects: 'defaultOnly' }
        resource.manifest = withNamespace(resource, setting)
        continue
      }
      const spec = { group: '', version: '', kind: '', path: fieldPath, create: true }
      if (splitPath(fieldPath).some((part) => part === '')) refuse(`cannot add a value at ${JSON.stringify(fieldPath)}`)
      resource.manifest = editPath(resource.manifest, spec, {
        creates: 'scalar',
        set(before) {
          if (isObject(before)) demandScalar(before)
          return filePathPosition > 0 ? insertPart(scalarText(before), filePathPosition - 1, value) : value
        },
      })
    }
  }
}

/** A path with one part more; the position counts without the slash that an absolute path begins with. */
function insertPart(path: string, position: number, part: string): string {
  if (part === '') return path
  const parts = path === '' ? [] : path.replace(/\/+$/, '').split('/')
  let at = Math.min(position, parts.length)
  if (parts[0] === '' && parts.length > 0 && at < parts.length) at++
  return parts.toSpliced(at, 0, part).join('/')
}
