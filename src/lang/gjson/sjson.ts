import { type Json, own, setOwn } from '../../lib/json.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'

const LARGEST_INDEX = 10_000
const MOST_PARTS = 200

interface Part {
  readonly key: string
  /** Begun with a colon: a number that is a key. */
  readonly isKey: boolean
}

function partsOf(path: string): readonly Part[] | undefined {
  const parts: Part[] = []
  let key = ''
  let isKey = false
  for (let at = 0; at <= path.length; at++) {
    const character = path.charAt(at)
    if (at === path.length || character === '.') {
      parts.push({ key, isKey })
      key = ''
      isKey = false
    } else if (character === '\\') key += path.charAt(++at)
    else if (character === ':' && key === '' && !isKey) isKey = true
    else if ('*?#|@'.includes(character) && !(character === '@' && key !== '')) return undefined
    else key += character
  }
  return parts
}

/** The value with something else at a path; what is not there yet is made: lists where the path has a number. */
export function setAt(value: Json | undefined, path: string, to: Json): Result<Json> {
  const parts = partsOf(path)
  if (path === '' || !parts) {
    const message = `cannot put a value at ${JSON.stringify(path)}: a path to write to is keys and numbers, joined by dots`
    return fail({ code: 'gjson-path-invalid', at: path, message })
  }
  if (parts.length > MOST_PARTS) {
    const message = `cannot put a value ${parts.length} levels deep: a path has at most ${MOST_PARTS} parts`
    return fail({ code: 'gjson-path-invalid', at: path.slice(0, 80), message })
  }
  return put(value, parts, 0, to)
}

function put(value: Json | undefined, parts: readonly Part[], at: number, to: Json): Result<Json> {
  const part = parts[at]
  if (!part) return succeed(to)
  const isNumber = !part.isKey && /^(?:\d+|-1)$/.test(part.key)
  const isList = Array.isArray(value) || (isNumber && (typeof value !== 'object' || value === null))
  if (!isList) {
    const made: Record<string, Json> = {
      ...(typeof value === 'object' && value !== null ? (value as Readonly<Record<string, Json>>) : {}),
    }
    const below = put(own(made, part.key), parts, at + 1, to)
    if (!below.ok) return below
    setOwn(made, part.key, below.value)
    return succeed(made)
  }
  const items: Json[] = Array.isArray(value) ? [...(value as readonly Json[])] : []
  const index = part.key === '-1' ? items.length : Number(part.key)
  if (!isNumber || index > LARGEST_INDEX) {
    const message = `cannot put a value at ${JSON.stringify(part.key)} of a list: use a number below ${LARGEST_INDEX}, or -1 for its end`
    return fail({ code: 'gjson-path-invalid', at: part.key, message })
  }
  const below = put(items[index], parts, at + 1, to)
  if (!below.ok) return below
  while (items.length < index) items.push(null)
  items[index] = below.value
  return succeed(items)
}
