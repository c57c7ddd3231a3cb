import type { GroupVersionKind } from '../../gvk.ts'
import type { KubeObject } from '../../object.ts'
import type { FieldError } from '../../schema/field-error.ts'
import { checkObjectMeta, checkObjectMetaUpdate } from '../../schema/object-meta.ts'
import type { Schema } from '../../schema/schema.ts'
import { nameCheckOf } from '../kinds.ts'
import { clusterChecks, clusterUpdates } from './cluster.ts'
import { checkMandatory } from './mandatory.ts'
import { otherChecks, otherUpdates } from './others.ts'
import { Part } from './report.ts'
import { workloadChecks, workloadUpdates } from './workloads.ts'

const checks = { ...workloadChecks, ...clusterChecks, ...otherChecks }
const updates = { ...workloadUpdates, ...clusterUpdates, ...otherUpdates }

/** What is written, and what it replaces. */
export interface Written {
  readonly kind: Pick<GroupVersionKind, 'group' | 'kind'>
  readonly namespaced: boolean
  readonly schema: Schema
  /** Decoded and with its defaults. */
  readonly object: KubeObject
  /** Absent when the object is created. */
  readonly old?: KubeObject
  /** A write through a subresource may change what the main resource may not, such as a Pod's node or its resources. */
  readonly subresource?: string
}

/**
 * Everything that the API server's own validation says against an object of a built-in kind: its metadata, the fields that
 * must be there, what their values may be together, and what an update may not change.
 */
export function checkBuiltin(written: Written): readonly FieldError[] {
  const { kind, namespaced, schema, object, old, subresource } = written
  const id = `${kind.group}/${kind.kind}`
  const problems: FieldError[] = [
    ...checkObjectMeta(object, { namespaced, checkName: nameCheckOf(kind) }),
    ...(old ? checkObjectMetaUpdate(object, old) : []),
  ]
  if (subresource === 'status') return distinct(problems)
  problems.push(...checkMandatory(object, schema))
  checks[id]?.(new Part(object, '', problems))
  if (old && subresource === undefined) updates[id]?.(object, old, problems)
  return distinct(problems)
}

/** Each problem once, whoever found it; of two that say a field is missing, the one that says more. */
function distinct(problems: readonly FieldError[]): readonly FieldError[] {
  const found = new Map<string, FieldError>()
  for (const problem of problems) {
    const key = problem.reason === 'FieldValueRequired' ? `${problem.at} required` : `${problem.at} ${problem.message}`
    const known = found.get(key)
    if (!known || known.message.length < problem.message.length) found.set(key, problem)
  }
  return [...found.values()]
}
