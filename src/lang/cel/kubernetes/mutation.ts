import type { Json } from '../../../lib/json.ts'
import { setOwn } from '../../../lib/json.ts'
import { fail, type Result, succeed } from '../../../lib/result.ts'
import type { MessageProvider } from '../environment.ts'
import { type CelType, dynType, stringType, structType } from '../type.ts'
import { Fields } from '../value/boxed.ts'
import { isEqual } from '../value/equal.ts'
import { kindOf } from '../value/kind.ts'
import { type ListValue, listItems } from '../value/list.ts'
import { type MapValue, mapGet, mapKeys } from '../value/map.ts'
import { EvaluationError } from '../error.ts'
import { renderJson, tryRenderJson } from '../wire/render.ts'

/** The type of an apply configuration as a whole. */
export const objectType: CelType = structType('Object')
/** The type of one operation of a JSON patch. */
export const jsonPatchType: CelType = structType('JSONPatch')

/** What `Object{...}`, `Object.spec{...}` or `JSONPatch{...}` made. */
export class Made extends Fields {
  readonly type: CelType
  readonly fields: ReadonlyMap<string, unknown>

  constructor(type: CelType, fields: ReadonlyMap<string, unknown>) {
    super()
    this.type = type
    this.fields = fields
  }

  get(field: string): unknown {
    const value = this.fields.get(field)
    if (value === undefined) throw new EvaluationError(`no such key: ${field}`)
    return value
  }

  has(field: string): boolean {
    return this.fields.has(field)
  }

  isZero(): boolean {
    return this.fields.size === 0
  }

  equals(other: unknown): boolean {
    if (!(other instanceof Made) || other.type.name !== this.type.name || other.fields.size !== this.fields.size)
      return false
    return [...this.fields].every(([name, value]) => other.fields.has(name) && isEqual(value, other.fields.get(name)))
  }

  toJson(): Json {
    const json: Record<string, Json> = {}
    for (const [name, value] of this.fields) setOwn(json, name, renderJson(value))
    return json
  }
}

const isObjectName = (name: string): boolean => name === objectType.name || name.startsWith('Object.')
const patchFields = new Map<string, CelType>([
  ['op', stringType],
  ['path', stringType],
  ['from', stringType],
  ['value', dynType],
])
const types = new Map<string, CelType>()

function typeNamed(name: string): CelType | undefined {
  if (name === jsonPatchType.name) return jsonPatchType
  if (name === objectType.name) return objectType
  return isObjectName(name) ? structType(name) : undefined
}

/** The types that mutations are written with: `Object` and every `Object.a.b` with any fields, and `JSONPatch`. */
export const mutationTypes: MessageProvider = {
  findType: typeNamed,
  fieldType: (message, field) => (message === jsonPatchType.name ? patchFields.get(field) : dynType),
  create(message, fields) {
    const type = types.get(message) ?? typeNamed(message) ?? objectType
    if (types.size < 1_000) types.set(message, type)
    return new Made(type, fields)
  },
}

/**
 * An apply configuration as plain data. Each part must be called after the path it stands at, as upstream asks
 * (apiserver, pkg/cel/mutation/dynamic).
 */
export function configurationOf(value: unknown): Result<Readonly<Record<string, unknown>>> {
  if (!(value instanceof Made))
    return fail({ code: 'mutation-invalid', message: `an apply configuration is an Object, not ${kindOf(value)}` })
  const mismatch = misnamed(value, value.type.name, 0)
  if (mismatch !== undefined) return fail({ code: 'mutation-invalid', message: `type mismatch: ${mismatch}` })
  const json = tryRenderJson(value)
  if (!json.ok) return json
  // Made of an Object, so an object.
  return succeed(json.value as Readonly<Record<string, unknown>>)
}

const DEEPEST = 200

function misnamed(value: unknown, path: string, depth: number): string | undefined {
  if (depth > DEEPEST) return `${path.slice(0, 200)} is nested too deep`
  if (value instanceof Made) {
    if (value.type.name !== path) {
      return `unexpected type name ${JSON.stringify(value.type.name)}, expected ${JSON.stringify(path)}, which matches field name path from root Object type`
    }
    return firstOf([...value.fields], ([name, part]) => misnamed(part, `${path}.${name}`, depth + 1))
  }
  switch (kindOf(value)) {
    // The kinds say which type it is.
    case 'list':
      return firstOf(listItems(value as ListValue), (item) => misnamed(item, path, depth + 1))
    case 'map': {
      const map = value as MapValue
      return firstOf([...mapKeys(map)], (key) => misnamed(mapGet(map, key), path, depth + 1))
    }
    default:
      return undefined
  }
}

function firstOf<T>(items: readonly T[], find: (item: T) => string | undefined): string | undefined {
  for (const item of items) {
    const found = find(item)
    if (found !== undefined) return found
  }
  return undefined
}

/** The operations of a JSON patch that an expression made, as plain data. */
export function jsonPatchOf(value: unknown): Result<readonly Json[]> {
  if (kindOf(value) !== 'list')
    return fail({ code: 'mutation-invalid', message: 'a JSON patch is a list of JSONPatch operations' })
  const operations: Json[] = []
  // The kind was just looked at.
  for (const item of listItems(value as ListValue)) {
    if (!(item instanceof Made) || item.type.name !== jsonPatchType.name)
      return fail({ code: 'mutation-invalid', message: 'a JSON patch is a list of JSONPatch operations' })
    const part = item.fields.get('value')
    const mismatch = part instanceof Made ? misnamed(part, part.type.name, 0) : undefined
    if (mismatch !== undefined) return fail({ code: 'mutation-invalid', message: `type mismatch: ${mismatch}` })
    const operation = tryRenderJson(item)
    if (!operation.ok) return operation
    operations.push(operation.value)
  }
  return succeed(operations)
}
