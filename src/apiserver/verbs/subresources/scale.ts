import type { KubeObject } from '../../../kube/object.ts'
import { invalid, invalidStatus, required } from '../../../kube/schema/field-error.ts'
import { formatLabelSelector, compileSelector } from '../../../kube/selector.ts'
import { type ApiResult, failure, refuse } from '../../../kube/status.ts'
import { isObject, own } from '../../../lib/json.ts'
import { succeed } from '../../../lib/result.ts'
import type { Kernel } from '../../kernel.ts'
import { methodNotAllowed, pathNotFound } from '../../refusals.ts'
import { type ApiRequest, type ApiResponse, refused } from '../../request.ts'
import type { ScalePaths, ServedResource } from '../../resources/resource.ts'
import { Warnings } from '../body.ts'
import { get } from '../get.ts'
import { applyTo, rejected } from '../patch.ts'
import { updateObject } from '../update.ts'
import type { Write } from '../write.ts'

/** How many: the one number that autoscalers and `kubectl scale` turn, whatever the kind. */
export async function scale(kernel: Kernel, resource: ServedResource, request: ApiRequest): Promise<ApiResponse> {
  const paths = resource.subresources.get('scale')?.scale
  if (!paths) return refused(pathNotFound())
  const warnings = new Warnings()
  const write: Write = { kernel, resource, request, warnings }
  if (request.verb === 'get') {
    const found = get(kernel, resource, request)
    return found.answer === 'object' ? { ...found, object: scaleOf(resource, paths, found.object) } : found
  }
  const wanted = wishOf(write, paths)
  if (!wanted) return refused(methodNotAllowed())
  const outcome = await updateObject(write, { propose: (old) => wanted(old) })
  if (!outcome.ok) return refused(outcome.error, warnings.said)
  return {
    answer: 'object',
    code: 200,
    object: scaleOf(resource, paths, outcome.value.object),
    warnings: warnings.said,
  }
}

type Wish = (old: KubeObject) => ApiResult<KubeObject>

function wishOf({ resource, request }: Write, paths: ScalePaths): Wish | undefined {
  const { patch } = request
  if (request.verb === 'update') return (old) => scaled(paths, old, request.body)
  if (request.verb !== 'patch' || !patch) return undefined
  return (old) => {
    const current = scaleOf(resource, paths, old)
    // Every field of a Scale is a scalar or a struct, so that an apply is a merge.
    const plain =
      patch.type === 'apply' || patch.type === 'strategic'
        ? ({ type: 'merge', body: patch.body as never } as const)
        : patch
    const applied = applyTo(current, plain, resource)
    if (!applied.ok) return { ok: false, error: rejected(patch, applied.error) }
    return scaled(paths, old, applied.value)
  }
}

/** The object with the replicas that a Scale wants. */
function scaled(paths: ScalePaths, old: KubeObject, body: unknown): ApiResult<KubeObject> {
  const name = old.metadata.name ?? ''
  if (!isObject(body) || (body['kind'] !== undefined && body['kind'] !== 'Scale')) {
    return refuse('BadRequest', 'the body of the request must be a Scale')
  }
  const metadata = isObject(body['metadata']) ? body['metadata'] : {}
  const { name: claimed, resourceVersion, uid } = metadata
  if (claimed !== undefined && claimed !== name) {
    return {
      ok: false,
      error: failure(
        'BadRequest',
        `the name of the object (${JSON.stringify(claimed)}) does not match the name on the URL (${name})`,
      ),
    }
  }
  const replicas = isObject(body['spec']) ? (body['spec']['replicas'] ?? 0) : undefined
  const kind = { group: 'autoscaling', kind: 'Scale' }
  if (replicas === undefined) return { ok: false, error: invalidStatus(kind, name, [required('spec')]) }
  if (typeof replicas !== 'number' || !Number.isInteger(replicas) || replicas < 0) {
    return {
      ok: false,
      error: invalidStatus(kind, name, [invalid('spec.replicas', replicas, 'must be greater than or equal to 0')]),
    }
  }
  const changed = withValueAt(old, pathOf(paths.specReplicas), replicas)
  return succeed({
    ...changed,
    metadata: {
      ...old.metadata,
      resourceVersion:
        typeof resourceVersion === 'string' && resourceVersion !== ''
          ? resourceVersion
          : (old.metadata.resourceVersion ?? ''),
      ...(typeof uid === 'string' && uid !== '' ? { uid } : {}),
    },
  })
}

/** The Scale of an object. */
export function scaleOf(resource: ServedResource, paths: ScalePaths, object: KubeObject): KubeObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata
  const replicas = numberAt(object, paths.specReplicas)
  const selector = selectorText(object, paths)
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: defined({ name, namespace, uid, resourceVersion, creationTimestamp }),
    spec: replicas === 0 ? {} : { replicas: replicas ?? (resource.definedBy === undefined ? 1 : 0) },
    status: { replicas: numberAt(object, paths.statusReplicas) ?? 0, ...(selector === '' ? {} : { selector }) },
  }
}

function defined(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))
}

/** Built-in kinds keep a selector object in their spec; custom resources say where they keep its text. */
function selectorText(object: KubeObject, { labelSelector }: ScalePaths): string {
  const said = labelSelector === undefined ? undefined : valueAt(object, pathOf(labelSelector))
  if (typeof said === 'string') return said
  const spec = valueAt(object, ['spec', 'selector'])
  if (!isObject(spec)) return ''
  const isPlain = spec['matchLabels'] === undefined && spec['matchExpressions'] === undefined
  const compiled = compileSelector(isPlain ? { matchLabels: spec as Record<string, string> } : spec)
  return compiled.ok ? formatLabelSelector(compiled.value) : ''
}

/** `.spec.replicas` as its parts. */
const pathOf = (path: string): readonly string[] => path.split('.').filter((part) => part !== '')

function valueAt(object: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, name) => (isObject(value) ? own(value, name) : undefined), object)
}

function numberAt(object: KubeObject, path: string): number | undefined {
  const value = valueAt(object, pathOf(path))
  return typeof value === 'number' ? value : undefined
}

function withValueAt<T extends object>(object: T, [name, ...rest]: readonly string[], value: unknown): T {
  if (name === undefined) return object
  const below = (object as Readonly<Record<string, unknown>>)[name]
  return { ...object, [name]: rest.length === 0 ? value : withValueAt(isObject(below) ? below : {}, rest, value) }
}
