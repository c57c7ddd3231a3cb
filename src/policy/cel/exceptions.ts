import type { KubeObject } from '../../kube/object.ts'
import type { Problem } from '../../lib/result.ts'
import { isObject } from '../../lib/json.ts'
import type { PolicyWorld } from '../engine/compiled-policy.ts'
import type { PolicyIdentity, RuleResponse, RuleType } from '../engine/rule-response.ts'
import type { PolicyEnvironment } from './environment.ts'
import type { Evaluated, Evaluation } from './evaluation.ts'
import { Compilation } from './expression.ts'
import { compileConditions, type Condition, type Named } from './parts.ts'

const GROUP = 'policies.kyverno.io/'

interface ExceptionSpec {
  readonly policyRefs?: readonly { readonly name?: string; readonly kind?: string }[]
  readonly matchConditions?: readonly Named[]
  readonly images?: readonly string[]
  readonly allowedValues?: readonly string[]
  readonly reportResult?: string
  readonly expiresAt?: string
}

/** Tells whether an object is an exception to policies of this family. */
export const isCelException = ({ apiVersion, kind }: { readonly apiVersion: string; readonly kind: string }): boolean =>
  kind === 'PolicyException' && apiVersion.startsWith(GROUP)

// The shape was checked when the object was written; whatever else is there is read with care below.
const specOf = (object: KubeObject): ExceptionSpec => (isObject(object['spec']) ? object['spec'] : {})

interface Exception {
  readonly object: KubeObject
  readonly spec: ExceptionSpec
  readonly conditions: readonly Condition[]
  readonly problems: readonly Problem[]
}

const PRIORITY_LABEL = 'polex.kyverno.io/priority'

/** The exceptions of one policy: compiled once for each list of exceptions that it is evaluated with. */
export class Exceptions {
  readonly #identity: PolicyIdentity
  readonly #environment: PolicyEnvironment
  #seen: readonly KubeObject[] | undefined
  #compiled: readonly Exception[] = []

  constructor(identity: PolicyIdentity, environment: PolicyEnvironment) {
    this.#identity = identity
    this.#environment = environment
  }

  /** Those that name the policy and are not over. */
  current(world: PolicyWorld): readonly Exception[] {
    if (this.#seen !== world.exceptions) {
      this.#seen = world.exceptions
      this.#compiled = world.exceptions.filter((object) => this.#names(object)).map((object) => this.#compile(object))
    }
    if (this.#compiled.length === 0) return this.#compiled
    return this.#compiled.filter(({ spec }) => !isExpired(spec, world.now()))
  }

  #names(object: KubeObject): boolean {
    if (!isCelException(object)) return false
    return (specOf(object).policyRefs ?? []).some(
      ({ name, kind }) => name === this.#identity.name && kind === this.#identity.kind,
    )
  }

  #compile(object: KubeObject): Exception {
    const compilation = new Compilation(this.#environment)
    const spec = specOf(object)
    const conditions = compileConditions(compilation, spec.matchConditions, 'spec.matchConditions')
    return { object, spec, conditions, problems: compilation.problems }
  }
}

function isExpired({ expiresAt }: ExceptionSpec, nowMs: number): boolean {
  if (expiresAt === undefined) return false
  const until = Date.parse(expiresAt)
  return !Number.isNaN(until) && until <= nowMs
}

/** What exceptions make of one evaluation. */
export interface Exemption {
  /** Why the policy does not apply at all. */
  readonly granted?: readonly KubeObject[]
  /** What the policy's expressions see as `exceptions`. */
  readonly scope: { readonly allowedImages: readonly string[]; readonly allowedValues: readonly string[] }
}

/** Asks which exceptions hold for a request. */
export function exemptionOf(
  exceptions: readonly Exception[],
  evaluation: Evaluation,
  holds: (conditions: readonly Condition[], evaluation: Evaluation) => Evaluated<boolean>,
): Evaluated<Exemption> {
  const granted: KubeObject[] = []
  const allowedImages: string[] = []
  const allowedValues: string[] = []
  let isFull = false
  for (const { object, spec, conditions, problems } of exceptions) {
    const [problem] = problems
    const result: Evaluated<boolean> = problem ? { ok: false, because: problem.message } : holds(conditions, evaluation)
    if (!result.ok) {
      // A broken exception takes nothing back that another one grants.
      if (isFull) continue
      return result
    }
    if (!result.value) continue
    granted.push(object)
    const { images = [], allowedValues: values = [] } = spec
    if (images.length === 0 && values.length === 0) isFull = true
    else if (!isFull) {
      allowedImages.push(...images)
      allowedValues.push(...values)
    }
  }
  const scope = { allowedImages, allowedValues }
  return { ok: true, value: isFull ? { granted, scope } : { scope } }
}

const keyOf = ({ metadata: { namespace, name = '' } }: KubeObject): string =>
  namespace === undefined || namespace === '' ? name : `${namespace}/${name}`

/** What is reported for an object that exceptions spare: the most important of them says whether it passes or is skipped. */
export function exemptResponse(granted: readonly KubeObject[], ruleType: RuleType): RuleResponse {
  const keys = granted.map(keyOf)
  let [selected] = granted
  let highest = 0
  for (const object of granted) {
    const priority = Number(object.metadata.labels?.[PRIORITY_LABEL] ?? 0)
    if (Number.isInteger(priority) && priority > highest) {
      highest = priority
      selected = object
    }
  }
  const passes = selected !== undefined && specOf(selected).reportResult === 'pass'
  return {
    rule: 'exception',
    ruleType,
    verdict: passes ? 'pass' : 'skip',
    message: `rule is ${passes ? 'passed' : 'skipped'} due to policy exception: ${keys.join(', ')}`,
    exceptions: keys,
  }
}
