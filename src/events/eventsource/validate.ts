import type { KubeObject } from '../../kube/object.ts'
import { compileExpr } from '../../lang/exprlang/exprlang.ts'
import { fieldsOf, objectsOf, textOf } from '../../lib/fields.ts'
import { isObject, own } from '../../lib/json.ts'
import type { Problem } from '../../lib/result.ts'
import { type Check, newCheck } from './check.ts'
import { checkCalendar, checkFile, checkResource } from './check-others.ts'
import { checkWebhook, webhookContextOf } from './check-webhooks.ts'
import { type Fields, sourceName, type SourceEntry, sourcesOf, strangeKinds } from './event-source.ts'
import { unknownFields } from './known-fields.ts'
import { sourceKinds } from './source-kinds.ts'

/** What can be said of an EventSource without asking anybody. */
export interface Judgement {
  /** Why it is refused; none where it is good. */
  readonly problems: readonly Problem[]
  /** What is accepted, and not done here. */
  readonly warnings: readonly string[]
}

/** Checks an EventSource as upstream does before it deploys one, and whatever would leave it dead while it looks well. */
export function judgeEventSource(object: KubeObject): Judgement {
  const check = newCheck()
  const spec = object['spec']
  if (!isObject(spec)) {
    check.refuse('spec', 'must be an object')
    return { problems: check.problems, warnings: [] }
  }
  for (const { field } of sourceKinds) checkShape(check, spec, field)
  const entries = sourcesOf(object)
  checkNames(check, entries)
  checkTogether(check, entries)
  for (const entry of entries) checkEntry(check, entry)
  checkRoutes(check, entries)
  checkService(check, spec)
  return { problems: check.problems, warnings: warningsOf(spec, entries, strangeKinds(object)) }
}

function checkShape(check: Check, spec: Fields, field: string): void {
  const given = own(spec, field)
  if (given === undefined || given === null) return
  if (!isObject(given)) {
    check.refuse(`spec.${field}`, 'must be an object with one source under each name of an event')
    return
  }
  for (const [name, source] of Object.entries(given)) {
    if (!isObject(source)) check.refuse(`spec.${field}.${name}`, 'must be an object')
  }
}

/** The name of an event says which source it comes from: two of one name could not be told apart. */
function checkNames(check: Check, entries: readonly SourceEntry[]): void {
  const seen = new Map<string, SourceEntry>()
  for (const entry of entries) {
    const other = seen.get(entry.eventName)
    if (other) check.refuse(entry.at, `more than one "${entry.eventName}" found in the spec`)
    seen.set(entry.eventName, entry)
    if (entry.eventName === '') check.refuse(entry.at, 'the name of an event must not be empty')
  }
}

function checkTogether(check: Check, entries: readonly SourceEntry[]): void {
  const recreated = entries.find(({ kind }) => kind.recreates)
  const rolled = entries.find(({ kind }) => !kind.recreates)
  if (!recreated || !rolled) return
  check.refuse(
    recreated.at,
    `Some types of event sources can not be put in one spec: ${sourceName(rolled)} and ${sourceName(recreated)} need an EventSource each`,
  )
}

function checkEntry(check: Check, { kind, spec, at }: SourceEntry): void {
  if (kind.family === 'webhook') checkWebhook(check, kind.field, spec, at)
  if (kind.family === 'calendar') checkCalendar(check, spec, at)
  if (kind.family === 'resource') checkResource(check, spec, at)
  if (kind.family === 'file') checkFile(check, spec, at)
  if (kind.family === 'unsupported' || kind.family === 'resource') return
  const expression = textOf(fieldsOf(spec, 'filter'), 'expression')
  if (expression === '') return
  const compiled = compileExpr(expression)
  if (!compiled.ok) check.refuse(`${at}.filter.expression`, compiled.error[0]?.message ?? 'cannot be compiled')
}

/** Of two sources at one place, the second would never hear anything. */
function checkRoutes(check: Check, entries: readonly SourceEntry[]): void {
  const seen = new Map<string, SourceEntry>()
  for (const entry of entries) {
    if (entry.kind.family !== 'webhook') continue
    const context = webhookContextOf(entry.kind.field, entry.spec)
    const route = `${textOf(context, 'port')} ${textOf(context, 'endpoint').replace(/^\/?/, '/')}`
    const other = seen.get(route)
    if (other) check.refuse(entry.at, `listens where ${sourceName(other)} listens already: port and endpoint ${route}`)
    else seen.set(route, entry)
  }
}

function checkService(check: Check, spec: Fields): void {
  const service = own(spec, 'service')
  if (!isObject(service)) return
  for (const [index, port] of (objectsOf(service, 'ports') ?? []).entries()) {
    const number = own(port, 'port')
    if (Number.isInteger(number) && Number(number) > 0 && Number(number) <= 65_535) continue
    check.refuse(`spec.service.ports[${index}].port`, 'must be the number of a port')
  }
}

function warningsOf(spec: Fields, entries: readonly SourceEntry[], strange: readonly string[]): readonly string[] {
  const warnings = entries.flatMap((entry) => warningsOfEntry(entry))
  warnings.push(...strange.map((name) => `spec.${name}: is no kind of source of Argo Events`))
  const unused = Object.keys(fieldsOf(spec, 'template')).filter((name) => name !== 'serviceAccountName')
  if (unused.length > 0) {
    warnings.push(
      `spec.template: of it serviceAccountName is used, and not ${unused.toSorted().join(', ')}: sources run inside the platform and not in a Pod`,
    )
  }
  if (Number(own(spec, 'replicas') ?? 1) > 1)
    warnings.push('spec.replicas: is not used, sources run once, inside the platform')
  return warnings
}

function warningsOfEntry(entry: SourceEntry): readonly string[] {
  const { kind, spec, at } = entry
  if (kind.family === 'unsupported') return [`${at}: sources of kind ${kind.field} are not run by this platform`]
  const unknown = unknownFields(entry).map((place) => `${place}: unknown field, it does nothing`)
  if (kind.family !== 'webhook') return unknown
  const context = webhookContextOf(kind.field, spec)
  const place = kind.field === 'webhook' ? at : `${at}.webhook`
  const tls = ['serverCertSecret', 'serverKeySecret']
    .filter((name) => isObject(context) && isObject(own(context, name)))
    .map((name) => `${place}.${name}: is not used, the endpoint is served without TLS`)
  return [...unknown, ...tls]
}
