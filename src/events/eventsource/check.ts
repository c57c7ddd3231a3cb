import { own } from '../../lib/json.ts'
import type { Problem } from '../../lib/result.ts'
import type { SecretSelector } from '../sources/secret-values.ts'
import type { Fields } from './event-source.ts'

/** Collects what is wrong with a spec, each with its place. */
export interface Check {
  readonly problems: readonly Problem[]
  refuse(at: string, message: string): void
}

/** A check that has found nothing yet. */
export function newCheck(): Check {
  const problems: Problem[] = []
  return {
    problems,
    refuse: (at, message) => void problems.push({ code: 'event-source-invalid', at, message }),
  }
}

/** Reads `{name, key}`. */
export function selectorOf(spec: Fields, field: string): SecretSelector | undefined {
  const given = own(spec, field)
  if (typeof given !== 'object' || given === null) return undefined
  const { name, key } = given as Readonly<Record<string, unknown>>
  return typeof name === 'string' && typeof key === 'string' && name !== '' && key !== '' ? { name, key } : undefined
}

/** Refuses a selector of a secret that does not say where its value lies. */
export function checkSelector(check: Check, spec: Fields, field: string, at: string): void {
  const given = own(spec, field)
  if (given === undefined || given === null || selectorOf(spec, field)) return
  check.refuse(`${at}.${field}`, 'must name a Secret and one of its keys')
}
