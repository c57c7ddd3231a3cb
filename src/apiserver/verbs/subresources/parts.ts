import type { KubeObject } from '../../../kube/object.ts'
import { isObject } from '../../../lib/json.ts'
import { succeed } from '../../../lib/result.ts'
import type { Kernel } from '../../kernel.ts'
import { methodNotAllowed } from '../../refusals.ts'
import { type ApiRequest, type ApiResponse, refused } from '../../request.ts'
import type { ServedResource } from '../../resources/resource.ts'
import { withMetadata } from '../../storage/stamp.ts'
import { decodeBody, Warnings } from '../body.ts'
import { nameMismatch } from '../create.ts'
import { get } from '../get.ts'
import { patchWith } from '../patch.ts'
import { type Proposal, updateObject } from '../update.ts'
import type { Write } from '../write.ts'

/** Subresources that are the whole object, of which a write may change only one part. */
export async function parts(kernel: Kernel, resource: ServedResource, request: ApiRequest): Promise<ApiResponse> {
  const write: Write = { kernel, resource, request, warnings: new Warnings() }
  const prepare = preparations(resource).get(request.subresource ?? '')
  switch (request.verb) {
    case 'get':
      return get(kernel, resource, request)
    case 'patch':
      return patchWith(write, prepare)
    case 'update':
      return replacePart(write, prepare)
    default:
      return refused(methodNotAllowed())
  }
}

async function replacePart(write: Write, prepare: Proposal['prepare']): Promise<ApiResponse> {
  const { resource, request, warnings } = write
  const decoded = decodeBody(resource, request, warnings)
  if (!decoded.ok) return refused(decoded.error, warnings.said)
  const { name } = decoded.value.metadata
  if (name !== request.name) return refused(nameMismatch(name ?? '', request.name ?? ''), warnings.said)
  const outcome = await updateObject(write, { propose: () => succeed(decoded.value), prepare })
  if (!outcome.ok) return refused(outcome.error, warnings.said)
  return { answer: 'object', code: 200, object: outcome.value.object, warnings: warnings.said }
}

type Prepare = NonNullable<Proposal['prepare']>

function preparations({ strategy }: ServedResource): ReadonlyMap<string, Prepare> {
  return new Map<string, Prepare>([
    ['status', strategy.prepareStatus],
    ['approval', approval],
    ['finalize', finalize],
    ['ephemeralcontainers', specFields(['ephemeralContainers'])],
    ['resize', resize],
  ])
}

/** What a write to a part keeps of the new metadata: only what bookkeeping needs. */
const keptMetadata = (object: KubeObject, old: KubeObject): KubeObject =>
  withMetadata(old, { managedFields: object.metadata.managedFields })

/** Approving a CertificateSigningRequest changes its conditions, not the certificate. */
const approval: Prepare = (object, old) => {
  const before = isObject(old['status']) ? old['status'] : {}
  const after = isObject(object['status']) ? object['status'] : {}
  const { conditions: _before, ...status } = before
  return {
    ...keptMetadata(object, old),
    status: { ...status, ...(after['conditions'] === undefined ? {} : { conditions: after['conditions'] }) },
  }
}

/** A Namespace goes once the last of its spec.finalizers has been taken away. */
const finalize: Prepare = (object, old) => ({
  ...keptMetadata(object, old),
  spec: isObject(object['spec']) ? object['spec'] : {},
})

function specFields(names: readonly string[]): Prepare {
  return (object, old) => {
    const before = isObject(old['spec']) ? old['spec'] : {}
    const after = isObject(object['spec']) ? object['spec'] : {}
    const spec: Record<string, unknown> = { ...before }
    for (const name of names) if (after[name] !== undefined) spec[name] = after[name]
    return { ...keptMetadata(object, old), spec }
  }
}

/** Resizing a Pod changes what its containers ask for. */
const resize: Prepare = (object, old) => {
  const before = isObject(old['spec']) ? old['spec'] : {}
  const after = isObject(object['spec']) ? object['spec'] : {}
  const changed = (list: unknown, wanted: unknown): unknown => {
    if (!Array.isArray(list) || !Array.isArray(wanted)) return list
    return list.map((container: unknown, index) => {
      const other: unknown = wanted[index]
      if (!isObject(container) || !isObject(other)) return container
      const { resources, resizePolicy } = other
      return {
        ...container,
        ...(resources === undefined ? {} : { resources }),
        ...(resizePolicy === undefined ? {} : { resizePolicy }),
      }
    })
  }
  const spec = { ...before, containers: changed(before['containers'], after['containers']) }
  return { ...keptMetadata(object, old), spec }
}
