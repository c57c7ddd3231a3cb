import { createHash } from 'node:crypto'
import { gunzipSync, gzipSync } from 'node:zlib'
import { deepTraversal, traversal } from '../../../lang/cel/cost/size.ts'
import { EvaluationError } from '../../../lang/cel/error.ts'
import { type CostRule, type Library, overload, type Overload } from '../../../lang/cel/library/library.ts'
import { type CelType, opaque } from '../../../lang/cel/type.ts'
import { CelObject } from '../../../lang/cel/value/boxed.ts'
import { Double } from '../../../lang/cel/value/double.ts'
import type { Int } from '../../../lang/cel/value/integer.ts'
import { type ListValue, listItems } from '../../../lang/cel/value/list.ts'
import { kindOf } from '../../../lang/cel/value/kind.ts'
import { CelMap, type MapValue, mapGet } from '../../../lang/cel/value/map.ts'
import { MAX_STRING } from '../../../lang/cel/value/text.ts'
import { renderJson } from '../../../lang/cel/wire/render.ts'
import { goJson } from '../../../lib/go-json.ts'
import { isObject, setOwn } from '../../../lib/json.ts'
import { parseYaml } from '../../../lib/yaml.ts'

/** A variable that only its library's functions use, such as `json`. */
class Marker extends CelObject {
  readonly type: CelType

  constructor(type: CelType) {
    super()
    this.type = type
  }

  equals(other: unknown): boolean {
    return this === other
  }
}

export const jsonType: CelType = opaque('json.Json')
export const yamlType: CelType = opaque('yaml.Yaml')
export const jsonValue: CelObject = new Marker(jsonType)
export const yamlValue: CelObject = new Marker(yamlType)

const once: CostRule = (text) => traversal(text)
const second: CostRule = (_self, value) => deepTraversal(value)
const DEEPEST = 500

/** JSON as Go decodes it where no type says otherwise: every number is a double. */
export function withDoubles(value: unknown, depth = 0): unknown {
  if (depth > DEEPEST) throw new EvaluationError(`the JSON is nested more than ${DEEPEST} deep`)
  if (typeof value === 'number') return new Double(value)
  if (Array.isArray(value)) return value.map((item) => withDoubles(item, depth + 1))
  if (!isObject(value)) return value
  const made: Record<string, unknown> = {}
  for (const [key, item] of Object.entries(value)) setOwn(made, key, withDoubles(item, depth + 1))
  return made
}

function unmarshal(_self: unknown, text: unknown): unknown {
  if (typeof text !== 'string') throw new EvaluationError('json.unmarshal() takes a string')
  try {
    return withDoubles(JSON.parse(text))
  } catch (error) {
    throw new EvaluationError(error instanceof Error ? error.message : String(error))
  }
}

const marshal = (_self: unknown, value: unknown): string => goJson(renderJson(value))

/** `json.marshal(value)` and `json.unmarshal(text)`. */
export const jsonLibrary: Library = {
  name: 'kyverno.json',
  types: [jsonType],
  overloads: [
    overload('unmarshal_string_dyn', `${jsonType.name} -> unmarshal(dyn): dyn`, unmarshal, second),
    overload('marshal_dyn_string', `${jsonType.name} -> marshal(dyn): string`, marshal, second),
  ],
}

function readYaml(_self: unknown, text: string): unknown {
  const read = parseYaml(text)
  if (!read.ok) throw new EvaluationError(read.error.map(({ message }) => message).join('; '))
  return read.value
}

/** `yaml.parse(text)`. */
export const yamlLibrary: Library = {
  name: 'kyverno.yaml',
  types: [yamlType],
  overloads: [overload('parse_string_dyn', `${yamlType.name} -> parse(string): dyn`, readYaml, second)],
}

const digest = (name: string): readonly Overload[] => {
  const run = (text: string): string => createHash(name).update(text).digest('hex')
  return [
    overload(`${name}_string_non_prefixed`, `${name}(string): string`, run, once),
    overload(`${name}_string_prefixed`, `hash.${name}(string): string`, run, once),
  ]
}

/** `sha1`, `sha256` and `md5`, also as `hash.sha256`. */
export const hashLibrary: Library = {
  name: 'kyverno.hash',
  overloads: ['sha1', 'sha256', 'md5'].flatMap(digest),
}

function round({ value }: Double, digits: Int): Double {
  const shift = 10 ** Number(digits)
  const shifted = value * shift
  return new Double((Math.sign(shifted) * Math.round(Math.abs(shifted))) / shift)
}

/** `math.round(number, digits)`. */
export const roundLibrary: Library = {
  name: 'kyverno.math',
  overloads: [overload('math_round_float_int', 'math.round(double, int): double', round)],
}

function inflate(bytes: Uint8Array): string {
  try {
    return gunzipSync(bytes, { maxOutputLength: MAX_STRING }).toString('utf8')
  } catch (error) {
    throw new EvaluationError(`gzip: ${error instanceof Error ? error.message : String(error)}`)
  }
}

function deflate(text: unknown): Uint8Array {
  if (typeof text !== 'string') throw new EvaluationError('gzip.compress() takes a string')
  return Uint8Array.from(gzipSync(text))
}

/** `gzip.compress(text)` and `gzip.decompress(bytes)`. */
export const gzipLibrary: Library = {
  name: 'kyverno.gzip',
  overloads: [
    overload('decompress_bytes_string', 'gzip.decompress(bytes): string', inflate, once),
    overload('compress_any_bytes', 'gzip.compress(dyn): bytes', deflate, once),
  ],
}

const SERVICE_ACCOUNT = 'system:serviceaccount:'
/** What `parseServiceAccount` answers; its fields are declared where the environment is made. */
export const SERVICE_ACCOUNT_TYPE = 'user.ServiceAccount'

function serviceAccount(user: string): { readonly Name: string; readonly Namespace: string } {
  const rest = user.startsWith(SERVICE_ACCOUNT) ? user.slice(SERVICE_ACCOUNT.length) : ''
  const colon = rest.indexOf(':')
  return colon < 0 ? { Name: '', Namespace: '' } : { Name: rest.slice(colon + 1), Namespace: rest.slice(0, colon) }
}

/** `parseServiceAccount(username)`: its `Name` and `Namespace`, both empty for other users. */
export const userLibrary: Library = {
  name: 'kyverno.user',
  overloads: [
    overload(
      'parse_service_account_string_non_prefixed',
      `parseServiceAccount(string): message<${SERVICE_ACCOUNT_TYPE}>`,
      serviceAccount,
      once,
    ),
    overload(
      'parse_service_account_string_prefixed',
      `user.parseServiceAccount(string): message<${SERVICE_ACCOUNT_TYPE}>`,
      serviceAccount,
      once,
    ),
  ],
}

function mapOfObjects(...[keys, values, keyName, valueName]: [ListValue, ListValue, string, string]): CelMap {
  const [left, right] = [listItems(keys), listItems(values)]
  if (left.length !== right.length) {
    throw new EvaluationError(
      `listObjToMap must take lists of equal length. list1: ${left.length}, list2: ${right.length}`,
    )
  }
  const made = new Map<string, unknown>()
  for (const [index, item] of left.entries()) {
    const other = right[index]
    if (kindOf(item) !== 'map' || kindOf(other) !== 'map')
      throw new EvaluationError('listObjToMap must take lists of objects')
    // The kinds were just looked at.
    const key = mapGet(item as MapValue, keyName)
    if (typeof key !== 'string')
      throw new EvaluationError('the passed key name cannot be handled as a string in the key object list')
    made.set(key, mapGet(other as MapValue, valueName) ?? null)
  }
  const map = new CelMap()
  for (const [key, value] of made) map.add(key, value)
  return map
}

const lists: CostRule = (left, right) => deepTraversal(left) + deepTraversal(right)

/** `listObjToMap(keys, values, keyName, valueName)`: one map from two lists of objects. */
export const transformLibrary: Library = {
  name: 'kyverno.transform',
  overloads: [
    overload(
      'list_of_object_to_map_non_prefixed',
      'listObjToMap(list, list, string, string): map',
      mapOfObjects,
      lists,
    ),
    overload(
      'list_of_object_to_map_prefixed',
      'transform.listObjToMap(list, list, string, string): map',
      mapOfObjects,
      lists,
    ),
  ],
}
