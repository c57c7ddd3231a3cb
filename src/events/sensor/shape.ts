import { isObject, own } from '../../lib/json.ts'
import type { Problem } from '../../lib/result.ts'

/** What a value has to look like to be read. Null is as good as absent, as in Go. */
export type Shape =
  | 'text'
  | 'number'
  | 'flag'
  /** A number, or text that somebody else reads. */
  | 'amount'
  /** Somebody else's business. */
  | 'any'
  | { readonly list: Shape }
  | { readonly map: Shape }
  /** Fields outside the list are unknown, unless `open`. */
  | { readonly fields: Readonly<Record<string, Shape | (() => Shape)>>; readonly open?: boolean }

/** What a value is not, and which of its fields nobody reads. */
export interface ShapeReport {
  readonly problems: readonly Problem[]
  /** Paths of unknown fields. */
  readonly unknown: readonly string[]
}

const DEEPEST = 40

/** Compares a value with a shape. */
export function checkShape(value: unknown, shape: Shape, at: string): ShapeReport {
  const problems: Problem[] = []
  const unknown: string[] = []
  const wrong = (where: string, wanted: string): void =>
    void problems.push({ code: 'sensor-invalid', at: where, message: `${where} must be ${wanted}` })
  const look = (of: unknown, as: Shape, where: string, depth: number): void => {
    if (of === undefined || of === null || as === 'any') return
    if (depth > DEEPEST) return wrong(where, `nested no deeper than ${DEEPEST} levels`)
    if (typeof as === 'string') {
      if (!fits(of, as)) wrong(where, wanted[as])
    } else if ('list' in as) {
      if (!Array.isArray(of)) return wrong(where, 'a list')
      for (const [index, item] of of.entries()) look(item, as.list, `${where}[${index}]`, depth + 1)
    } else {
      if (!isObject(of)) return wrong(where, 'an object')
      if ('map' in as) {
        for (const [key, item] of Object.entries(of)) look(item, as.map, `${where}.${key}`, depth + 1)
        return
      }
      for (const [key, item] of Object.entries(of)) {
        const field = own(as.fields, key)
        if (field) look(item, typeof field === 'function' ? field() : field, `${where}.${key}`, depth + 1)
        else if (as.open !== true) unknown.push(`${where}.${key}`)
      }
    }
  }
  look(value, shape, at, 0)
  return { problems, unknown }
}

const wanted = { text: 'a text', number: 'a number', flag: 'true or false', amount: 'a number' } as const

function fits(value: unknown, as: keyof typeof wanted): boolean {
  if (as === 'text') return typeof value === 'string'
  if (as === 'flag') return typeof value === 'boolean'
  if (as === 'amount') return typeof value === 'number' || typeof value === 'string'
  return typeof value === 'number'
}
