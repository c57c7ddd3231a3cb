import { compileJsonPath, type JsonPath } from '../../../lib/jsonpath.ts'
import type { GroupVersionKind } from '../../gvk.ts'
import type { KubeObject } from '../../object.ts'
import { clusterColumns } from './cluster.ts'
import { ageColumn, ageText, type Column, nameColumn } from './column.ts'
import { networkColumns } from './network.ts'
import { otherColumns } from './others.ts'
import { podColumns } from './pod.ts'
import { workloadColumns } from './workloads.ts'

const tables: Readonly<Record<string, readonly Column[]>> = {
  '/Pod': podColumns,
  ...workloadColumns,
  ...clusterColumns,
  ...networkColumns,
  ...otherColumns,
}

const plain: readonly Column[] = [nameColumn, ageColumn]

/** The table that `kubectl get` prints for a built-in kind: its own, or name and age. */
export function columnsOf({ group, kind }: Pick<GroupVersionKind, 'group' | 'kind'>): readonly Column[] {
  return tables[`${group}/${kind}`] ?? plain
}

/** A column as a CustomResourceDefinition declares it. */
export interface PrinterColumn {
  readonly name: string
  readonly type: string
  readonly jsonPath: string
  readonly format?: string
  readonly description?: string
  readonly priority?: number
}

/** The table of a custom resource: its name, and the columns that its definition declares, or its age when it declares none. */
export function customColumns(declared: readonly PrinterColumn[] | undefined): readonly Column[] {
  if (!declared || declared.length === 0) return plain
  return [nameColumn, ...declared.map(customColumn)]
}

function customColumn({ name, type, jsonPath, format, description, priority }: PrinterColumn): Column {
  const compiled = compileJsonPath(jsonPath)
  const path: JsonPath = compiled.ok ? compiled.value : () => []
  return {
    name,
    type,
    priority: priority ?? 0,
    ...(format === undefined ? {} : { format }),
    ...(description === undefined ? {} : { description }),
    cell: (object, nowMs) => cellOf(path(object), type, nowMs),
  }
}

/** A cell holds the first value found, in the type that the column declares; what does not fit is an empty cell. */
function cellOf(found: readonly unknown[], type: string, nowMs: number): unknown {
  const [value] = found
  if (value === undefined || value === null) return null
  switch (type) {
    case 'integer':
      return typeof value === 'number' ? Math.trunc(value) : null
    case 'number':
      return typeof value === 'number' ? value : null
    case 'boolean':
      return typeof value === 'boolean' ? value : null
    case 'date':
      return typeof value === 'string' ? ageText(value, nowMs) : '<invalid>'
    case 'string':
      return found.length === 1 ? textOf(value) : found.map(textOf).join(',')
    default:
      return null
  }
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))

/** The cells of one row, in the order of the columns. */
export function cellsOf(columns: readonly Column[], object: KubeObject, nowMs: number): readonly unknown[] {
  return columns.map((column) => column.cell(object, nowMs))
}
