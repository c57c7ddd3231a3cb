import { own } from '../../lib/json.ts'
import { mergeStrategic } from './merge/merge.ts'
import type { MergeTable } from './merge/table.ts'
import { demand } from './refusal.ts'
import type { Manifest } from './resource.ts'

const text = (value: unknown): string => (typeof value === 'string' ? value : '')

/** Merges a patch into a manifest by what the table knows of its kind; undefined when the patch deletes it. */
export function mergeManifest(manifest: Manifest, patch: Manifest, table: MergeTable): Manifest | undefined {
  const schemaOf = (part: Manifest): ReturnType<MergeTable['schemaOf']> =>
    table.schemaOf(text(own(part, 'apiVersion')), text(own(part, 'kind')))
  return demand(mergeStrategic(manifest, patch, schemaOf(manifest) ?? schemaOf(patch)))
}
