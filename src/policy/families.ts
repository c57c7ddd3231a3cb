import { readData } from '../lib/data-file.ts'
import { type MergeTable, readMergeTable } from '../render/kustomize/merge/table.ts'
import { celFamily } from './cel/cel-family.ts'
import { classicPolicies } from './classic/family.ts'
import type { PolicyFamily } from './engine/compiled-policy.ts'

let table: MergeTable | undefined

/** How lists of the kinds of Kubernetes merge; read when a mutation first asks. */
export function mergeTable(): MergeTable {
  return (table ??= readMergeTable(new TextDecoder().decode(readData('kustomize/merge-table'))))
}

/** The languages in which policies are written. */
export const policyFamilies: readonly PolicyFamily[] = [
  classicPolicies({ schemaOf: (apiVersion, kind) => mergeTable().schemaOf(apiVersion, kind) }),
  celFamily,
]
