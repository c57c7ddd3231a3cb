import { Buffer } from 'node:buffer'
import type { KubeObject } from '../../kube/object.ts'
import { failure, type Status } from '../../kube/status.ts'
import type { Clock } from '../../lib/clock.ts'
import type { ObjectList } from '../request.ts'
import type { ServedResource } from '../resources/resource.ts'
import { eventLine } from './bytes.ts'
import type { Agreed } from './negotiate.ts'
import { type IncludeObject, partialList, partialOf, tableOf, tableOfList } from './table.ts'
import type { Reshape } from './watch-stream.ts'

/** What other shape than its own a client wants an answer in. */
export interface TableWish {
  readonly as: string | undefined
  readonly version: string
  readonly include: IncludeObject
}

/** Reads the wish for a table or for metadata only. */
export function tableWish(
  agreed: Agreed,
  query: ReadonlyMap<string, readonly string[]>,
): TableWish | { readonly status: Status } {
  const include = query.get('includeObject')?.[0] ?? 'Metadata'
  if (agreed.as === 'Table' && include !== 'None' && include !== 'Metadata' && include !== 'Object') {
    return { status: failure('BadRequest', `unrecognized includeObject value: ${JSON.stringify(include)}`) }
  }
  return {
    as: agreed.as,
    version: agreed.version ?? 'v1',
    include: include === 'None' || include === 'Object' ? include : 'Metadata',
  }
}

/** The functions that bring answers into the wished shape. */
export interface Shaper {
  object(object: KubeObject): unknown
  list(list: ObjectList): unknown
  line(): Reshape
}

/** The shape that was wished for; undefined where answers go as they are. */
export function reshaped(resource: ServedResource | undefined, wish: TableWish, clock: Clock): Shaper | undefined {
  if (wish.as === undefined || !resource) return undefined
  if (wish.as === 'Table') return tables(resource, wish, clock)
  return {
    object: (object) => partialOf(object, wish.version),
    list: (list) => partialList(list, wish.version),
    line: () => (event) =>
      lineOf(event.type, event.type === 'ERROR' ? event.object : partialOf(event.object, wish.version)),
  }
}

function tables(resource: ServedResource, { version, include }: TableWish, clock: Clock): Shaper {
  const options = () => ({ version, include, nowMs: clock.now() })
  const one = (object: KubeObject, hasColumns: boolean): unknown =>
    tableOf(resource, [object], { resourceVersion: object.metadata.resourceVersion ?? '' }, options(), hasColumns)
  return {
    object: (object) => one(object, true),
    list: (list) => tableOfList(resource, list, options()),
    line() {
      // Only the first table of a stream names its columns.
      let hasColumns = true
      return (event) => {
        if (event.type === 'ERROR') return lineOf(event.type, event.object)
        if (event.type === 'BOOKMARK') {
          return lineOf(event.type, tableOf(resource, [], event.object.metadata, options(), hasColumns))
        }
        const table = one(event.object, hasColumns)
        hasColumns = false
        return lineOf(event.type, table)
      }
    },
  }
}

const lineOf = (type: Parameters<Reshape>[0]['type'], value: unknown): Buffer =>
  eventLine(type, Buffer.from(JSON.stringify(value)))
