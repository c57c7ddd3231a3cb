import { compareText, pathText } from './apply/path-element.ts'
import type { Conflict } from './apply/updater.ts'
import { identityOf, type ManagerIdentity } from './managed-entries.ts'

/** A field that an apply would change although somebody else owns it. */
export interface FieldConflict extends ManagerIdentity {
  /** The path, as `.spec.containers[name="x"].image`. */
  readonly field: string
  /** `conflict with "x" using v1`. */
  readonly message: string
}

/** What a request answers that would take fields over: one message, and each field. */
export interface Conflicts {
  readonly message: string
  readonly conflicts: readonly FieldConflict[]
}

/** Tells conflicts as the Kubernetes API does, by manager. */
export function conflictsOf(found: readonly Conflict[]): Conflicts {
  const conflicts = found
    .toSorted((a, b) => compareText(a.manager, b.manager))
    .map(({ manager, path }): FieldConflict => {
      const identity = identityOf(manager)
      return { ...identity, field: pathText(path), message: `conflict with ${managerText(identity)}` }
    })
  return { message: messageOf(conflicts), conflicts }
}

function messageOf(conflicts: readonly FieldConflict[]): string {
  const [only] = conflicts
  if (only && conflicts.length === 1) return `Apply failed with 1 conflict: ${only.message}: ${only.field}`
  const byManager = new Map<string, FieldConflict[]>()
  for (const conflict of conflicts) {
    const manager = managerText(conflict)
    byManager.set(manager, [...(byManager.get(manager) ?? []), conflict])
  }
  const lines = [...byManager].flatMap(([manager, fields]) => [
    `conflicts with ${manager}:`,
    ...fields.map(({ field }) => `- ${field}`),
  ])
  return `Apply failed with ${conflicts.length} conflicts: ${lines.join('\n')}`
}

function managerText({ manager, operation, apiVersion, subresource }: ManagerIdentity): string {
  const name = JSON.stringify(manager) + (subresource ? ` with subresource ${JSON.stringify(subresource)}` : '')
  return operation === 'Update' ? `${name} using ${apiVersion}` : name
}
