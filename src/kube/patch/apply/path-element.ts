// A path element is kept in the form FieldsV1 gives it: `f:name`, `k:{"name":"x"}`, `v:1`, `i:0`. The text is canonical (keys
// sorted, JSON as Go writes it), so that equal elements are equal strings and sets of paths can be maps.

/** The element of a field of an object. */
export const fieldElement = (name: string): string => `f:${name}`

/** The element of a list that is a set. */
export const valueElement = (value: unknown): string => `v:${jsonText(value)}`

/** The element of a list that is a map; names must be sorted. */
export function keyElement(names: readonly string[], valueOf: (name: string) => unknown): string {
  let text = ''
  for (const name of names) {
    const value = valueOf(name)
    if (value !== undefined) text += `${text === '' ? '' : ','}${quote(name)}:${jsonText(value)}`
  }
  return `k:{${text}}`
}

// oxlint-disable-next-line no-control-regex -- control characters are what needs escaping
const unusual = /["\\<>&\u0000-\u001f\u007f-\uffff]/
const escapedByGo = /[<>&\u2028\u2029]/g

function quote(text: string): string {
  if (!unusual.test(text)) return `"${text}"`
  return JSON.stringify(text).replace(
    escapedByGo,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

function jsonText(value: unknown): string {
  if (typeof value === 'string') return quote(value)
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return String(value)
  if (Array.isArray(value)) return `[${value.map(jsonText).join(',')}]`
  const object = value as Readonly<Record<string, unknown>>
  const names = Object.keys(object).toSorted(compareText)
  return `{${names.map((name) => `${quote(name)}:${jsonText(object[name])}`).join(',')}}`
}

/** Reads an element; undefined when its kind is not known, an error text when it is malformed. */
export function parseElement(text: string): { readonly element: string } | { readonly error: string } | undefined {
  if (text[1] !== ':') return { error: `${JSON.stringify(text)} does not name its kind of path element` }
  const rest = text.slice(2)
  const kind = text[0]
  if (kind === 'f') return { element: text }
  if (kind === 'v' || kind === 'k') return parseJsonElement(kind, rest)
  if (kind !== 'i') return undefined
  return /^[+-]?[0-9]{1,15}$/.test(rest) ? { element: `i:${Number(rest)}` } : { error: `${rest} is not an index` }
}

function parseJsonElement(kind: 'v' | 'k', rest: string): { readonly element: string } | { readonly error: string } {
  const value = parseJson(rest)
  if (value === undefined) return { error: `${JSON.stringify(rest)} is not JSON` }
  if (kind === 'v') return { element: valueElement(value.json) }
  if (typeof value.json !== 'object' || value.json === null || Array.isArray(value.json)) {
    return { error: `${JSON.stringify(rest)} is not a list of keys` }
  }
  return { element: `k:${jsonText(value.json)}` }
}

function parseJson(text: string): { readonly json: unknown } | undefined {
  try {
    return { json: JSON.parse(text) }
  } catch {
    // Not JSON: the caller says so, with the text.
    return undefined
  }
}

/** The kind of an element: field, key, value, index. */
export function kindOfElement(element: string): 'f' | 'k' | 'v' | 'i' {
  return element[0] as 'f' | 'k' | 'v' | 'i'
}

/** The name of a field element. */
export const fieldName = (element: string): string => element.slice(2)

/** The names and values of a key element. */
export function keyFields(element: string): readonly (readonly [name: string, value: unknown])[] {
  return Object.entries(JSON.parse(element.slice(2)) as Readonly<Record<string, unknown>>)
}

const kinds = 'fkvi'

/** The order in which FieldsV1 lists elements: fields, keys, values, indexes; within a kind by content. */
export function compareElements(a: string, b: string): number {
  if (a === b) return 0
  const kind = a[0] as string
  if (kind !== b[0]) return kinds.indexOf(kind) - kinds.indexOf(b[0] as string)
  if (kind === 'f') return compareText(a, b)
  if (kind === 'i') return Number(a.slice(2)) - Number(b.slice(2))
  const left: unknown = JSON.parse(a.slice(2))
  const right: unknown = JSON.parse(b.slice(2))
  return kind === 'v' ? compareValues(left, right) : compareKeys(left, right)
}

function compareKeys(a: unknown, b: unknown): number {
  const left = sortedEntries(a)
  const right = sortedEntries(b)
  for (let index = 0; index < left.length && index < right.length; index++) {
    const [leftName, leftValue] = left[index] as [string, unknown]
    const [rightName, rightValue] = right[index] as [string, unknown]
    const order = compareText(leftName, rightName) || compareValues(leftValue, rightValue)
    if (order !== 0) return order
  }
  return left.length - right.length
}

function sortedEntries(value: unknown): readonly (readonly [string, unknown])[] {
  return Object.entries(value as object).toSorted(([a], [b]) => compareText(a, b))
}

/** Numbers, then strings, booleans, lists, objects, null. */
function rank(value: unknown): number {
  if (value === null) return 5
  if (Array.isArray(value)) return 3
  return { number: 0, string: 1, boolean: 2, object: 4 }[typeof value as 'number' | 'string' | 'boolean' | 'object']
}

function compareValues(a: unknown, b: unknown): number {
  const difference = rank(a) - rank(b)
  if (difference !== 0) return difference
  if (typeof a === 'number' || typeof a === 'boolean') return Number(a) - Number(b)
  if (typeof a === 'string') return compareText(a, b as string)
  return compareText(jsonText(a), jsonText(b))
}

/** Orders texts by their bytes in UTF-8, as Go does. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0
  const length = Math.min(a.length, b.length)
  for (let index = 0; index < length; index++) {
    const left = a.charCodeAt(index)
    const right = b.charCodeAt(index)
    if (left === right) continue
    // Surrogates stand for characters above all others.
    const isLeftHigh = left >= 0xd800 && left <= 0xdfff
    const isRightHigh = right >= 0xd800 && right <= 0xdfff
    return isLeftHigh === isRightHigh ? left - right : isLeftHigh ? 1 : -1
  }
  return a.length - b.length
}

/** How messages write a path: `.spec.containers[name="x"].image`. */
export function pathText(path: readonly string[]): string {
  return path.map(elementText).join('')
}

function elementText(element: string): string {
  const rest = element.slice(2)
  switch (kindOfElement(element)) {
    case 'f':
      return `.${rest}`
    case 'i':
      return `[${rest}]`
    case 'v':
      return `[=${rest}]`
    case 'k':
      return `[${keyFields(element)
        .map(([name, value]) => `${name}=${jsonText(value)}`)
        .join(',')}]`
  }
}
