import { floatText } from '../../lib/go-float.ts'
import { type Json, type JsonArray, own, setOwn } from '../../lib/json.ts'
import { modified } from './modifiers.ts'
import { endOfGroup, firstStep, isMatch, type Step } from './path.ts'
import { matchesQuery, readQuery } from './query.ts'

const DEEPEST = 200

/** What a path leads to in a value; undefined where nothing is. */
export function lookUp(value: Json, path: string): Json | undefined {
  return find(value, path, 0)
}

function find(value: Json, path: string, depth: number): Json | undefined {
  if (depth > DEEPEST || path === '') return undefined
  const first = path.charAt(0)
  if (first === '@') return throughModifier(value, path, depth)
  if (first === '!') return literal(path)
  if ((first === '{' || first === '[') && endOfGroup(path, 0) > 0) return several(value, path, depth)
  const step = firstStep(path)
  if (Array.isArray(value)) return inArray(value as JsonArray, step, depth)
  if (typeof value !== 'object' || value === null) return undefined
  const found = inObject(value as Readonly<Record<string, Json>>, step)
  return found === undefined ? undefined : onward(found, step, depth)
}

const onward = (found: Json, { joint, rest }: Step, depth: number): Json | undefined =>
  joint === '' ? found : find(found, rest, depth + 1)

function inObject(value: Readonly<Record<string, Json>>, { text }: Step): Json | undefined {
  const bare = text.replace(/\\([*?])/g, '$1')
  if (!/(?:^|[^\\])[*?]/.test(text)) return own(value, bare)
  const key = Object.keys(value).find((name) => isMatch(name, text))
  return key === undefined ? undefined : value[key]
}

function inArray(items: JsonArray, step: Step, depth: number): Json | undefined {
  const { text, joint, rest } = step
  if (!text.startsWith('#')) {
    if (!/^\d+$/.test(text)) return undefined
    const item = items[Number(text)]
    return item === undefined ? undefined : onward(item, step, depth)
  }
  if (text === '#') {
    if (joint !== '.') return onward(items.length, step, depth)
    return overEach(items, rest, depth)
  }
  const query = readQuery(text)
  if (!query) return undefined
  const isFound = (item: Json): boolean => matchesQuery(item, query, (path) => find(item, path, depth + 1))
  if (!query.isAll) {
    const item = items.find(isFound)
    return item === undefined ? undefined : onward(item, step, depth)
  }
  const all = items.filter(isFound)
  return joint === '.' ? overEach(all, rest, depth) : onward(all, step, depth)
}

/** What a path leads to in each item; a bar in it ends what is done item by item. */
function overEach(items: JsonArray, path: string, depth: number): Json | undefined {
  const bar = topLevelBar(path)
  const each = bar < 0 ? path : path.slice(0, bar)
  const found = items.flatMap((item) => {
    const one = find(item, each, depth + 1)
    return one === undefined ? [] : [one]
  })
  return bar < 0 ? found : find(found, path.slice(bar + 1), depth + 1)
}

function topLevelBar(path: string): number {
  for (let at = 0; at < path.length; at++) {
    const character = path.charAt(at)
    if (character === '\\') at++
    else if (character === '(' || character === '[' || character === '{') {
      const end = endOfGroup(path, at)
      if (end > 0) at = end
    } else if (character === '|') return at
  }
  return -1
}

function throughModifier(value: Json, path: string, depth: number): Json | undefined {
  const found = /^@([A-Za-z0-9]+)(?::([^.|{["]+|"(?:[^"\\]|\\.)*"))?/.exec(path)
  if (!found) return undefined
  let end = found[0].length
  let argument = found[2] ?? ''
  if (path.charAt(end) === ':') {
    const close = endOfGroup(path, end + 1)
    if (close < 0) return undefined
    argument = path.slice(end + 1, close + 1)
    end = close + 1
  }
  const made = modified(value, found[1] ?? '', argument)
  if (made === undefined || end >= path.length) return made
  return find(made, path.slice(end + 1), depth + 1)
}

function literal(path: string): Json | undefined {
  try {
    return JSON.parse(path.slice(1)) as Json // what JSON.parse makes is JSON
  } catch {
    // Not a value: the path leads nowhere.
    return undefined
  }
}

/** `{a,"name":b}` and `[a,b]`: an object or a list of what several paths lead to. */
function several(value: Json, path: string, depth: number): Json | undefined {
  const end = endOfGroup(path, 0)
  const parts = splitTop(path.slice(1, end))
  let made: Json
  if (path.startsWith('[')) {
    made = parts.flatMap((part) => find(value, part, depth + 1) ?? [])
  } else {
    const object: Record<string, Json> = {}
    for (const part of parts) {
      const named = /^"((?:[^"\\]|\\.)*)":(.*)$/s.exec(part)
      const found = find(value, named?.[2] ?? part, depth + 1)
      if (found !== undefined) setOwn(object, named?.[1] ?? lastName(part), found)
    }
    made = object
  }
  return end + 1 >= path.length ? made : find(made, path.slice(end + 2), depth + 1)
}

function lastName(path: string): string {
  const name = path.split(/[.|]/).at(-1) ?? ''
  return /^[#@]/.test(name) || name === '' ? '_' : name
}

function splitTop(text: string): readonly string[] {
  const parts: string[] = []
  let start = 0
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at)
    if (character === '\\') at++
    else if (character === '"') {
      for (at++; at < text.length && text.charAt(at) !== '"'; at++) if (text.charAt(at) === '\\') at++
    } else if (character === '(' || character === '[' || character === '{') {
      const end = endOfGroup(text, at)
      if (end > 0) at = end
    } else if (character === ',') {
      parts.push(text.slice(start, at))
      start = at + 1
    }
  }
  return [...parts, text.slice(start)]
}

/** A found value as gjson's `String()` has it: texts as they are, blocks as JSON. */
export function stringOf(value: Json): string {
  if (typeof value === 'string') return value
  if (typeof value === 'number')
    return Number.isInteger(value) && Math.abs(value) < 2 ** 53 ? String(value) : floatText(value)
  return value === null ? '' : JSON.stringify(value)
}

/** A found value as gjson's `Float()` has it. */
export function floatOf(value: Json): number {
  if (typeof value === 'number') return value
  if (typeof value === 'boolean') return value ? 1 : 0
  if (typeof value !== 'string') return 0
  const number = value.trim() === '' ? Number.NaN : Number(value)
  return Number.isNaN(number) ? 0 : number
}

/** A found value as gjson's `Bool()` has it. */
export function boolOf(value: Json): boolean {
  if (typeof value === 'boolean') return value
  if (typeof value === 'number') return value !== 0
  return typeof value === 'string' && ['1', 't', 'true'].includes(value.toLowerCase())
}
