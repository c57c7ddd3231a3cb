import type { KubeObject } from '../../kube/object.ts'
import { type ApiResult, failure, type Status } from '../../kube/status.ts'
import { succeed } from '../../lib/result.ts'
import { type ApiRequest, type ApiResponse, refused } from '../request.ts'
import type { FormConverter, ResourceStorage, ServedResource } from '../resources/resource.ts'

/** A stored object in the version that is served. */
export async function servedForm(storage: ResourceStorage, object: KubeObject): Promise<ApiResult<KubeObject>> {
  const { converter } = storage
  return converter?.isForeign(object)
    ? only(await converter.convert([object], 'served'))
    : succeed(storage.toServed(object))
}

/** A served object in the version that is kept. */
export async function keptForm(storage: ResourceStorage, object: KubeObject): Promise<ApiResult<KubeObject>> {
  const { converter } = storage
  return converter ? only(await converter.convert([object], 'kept')) : succeed(storage.toKept(object))
}

function only(converted: ApiResult<readonly KubeObject[]>): ApiResult<KubeObject> {
  if (!converted.ok) return converted
  const [object] = converted.value
  if (!object) throw new Error('a conversion of one object answered none')
  return succeed(object)
}

/** A storage that has the served forms of some stored objects at hand. */
export async function withForms(
  storage: ResourceStorage,
  objects: readonly KubeObject[],
): Promise<ApiResult<ResourceStorage>> {
  const { converter } = storage
  if (!converter) return succeed(storage)
  const forms = new Forms(storage, converter)
  const failed = await forms.add(objects.filter((object) => converter.isForeign(object)))
  return failed ? { ok: false, error: failed } : succeed(forms.storage)
}

/** One state of a stored object, however often the store reads it. */
const stateOf = ({ metadata }: KubeObject): string => `${metadata.uid ?? ''}@${metadata.resourceVersion ?? ''}`

/** The served forms of stored objects that have been converted, and the objects for which a form was wanted in vain. */
class Forms {
  readonly storage: ResourceStorage
  readonly #converter: FormConverter
  readonly #known = new Map<string, KubeObject>()
  missing: KubeObject[] = []

  constructor(storage: ResourceStorage, converter: FormConverter) {
    this.#converter = converter
    this.storage = {
      ...storage,
      toServed: (object) => {
        if (!converter.isForeign(object)) return storage.toServed(object)
        const known = this.#known.get(stateOf(object))
        if (!known) this.missing.push(object)
        return known ?? object
      },
    }
  }

  async add(objects: readonly KubeObject[]): Promise<Status | undefined> {
    if (objects.length === 0) return undefined
    const converted = await this.#converter.convert(objects, 'served')
    if (!converted.ok) return converted.error
    for (const [index, object] of objects.entries()) {
      const form = converted.value[index]
      if (form) this.#known.set(stateOf(object), form)
    }
    return undefined
  }
}

/** So often is a read begun anew because of objects that had to be converted first. */
const ATTEMPTS = 20

/** Runs a verb that reads at once, and again with the converted forms of the objects that it turned out to need. */
export async function readThroughForms(
  resource: ServedResource,
  request: ApiRequest,
  read: (resource: ServedResource, request: ApiRequest) => ApiResponse | Promise<ApiResponse>,
): Promise<ApiResponse> {
  const { storage } = resource
  if (!storage?.converter) return read(resource, request)
  const forms = new Forms(storage, storage.converter)
  const view = { ...resource, storage: forms.storage }
  // A list is converted as a whole, and read again as of the same revision.
  let asked: ApiRequest = { ...request, inPages: false }
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const response = await read(view, asked)
    if (forms.missing.length === 0) return response
    if (response.answer === 'list' && !request.options.continue) asked = asOf(asked, response.list.metadata)
    const failed = await forms.add(forms.missing.splice(0))
    if (failed) return refused(failed)
  }
  return refused(failure('ServiceUnavailable', 'the objects change faster than they can be converted; try again'))
}

function asOf(request: ApiRequest, { resourceVersion }: { readonly resourceVersion: string }): ApiRequest {
  return { ...request, options: { ...request.options, resourceVersion, resourceVersionMatch: 'Exact' } }
}
