import { isObject, type Json, type JsonObject } from '../../lib/json.ts'
import type { KubeObject } from '../../kube/object.ts'
import { at, type Fields, fieldsOf, listOf, textMapOf, textOf } from '../classic/read.ts'
import { withDotted } from '../classic/context/dotted.ts'
import { nobody, type Operation, type PolicyRequest, type PolicyUser } from '../engine/policy-request.ts'

/** A values file of Kyverno's command line. */
export interface Values {
  readonly source: Fields
  /** Values that were set on the command line; they win. */
  readonly set: JsonObject
}

const named = (list: unknown, name: string): Fields =>
  fieldsOf(listOf(list).find((item) => textOf(fieldsOf(item)['name']) === name))

/** The values of one object under one policy. */
export function resourceValues({ source, set }: Values, policy: string, resource: string): JsonObject {
  const values = {
    ...fieldsOf(source['globalValues']),
    ...fieldsOf(named(named(source['policies'], policy)['resources'], resource)['values']),
    ...set,
  } as JsonObject // read from YAML
  return Object.hasOwn(values, 'request.operation') ? values : { ...values, 'request.operation': 'CREATE' }
}

/** The values of one rule; rules that were made for Pod controllers have those of the rule they were made from. */
export function ruleValues({ source }: Values, policy: string, rule: string): JsonObject {
  const rules = named(source['policies'], policy)['rules']
  const found = listOf(rules)
    .map(fieldsOf)
    .find(({ name }) => [name, `autogen-${textOf(name)}`, `autogen-cronjob-${textOf(name)}`].includes(rule))
  const foreach = Object.entries(fieldsOf(found?.['foreachValues'])).map(
    ([key, list]) => [key, listOf(list)[0]] as const,
  )
  return { ...fieldsOf(found?.['values']), ...Object.fromEntries(foreach) } as JsonObject // read from YAML
}

/** The labels of namespaces, by name. */
export function namespaceLabels({ source }: Values, name: string): Readonly<Record<string, string>> | undefined {
  const spaces = named(source['namespaces'], name)
  const given = named(source['namespaceSelector'], name)
  const full = listOf(source['namespaces'])
    .map(fieldsOf)
    .find((space) => at(space, 'metadata', 'name') === name)
  if (full) return textMapOf(at(full, 'metadata', 'labels'))
  if (Object.keys(spaces).length > 0) return textMapOf(spaces['labels'])
  return Object.keys(given).length > 0 ? textMapOf(given['labels']) : undefined
}

/** A namespace as the values file describes it. */
export function namespaceObject(values: Values, name: string): KubeObject | undefined {
  const full = listOf(values.source['namespaces'])
    .map(fieldsOf)
    .find((space) => at(space, 'metadata', 'name') === name)
  if (full) return { ...full, apiVersion: 'v1', kind: 'Namespace', metadata: fieldsOf(full['metadata']) }
  const labels = namespaceLabels(values, name)
  return labels && { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } }
}

/** The user of a user info file. */
export function userOf(info: Fields | undefined): PolicyUser {
  if (!info) return nobody
  const user = fieldsOf(info['userInfo'])
  const texts = (value: unknown): readonly string[] => listOf(value).filter((item) => typeof item === 'string')
  return {
    username: textOf(user['username']),
    ...(user['uid'] ? { uid: textOf(user['uid']) } : {}),
    groups: texts(user['groups']),
    roles: texts(info['roles']),
    clusterRoles: texts(info['clusterRoles']),
  }
}

/** Reads an operation; undefined for anything else. */
export function operationOf(value: unknown): Operation | undefined {
  return value === 'CREATE' || value === 'UPDATE' || value === 'DELETE' || value === 'CONNECT' ? value : undefined
}

/** The objects of a request after values that speak of them: the others are left to what variables see. */
export function withObjectValues(
  objects: Pick<PolicyRequest, 'object' | 'oldObject'>,
  values: JsonObject,
): Pick<PolicyRequest, 'object' | 'oldObject' | 'values'> {
  const about = Object.entries(values).filter(([name]) => /^request\.(object|oldObject)\b/.test(name))
  const rest = Object.fromEntries(
    Object.entries(values).filter(([name]) => !/^request\.(object|oldObject|operation)\b/.test(name)),
  )
  if (about.length === 0) return { ...objects, values: rest }
  const joined = fieldsOf(
    withDotted({ request: objects }, Object.fromEntries(about) as Record<string, Json>)['request'],
  )
  const object = isObject(joined['object']) ? (joined['object'] as unknown as KubeObject) : undefined // was one before
  const oldObject = isObject(joined['oldObject']) ? (joined['oldObject'] as unknown as KubeObject) : undefined
  return { ...(object ? { object } : {}), ...(oldObject ? { oldObject } : {}), values: rest }
}

/** An object that stands for a subresource counts as its parent. */
export function parentOf(
  { source }: Values,
  kind: PolicyRequest['kind'],
): { readonly kind: PolicyRequest['kind']; readonly subresource?: string } {
  for (const item of listOf(source['subresources'])) {
    const sub = fieldsOf(fieldsOf(item)['subresource'])
    const parent = fieldsOf(fieldsOf(item)['parentResource'])
    if (
      textOf(sub['kind']) !== kind.kind ||
      textOf(sub['version']) !== kind.version ||
      textOf(sub['group']) !== kind.group
    )
      continue
    const [, subresource = ''] = textOf(sub['name']).split('/')
    return {
      kind: { group: textOf(parent['group']), version: textOf(parent['version']), kind: textOf(parent['kind']) },
      subresource,
    }
  }
  return { kind }
}
