import type { KubeObject } from '../../../kube/object.ts'
import type { Container } from '../../../kube/pod.ts'
import { fieldValue, type PodFacts, resourceValue } from './field-value.ts'

/** Objects that a Pod takes values from, by kind and name, in its namespace. */
export type FindSource = (kind: 'ConfigMap' | 'Secret', name: string) => KubeObject | undefined

interface Reference {
  readonly name?: string
  readonly key?: string
}

interface EnvironmentEntry {
  readonly name: string
  readonly value?: string
  readonly valueFrom?: {
    readonly configMapKeyRef?: Reference
    readonly secretKeyRef?: Reference
    readonly fieldRef?: { readonly fieldPath?: string }
    readonly resourceFieldRef?: {
      readonly resource?: string
      readonly divisor?: string | number
      readonly containerName?: string
    }
  }
}

interface FromSource {
  readonly prefix?: string
  readonly configMapRef?: Reference
  readonly secretRef?: Reference
}

/** The bytes under each key of a ConfigMap or Secret. */
export function dataOf(object: KubeObject | undefined): ReadonlyMap<string, Buffer> {
  const isSecret = object?.kind === 'Secret'
  const texts = (object?.['data'] ?? {}) as Readonly<Record<string, string>>
  const binary = (object?.['binaryData'] ?? {}) as Readonly<Record<string, string>>
  return new Map([
    ...Object.entries(texts).map(([key, value]) => [key, Buffer.from(value, isSecret ? 'base64' : 'utf8')] as const),
    ...Object.entries(binary).map(([key, value]) => [key, Buffer.from(value, 'base64')] as const),
  ])
}

/** The variables of a container, in the order in which they are declared. What is missing was waited for, or is optional. */
export function environmentOf(
  container: Container,
  facts: PodFacts,
  find: FindSource,
  given: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  // The types are the API server's, which has checked them.
  const { env = [], envFrom = [] } = container as unknown as {
    readonly env?: readonly EnvironmentEntry[]
    readonly envFrom?: readonly FromSource[]
  }
  const made = new Map(given)
  for (const { prefix = '', configMapRef, secretRef } of envFrom) {
    const kind = configMapRef ? 'ConfigMap' : 'Secret'
    for (const [key, bytes] of dataOf(find(kind, configMapRef?.name ?? secretRef?.name ?? '')))
      made.set(prefix + key, bytes.toString('utf8'))
  }
  for (const { name, value, valueFrom } of env) {
    const found = valueFrom ? valueOf(valueFrom, container, facts, find) : expand(value ?? '', made)
    if (found !== undefined) made.set(name, found)
  }
  return made
}

function valueOf(
  { configMapKeyRef, secretKeyRef, fieldRef, resourceFieldRef }: NonNullable<EnvironmentEntry['valueFrom']>,
  container: Container,
  facts: PodFacts,
  find: FindSource,
): string | undefined {
  if (fieldRef) return fieldValue(fieldRef.fieldPath ?? '', facts)
  if (resourceFieldRef)
    return resourceValue(resourceFieldRef.resource ?? '', String(resourceFieldRef.divisor ?? '1'), container, facts)
  const kind = configMapKeyRef ? 'ConfigMap' : 'Secret'
  const { name = '', key = '' } = configMapKeyRef ?? secretKeyRef ?? {}
  return dataOf(find(kind, name)).get(key)?.toString('utf8')
}

/** Puts the values of `$(NAME)` in place; `$$` is a dollar sign, and what is not known stays as it is. */
export function expand(text: string, variables: ReadonlyMap<string, string>): string {
  return text.replace(/\$\$|\$\(([^)]*)\)/g, (whole, name: string | undefined) =>
    name === undefined ? '$' : (variables.get(name) ?? whole),
  )
}

/** The address of the API for what runs in a Pod. */
export function clusterVariables(apiUrl: string | undefined): ReadonlyMap<string, string> {
  if (apiUrl === undefined) return new Map()
  const { hostname, port } = new URL(apiUrl)
  return new Map([
    ['KUBERNETES_SERVICE_HOST', hostname],
    ['KUBERNETES_SERVICE_PORT', port],
    ['KUBERNETES_SERVICE_PORT_HTTPS', port],
  ])
}
