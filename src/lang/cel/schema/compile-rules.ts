import { type FieldError, forbidden, invalid } from '../../../kube/schema/field-error.ts'
import type { Schema, ValidationRule } from '../../../kube/schema/schema.ts'
import { check, type Checked } from '../check/checker.ts'
import { parseIn } from '../cel.ts'
import { estimate } from '../cost/estimate.ts'
import type { Environment } from '../environment.ts'
import { kubernetesEnvironment } from '../kubernetes/environment.ts'
import { Program } from '../program.ts'
import { boolType, type CelType, isDyn, optionalOf, stringType } from '../type.ts'
import { type Adapt, adapterOf } from './adapt.ts'
import { type Declaration, MAX_REQUEST, SchemaTypes } from './declare.ts'
import { readFieldPath } from './field-path.ts'

/** What one expression may cost by estimate, and what all of a schema's may. */
export const RULE_ESTIMATE_LIMIT = 10_000_000
export const SCHEMA_ESTIMATE_LIMIT = 100_000_000

/** One rule, ready to run. */
export interface CompiledRule {
  readonly rule: ValidationRule
  readonly program: Program
  readonly messageProgram?: Program
  /** A rule about a change: it only runs when there is an old value. */
  readonly usesOldSelf: boolean
  /** Where the problem is reported, relative to the rule's place. */
  readonly fieldPath?: readonly string[]
}

/** The rules at one node of a schema and below; nodes without any are left out. */
export interface RuleNode {
  readonly schema: Schema
  readonly rules: readonly CompiledRule[]
  readonly adapt: Adapt
  readonly properties?: ReadonlyMap<string, RuleNode>
  readonly additionalProperties?: RuleNode
  readonly items?: RuleNode
  /** Rules of junctors: they see the same value. */
  readonly allOf: readonly RuleNode[]
}

/** The rules of a schema, and what is wrong with them. Rules with a problem are not run. */
export interface CompiledRules {
  /** Undefined when no node has a rule. */
  readonly root: RuleNode | undefined
  readonly problems: readonly FieldError[]
}

export interface CompileRulesOptions {
  /** Where the schema stands, for problems. */
  readonly at?: string
  /** Whether the schema is that of a resource, so that apiVersion, kind and metadata.name are there. True when absent. */
  readonly isResourceRoot?: boolean
  /** Refuses rules whose estimated cost is beyond the limits. True when absent. */
  readonly checksEstimates?: boolean
}

/** Compiles the `x-kubernetes-validations` of a structural schema. */
export function compileRules(schema: Schema, options: CompileRulesOptions = {}): CompiledRules {
  const compiler = new RuleCompiler(options.checksEstimates !== false)
  const at = options.at ?? 'openAPIV3Schema'
  const root = compiler.node(schema, { at, isRoot: options.isResourceRoot !== false, cardinality: 1, depth: 0 })
  compiler.checkTotal(at)
  return { root, problems: compiler.problems }
}

interface Place {
  readonly at: string
  readonly isRoot: boolean
  /** How often values of this node can stand in one object; undefined when nothing bounds it but the size of a request. */
  readonly cardinality: number | undefined
  readonly depth: number
}

interface MessagePlace {
  readonly environment: Environment
  readonly declarations: ReadonlyMap<string, Declaration>
  readonly at: string
  readonly cardinality: number
}

const MAX_DEPTH = 100
const TRY =
  'try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are declared'

class RuleCompiler {
  readonly problems: FieldError[] = []
  readonly #checksEstimates: boolean
  #total = 0

  constructor(checksEstimates: boolean) {
    this.#checksEstimates = checksEstimates
  }

  node(schema: Schema, place: Place): RuleNode | undefined {
    if (place.depth > MAX_DEPTH) return undefined
    const rules = schema.validations ? this.#rules(schema, schema.validations, place) : []
    const below = this.#below(schema, place)
    const allOf = (schema.allOf ?? []).flatMap((part, index) => {
      const typed = { ...schema, ...part, validations: part.validations } as Schema // A part has the type of the whole.
      const made = this.#junctor(typed, { ...place, at: `${place.at}.allOf[${index}]`, depth: place.depth + 1 })
      return made ? [made] : []
    })
    if (rules.length === 0 && allOf.length === 0 && Object.keys(below).length === 0) return undefined
    return { schema, rules, adapt: adapterOf(schema, place.isRoot), allOf, ...below }
  }

  /** A part of a junctor has rules of its own, and none of its fields' again. */
  #junctor(schema: Schema, place: Place): RuleNode | undefined {
    const rules = schema.validations ? this.#rules(schema, schema.validations, place) : []
    return rules.length === 0 ? undefined : { schema, rules, adapt: adapterOf(schema, place.isRoot), allOf: [] }
  }

  #below(schema: Schema, place: Place): Pick<RuleNode, 'properties' | 'additionalProperties' | 'items'> {
    const child = (node: Schema, at: string, times: number | undefined): RuleNode | undefined =>
      this.node(node, {
        at: `${place.at}.${at}`,
        isRoot: node.embeddedResource === true,
        cardinality: place.cardinality === undefined || times === undefined ? undefined : place.cardinality * times,
        depth: place.depth + 1,
      })
    const properties = new Map<string, RuleNode>()
    for (const [name, node] of schema.properties ?? []) {
      const made = child(node, `properties[${name}]`, 1)
      if (made) properties.set(name, made)
    }
    const values = typeof schema.additionalProperties === 'object' ? schema.additionalProperties : undefined
    const additionalProperties = values && child(values, 'additionalProperties', schema.maxProperties)
    const items = schema.items && child(schema.items, 'items', schema.maxItems)
    return {
      ...(properties.size > 0 ? { properties } : {}),
      ...(additionalProperties ? { additionalProperties } : {}),
      ...(items ? { items } : {}),
    }
  }

  #rules(schema: Schema, rules: readonly ValidationRule[], place: Place): readonly CompiledRule[] {
    const types = new SchemaTypes()
    const declaration = types.declare('selfType', schema, place.isRoot)
    if (!declaration) {
      this.problems.push(
        invalid(`${place.at}.x-kubernetes-validations`, rules, 'rules can only be given to values with a type'),
      )
      return []
    }
    return rules.flatMap((rule, index) => {
      if (rule.rule.trim() === '') return []
      const made = this.#rule(rule, schema, declaration, {
        types,
        at: `${place.at}.x-kubernetes-validations[${index}]`,
        cardinality: place.cardinality ?? Math.floor(MAX_REQUEST / (declaration.minSize + 1)),
      })
      return made ? [made] : []
    })
  }

  #rule(
    rule: ValidationRule,
    schema: Schema,
    declaration: Declaration,
    { types, at, cardinality }: { readonly types: SchemaTypes; readonly at: string; readonly cardinality: number },
  ): CompiledRule | undefined {
    const old = rule.optionalOldSelf ? optionalOf(declaration.type) : declaration.type
    const environment = kubernetesEnvironment({
      variables: new Map([
        ['self', declaration.type],
        ['oldSelf', old],
      ]),
      messages: types,
    })
    const checked = this.#check(rule.rule, environment, boolType, `${at}.rule`)
    if (!checked) return undefined
    const declarations = new Map([
      ['self', declaration],
      ['oldSelf', declaration],
    ])
    if (!this.#fits(checked, declarations, `${at}.rule`, cardinality)) return undefined
    const message = this.#message(rule, { environment, declarations, at, cardinality })
    const fieldPath = rule.fieldPath === undefined ? undefined : readFieldPath(rule.fieldPath, schema)
    if (rule.fieldPath !== undefined && !fieldPath) {
      this.problems.push(
        invalid(`${at}.fieldPath`, rule.fieldPath, 'fieldPath must be a valid path to a property of the schema'),
      )
    }
    return {
      rule,
      program: new Program(checked.ast, environment),
      usesOldSelf: [...checked.references.values()].some((reference) => reference.name === 'oldSelf'),
      ...(message ? { messageProgram: message } : {}),
      ...(fieldPath ? { fieldPath } : {}),
    }
  }

  #message(
    { messageExpression = '' }: ValidationRule,
    { environment, declarations, at, cardinality }: MessagePlace,
  ): Program | undefined {
    if (messageExpression.trim() === '') return undefined
    const checked = this.#check(messageExpression, environment, stringType, `${at}.messageExpression`)
    if (!checked || !this.#fits(checked, declarations, `${at}.messageExpression`, cardinality)) return undefined
    return new Program(checked.ast, environment)
  }

  #check(source: string, environment: Environment, wanted: CelType, at: string): Checked | undefined {
    const ast = parseIn(environment, source)
    const checked = ast.ok ? check(ast.value, environment) : ast
    if (!checked.ok) {
      const details = checked.error.map((problem) => `ERROR: <input>:${problem.at ?? '1:1'}: ${problem.message}`)
      this.problems.push(invalid(at, source, `compilation failed: ${details.join('; ')}`))
      return undefined
    }
    if (checked.value.type.kind !== wanted.kind && !isDyn(checked.value.type)) {
      const noun =
        wanted === boolType ? 'cel expression must evaluate to a bool' : 'messageExpression must evaluate to a string'
      this.problems.push(invalid(at, source, noun))
      return undefined
    }
    return checked.value
  }

  #fits(checked: Checked, declarations: ReadonlyMap<string, Declaration>, at: string, cardinality: number): boolean {
    if (!this.#checksEstimates) return true
    const cost = estimate(checked, declarations).max * cardinality
    this.#total += cost
    if (cost <= RULE_ESTIMATE_LIMIT) return true
    const factor = cost / RULE_ESTIMATE_LIMIT
    const text = factor > 100 ? 'more than 100x' : `factor of ${factor.toFixed(1)}x`
    const noun = at.endsWith('.rule') ? 'rule' : 'messageExpression'
    this.problems.push(forbidden(at, `estimated ${noun} cost exceeds budget by ${text} (${TRY})`))
    return false
  }

  /** Refuses a schema whose rules together cost too much. */
  checkTotal(at: string): void {
    if (this.#total <= SCHEMA_ESTIMATE_LIMIT || this.problems.length > 0) return
    const factor = (this.#total / SCHEMA_ESTIMATE_LIMIT).toFixed(1)
    this.problems.push(
      forbidden(
        at,
        `x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema exceeds budget by factor of ${factor}x (${TRY})`,
      ),
    )
  }
}
