import type { CelType } from '../type.ts'
import { add, atLeast, exactly, multiply, type Range, scale, smaller, unbounded } from './range.ts'
import { type Estimated, type Known, sizeEstimate } from './known.ts'
import { LIST_COST, PATTERN_FACTOR, STRING_FACTOR, STRUCT_COST } from './size.ts'

/** What a call adds to the cost, and how large its result can be. */
export interface CallEstimate {
  readonly cost: Range
  readonly size?: Range
  readonly items?: Known
}

type Rule = (parts: readonly Estimated[]) => CallEstimate

const none: Estimated = { cost: exactly(0), type: undefined, size: exactly(0) }
const part = (parts: readonly Estimated[], index: number): Estimated => parts[index] ?? none
const size = (parts: readonly Estimated[], index: number): Range => sizeEstimate(part(parts, index))
const CHECK_COST = 350_000
const FORMAT_PATTERN = 128

/** Every part of a text once. */
const traverse =
  (index: number, times = 1): Rule =>
  (parts) => ({ cost: scale(size(parts, index), times * STRING_FACTOR) })

/** The same, with a result that is as large. */
const convert: Rule = (parts) => ({ cost: scale(size(parts, 0), STRING_FACTOR), size: size(parts, 0) })

const equality: Rule = (parts) => ({ cost: scale(smaller(size(parts, 0), size(parts, 1)), STRING_FACTOR) })

const isText = (type: CelType | undefined): boolean => type?.kind === 'string' || type?.kind === 'bytes'

const ordering: Rule = (parts) => (isText(part(parts, 0).type) ? equality(parts) : { cost: exactly(1) })

const join: Rule = (parts) => {
  const together = add(size(parts, 0), size(parts, 1))
  if (isText(part(parts, 0).type)) return { cost: scale(together, STRING_FACTOR), size: together }
  const { items } = part(parts, 0)
  return { cost: exactly(1), size: together, ...(items ? { items } : {}) }
}

const pattern: Rule = (parts) => ({
  cost: multiply(scale(add(size(parts, 0), exactly(1)), STRING_FACTOR), scale(size(parts, 1), PATTERN_FACTOR)),
  size: atLeast(0, size(parts, 0).max),
})

/** Comparing every item; texts are traversed. */
const perItem: Rule = (parts) => {
  const list = part(parts, 0)
  if (list.type?.kind === 'string') return { cost: scale(sizeEstimate(list), STRING_FACTOR) }
  const type = list.type?.params[0]
  const items = list.items ?? { type, ...(list.declaration?.items ? { declaration: list.declaration.items } : {}) }
  const each = isText(type) ? add(exactly(1), scale(sizeEstimate(items), STRING_FACTOR)) : exactly(1)
  return { cost: multiply(sizeEstimate(list), each) }
}

const replace: Rule = (parts) => {
  const [text, old, by] = [size(parts, 0), size(parts, 1), size(parts, 2)]
  const count = old.min === 0 ? text.max + 1 : by.max <= old.min ? 0 : Math.ceil(text.max / old.min)
  const longest = (count === 0 ? 0 : count * by.max) + (old.min === 0 || by.max <= old.min ? text.max : 0)
  return { cost: scale(text, 2 * STRING_FACTOR), size: atLeast(0, longest) }
}

const split: Rule = (parts) => {
  const text = size(parts, 0)
  return { cost: scale(text, 2 * STRING_FACTOR), size: atLeast(0, text.max), items: { type: undefined, size: text } }
}

const joinList: Rule = (parts) => {
  const list = part(parts, 0)
  const items = list.items ?? {
    type: undefined,
    ...(list.declaration?.items ? { declaration: list.declaration.items } : {}),
  }
  const count = sizeEstimate(list)
  const gaps = atLeast(Math.max(count.min - 1, 0), Math.max(count.max - 1, 0))
  const total = add(
    multiply(count, sizeEstimate(items)),
    parts.length > 1 ? multiply(gaps, size(parts, 1)) : exactly(0),
  )
  return { cost: scale(total, STRING_FACTOR), size: total }
}

const selector: Rule = (parts) => {
  const text = size(parts, 1)
  const parsed = add(exactly(LIST_COST), scale(text, STRING_FACTOR))
  return { cost: add(parsed, scale(scale(text, 0.5), LIST_COST + STRUCT_COST)) }
}

const product: Rule = (parts) => ({ cost: multiply(size(parts, 0), size(parts, 1)) })

const sameList: Rule = (parts) => {
  const list = part(parts, 0)
  const items =
    list.items ?? (list.declaration?.items && { type: list.type?.params[0], declaration: list.declaration.items })
  return { cost: sizeEstimate(list), size: sizeEstimate(list), ...(items ? { items } : {}) }
}

const sorting: Rule = (parts) => {
  const count = sizeEstimate(part(parts, 0)).max
  const cost = Number.isFinite(count) ? Math.ceil(count * Math.log2(count + 1)) : count
  return { ...sameList(parts), cost: atLeast(1, Math.max(cost, 1)) }
}

/** Parts are the receiver, if there is one, and the arguments. */
const rules: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ['_==_', equality],
  ['_!=_', equality],
  ...['_<_', '_<=_', '_>_', '_>=_'].map((name) => [name, ordering] as const),
  ['_+_', join],
  ['@in', (parts) => (part(parts, 1).type?.kind === 'map' ? { cost: exactly(1) } : { cost: size(parts, 1) })],
  [
    'contains',
    (parts) => ({ cost: multiply(scale(size(parts, 0), STRING_FACTOR), scale(size(parts, 1), STRING_FACTOR)) }),
  ],
  ['startsWith', traverse(1)],
  ['endsWith', traverse(1)],
  ...['matches', 'find', 'findAll', 'regex.extract', 'regex.extractAll', 'regex.replace'].map(
    (name) => [name, pattern] as const,
  ),
  ...['lowerAscii', 'upperAscii', 'substring', 'trim', 'url', 'reverse', 'jsonpatch.escapeKey', 'strings.quote'].map(
    (name) => [name, convert] as const,
  ),
  ...['quantity', 'isQuantity', 'semver', 'isSemver', 'cidr', 'isCIDR', 'isIP', 'ip', 'isURL'].map(
    (name) => [name, traverse(0)] as const,
  ),
  ['ip.isCanonical', traverse(0, 2)],
  ['bytes', (parts) => (isText(part(parts, 0).type) ? convert(parts) : { cost: exactly(1) })],
  ['string', (parts) => (isText(part(parts, 0).type) ? convert(parts) : { cost: exactly(1), size: atLeast(0, 64) })],
  ['dyn', (parts) => ({ cost: exactly(1), size: size(parts, 0) })],
  ['replace', replace],
  ['split', split],
  ['join', joinList],
  ['format', (parts) => ({ cost: scale(size(parts, 0), STRING_FACTOR), size: unbounded })],
  ...['isSorted', 'sum', 'min', 'max', 'indexOf', 'lastIndexOf', 'includes'].map((name) => [name, perItem] as const),
  ...['slice', 'distinct', 'flatten'].map((name) => [name, sameList] as const),
  ...['sort', '@sortByAssociatedKeys'].map((name) => [name, sorting] as const),
  ...['sets.contains', 'sets.intersects', 'sets.equivalent'].map((name) => [name, product] as const),
  ['containsIP', (parts) => ({ cost: add(scale(atLeast(8, 32), STRING_FACTOR), textCost(part(parts, 1))) })],
  [
    'containsCIDR',
    (parts) => ({
      cost: [
        scale(atLeast(8, 32), STRING_FACTOR),
        scale(atLeast(4, 16), STRING_FACTOR),
        exactly(1),
        textCost(part(parts, 1)),
      ].reduce(add),
    }),
  ],
  ['validate', (parts) => ({ cost: scale(scale(size(parts, 1), STRING_FACTOR), FORMAT_PATTERN * PATTERN_FACTOR) })],
  ['check', () => ({ cost: exactly(CHECK_COST) })],
  ['fieldSelector', selector],
  ['labelSelector', selector],
])

const textCost = (other: Estimated): Range =>
  isText(other.type) ? scale(sizeEstimate(other), STRING_FACTOR) : exactly(0)

/** What is known of a call before it runs; functions without a rule cost one. */
export function callEstimate(name: string, target: Estimated | undefined, args: readonly Estimated[]): CallEstimate {
  const rule = rules.get(name)
  return rule ? rule(target ? [target, ...args] : args) : { cost: exactly(1) }
}
