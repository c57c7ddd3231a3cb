import { readData } from '../../lib/data-file.ts'
import { isObject } from '../../lib/json.ts'
import { fail, type Problem, type Result, succeed } from '../../lib/result.ts'
import { checkBuiltin } from '../../kube/builtin/checks/index.ts'
import { applyBuiltinDefaults } from '../../kube/builtin/defaults.ts'
import { apiVersionOf, type GroupVersionKind, gvkOf, parseApiVersion } from '../../kube/gvk.ts'
import type { KubeObject } from '../../kube/object.ts'
import { type BuiltinSchemas, builtinSchemas } from '../../kube/schema/builtin.ts'
import { decodeBuiltin } from '../../kube/schema/decode.ts'
import { applyDefaults } from '../../kube/schema/default.ts'
import type { FieldError } from '../../kube/schema/field-error.ts'
import { prune } from '../../kube/schema/prune.ts'
import type { Schema } from '../../kube/schema/schema.ts'
import { parseStructural } from '../../kube/schema/structural.ts'
import { validate, validateUpdate } from '../../kube/schema/validate.ts'
import { compileRules } from '../../lang/cel/schema/compile-rules.ts'
import { evaluateRules } from '../../lang/cel/schema/evaluate-rules.ts'
import type { EvalRequest } from './ops.ts'

let known: BuiltinSchemas | undefined
const schemas = (): BuiltinSchemas => (known ??= builtinSchemas(readData))

/** Judges an object by a built-in kind, a CustomResourceDefinition or a bare schema (docs/eval.md). */
export function evaluate(request: EvalRequest): Result<unknown> {
  const { object, old, schema, crd } = request
  if (object === undefined) return wrong('object', 'what is to be validated is missing')
  if (schema !== undefined) return byStructural(object, old, schema, 'schema', false)
  if (crd !== undefined) {
    const found = schemaOfDefinition(crd, object)
    return found.ok ? byStructural(object, old, found.value.schema, found.value.at, true) : found
  }
  return byKind(object, old, request['kind'])
}

const wrong = (at: string, message: string): Result<never> => fail({ code: 'validate-request-invalid', at, message })

/** What an object became, and what is wrong with it. */
function answer(object: unknown, unknown: readonly string[], problems: readonly FieldError[]): Result<unknown> {
  return succeed({
    valid: problems.length === 0,
    problems: problems.map(({ at, reason, message }) => ({ field: at, reason, message })),
    unknown,
    object,
  })
}

function byStructural(object: unknown, old: unknown, source: unknown, at: string, isRoot: boolean): Result<unknown> {
  const { schema, problems } = parseStructural(source, at)
  // A bare schema need not be that of a whole object, but it must have been read.
  const isUnread = Object.keys(schema).length === 0
  if (problems.length > 0 && (isRoot || isUnread)) return { ok: false, error: problems }
  // An object is judged here, not the definition: what a rule costs shows when it runs.
  const rules = compileRules(schema, { at, isResourceRoot: isRoot, checksEstimates: false })
  if (rules.problems.length > 0) return { ok: false, error: rules.problems }
  const pruned = prune(object, schema, { isRoot })
  const filled = applyDefaults(pruned.value, schema)
  const before = old === undefined ? undefined : applyDefaults(prune(old, schema, { isRoot }).value, schema)
  const found = before === undefined ? validate(filled, schema) : validateUpdate(filled, before, schema)
  // Rules count on the shape that the schema promises.
  return answer(filled, pruned.unknown, found.length > 0 ? found : evaluateRules(rules, filled, before))
}

interface FoundSchema {
  readonly schema: unknown
  readonly at: string
}

/** The schema of the version that the object is in. */
function schemaOfDefinition(crd: unknown, object: unknown): Result<FoundSchema> {
  const spec = isObject(crd) && isObject(crd['spec']) ? crd['spec'] : undefined
  const versions = spec && Array.isArray(spec['versions']) ? (spec['versions'] as readonly unknown[]) : undefined
  if (!versions) return wrong('crd', 'it has no spec.versions')
  const apiVersion = isObject(object) && typeof object['apiVersion'] === 'string' ? object['apiVersion'] : ''
  const wanted = parseApiVersion(apiVersion).version
  const index = versions.findIndex((version) => isObject(version) && version['name'] === wanted)
  const version = versions[index]
  if (!isObject(version) || !isObject(version['schema'])) {
    return wrong('object.apiVersion', `the definition has no version ${JSON.stringify(wanted)} with a schema`)
  }
  const at = `spec.versions[${index}].schema.openAPIV3Schema`
  return succeed({ schema: version['schema']['openAPIV3Schema'], at })
}

function identityOf(object: unknown, kind: unknown): GroupVersionKind | undefined {
  const source = isObject(kind) ? kind : object
  if (!isObject(source) || typeof source['apiVersion'] !== 'string' || typeof source['kind'] !== 'string')
    return undefined
  return gvkOf({ apiVersion: source['apiVersion'], kind: source['kind'] })
}

function byKind(object: unknown, old: unknown, kind: unknown): Result<unknown> {
  const gvk = identityOf(object, kind)
  if (!gvk) return wrong('kind', 'give a schema, a crd, or an object with apiVersion and kind')
  const schema = schemas().schemaOf(gvk)
  if (!schema) return wrong('kind', `${apiVersionOf(gvk)} ${gvk.kind} is not built in: give its crd`)
  const decoded = decodeBuiltin(object, schema)
  if (!decoded.ok) return { ok: false, error: decoded.error.map((problem) => asRequest(problem, gvk)) }
  const before = old === undefined ? undefined : decodeBuiltin(old, schema)
  if (before && !before.ok) return { ok: false, error: before.error }
  const filled = withMeta(decoded.value.value, schema)
  const problems = checkBuiltin({
    kind: gvk,
    namespaced: isNamespaced(gvk),
    schema,
    object: placed(filled, gvk),
    ...(before ? { old: placed(withMeta(before.value.value, schema), gvk) } : {}),
  })
  return answer(filled, decoded.value.unknown, problems)
}

const asRequest = (problem: Problem, { version, kind }: GroupVersionKind): Problem => ({
  ...problem,
  message: `${kind} in version "${version}" cannot be handled as a ${kind}: ${problem.message}`,
})

function withMeta(value: unknown, schema: Schema): KubeObject {
  const object = isObject(value) && isObject(value['metadata']) ? value : { ...(value as object), metadata: {} }
  return applyBuiltinDefaults(object, schema) as unknown as KubeObject // decoded by its type
}

const isNamespaced = ({ group, kind }: GroupVersionKind): boolean =>
  schemas()
    .resources()
    .some((one) => one.group === group && one.kind === kind && !one.subresource && one.namespaced)

/** A manifest need not say its namespace. */
function placed(object: KubeObject, gvk: GroupVersionKind): KubeObject {
  if (!isNamespaced(gvk) || object.metadata.namespace !== undefined) return object
  return { ...object, metadata: { ...object.metadata, namespace: 'default' } }
}
