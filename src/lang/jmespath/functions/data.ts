import { compareStrings } from '../../../lib/go-string.ts'
import { own, setOwn } from '../../../lib/json.ts'
import { parseYaml } from '../../../lib/yaml.ts'
import { wrongValue } from '../error.ts'
import type { JmesPathFunction } from '../function.ts'
import type { Run } from '../run.ts'
import { isSame, typeName } from '../value.ts'
import { listAt, objectAt, scalarText, textAt, wholeNumber } from './argument.ts'
import { fn } from './specification.ts'

function parseJson(text: string, run: Run): unknown {
  run.charge(text.length / 4)
  try {
    return JSON.parse(text)
  } catch (error) {
    throw wrongValue(`parse_json(): ${error instanceof Error ? error.message : 'the text is no JSON'}`)
  }
}

function parseYamlText(text: string, run: Run): unknown {
  run.charge(text.length / 2)
  const parsed = parseYaml(text)
  if (!parsed.ok) throw wrongValue(`parse_yaml(): ${parsed.error[0]?.message ?? 'the text is no YAML'}`)
  return parsed.value ?? null
}

function lookup([within, key]: readonly unknown[]): unknown {
  if (!Array.isArray(within)) {
    if (typeof key !== 'string')
      throw wrongValue(`lookup(): argument 2 must be a string for an object, not ${typeName(key)}`)
    return own(objectAt([within], 0), key) ?? null
  }
  if (typeof key !== 'number')
    throw wrongValue(`lookup(): argument 2 must be a number for a list, not ${typeName(key)}`)
  return within[wholeNumber('lookup', key, 2)] ?? null
}

function items(args: readonly unknown[], run: Run): unknown {
  const [within] = args
  const keyName = textAt(args, 1)
  const valueName = textAt(args, 2)
  const entries: readonly (readonly [unknown, unknown])[] = Array.isArray(within)
    ? within.map((value: unknown, index) => [index, value])
    : Object.entries(objectAt(args, 0)).sort(([a], [b]) => compareStrings(a, b))
  run.charge(entries.length * 4)
  return entries.map(([key, value]) => {
    const item: Record<string, unknown> = {}
    setOwn(item, keyName, key)
    setOwn(item, valueName, value)
    return item
  })
}

function objectFromLists(args: readonly unknown[], run: Run): unknown {
  const keys = listAt(args, 0)
  const values = listAt(args, 1)
  run.charge(keys.length)
  const made: Record<string, unknown> = {}
  for (const [at, key] of keys.entries()) setOwn(made, scalarText('object_from_lists', key, 1), values[at] ?? null)
  return made
}

function labelMatch(args: readonly unknown[], run: Run): boolean {
  const labels = objectAt(args, 1)
  return Object.entries(objectAt(args, 0)).every(
    ([key, value]) => Object.hasOwn(labels, key) && isSame(labels[key], value, run),
  )
}

/** Kyverno's functions on objects, lists and documents. */
export const dataFunctions: ReadonlyMap<string, JmesPathFunction> = new Map([
  ['label_match', fn(['object', 'object'], labelMatch)],
  ['parse_json', fn(['string'], (args, run) => parseJson(textAt(args, 0), run))],
  ['parse_yaml', fn(['string'], (args, run) => parseYamlText(textAt(args, 0), run))],
  [
    'lookup',
    fn(
      [
        ['object', 'array'],
        ['string', 'number'],
      ],
      lookup,
    ),
  ],
  ['items', fn([['object', 'array'], 'string', 'string'], items)],
  ['object_from_lists', fn(['array', 'array'], objectFromLists)],
])
