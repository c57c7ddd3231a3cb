import { setOwn } from '../../../lib/json.ts'
import { ExprError, isMap, textOf, type Value } from '../value.ts'
import { count, text, whole } from './arguments.ts'
import type { Builtin } from './functions.ts'

const DEEPEST = 200

function trimmed(
  source: string,
  chars: string | undefined,
  ends: { readonly left: boolean; readonly right: boolean },
): string {
  const cuts = (char: string): boolean => (chars === undefined ? /\s/.test(char) : chars.includes(char))
  let [start, end] = [0, source.length]
  while (ends.left && start < end && cuts(source.charAt(start))) start++
  while (ends.right && end > start && cuts(source.charAt(end - 1))) end--
  return source.slice(start, end)
}

const trim =
  (name: string, ends: { readonly left: boolean; readonly right: boolean }): Builtin =>
  (args) => {
    count(name, args, 1, 2)
    const chars = args[1] === undefined ? undefined : text(name, args[1])
    return trimmed(text(name, args[0]), chars, ends)
  }

const split: Builtin = (args, run) => {
  count('split', args, 2, 3)
  const [source, separator] = [text('split', args[0]), text('split', args[1])]
  const parts = separator === '' ? Array.from(source) : source.split(separator)
  run.make(parts.length)
  const most = args[2] === undefined ? -1 : whole('split', args[2])
  if (most < 0 || parts.length <= most) return parts
  return most === 0 ? [] : [...parts.slice(0, most - 1), parts.slice(most - 1).join(separator)]
}

const replace: Builtin = (args, run) => {
  count('replace', args, 3, 4)
  const [source, from, to] = [text('replace', args[0]), text('replace', args[1]), text('replace', args[2])]
  const most = args[3] === undefined ? -1 : whole('replace', args[3])
  const parts = source.split(from)
  run.make(source.length + parts.length * to.length)
  const cuts = most < 0 ? parts.length - 1 : Math.min(most, parts.length - 1)
  return parts.map((part, index) => part + (index === parts.length - 1 ? '' : index < cuts ? to : from)).join('')
}

const repeat: Builtin = (args, run) => {
  count('repeat', args, 2)
  const [source, times] = [text('repeat', args[0]), whole('repeat', args[1])]
  if (times < 0) throw new ExprError('invalid argument for repeat (expected positive integer)')
  run.make(source.length * times)
  return source.repeat(times)
}

/** JSON of a value, with maps sorted, as Go writes it. */
function plain(value: Value, depth: number): Value {
  if (depth > DEEPEST) throw new ExprError(`cannot write a value that nests deeper than ${DEEPEST} levels`)
  if (Array.isArray(value)) return value.map((item) => plain(item, depth + 1))
  if (!isMap(value)) return value instanceof Object ? textOf(value) : (value ?? null)
  const sorted: Record<string, Value> = {}
  for (const key of Object.keys(value).toSorted()) setOwn(sorted, key, plain(value[key], depth + 1))
  return sorted
}

const fromJson: Builtin = (args) => {
  count('fromJSON', args, 1)
  try {
    return JSON.parse(text('fromJSON', args[0]))
  } catch (cause) {
    throw new ExprError(cause instanceof Error ? cause.message : String(cause))
  }
}

const one =
  (name: string, act: (source: string) => Value): Builtin =>
  (args, run) => {
    count(name, args, 1)
    const source = text(name, args[0])
    run.make(source.length)
    return act(source)
  }

const two =
  (name: string, act: (source: string, other: string) => Value): Builtin =>
  (args) => {
    count(name, args, 2)
    return act(text(name, args[0]), text(name, args[1]))
  }

/** Functions of texts. */
export const texts: readonly (readonly [string, Builtin])[] = [
  ['trim', trim('trim', { left: true, right: true })],
  ['trimLeft', trim('trimLeft', { left: true, right: false })],
  ['trimRight', trim('trimRight', { left: false, right: true })],
  [
    'trimPrefix',
    two('trimPrefix', (source, prefix) => (source.startsWith(prefix) ? source.slice(prefix.length) : source)),
  ],
  [
    'trimSuffix',
    two('trimSuffix', (source, suffix) =>
      suffix !== '' && source.endsWith(suffix) ? source.slice(0, -suffix.length) : source,
    ),
  ],
  ['upper', one('upper', (source) => source.toUpperCase())],
  ['lower', one('lower', (source) => source.toLowerCase())],
  ['split', split],
  [
    'splitAfter',
    (args, run) => {
      const parts = split(args, run) as readonly string[] // split answers texts
      const separator = text('splitAfter', args[1])
      return parts.map((part, index) => (index === parts.length - 1 ? part : part + separator))
    },
  ],
  ['replace', replace],
  ['repeat', repeat],
  ['indexOf', two('indexOf', (source, part) => source.indexOf(part))],
  ['lastIndexOf', two('lastIndexOf', (source, part) => source.lastIndexOf(part))],
  ['hasPrefix', two('hasPrefix', (source, prefix) => source.startsWith(prefix))],
  ['hasSuffix', two('hasSuffix', (source, suffix) => source.endsWith(suffix))],
  [
    'string',
    (args) => {
      count('string', args, 1)
      return textOf(args[0])
    },
  ],
  [
    'toJSON',
    (args, run) => {
      count('toJSON', args, 1)
      const written = JSON.stringify(plain(args[0], 0), undefined, 2)
      run.make(written.length)
      return written
    },
  ],
  ['fromJSON', fromJson],
  ['toBase64', one('toBase64', (source) => Buffer.from(source).toString('base64'))],
  ['fromBase64', one('fromBase64', (source) => Buffer.from(source, 'base64').toString('utf8'))],
]
