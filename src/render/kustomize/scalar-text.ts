import { goNumber, parseYaml } from '../../lib/yaml.ts'
import { refuse } from './refusal.ts'

/** A scalar as it would be written without quotes. */
export function scalarText(value: unknown): string {
  if (typeof value === 'string') return value
  if (typeof value === 'number') return goNumber(value)
  return typeof value === 'boolean' || typeof value === 'bigint' ? String(value) : ''
}

/** What a text means when it is written without quotes. */
export function resolveScalarText(text: string): unknown {
  if (text === '' || text.includes('\n')) return text === '' ? null : text
  if (!/^[-+.~0-9tTfFnN]/.test(text)) return text
  const read = parseYaml(text, { dialect: 'kyaml', exactIntegers: true })
  return read.ok && (typeof read.value !== 'object' || read.value === null) && !/^---|#|: |\*|&/.test(text)
    ? read.value
    : text
}

const typeOf = (value: unknown): string =>
  typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value)) ? 'int' : typeof value

/** A text in the place of a scalar: the type of what stood there stays, and the text must be one of that type. */
export function retyped(text: string, before: unknown): unknown {
  if (typeof before === 'string') return text
  if (before === undefined) return resolveScalarText(text)
  const value = resolveScalarText(text)
  const isFloat = typeof before === 'number' && typeof value === 'number'
  if (isFloat || typeOf(value) === typeOf(before)) return value
  const tag = before === null ? 'null' : typeOf(before)
  return refuse(`cannot decode ${JSON.stringify(text)} as a !!${tag}`)
}
