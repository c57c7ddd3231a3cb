import { fromJson, type JsonValue, type Message, toJson } from '@bufbuild/protobuf'
import { anyPack, anyUnpack } from '@bufbuild/protobuf/wkt'
import { type Value, ValueSchema } from '@bufbuild/cel-spec/cel/expr/value_pb.js'
import type { IncrementalTest } from '@bufbuild/cel-spec/testdata/tests.js'
import { parseIn } from '../../../src/lang/cel/cel.ts'
import { check } from '../../../src/lang/cel/check/checker.ts'
import { Environment } from '../../../src/lang/cel/environment.ts'
import { EvaluationError } from '../../../src/lang/cel/error.ts'
import { libraries } from '../../../src/lang/cel/libraries.ts'
import { overload } from '../../../src/lang/cel/library/library.ts'
import { parseType } from '../../../src/lang/cel/library/signature.ts'
import { Program } from '../../../src/lang/cel/program.ts'
import { type CelType, dynType } from '../../../src/lang/cel/type.ts'
import { kindOf } from '../../../src/lang/cel/value/kind.ts'
import { isList, listItems } from '../../../src/lang/cel/value/list.ts'
import { CelMap, type MapValue, mapGet, mapKeys } from '../../../src/lang/cel/value/map.ts'
import { checkedJson } from '../../../src/lang/cel/wire/expr-json.ts'
import { fromExprValue, toExprValue } from '../../../src/lang/cel/wire/expr-value.ts'
import type { EvalAnswer } from '../suite.ts'
import { declarationsOf, registry } from './corpus.ts'
import { CelMessage, ProtobufMessages } from './messages.ts'

/** The package that the checker's tests were written for is the same as the corpus' under another name. */
const alias = (name: string): string => name.replace(/^google\.expr\.(proto[23])\.test/, 'cel.expr.conformance.$1')

const messages = new ProtobufMessages(registry, alias)

/** A `cel.expr.Value` as a CEL value, messages included. */
function fromValue({ kind }: Value): unknown {
  switch (kind.case) {
    case 'objectValue': {
      const inner = anyUnpack(kind.value, registry)
      if (!inner) throw new EvaluationError(`unknown message ${kind.value.typeUrl}`)
      return messages.fromMessage(inner)
    }
    case 'listValue':
      return kind.value.values.map(fromValue)
    case 'mapValue': {
      const map = new CelMap()
      for (const entry of kind.value.entries)
        if (entry.key && entry.value) map.add(fromValue(entry.key), fromValue(entry.value))
      return map
    }
    case 'enumValue':
      return kind.value.value
    default:
      return fromExprValue(toJson(ValueSchema, { $typeName: 'cel.expr.Value', kind }, { registry }))
  }
}

/** A CEL value as the JSON of a `cel.expr.Value`, messages included. */
function toValue(value: unknown): JsonValue {
  if (value instanceof CelMessage) {
    const any = anyPack(value.message.desc, value.message.message)
    return toJson(
      ValueSchema,
      { $typeName: 'cel.expr.Value', kind: { case: 'objectValue', value: any } },
      {
        registry,
      },
    )
  }
  if (isList(value)) return { listValue: { values: listItems(value).map(toValue) } }
  if (kindOf(value) === 'map') {
    const map = value as MapValue
    const entries = [...mapKeys(map)].map((key) => ({ key: toValue(key), value: toValue(mapGet(map, key)) }))
    return { mapValue: { entries } }
  }
  return toExprValue(value) as JsonValue
}

export interface LibraryOptions {
  readonly libraries: readonly string[]
  readonly mode: 'check' | 'evaluate'
  readonly variables?: ReadonlyMap<string, CelType>
  readonly syntax?: { readonly optionals?: boolean }
}

/** Runs a test on the library itself, in the words of `idp eval cel`. */
export function runOnLibrary(test: IncrementalTest, options: LibraryOptions): EvalAnswer {
  const { original } = test
  const { types, functions } = declarationsOf(test)
  const values = new Map<string, unknown>()
  for (const [name, { kind }] of Object.entries(original.bindings)) {
    if (kind.case === 'value') values.set(name, fromValue(kind.value))
  }
  const variables = new Map<string, CelType>([...values.keys()].map((name) => [name, dynType] as const))
  for (const [name, type] of options.variables ?? []) variables.set(name, type)
  for (const [name, type] of Object.entries(types)) {
    const parsed = parseType(type)
    variables.set(name, parsed.kind === 'struct' ? (messages.findType(parsed.name) ?? parsed) : parsed)
  }
  const environment = new Environment({
    container: original.container,
    libraries: options.libraries.flatMap((name) => libraries.get(name) ?? []),
    variables,
    overloads: Object.entries(functions).map(([id, signature]) => overload(id, signature)),
    messages,
    syntax: options.syntax?.optionals === false ? { optionalSyntax: false } : {},
  })
  const refuse = (error: readonly { readonly code: string; readonly message: string }[]): EvalAnswer => {
    return { ok: false, error: { code: error[0]?.code ?? '', at: '', message: error[0]?.message ?? '' } }
  }
  const ast = parseIn(environment, original.expr)
  if (!ast.ok) return refuse(ast.error)
  const checked = options.mode === 'check' || !original.disableCheck ? check(ast.value, environment) : undefined
  if (checked && !checked.ok) return refuse(checked.error)
  const type = checked?.value.type.text
  if (options.mode === 'check') return { ok: true, value: { type, checkedExpr: checked && checkedJson(checked.value) } }
  const outcome = new Program(ast.value, environment).evaluate(values)
  if (!outcome.ok) return refuse(outcome.error)
  return { ok: true, value: { exprValue: toValue(outcome.value.value), type } }
}

/** Whether two `cel.expr.Value` are the same, maps in any order, NaN like NaN. */
export function sameValue(left: JsonValue, right: Value): boolean {
  return canonical(fromJson(ValueSchema, left, { registry })) === canonical(right)
}

function canonical(value: Value): string {
  const { kind } = value
  switch (kind.case) {
    case 'listValue':
      return `[${kind.value.values.map(canonical).join(',')}]`
    case 'mapValue':
      return `{${kind.value.entries
        .map((entry) => `${entry.key ? canonical(entry.key) : ''}:${entry.value ? canonical(entry.value) : ''}`)
        .toSorted((a, b) => (a < b ? -1 : 1))
        .join(',')}}`
    case 'doubleValue':
      return `double ${kind.value + 0}`
    case 'enumValue':
      return `int ${kind.value.value}`
    case 'objectValue': {
      const inner: Message | undefined = anyUnpack(kind.value, registry)
      const schema = inner && registry.getMessage(inner.$typeName)
      return inner && schema ? `${inner.$typeName} ${sorted(toJson(schema, inner, { registry }))}` : 'unknown'
    }
    default:
      return sorted(toJson(ValueSchema, value, { registry }))
  }
}

function sorted(json: JsonValue): string {
  return JSON.stringify(json, (_, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  )
}
