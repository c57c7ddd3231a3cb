import { Buffer } from 'node:buffer'
import { formatFloat } from '../../lib/go-float.ts'
import { compareStrings, settleBytes } from '../../lib/go-string.ts'
import { jsonProblem } from './json-problem.ts'
import { Trail } from './trail.ts'
import { entryOf, sortedKeys } from './truth.ts'
import {
  type Failure,
  failWith,
  GoComplex,
  GoFunction,
  GoInt,
  GoNamed,
  HostObject,
  isNilValue,
  JSON_NUMBER,
  typeName,
  typeOf,
} from './value.ts'

export interface JsonStyle {
  /** Writes `<`, `>` and `&` as escapes, as Go does unless it is told otherwise. */
  readonly escapesHtml: boolean
  /** One level's indentation; left out, everything is on one line. */
  readonly indent?: string
}

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\b': '\\b',
  '\f': '\\f',
}
const NEEDS_ESCAPE = /["\\\p{Cc}\u2028\u2029\udc80-\udcff]/u
const NEEDS_HTML_ESCAPE = /["\\\p{Cc}\u2028\u2029<>&\udc80-\udcff]/u

function escapeOne(character: string): string {
  const short = ESCAPES[character]
  if (short) return short
  const code = character.codePointAt(0) ?? 0
  if (character.length === 1 && code >= 0xdc80 && code <= 0xdcff) return '\\ufffd'
  if (code >= 0x20 && !'<>&\u2028\u2029'.includes(character)) return character
  return `\\u${code.toString(16).padStart(4, '0')}`
}

/** A string as a JSON literal in Go's spelling. */
export function jsonString(text: string, escapesHtml = true): string {
  if (!(escapesHtml ? NEEDS_HTML_ESCAPE : NEEDS_ESCAPE).test(text)) return `"${text}"`
  let quoted = '"'
  for (const character of text) quoted += !escapesHtml && '<>&'.includes(character) ? character : escapeOne(character)
  return `${quoted}"`
}

/** A float as Go's encoding/json writes it; undefined for what JSON does not have. */
export function jsonNumber(value: number): string | undefined {
  if (!Number.isFinite(value)) return undefined
  const size = Math.abs(value)
  if (size !== 0 && (size < 1e-6 || size >= 1e21)) {
    return formatFloat(value, 'e', -1).replace(/e-0(\d)$/, 'e-$1')
  }
  return formatFloat(value, 'f', -1)
}

class Unsupported extends Error {}

class Writer {
  private readonly style: JsonStyle
  private readonly trail = new Trail()
  constructor(style: JsonStyle) {
    this.style = style
  }

  private newline(depth: number): string {
    return this.style.indent === undefined ? '' : `\n${this.style.indent.repeat(depth)}`
  }

  private group(open: string, parts: readonly string[], close: string, depth: number): string {
    if (parts.length === 0) return open + close
    return open + parts.map((part) => this.newline(depth + 1) + part).join(',') + this.newline(depth) + close
  }

  write(value: unknown, depth: number): string {
    switch (typeof value) {
      case 'string':
        return jsonString(value, this.style.escapesHtml)
      case 'boolean':
        return value ? 'true' : 'false'
      case 'number':
        return jsonNumber(value) ?? this.refuse(`json: unsupported value: ${formatFloat(value, 'g', -1)}`)
      case 'object':
        return value === null || isNilValue(value) ? 'null' : this.object(value, depth)
      default:
        return 'null'
    }
  }

  private refuse(message: string): never {
    throw new Unsupported(message)
  }

  private object(value: object, depth: number): string {
    if (Array.isArray(value)) {
      this.trail.step()
      return this.group(
        '[',
        value.map((item) => this.write(item, depth + 1)),
        ']',
        depth,
      )
    }
    const own = typeOf(value)?.json?.(value)
    if (own !== undefined) return own
    if (value instanceof GoInt) return value.value.toString()
    if (value instanceof GoNamed) return this.named(value)
    if (value instanceof Uint8Array) return `"${Buffer.from(value).toString('base64')}"`
    if (value instanceof GoFunction || value instanceof GoComplex) {
      return this.refuse(`json: unsupported type: ${typeName(value)}`)
    }
    return this.map(value, depth)
  }

  private named(value: GoNamed): string {
    if (value.type.name === JSON_NUMBER.name) return value.value === '' ? '0' : String(value.value)
    return this.write(value.value, 0)
  }

  private map(value: object, depth: number): string {
    this.trail.step()
    const separator = this.style.indent === undefined ? ':' : ': '
    const isStruct = value instanceof HostObject && value.type.kind !== 'map'
    const fields = isStruct ? value.fields : undefined
    const keys = fields ? [...fields.keys()] : (sortedKeys(value) ?? []).map(String).toSorted(compareStrings)
    const entries = new Map((sortedKeys(value) ?? []).map((key) => [String(key), entryOf(value, key)]))
    const parts = keys.map((key) => {
      const item = fields ? fields.get(key) : entries.get(key)
      return jsonString(key, this.style.escapesHtml) + separator + this.write(item, depth + 1)
    })
    return this.group('{', parts, '}', depth)
  }
}

/** A Go value as Go's encoding/json writes it: sorted keys, its number forms, its escapes. */
export function marshalJson(value: unknown, style: JsonStyle = { escapesHtml: true }): string | Failure {
  try {
    return new Writer(style).write(value, 0)
  } catch (error) {
    if (error instanceof Unsupported) return failWith(error.message)
    throw error
  }
}

/** Reads JSON into values as a template has them: numbers are floats. */
export function unmarshalJson(text: string): unknown {
  if (text.trim() === '') return failWith('unexpected end of JSON input')
  try {
    return JSON.parse(settleBytes(text)) as unknown
  } catch {
    return failWith(jsonProblem(text))
  }
}
