import { compileSelector, type LabelSelector, parseLabelSelector } from '../../kube/selector.ts'
import { compileExpr, type ExprProgram } from '../../lang/exprlang/exprlang.ts'
import { isObject, setOwn } from '../../lib/json.ts'
import type { Problem, Result } from '../../lib/result.ts'
import { parseYaml } from '../../lib/yaml.ts'
import { fieldsOf, objectsOf, textOf, textsOf } from '../fields.ts'

type Fields = Readonly<Record<string, unknown>>

/** When a trigger fires, and which templates it sends. */
export interface Condition {
  readonly when: string
  readonly program: ExprProgram
  readonly oncePer: ExprProgram | undefined
  readonly send: readonly string[]
}

/** A service that notifications go to, with its secrets filled in. */
export interface Service {
  readonly type: string
  readonly options: Fields
}

/** Who gets what without annotations. */
export interface GlobalSubscription {
  readonly recipients: readonly string[]
  readonly triggers: readonly string[]
  readonly selector: LabelSelector
}

/** argocd-notifications-cm, read once. What cannot be read is a problem, and the rest goes on. */
export interface NotificationsConfig {
  readonly triggers: ReadonlyMap<string, readonly Condition[]>
  readonly templates: ReadonlyMap<string, Fields>
  readonly services: ReadonlyMap<string, Service>
  readonly defaultTriggers: readonly string[]
  readonly serviceDefaultTriggers: ReadonlyMap<string, readonly string[]>
  readonly subscriptions: readonly GlobalSubscription[]
  readonly context: Readonly<Record<string, string>>
  readonly problems: readonly Problem[]
}

/** Reads the configuration from a ConfigMap's data and the texts of a Secret. */
export function readNotifications(data: Fields, secrets: Readonly<Record<string, string>> = {}): NotificationsConfig {
  const problems: Problem[] = []
  const triggers = new Map<string, readonly Condition[]>()
  const templates = new Map<string, Fields>()
  const services = new Map<string, Service>()
  const serviceDefaultTriggers = new Map<string, readonly string[]>()
  const documentAt = (key: string): unknown => {
    const read = parseYaml(String(data[key]), { file: key })
    if (read.ok) return read.value
    problems.push({ code: 'notification-config-invalid', at: key, message: read.error[0]?.message ?? '' })
    return undefined
  }
  for (const key of Object.keys(data).toSorted()) {
    const dot = key.indexOf('.')
    const [kind, name] = dot < 0 ? [key, ''] : [key.slice(0, dot), key.slice(dot + 1)]
    if (dot < 0) continue
    const document = documentAt(key)
    if (kind === 'trigger') triggers.set(name, conditionsOf(document, key, problems))
    else if (kind === 'template') templates.set(name, isObject(document) ? document : {})
    else if (kind === 'defaultTriggers') serviceDefaultTriggers.set(name, textList(document))
    else if (kind === 'service') {
      const [type = '', named = type] = name.split('.')
      services.set(named, { type, options: filled(document, secrets, 0) as Fields })
    }
  }
  const top = (key: string): unknown => (Object.hasOwn(data, key) ? documentAt(key) : undefined)
  return {
    triggers,
    templates,
    services,
    serviceDefaultTriggers,
    defaultTriggers: textList(top('defaultTriggers')),
    subscriptions: subscriptionsOf(top('subscriptions'), problems),
    context: contextOf(top('context')),
    problems,
  }
}

const textList = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : []

function contextOf(document: unknown): Readonly<Record<string, string>> {
  const context: Record<string, string> = {}
  if (!isObject(document)) return context
  for (const [key, value] of Object.entries(document)) setOwn(context, key, String(value))
  return context
}

function conditionsOf(document: unknown, at: string, problems: Problem[]): readonly Condition[] {
  return (objectsOf({ document }, 'document') ?? []).flatMap((item) => {
    const when = textOf(item, 'when') || 'false'
    const program = compileExpr(when)
    const once = textOf(item, 'oncePer')
    const oncePer = once === '' ? undefined : compileExpr(once)
    for (const compiled of [program, oncePer]) {
      if (compiled?.ok === false) problems.push(...compiled.error.map((problem) => ({ ...problem, at })))
    }
    if (!program.ok || oncePer?.ok === false) return []
    return [{ when, program: program.value, oncePer: oncePer?.value, send: textsOf(item, 'send') ?? [] }]
  })
}

function subscriptionsOf(document: unknown, problems: Problem[]): readonly GlobalSubscription[] {
  return (objectsOf({ document }, 'document') ?? []).flatMap((item): readonly GlobalSubscription[] => {
    const written = item['selector']
    const selector: Result<LabelSelector> =
      typeof written === 'string' ? parseLabelSelector(written) : compileSelector(fieldsOf(item, 'selector'))
    if (!selector.ok) {
      problems.push(...selector.error.map((problem) => ({ ...problem, at: 'subscriptions' })))
      return []
    }
    const recipients = textsOf(item, 'recipients') ?? []
    return [{ recipients, triggers: textsOf(item, 'triggers') ?? [], selector: selector.value }]
  })
}

/** Texts with `$name` replaced by what a Secret holds under it; what it does not hold stays as it is. */
function filled(value: unknown, secrets: Readonly<Record<string, string>>, depth: number): unknown {
  if (typeof value === 'string') {
    return value.replaceAll(/\$([\w-]+)/g, (whole, name: string) =>
      Object.hasOwn(secrets, name) ? (secrets[name] ?? '') : whole,
    )
  }
  if (depth > 50) return value
  if (Array.isArray(value)) return value.map((item) => filled(item, secrets, depth + 1))
  if (!isObject(value)) return value ?? {}
  const made: Record<string, unknown> = {}
  for (const [key, item] of Object.entries(value)) setOwn(made, key, filled(item, secrets, depth + 1))
  return made
}
