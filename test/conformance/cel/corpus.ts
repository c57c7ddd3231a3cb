import { type JsonObject, toJson } from '@bufbuild/protobuf'
import type { Type } from '@bufbuild/cel-spec/cel/expr/checked_pb.js'
import { TypeSchema } from '@bufbuild/cel-spec/cel/expr/checked_pb.js'
import { ValueSchema } from '@bufbuild/cel-spec/cel/expr/value_pb.js'
import type { IncrementalTest, IncrementalTestSuite } from '@bufbuild/cel-spec/testdata/tests.js'
import { getTestRegistry } from '@bufbuild/cel-spec/testdata/registry.js'

export const registry: ReturnType<typeof getTestRegistry> = getTestRegistry()

/** One test of the corpus under the path of its suites. */
export interface CorpusCase {
  readonly id: string
  readonly section: string
  readonly test: IncrementalTest
}

/** Every test below a suite; the same id twice gets a number. */
export function casesOf(suite: IncrementalTestSuite): readonly CorpusCase[] {
  const seen = new Map<string, number>()
  const walk = (node: IncrementalTestSuite, path: readonly string[]): readonly CorpusCase[] => [
    ...node.tests.map((test) => {
      const id = [...path, test.name].join('/')
      const count = (seen.get(id) ?? 0) + 1
      seen.set(id, count)
      return { id: count > 1 ? `${id} (${count})` : id, section: path[0] ?? node.name, test }
    }),
    ...node.suites.flatMap((inner) => walk(inner, [...path, inner.name])),
  ]
  return walk(suite, [])
}

const PRIMITIVES: Readonly<Record<string, string>> = {
  BOOL: 'bool',
  INT64: 'int',
  UINT64: 'uint',
  DOUBLE: 'double',
  STRING: 'string',
  BYTES: 'bytes',
}
const WELL_KNOWN: Readonly<Record<string, string>> = { ANY: 'any', TIMESTAMP: 'timestamp', DURATION: 'duration' }

/** A type as `idp eval cel` reads it. */
export function typeText(type: Type | undefined): string {
  return type ? textOf(toJson(TypeSchema, type, { registry }) as JsonObject) : 'dyn'
}

function textOf(json: JsonObject): string {
  const [kind, value] = Object.entries(json)[0] ?? ['dyn', {}]
  const name = typeof value === 'string' ? value : ''
  const inner = (key: string): string => textOf(((value as JsonObject)[key] ?? {}) as JsonObject)
  switch (kind) {
    case 'primitive':
      return PRIMITIVES[name] ?? 'dyn'
    case 'wrapper':
      return `wrapper<${PRIMITIVES[name] ?? 'dyn'}>`
    case 'wellKnown':
      return WELL_KNOWN[name] ?? 'dyn'
    case 'null':
      return 'null'
    case 'listType':
      return `list<${inner('elemType')}>`
    case 'mapType':
      return `map<${inner('keyType')}, ${inner('valueType')}>`
    case 'type':
      return `type<${textOf(value as JsonObject)}>`
    case 'messageType':
      return `message<${name}>`
    case 'typeParam':
      return name
    case 'abstractType': {
      const { name: full, parameterTypes = [] } = value as {
        readonly name: string
        readonly parameterTypes?: JsonObject[]
      }
      const short = full === 'optional_type' ? 'optional' : full
      return parameterTypes.length > 0 ? `${short}<${parameterTypes.map(textOf).join(', ')}>` : short
    }
    default:
      return 'dyn'
  }
}

/** The declarations of a test: variables by type, and functions as signatures. */
export function declarationsOf({ original }: IncrementalTest): {
  readonly types: Readonly<Record<string, string>>
  readonly functions: Readonly<Record<string, string>>
} {
  const types: Record<string, string> = {}
  const functions: Record<string, string> = {}
  for (const declaration of original.typeEnv) {
    if (declaration.declKind.case === 'ident') {
      types[declaration.name] = typeText(declaration.declKind.value.type)
    } else if (declaration.declKind.case === 'function') {
      for (const overload of declaration.declKind.value.overloads) {
        const [first = 'dyn', ...rest] = overload.params.map(typeText)
        const args = overload.isInstanceFunction ? rest : overload.params.map(typeText)
        const receiver = overload.isInstanceFunction ? `${first} -> ` : ''
        functions[overload.overloadId] =
          `${receiver}${declaration.name}(${args.join(', ')}): ${typeText(overload.resultType)}`
      }
    }
  }
  return { types, functions }
}

/** The JSON of the bindings that are values, by variable. */
export function bindingsOf({ original }: IncrementalTest): Readonly<Record<string, JsonObject>> {
  const bindings: Record<string, JsonObject> = {}
  for (const [name, { kind }] of Object.entries(original.bindings)) {
    if (kind.case === 'value') bindings[name] = toJson(ValueSchema, kind.value, { registry }) as JsonObject
  }
  return bindings
}

/** Messages cannot travel as JSON, so these tests use the library itself. */
export function needsMessages({ original }: IncrementalTest): boolean {
  const given = JSON.stringify(bindingsOf({ original } as IncrementalTest))
  const declared = JSON.stringify(declarationsOf({ original } as IncrementalTest))
  return (
    /TestAllTypes|TestRequired|google\.protobuf\.|NestedEnum|GlobalEnum|NestedTestAllTypes|proto\./.test(
      original.expr,
    ) ||
    original.container !== '' ||
    /objectValue/.test(
      given.replaceAll(/"@type":"type.googleapis.com\/google.protobuf.(?:Timestamp|Duration)"/g, ''),
    ) ||
    /message</.test(declared) ||
    Object.values(original.bindings).some(({ kind }) => kind.case !== 'value')
  )
}
