import { Buffer } from 'node:buffer'
import { bytesOf } from '../../lib/go-string.ts'
import type { SecretData } from './data/decode.ts'

/** Shorter values would take ordinary words apart; nobody learns a secret from them. */
const SHORTEST = 4

/** A text in which no value of the data is left, neither as it is nor as base64: the cluster and its policies quote what they refuse. */
export function conceal(text: string, ...data: readonly SecretData[]): string {
  const values = data.flatMap((one) => [...one.values()]).filter((value) => value.length >= SHORTEST)
  const forms = values.flatMap((value) => [
    value,
    JSON.stringify(value).slice(1, -1),
    Buffer.from(bytesOf(value)).toString('base64'),
  ])
  // The longest first: what holds another value must not be cut in two.
  return [...new Set(forms)]
    .toSorted((a, b) => b.length - a.length)
    .reduce((left, form) => left.replaceAll(form, '(hidden)'), text)
}
