import { EvaluationError } from '../../lang/cel/error.ts'
import type { Program } from '../../lang/cel/program.ts'
import { MapView } from '../../lang/cel/value/map.ts'
import type { PolicyRequest } from '../engine/policy-request.ts'
import { AMBIENT, ambientType } from './libraries/chance.ts'
import { jsonValue, yamlValue } from './libraries/data.ts'
import { type Asker, globalContextType, httpType, imageDataType, Outside, resourceType } from './libraries/outside.ts'
import { pluralOf } from './plural.ts'

/** A value, or in one line why there is none. */
export type Evaluated<T = unknown> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly because: string }

/** What all expressions of one policy may cost for one request, in CEL's units. */
export const POLICY_COST = 20_000_000

/** What an evaluation is about. */
export interface Occasion {
  readonly request: PolicyRequest
  readonly asker: Asker
}

/** How the values of variables are made, by name; each is made when an expression first reads it. */
export type Makers = Readonly<Record<string, (occasion: Occasion) => unknown>>

/** The values of one evaluation. */
class Values extends Map<string, unknown> {
  readonly #makers: Makers
  readonly #occasion: Occasion

  constructor(makers: Makers, occasion: Occasion) {
    super()
    this.#makers = makers
    this.#occasion = occasion
  }

  override get(name: string): unknown {
    const known = super.get(name)
    if (known !== undefined || !Object.hasOwn(this.#makers, name)) return known
    const made = this.#makers[name]?.(this.#occasion)
    this.set(name, made)
    return made
  }
}

export interface EvaluationOptions {
  readonly occasion: Occasion
  readonly makers: Makers
  readonly variables: ReadonlyMap<string, Program>
}

/** Evaluates the expressions of one policy for one request, against one budget. */
export class Evaluation {
  readonly #values: Values
  #cost = POLICY_COST

  constructor({ occasion, makers, variables }: EvaluationOptions) {
    this.#values = new Values(makers, occasion)
    this.#values.set('variables', new Variables(variables, this))
  }

  evaluate(program: Program): Evaluated {
    const outcome = program.evaluate(this.#values, { cost: this.#cost })
    if (!outcome.ok) return { ok: false, because: outcome.error.map(({ message }) => message).join('; ') }
    this.#cost -= outcome.value.cost
    return { ok: true, value: outcome.value.value }
  }

  /** Gives a variable another value from here on. */
  bind(name: string, value: unknown): void {
    this.#values.set(name, value)
  }
}

/** The variables of a policy: each is evaluated when it is first read, and then kept. */
class Variables extends MapView {
  readonly #programs: ReadonlyMap<string, Program>
  readonly #evaluation: Evaluation
  readonly #values = new Map<string, unknown>()

  constructor(programs: ReadonlyMap<string, Program>, evaluation: Evaluation) {
    super()
    this.#programs = programs
    this.#evaluation = evaluation
  }

  get size(): number {
    return this.#programs.size
  }

  get(key: string): unknown {
    if (this.#values.has(key)) return this.#values.get(key)
    const program = this.#programs.get(key)
    if (!program) return undefined
    const result = this.#evaluation.evaluate(program)
    if (!result.ok) throw new EvaluationError(result.because)
    this.#values.set(key, result.value)
    return result.value
  }

  keys(): Iterable<string> {
    return this.#programs.keys()
  }
}

/** The `request` that expressions see: an AdmissionRequest without what is not set. */
function requestValue(request: PolicyRequest): Readonly<Record<string, unknown>> {
  const { kind, user, subresource, namespace, name, object, oldObject } = request
  const resource = {
    group: request.resource?.group ?? kind.group,
    version: request.resource?.version ?? kind.version,
    resource: pluralOf(request),
  }
  return {
    uid: request.uid ?? '',
    kind: { group: kind.group, version: kind.version, kind: kind.kind },
    resource,
    requestKind: { group: kind.group, version: kind.version, kind: kind.kind },
    requestResource: resource,
    ...(subresource ? { subResource: subresource, requestSubResource: subresource } : {}),
    ...(name === '' ? {} : { name }),
    ...(namespace ? { namespace } : {}),
    operation: request.operation,
    userInfo: {
      ...(user.username === '' ? {} : { username: user.username }),
      ...(user.uid ? { uid: user.uid } : {}),
      ...(user.groups.length > 0 ? { groups: user.groups } : {}),
      ...(user.extra ? { extra: user.extra } : {}),
    },
    object: object ?? null,
    oldObject: oldObject ?? null,
    dryRun: request.dryRun ?? false,
    options: request.options ?? null,
  }
}

/** The variables of a request that every admission policy has. */
export const requestMakers: Makers = {
  object: ({ request }) => request.object ?? request.payload ?? null,
  oldObject: ({ request }) => request.oldObject ?? null,
  request: ({ request }) => requestValue(request),
  namespaceObject: ({ request }) => namespaceOf(request),
}

/** The namespace as far as it is known: itself, or its name and labels. */
function namespaceOf({ namespaceObject, namespace, namespaceLabels }: PolicyRequest): unknown {
  if (namespaceObject) return namespaceObject
  if (namespace === undefined || namespace === '') return null
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: namespace, labels: { 'kubernetes.io/metadata.name': namespace, ...namespaceLabels } },
  }
}

/** The variables of Kyverno's own policies. */
export const kyvernoMakers: Makers = {
  ...requestMakers,
  resource: ({ asker }) => new Outside(resourceType, asker),
  http: ({ asker }) => new Outside(httpType, asker),
  globalContext: ({ asker }) => new Outside(globalContextType, asker),
  image: ({ asker }) => new Outside(imageDataType, asker),
  json: () => jsonValue,
  yaml: () => yamlValue,
  exceptions: () => noExceptions,
  [AMBIENT]: ({ asker }) => new Outside(ambientType, asker),
}

const noExceptions = { allowedImages: [], allowedValues: [] }
