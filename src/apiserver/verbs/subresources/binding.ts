import type { KubeObject } from '../../../kube/object.ts'
import { invalid, invalidStatus } from '../../../kube/schema/field-error.ts'
import { type ApiResult, failure, type Status } from '../../../kube/status.ts'
import { formatTime } from '../../../kube/time.ts'
import { isObject } from '../../../lib/json.ts'
import { succeed } from '../../../lib/result.ts'
import type { Kernel } from '../../kernel.ts'
import { conflict } from '../../refusals.ts'
import { type ApiRequest, type ApiResponse, refused } from '../../request.ts'
import type { ServedResource } from '../../resources/resource.ts'
import { Warnings } from '../body.ts'
import { updateObject } from '../update.ts'

/** Gives a Pod its node: what a scheduler does. */
export async function binding(kernel: Kernel, resource: ServedResource, request: ApiRequest): Promise<ApiResponse> {
  const { body } = request
  const target = isObject(body) && isObject(body['target']) ? body['target'] : {}
  const { kind = 'Node', name } = target
  if (kind !== 'Node' && kind !== '')
    return refused(refusal(request, invalid('target.kind', kind, 'must be empty or Node')))
  if (typeof name !== 'string' || name === '')
    return refused(refusal(request, invalid('target.name', name, 'must name the Node')))
  const outcome = await updateObject(
    { kernel, resource, request, warnings: new Warnings() },
    { propose: (old) => bound(resource, old, name, formatTime(kernel.clock.now())), prepare: (object) => object },
  )
  if (!outcome.ok) return refused(outcome.error)
  return { answer: 'status', status: created }
}

const refusal = ({ name = '' }: ApiRequest, problem: ReturnType<typeof invalid>): Status =>
  invalidStatus({ group: '', kind: 'Binding' }, name, [problem])

/** Upstream answers these creates with a Status. */
const created = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 } as unknown as Status

function bound(resource: ServedResource, old: KubeObject, nodeName: string, now: string): ApiResult<KubeObject> {
  const spec = isObject(old['spec']) ? old['spec'] : {}
  const status = isObject(old['status']) ? old['status'] : {}
  const name = old.metadata.name ?? ''
  if (old.metadata.deletionTimestamp !== undefined) {
    return { ok: false, error: conflict(resource, name, `pod ${name} is being deleted, cannot be assigned to a host`) }
  }
  if (typeof spec['nodeName'] === 'string' && spec['nodeName'] !== '') {
    return {
      ok: false,
      error: conflict(resource, name, `pod ${name} is already assigned to node ${JSON.stringify(spec['nodeName'])}`),
    }
  }
  if (Array.isArray(spec['schedulingGates']) && spec['schedulingGates'].length > 0) {
    return { ok: false, error: failure('Conflict', `pod ${name} has non-empty .spec.schedulingGates`) }
  }
  const others = Array.isArray(status['conditions'])
    ? status['conditions'].filter((one: unknown) => !(isObject(one) && one['type'] === 'PodScheduled'))
    : []
  const scheduled = { type: 'PodScheduled', status: 'True', lastProbeTime: null, lastTransitionTime: now }
  return succeed({
    ...old,
    spec: { ...spec, nodeName },
    status: { ...status, conditions: [...others, scheduled] },
  })
}

/** The old way to the same: a Binding that is created beside the Pods and carries the Pod's name. */
export function bindPod(kernel: Kernel, request: ApiRequest): ApiResponse | Promise<ApiResponse> {
  const pods = kernel.registry().find('', 'v1', 'pods')
  const metadata = isObject(request.body) && isObject(request.body['metadata']) ? request.body['metadata'] : {}
  const { name } = metadata
  if (!pods || typeof name !== 'string')
    return refused(failure('BadRequest', 'metadata.name must name the Pod to bind'))
  return binding(kernel, pods, { ...request, plural: 'pods', name, subresource: 'binding' })
}
