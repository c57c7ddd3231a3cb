import type { ResourceInfo } from '../../kube/client.ts'
import type { KubeObject } from '../../kube/object.ts'
import { textOf } from '../../lib/fields.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import type { ObjectAction, ObjectVerb, PatchType } from './action.ts'
import { derivedName } from './derived-name.ts'
import { invalid } from './template.ts'

/** Which firing made an object, so that a firing that is repeated recognises its own. */
export const FIRE_ID = 'idp-blueprint.io/fire-id'

const verbs: readonly string[] = ['create', 'update', 'patch', 'delete'] satisfies readonly ObjectVerb[]
const patchTypes: ReadonlyMap<string, PatchType> = new Map([
  ['', 'merge'],
  ['application/merge-patch+json', 'merge'],
  ['application/strategic-merge-patch+json', 'strategic'],
  ['application/apply-patch+yaml', 'apply'],
])

/** What a `k8s` section asks for. */
export interface ObjectWish {
  readonly verb: ObjectVerb
  readonly patchType: PatchType
  readonly isLive: boolean
}

/** Reads the operation of a `k8s` section. */
export function objectWish(section: Readonly<Record<string, unknown>>): Result<ObjectWish> {
  const verb = textOf(section, 'operation') || 'create'
  if (!verbs.includes(verb))
    return fail(
      invalid('k8s.operation', `there is no operation ${JSON.stringify(verb)}`, `use one of ${verbs.join(', ')}`),
    )
  const strategy = textOf(section, 'patchStrategy')
  const patchType = patchTypes.get(strategy)
  if (!patchType) {
    const message =
      strategy === 'application/json-patch+json'
        ? 'a JSON patch is a list of steps, and the source of a trigger is an object'
        : `there is no patch strategy ${JSON.stringify(strategy)}`
    return fail(invalid('k8s.patchStrategy', message, `use ${[...patchTypes.keys()].slice(1).join(' or ')}`))
  }
  const isLive = section['liveObject'] === true && verb === 'update'
  return succeed({ verb: verb as ObjectVerb, patchType, isLive }) // it is one of verbs
}

/** Who makes an object, why, and when. */
export interface Maker {
  readonly sensor: { readonly namespace: string; readonly name: string }
  readonly trigger: string
  readonly fireId: string
  readonly nowMs: number
}

/** An object as it is written: in its namespace, under its name, marked with who made it. */
export function objectAction(
  { verb, patchType }: ObjectWish,
  object: KubeObject,
  resource: ResourceInfo,
  maker: Maker,
): Result<ObjectAction> {
  const { metadata } = object
  const { namespace: _, ...rest } = metadata
  const namespace = metadata.namespace ?? ''
  const placed = resource.namespaced
    ? { ...rest, namespace: namespace === '' ? maker.sensor.namespace : namespace }
    : rest
  const name = metadata.name ?? ''
  const generateName = metadata.generateName ?? ''
  if (name === '' && (verb !== 'create' || generateName === '')) {
    const what = verb === 'create' ? 'neither a name nor a generateName' : 'no name'
    return fail(invalid('k8s.source', `the ${object.kind} to ${verb} has ${what}`))
  }
  const made = verb === 'create' ? marked({ ...object, metadata: placed }, maker) : { ...object, metadata: placed }
  return succeed({ do: verb, object: made, resource, patchType })
}

/** The object to create with its derived name, the labels of Argo Events and what recognises the firing. */
export function marked(object: KubeObject, { sensor, trigger, fireId, nowMs }: Maker): KubeObject {
  const { name = '', generateName = '', labels, annotations, ...rest } = object.metadata
  return {
    ...object,
    metadata: {
      ...rest,
      name: name === '' ? derivedName(generateName, fireId) : name,
      ...(name === '' ? { generateName } : {}),
      labels: {
        ...labels,
        'events.argoproj.io/sensor': sensor.name,
        'events.argoproj.io/trigger': trigger,
        'events.argoproj.io/action-timestamp': String(nowMs),
      },
      annotations: { ...annotations, [FIRE_ID]: fireId },
    },
  }
}
