import type { Json } from '../../../lib/json.ts'
import type { Checked, Reference } from '../check/checker.ts'
import type { Call, Comprehension, Expr, Literal } from '../syntax/ast.ts'
import type { CelType } from '../type.ts'
import { toExprValue } from './expr-value.ts'

type Rewrites = ReadonlyMap<number, Reference> | undefined

/** An expression as the JSON form of `cel.expr.Expr`; with references, names are the resolved ones. */
export function exprJson(expr: Expr, references?: Rewrites): Json {
  const id = String(expr.id)
  const json = (part: Expr): Json => exprJson(part, references)
  const name = references?.get(expr.id)?.name
  switch (expr.kind) {
    case 'literal':
      return { id, constExpr: constantJson(expr) }
    case 'ident':
      return { id, identExpr: { name: name ?? expr.name } }
    case 'select':
      if (name !== undefined) return { id, identExpr: { name } }
      return {
        id,
        selectExpr: { operand: json(expr.operand), field: expr.field, ...(expr.testOnly ? { testOnly: true } : {}) },
      }
    case 'call':
      return { id, callExpr: callJson(expr, name, json) }
    case 'list':
      return { id, listExpr: { elements: expr.items.map(json), optionalIndices: expr.optionals } }
    case 'map': {
      const entries = expr.entries.map((entry) => {
        return {
          id: String(entry.id),
          mapKey: json(entry.key),
          value: json(entry.value),
          ...(entry.optional ? { optionalEntry: true } : {}),
        }
      })
      return { id, structExpr: { entries } }
    }
    case 'struct': {
      const entries = expr.fields.map((field) => {
        return {
          id: String(field.id),
          fieldKey: field.name,
          value: json(field.value),
          ...(field.optional ? { optionalEntry: true } : {}),
        }
      })
      return { id, structExpr: { messageName: name ?? expr.type, entries } }
    }
    case 'comprehension':
      return { id, comprehensionExpr: comprehensionJson(expr, json) }
  }
}

function constantJson(expr: Literal): Json {
  if (expr.type === 'null') return { nullValue: null }
  return toExprValue(expr.value)
}

function callJson(expr: Call, name: string | undefined, json: (part: Expr) => Json): Json {
  const args = expr.args.map(json)
  if (name !== undefined) return { function: name, args }
  return { ...(expr.target ? { target: json(expr.target) } : {}), function: expr.name, args }
}

function comprehensionJson(expr: Comprehension, json: (part: Expr) => Json): Json {
  return {
    iterVar: expr.variable,
    ...(expr.variable2 === undefined ? {} : { iterVar2: expr.variable2 }),
    iterRange: json(expr.range),
    accuVar: expr.accumulator,
    accuInit: json(expr.init),
    loopCondition: json(expr.condition),
    loopStep: json(expr.step),
    result: json(expr.result),
  }
}

const PRIMITIVES: Readonly<Record<string, string>> = {
  bool: 'BOOL',
  int: 'INT64',
  uint: 'UINT64',
  double: 'DOUBLE',
  string: 'STRING',
  bytes: 'BYTES',
}

/** A type as the JSON form of `cel.expr.Type`. */
export function typeJson(type: CelType): Json {
  const params = type.params.map(typeJson)
  switch (type.kind) {
    case 'dyn':
      return { dyn: {} }
    case 'error':
      return { error: {} }
    case 'null':
      return { null: null }
    case 'any':
      return { wellKnown: 'ANY' }
    case 'timestamp':
      return { wellKnown: 'TIMESTAMP' }
    case 'duration':
      return { wellKnown: 'DURATION' }
    case 'list':
      return { listType: { elemType: params[0] ?? { dyn: {} } } }
    case 'map':
      return { mapType: { keyType: params[0] ?? { dyn: {} }, valueType: params[1] ?? { dyn: {} } } }
    case 'type':
      return { type: params[0] ?? {} }
    case 'struct':
      return { messageType: type.name }
    case 'opaque':
      return { abstractType: { name: type.name, parameterTypes: params } }
    case 'param':
      return { typeParam: type.name }
    case 'wrapper':
      return { wrapper: PRIMITIVES[type.name] ?? 'PRIMITIVE_TYPE_UNSPECIFIED' }
    default:
      return { primitive: PRIMITIVES[type.kind] ?? 'PRIMITIVE_TYPE_UNSPECIFIED' }
  }
}

/** A checked expression as the JSON form of `cel.expr.CheckedExpr`. */
export function checkedJson(checked: Checked): Json {
  const typeMap: Record<string, Json> = {}
  for (const [id, type] of checked.types) typeMap[id] = typeJson(type)
  const referenceMap: Record<string, Json> = {}
  for (const [id, { name, overloads }] of checked.references) {
    referenceMap[id] = overloads.length > 0 ? { overloadId: overloads } : { name: name ?? '' }
  }
  return { expr: exprJson(checked.ast.expr, checked.references), typeMap, referenceMap }
}
