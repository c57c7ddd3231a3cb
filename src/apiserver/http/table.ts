import type { Column } from '../../kube/builtin/columns/column.ts'
import { cellsOf } from '../../kube/builtin/columns/index.ts'
import type { KubeObject } from '../../kube/object.ts'
import type { ObjectList } from '../request.ts'
import type { ServedResource } from '../resources/resource.ts'

/** What of the object a table's rows carry. */
export type IncludeObject = 'None' | 'Metadata' | 'Object'

interface TableOptions {
  readonly version: string
  readonly include: IncludeObject
  readonly nowMs: number
}

const columnDefinition = ({ name, type, format = '', description = '', priority }: Column): unknown => ({
  name,
  type,
  format,
  description,
  priority,
})

/** The table form of some objects: what `kubectl get` prints. */
export function tableOf(
  resource: ServedResource,
  objects: readonly KubeObject[],
  metadata: Readonly<Record<string, unknown>>,
  options: TableOptions,
  hasColumns: boolean = true,
): unknown {
  return {
    kind: 'Table',
    apiVersion: `meta.k8s.io/${options.version}`,
    metadata,
    columnDefinitions: hasColumns ? resource.columns.map(columnDefinition) : null,
    rows: objects.map((object) => ({
      cells: cellsOf(resource.columns, object, options.nowMs),
      ...(options.include === 'None'
        ? { object: null }
        : { object: options.include === 'Object' ? object : partialOf(object, options.version) }),
    })),
  }
}

/** The table of a list keeps the list's place in time. */
export function tableOfList(resource: ServedResource, list: ObjectList, options: TableOptions): unknown {
  return tableOf(resource, list.items, list.metadata, options)
}

/** Only what all objects have. */
export function partialOf({ metadata }: KubeObject, version: string): KubeObject {
  return { kind: 'PartialObjectMetadata', apiVersion: `meta.k8s.io/${version}`, metadata }
}

/** The metadata of a whole list. */
export function partialList(list: ObjectList, version: string): unknown {
  return {
    kind: 'PartialObjectMetadataList',
    apiVersion: `meta.k8s.io/${version}`,
    metadata: list.metadata,
    items: list.items.map((object) => partialOf(object, version)),
  }
}
