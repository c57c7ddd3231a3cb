import { createHash } from 'node:crypto'
import { parseCron, type Schedule } from '../../lib/cron.ts'
import { fail, type Problem, type Result, succeed } from '../../lib/result.ts'
import { onlyOnce, readBackoff, type RetryPlan } from './backoff.ts'
import type { CompiledDependency } from './compile-dependency.ts'
import { compileCondition, type Condition, everyDependency } from './condition.ts'
import type { CheckTemplate } from './dependency-problems.ts'
import { type ParameterWorld, parameterProblems, sectionParameterProblems } from './parameter-problems.ts'
import type { ConditionsReset, Dependency, RateLimit, SensorTrigger, TriggerPolicy } from './sensor.ts'
import type { TriggerChecks, TriggerTemplate } from './trigger.ts'

/** What a trigger does, without when. */
export interface CompiledAction {
  readonly name: string
  readonly kind: string
  readonly spec: SensorTrigger
  readonly template: TriggerTemplate
  readonly retry: RetryPlan
  readonly policy?: TriggerPolicy
  /** The waiting for a policy's labels. */
  readonly policyWait?: RetryPlan
}

/** A trigger that can be run. */
export interface CompiledTrigger extends CompiledAction {
  /** `namespace/name` of its Sensor. */
  readonly owner: string
  readonly condition: Condition
  /** Those that its condition reads. */
  readonly dependencies: readonly CompiledDependency[]
  readonly resets: readonly Schedule[]
  /** The time between two firings. */
  readonly intervalMs: number
  /** Its events are tried again and then kept as dead letters; otherwise they are tried once, and never after a crash. */
  readonly atLeastOnce: boolean
  readonly dlq?: CompiledAction
  /** Changes when what events are held for changes. */
  readonly digest: string
}

/** What triggers are compiled with. */
export interface TriggerWorld {
  /** `namespace/name` of the Sensor. */
  readonly owner: string
  readonly dependencies: readonly Dependency[]
  readonly compiled: ReadonlyMap<string, CompiledDependency>
  readonly checks: TriggerChecks
  readonly template: CheckTemplate
}

const problem = (at: string, message: string, cure?: string): Problem => ({
  code: 'sensor-trigger-invalid',
  at,
  message,
  ...(cure === undefined ? {} : { cure }),
})

/** Problems with their places below another. */
const below = (at: string, problems: readonly Problem[]): readonly Problem[] =>
  problems.map((one) => ({ ...one, at: one.at === undefined || one.at === '' ? at : `${at}.${one.at}` }))

const errorOf = <T>(made: Result<T>): readonly Problem[] => (made.ok ? [] : made.error)

/** Compiles a trigger, or says everything that is wrong with it. */
export function compileTrigger(spec: SensorTrigger, at: string, world: TriggerWorld): Result<CompiledTrigger> {
  const action = compileAction(spec, at, world)
  if (!spec.template) return fail(problem(`${at}.template`, 'a trigger must have a template'))
  const names = world.dependencies.map(({ name }) => name)
  const { conditions = '', conditionsReset = [] } = spec.template
  const condition = conditions.trim() === '' ? succeed(everyDependency(names)) : compileCondition(conditions, names)
  const resets = conditionsReset.map((one, index) => readReset(one, `${at}.template.conditionsReset[${index}]`))
  const interval = readRate(spec.rateLimit, `${at}.rateLimit`)
  const dlq = spec.dlqTrigger ? compileDlq(spec, spec.dlqTrigger, `${at}.dlqTrigger`, world) : undefined
  const problems = [
    ...errorOf(action),
    ...below(`${at}.template.conditions`, errorOf(condition)),
    ...resets.flatMap(errorOf),
    ...errorOf(interval),
    ...(dlq ? errorOf(dlq) : []),
  ]
  if (!action.ok || !condition.ok || !interval.ok || problems.length > 0) return { ok: false, error: problems }
  const read = new Set(condition.value.names)
  const held = world.dependencies.filter(({ name }) => read.has(name))
  return succeed({
    ...action.value,
    owner: world.owner,
    condition: condition.value,
    dependencies: condition.value.names.flatMap((name) => world.compiled.get(name) ?? []),
    resets: resets.flatMap((made) => (made.ok ? [made.value] : [])),
    intervalMs: interval.value,
    atLeastOnce: spec.atLeastOnce ?? true,
    ...(dlq?.ok === true ? { dlq: dlq.value } : {}),
    digest: createHash('sha256')
      .update(JSON.stringify([condition.value.source, held]))
      .digest('hex')
      .slice(0, 16),
  })
}

function compileAction(spec: SensorTrigger, at: string, world: TriggerWorld): Result<CompiledAction> {
  const { template, parameters = [], policy, retryStrategy } = spec
  const where = `${at}.template`
  if (!template) return fail(problem(where, 'a trigger must have a template'))
  const { name = '' } = template
  const named: TriggerTemplate = { ...template, name }
  const kind = world.checks.kindOf(named)
  const values: ParameterWorld = {
    dependencies: new Set(world.dependencies.map((dependency) => dependency.name)),
    template: world.template,
  }
  const retry = retryStrategy ? readBackoff(retryStrategy, `${at}.retryStrategy`) : succeed(onlyOnce)
  const wait = policy?.k8s ? readBackoff(policy.k8s.backoff ?? {}, `${at}.policy.k8s.backoff`) : undefined
  const problems = [
    ...(name === '' ? [problem(`${where}.name`, 'a trigger must have a name')] : []),
    ...below(where, errorOf(kind)),
    ...(kind.ok ? below(where, world.checks.check(kind.value, named)) : []),
    ...(kind.ok ? sectionParameterProblems(template[kind.value], `${where}.${kind.value}`, values) : []),
    ...parameterProblems(parameters, `${at}.parameters`, values, true),
    ...(policy && kind.ok ? policyProblems(policy, kind.value, `${at}.policy`) : []),
    ...errorOf(retry),
    ...(wait ? errorOf(wait) : []),
  ]
  if (!kind.ok || !retry.ok || problems.length > 0) return { ok: false, error: withoutRepeats(problems) }
  return succeed({
    name,
    kind: kind.value,
    spec,
    template: named,
    retry: retry.value,
    ...(policy ? { policy } : {}),
    ...(wait?.ok === true ? { policyWait: wait.value } : {}),
  })
}

/** Two who look at the same place need not both say so. */
function withoutRepeats(problems: readonly Problem[]): readonly Problem[] {
  const seen = new Set<string | undefined>()
  return problems.filter(({ at }) => !seen.has(at) && seen.add(at))
}

function compileDlq(of: SensorTrigger, dlq: SensorTrigger, at: string, world: TriggerWorld): Result<CompiledAction> {
  if (of.atLeastOnce === false)
    return fail(problem(at, 'a trigger with a dlqTrigger must not set atLeastOnce to false'))
  if (dlq.atLeastOnce === false) return fail(problem(`${at}.atLeastOnce`, 'a dlqTrigger cannot set it to false'))
  if (dlq.dlqTrigger) return fail(problem(`${at}.dlqTrigger`, 'a dlqTrigger has none of its own'))
  return compileAction(dlq, at, world)
}

const objectKinds = new Set(['k8s', 'argoWorkflow', 'argoCD'])

function policyProblems({ k8s, status }: TriggerPolicy, kind: string, at: string): readonly Problem[] {
  const isObjectKind = objectKinds.has(kind)
  if (k8s && isObjectKind && Object.keys(k8s.labels ?? {}).length === 0)
    return [problem(`${at}.k8s.labels`, 'the policy must name the labels that it waits for')]
  if (status && kind === 'http' && (status.allow ?? []).length === 0)
    return [problem(`${at}.status.allow`, 'the policy must list the statuses that it allows')]
  if (k8s && !isObjectKind) return [problem(`${at}.k8s`, `a trigger of the kind ${kind} makes no object to wait for`)]
  if (status && kind !== 'http') return [problem(`${at}.status`, `a trigger of the kind ${kind} gets no HTTP status`)]
  return []
}

function readReset({ byTime }: ConditionsReset, at: string): Result<Schedule> {
  if (!byTime) return fail(problem(at, 'conditionsReset must have byTime'))
  const { cron = '', timezone = '' } = byTime
  // Five fields only: words such as @daily are refused upstream.
  const read = cron.trim().startsWith('@') ? undefined : parseCron(cron, timezone === '' ? undefined : timezone)
  if (read?.ok === true) return read
  return fail(
    problem(`${at}.byTime`, read?.error[0]?.message ?? `${JSON.stringify(cron)} is not a schedule of five fields`),
  )
}

const units: ReadonlyMap<string, number> = new Map([
  ['', 1_000],
  ['Second', 1_000],
  ['Minute', 60_000],
  ['Hour', 3_600_000],
])

function readRate(limit: RateLimit | undefined, at: string): Result<number> {
  if (!limit) return succeed(0)
  const { unit = '', requestsPerUnit = 0 } = limit
  const unitMs = units.get(unit)
  if (unitMs === undefined)
    return fail(problem(`${at}.unit`, `${JSON.stringify(unit)} is not one of Second, Minute, Hour`))
  if (!Number.isInteger(requestsPerUnit) || requestsPerUnit < 1)
    return fail(problem(`${at}.requestsPerUnit`, `${requestsPerUnit} is not a number of requests: write 1 or more`))
  return succeed(unitMs / requestsPerUnit)
}
