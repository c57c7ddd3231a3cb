import { type FieldError, invalid } from './field-error.ts'
import type { Schema } from './schema.ts'
import { report, type Validation, type Validator } from './validation.ts'

/** What a branch has against the value, at the same place. */
function problemsOf(check: Validator, value: unknown, walk: Validation): readonly FieldError[] {
  const inner: Validation = { trail: walk.trail, problems: [] }
  check(value, inner)
  return inner.problems
}

const say = (walk: Validation, detail: string): void =>
  report(walk, (at) => invalid(at, '', `${JSON.stringify(at)} ${detail}`))

/** The branch that came closest tells most about what is missing. */
function addClosest(walk: Validation, branches: readonly (readonly FieldError[])[]): void {
  const [closest] = branches.toSorted((a, b) => a.length - b.length)
  for (const problem of closest ?? []) report(walk, () => problem)
}

/** The checks of allOf, anyOf, oneOf and not. */
export function junctionChecks(
  { allOf, anyOf, oneOf, not }: Schema,
  validatorOf: (schema: Schema) => Validator,
): readonly Validator[] {
  const checks: Validator[] = []
  if (allOf && allOf.length > 0) {
    const parts = allOf.map(validatorOf)
    checks.push((value, walk) => {
      const failed = parts.map((part) => problemsOf(part, value, walk)).filter((problems) => problems.length > 0)
      if (failed.length === 0) return
      say(walk, `must validate all the schemas (allOf)${failed.length === parts.length ? '. None validated' : ''}`)
      for (const problem of failed.flat()) report(walk, () => problem)
    })
  }
  if (anyOf && anyOf.length > 0) {
    const parts = anyOf.map(validatorOf)
    checks.push((value, walk) => {
      const failed: (readonly FieldError[])[] = []
      for (const part of parts) {
        const problems = problemsOf(part, value, walk)
        if (problems.length === 0) return
        failed.push(problems)
      }
      say(walk, 'must validate at least one schema (anyOf)')
      addClosest(walk, failed)
    })
  }
  if (oneOf && oneOf.length > 0) {
    const parts = oneOf.map(validatorOf)
    checks.push((value, walk) => {
      const failed = parts.map((part) => problemsOf(part, value, walk)).filter((problems) => problems.length > 0)
      const fits = parts.length - failed.length
      if (fits === 1) return
      const found = fits === 0 ? 'Found none valid' : `Found ${fits} valid alternatives`
      say(walk, `must validate one and only one schema (oneOf). ${found}`)
      if (fits === 0) addClosest(walk, failed)
    })
  }
  if (not) {
    const part = validatorOf(not)
    checks.push((value, walk) => {
      if (problemsOf(part, value, walk).length === 0) say(walk, 'must not validate the schema (not)')
    })
  }
  return checks
}
