import { isObject, type Json } from '../../lib/json.ts'
import { fail, type Problem, type Result, succeed } from '../../lib/result.ts'
import type { TriggerParameter } from '../parameters/apply.ts'
import type { TriggerTemplate } from '../sensor/trigger.ts'

/** The kinds of triggers that are carried out. */
export const supportedKinds = ['k8s', 'argoWorkflow', 'argoCD', 'http', 'log', 'slack'] as const

export type TriggerKind = (typeof supportedKinds)[number]

/** The kinds that Argo Events has and that are refused here, with their name for people. */
export const unsupportedKinds: ReadonlyMap<string, string> = new Map([
  ['awsLambda', 'AWS Lambda'],
  ['azureEventHubs', 'Azure Event Hubs'],
  ['azureServiceBus', 'Azure Service Bus'],
  ['custom', 'custom (gRPC)'],
  ['email', 'email'],
  ['kafka', 'Kafka'],
  ['nats', 'NATS'],
  ['openWhisk', 'OpenWhisk'],
  ['pulsar', 'Pulsar'],
])

/** A complaint about a template; `at` is a path in it. */
export const invalid = (at: string, message: string, cure?: string): Problem => ({
  code: 'trigger-invalid',
  at,
  message,
  ...(cure === undefined ? {} : { cure }),
})

/** Tells whether a word is the kind of a trigger that is carried out. */
export const isSupported = (kind: string): kind is TriggerKind => (supportedKinds as readonly string[]).includes(kind)

/** The one kind that a template names, supported or not; a template names exactly one. */
export function triggerKindOf(template: TriggerTemplate): Result<string> {
  const named = [...supportedKinds, ...unsupportedKinds.keys()].filter(
    (kind) => Object.hasOwn(template, kind) && template[kind] !== undefined && template[kind] !== null,
  )
  const [kind] = named
  if (kind === undefined) {
    const cure = `write one of ${supportedKinds.join(', ')}`
    return fail(invalid('', `the trigger ${JSON.stringify(template.name)} says nothing to do`, cure))
  }
  if (named.length > 1) {
    const message = `the trigger ${JSON.stringify(template.name)} has ${named.join(' and ')}: it may have one of them`
    return fail(invalid('', message, 'make one trigger of each'))
  }
  return succeed(kind)
}

/** What is said of a kind that is not carried out. */
export const unsupported = (kind: string): Problem => ({
  code: 'trigger-unsupported',
  at: kind,
  message: `triggers of the kind ${unsupportedKinds.get(kind) ?? JSON.stringify(kind)} are not supported yet`,
  cure: `use one of ${supportedKinds.join(', ')}; an http trigger reaches most services`,
})

/** The part of a template that says what a kind does. */
export function sectionOf(template: TriggerTemplate, kind: string): Result<Readonly<Record<string, unknown>>> {
  const section = Object.hasOwn(template, kind) ? template[kind] : undefined
  return isObject(section) ? succeed(section) : fail(invalid(kind, `${kind} must be an object`))
}

/** The parameters at a key, as far as they have the form of parameters. */
export function parametersAt(
  section: Readonly<Record<string, unknown>>,
  key: string,
  at: string,
): Result<readonly TriggerParameter[]> {
  const value = Object.hasOwn(section, key) ? section[key] : undefined
  if (value === undefined || value === null) return succeed([])
  if (!Array.isArray(value)) return fail(invalid(`${at}.${key}`, `${key} must be a list of parameters`))
  for (const [index, one] of value.entries()) {
    if (!isObject(one) || !isObject(one['src']))
      return fail(invalid(`${at}.${key}[${index}]`, 'a parameter needs src, which says where its value comes from'))
  }
  return succeed(value as readonly TriggerParameter[]) // the forms of its fields are checked where they are used
}

/** A JSON document that is plain data already. */
export const asJson = (value: unknown): Json => value as Json // it was parsed from JSON or YAML
