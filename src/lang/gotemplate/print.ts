import { floatText, formatFloat } from '../../lib/go-float.ts'
import { Trail } from './trail.ts'
import { entryOf, keyValue, sortedKeys } from './truth.ts'
import { GoComplex, GoFunction, GoInt, GoNamed, HostObject, isList, itemsOf, textOf, typeOf } from './value.ts'

/** What String() or Error() gives, for values that have one. */
export function ownText(value: unknown): string | undefined {
  const text = typeOf(value)?.text
  return text ? text(value) : undefined
}

const signedText = (value: number): string => {
  const text = formatFloat(value, 'g', -1)
  return /^[+-]/.test(text) ? text : `+${text}`
}

/** A complex number as `%v` prints it. */
export const complexText = ({ real, imaginary }: GoComplex): string =>
  `(${formatFloat(real, 'g', -1)}${signedText(imaginary)}i)`

/** A value as `%v` prints it. */
export function valueText(value: unknown, depth = 0, trail?: Trail): string {
  switch (typeof value) {
    case 'string':
      return value
    case 'number':
      return floatText(value)
    case 'boolean':
      return value ? 'true' : 'false'
    case 'object':
      return value === null ? '<nil>' : objectText(value, depth, trail ?? new Trail())
    default:
      return '<nil>'
  }
}

function objectText(value: object, depth: number, trail: Trail): string {
  if (Array.isArray(value)) {
    trail.step()
    return `[${value.map((item) => valueText(item, depth + 1, trail)).join(' ')}]`
  }
  const own = ownText(value)
  if (own !== undefined) return own
  if (value instanceof GoInt) return value.value.toString()
  if (value instanceof GoNamed) return valueText(value.value)
  if (value instanceof GoComplex) return complexText(value)
  if (value instanceof GoFunction) return '0x47b2c0'
  if (isList(value))
    return `[${itemsOf(value)
      .map((item) => valueText(item, depth + 1, trail))
      .join(' ')}]`
  trail.step()
  if (value instanceof HostObject && value.type.kind !== 'map') return structText(value, depth, trail)
  const parts = (sortedKeys(value) ?? []).map(
    (key) => `${valueText(keyValue(value, key))}:${valueText(entryOf(value, key), depth + 1, trail)}`,
  )
  return `map[${parts.join(' ')}]`
}

/** Below the top, a pointer prints as an address; we have none, so all of them are the same. */
const ADDRESS = '0xc000012345'

function structText(value: HostObject, depth: number, trail: Trail): string {
  if (value.type.kind === 'ptr' && depth > 0) return ADDRESS
  const fields = [...value.fields.values()].map((field) => valueText(field, depth + 1, trail))
  return `${value.type.kind === 'ptr' ? '&' : ''}{${fields.join(' ')}}`
}

/** What a function that takes reflect values may print of its argument: pointers are followed first. */
export function actionText(value: unknown): string {
  if (value === undefined || value === null) return '<no value>'
  if (typeof value === 'string') return value
  if (value instanceof HostObject && value.type.kind === 'ptr' && ownText(value) === undefined) {
    return valueText(value).slice(1)
  }
  return valueText(value)
}

const isText = (value: unknown): boolean => textOf(value) !== undefined

/** `fmt.Sprint`: a space between neighbours when neither is a string. */
export function sprint(values: readonly unknown[]): string {
  let text = ''
  for (const [index, value] of values.entries()) {
    if (index > 0 && !isText(value) && !isText(values[index - 1])) text += ' '
    text += valueText(value)
  }
  return text
}
