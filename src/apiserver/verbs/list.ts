import { type FieldError, forbidden, invalid, notSupported } from '../../kube/schema/field-error.ts'
import { apiVersionOf } from '../../kube/gvk.ts'
import type { KubeObject } from '../../kube/object.ts'
import { type ApiResult, failure, type Status } from '../../kube/status.ts'
import type { Entry, RangeResult } from '../../store/store.ts'
import { succeed } from '../../lib/result.ts'
import { expired, invalidOptions, pathNotFound, tooLargeRevision } from '../refusals.ts'
import type { Kernel } from '../kernel.ts'
import { type ApiRequest, type ApiResponse, type ObjectList, refused, type RequestOptions } from '../request.ts'
import type { ServedResource } from '../resources/resource.ts'
import { decodeContinue, encodeContinue } from '../storage/continue-token.ts'
import { collectionPrefix, keyOf } from '../storage/keys.ts'
import { type Selection, selectionOf } from '../storage/selection.ts'
import { readThroughForms } from './forms.ts'
import { parseRevision } from './get.ts'

/** How many entries are read at a time while looking for the ones a selector means. */
const SCAN_PAGE = 1_000

/** Reads a collection as of one revision, whole or in pages. */
export function list(kernel: Kernel, resource: ServedResource, request: ApiRequest): ApiResponse {
  const storage = resource.storage
  if (!storage) return refused(pathNotFound())
  const selection = selectionOf(resource, request.options, request.name)
  if (!selection.ok) return refused(selection.error)
  const start = startOf(kernel, request.options)
  if ('status' in start) return refused(start.status)
  const isPaged = request.inPages === true && start.limit === 0 && selection.value.name === undefined
  if (isPaged) return inPages(kernel, resource, request, selection.value, start)
  const found = collect(kernel, resource, request, selection.value, start)
  if ('status' in found) return refused(found.status)
  return { answer: 'list', list: found.list }
}

/** How many entries are held at a time while a list is sent on. */
const SENT_PAGE = 500

/** A list whose first page is read now, and the others as they are asked for, all as of one revision. */
function inPages(
  { store }: Kernel,
  resource: ServedResource,
  request: ApiRequest,
  { matches }: Selection,
  start: Start,
): ApiResponse {
  const { storage } = resource
  if (!storage) return refused(pathNotFound())
  const prefix = collectionPrefix(storage.prefix, request.namespace)
  const read = (revision: number | undefined, after: string | undefined): RangeResult<KubeObject> =>
    store.range(prefix, {
      limit: SENT_PAGE,
      ...(revision === undefined ? {} : { revision }),
      ...(after === undefined ? {} : { after }),
    })
  const select = (entries: readonly Entry<KubeObject>[]): readonly KubeObject[] => {
    const objects = entries.map(({ value }) => storage.toServed(value))
    return matches ? objects.filter(matches) : objects
  }
  const first = read(start.revision, start.after === undefined ? undefined : prefix + start.after)
  if (!first.ok) return refused(unreadable(first, start))
  function* rest(from: Extract<RangeResult<KubeObject>, { ok: true }>): Generator<readonly KubeObject[]> {
    let page = from
    while (page.more) {
      const next = read(from.revision, page.entries.at(-1)?.key)
      if (!next.ok) throw new Error(`cannot read on in ${prefix} at revision ${from.revision}: ${next.because}`)
      page = next
      yield select(page.entries)
    }
  }
  const list = listOf(resource, select(first.entries), first.revision, {})
  return { answer: 'list', list, ...(first.more ? { rest: rest(first) } : {}) }
}

interface Start {
  readonly revision?: number
  readonly after?: string
  readonly limit: number
}

type Refusal = { readonly status: Status }

function startOf(kernel: Kernel, options: RequestOptions): Start | Refusal {
  const limit = options.limit ?? 0
  const asked = options.resourceVersion ?? ''
  const causes = checkOptions(options)
  if (causes.length > 0) return { status: invalidOptions('ListOptions', causes) }
  if (options.continue !== undefined && options.continue !== '') return resume(options.continue, asked, limit)
  const match = options.resourceVersionMatch
  if (asked === '' || asked === '0') return { limit }
  const revision = parseRevision(asked)
  if (revision === undefined)
    return { status: invalidOptions('ListOptions', [invalid('resourceVersion', asked, 'must be a number')]) }
  if (revision > kernel.store.revision) return { status: tooLargeRevision(revision, kernel.store.revision) }
  const isExact = match === 'Exact' || (match === undefined && limit > 0)
  return isExact ? { revision, limit } : { limit }
}

function checkOptions({
  resourceVersion = '',
  resourceVersionMatch: match,
  continue: token,
  sendInitialEvents,
}: RequestOptions): readonly FieldError[] {
  if (sendInitialEvents !== undefined)
    return [forbidden('sendInitialEvents', 'sendInitialEvents is forbidden for list')]
  if (match === undefined || match === '') return []
  if (token !== undefined && token !== '')
    return [forbidden('resourceVersionMatch', 'resourceVersionMatch is forbidden when continue is provided')]
  if (resourceVersion === '')
    return [forbidden('resourceVersionMatch', 'resourceVersionMatch is forbidden unless resourceVersion is provided')]
  if (match !== 'Exact' && match !== 'NotOlderThan') {
    return [notSupported('resourceVersionMatch', match, ['Exact', 'NotOlderThan'])]
  }
  if (match === 'Exact' && resourceVersion === '0') {
    return [forbidden('resourceVersionMatch', 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"')]
  }
  return []
}

function resume(token: string, asked: string, limit: number): Start | Refusal {
  if (asked !== '' && asked !== '0') {
    return { status: failure('BadRequest', 'specifying resource version is not allowed when using continue') }
  }
  const place = decodeContinue(token)
  if (!place) return { status: failure('BadRequest', 'continue key is not valid: it was not issued by this server') }
  return { after: place.after, limit, ...(place.revision === 0 ? {} : { revision: place.revision }) }
}

type Collected = { readonly list: ObjectList } | Refusal

function collect(
  kernel: Kernel,
  resource: ServedResource,
  request: ApiRequest,
  selection: Selection,
  start: Start,
): Collected {
  const storage = resource.storage
  if (!storage) return { status: pathNotFound() }
  const prefix = collectionPrefix(storage.prefix, request.namespace)
  const named = onlyEntry(kernel, resource, request, selection, start)
  if (named) return { list: listOf(resource, named.entries, named.revision, {}) }
  const { matches } = selection
  const items: KubeObject[] = []
  let after = start.after === undefined ? undefined : prefix + start.after
  let revision = start.revision
  for (;;) {
    const wanted = start.limit > 0 ? start.limit - items.length : 0
    const page: RangeResult<KubeObject> = kernel.store.range(prefix, {
      ...(revision === undefined ? {} : { revision }),
      ...(after === undefined ? {} : { after }),
      ...(wanted > 0 ? { limit: matches ? Math.max(wanted, SCAN_PAGE) : wanted } : {}),
    })
    if (!page.ok) return { status: unreadable(page, start) }
    revision = page.revision
    const taken = take(page.entries, items, wanted, (entry) => {
      const object = storage.toServed(entry.value)
      return !matches || matches(object) ? object : undefined
    })
    const last = page.entries[taken - 1]
    const isLeft = taken < page.entries.length || page.more
    after = last?.key ?? after
    if (isLeft && start.limit > 0 && items.length >= start.limit && after !== undefined) {
      const remaining = page.remaining + page.entries.length - taken
      return {
        list: listOf(resource, items, revision, {
          continue: encodeContinue({ revision, after: after.slice(prefix.length) }),
          ...(matches ? {} : { remainingItemCount: remaining }),
        }),
      }
    }
    if (!page.more) return { list: listOf(resource, items, revision, {}) }
  }
}

/** Moves selected objects over until enough are found; answers how many entries were looked at. */
function take(
  entries: readonly Entry<KubeObject>[],
  items: KubeObject[],
  wanted: number,
  select: (entry: Entry<KubeObject>) => KubeObject | undefined,
): number {
  let found = 0
  for (const [index, entry] of entries.entries()) {
    const object = select(entry)
    if (!object) continue
    items.push(object)
    found++
    if (wanted > 0 && found === wanted) return index + 1
  }
  return entries.length
}

/** A selector that names one object reads its key; only for the newest revision and where the key is known. */
function onlyEntry(
  kernel: Kernel,
  resource: ServedResource,
  request: ApiRequest,
  selection: Selection,
  start: Start,
): { entries: KubeObject[]; revision: number } | undefined {
  const { storage } = resource
  if (!storage || selection.name === undefined || start.revision !== undefined || start.after !== undefined)
    return undefined
  if (resource.namespaced && !request.namespace) return undefined
  const entry = kernel.store.get(keyOf(storage.prefix, request.namespace, selection.name))
  const object = entry && storage.toServed(entry.value)
  const isMeant = object !== undefined && (selection.matches?.(object) ?? true)
  return { entries: isMeant ? [object] : [], revision: kernel.store.revision }
}

function unreadable(page: Extract<RangeResult<KubeObject>, { ok: false }>, start: Start): Status {
  if (page.because === 'future') return tooLargeRevision(start.revision ?? 0, page.revision)
  if (start.after === undefined) return expired(`The resourceVersion for the provided list is too old.`)
  const status = expired(
    'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.',
  )
  return { ...status, metadata: { continue: encodeContinue({ revision: 0, after: start.after }) } }
}

function listOf(
  resource: ServedResource,
  items: readonly KubeObject[],
  revision: number,
  more: { continue?: string; remainingItemCount?: number },
): ObjectList {
  return {
    apiVersion: apiVersionOf(resource),
    kind: resource.listKind,
    metadata: { resourceVersion: String(revision), ...more },
    items,
  }
}

/** Every object a request means, for verbs that act on collections. */
export async function selectAll(
  kernel: Kernel,
  resource: ServedResource,
  request: ApiRequest,
): Promise<ApiResult<ObjectList>> {
  const answer = await readThroughForms(resource, request, (view, asked) => list(kernel, view, asked))
  if (answer.answer === 'list') return succeed(answer.list)
  return { ok: false, error: answer.answer === 'status' ? answer.status : pathNotFound() }
}
