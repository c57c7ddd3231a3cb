import type { Problem } from '../../lib/result.ts'

/** Whether something may be done, the rule that decided, and for a refusal the smallest change that would allow it. */
export type Verdict =
  | { readonly permitted: true; readonly because: string; readonly rule: string }
  | { readonly permitted: false; readonly because: string; readonly rule: string; readonly cure: string }

/** A refusal as a problem: `message` speaks as Argo CD's conditions do, `because` names the rule. */
export interface Violation extends Problem {
  readonly because: string
  readonly rule: string
  readonly cure: string
}

/** A permission, with the rule that gave it. */
export const permit = (rule: string, because: string): Verdict => ({ permitted: true, rule, because })

/** A refusal, with the rule that made it and what would allow it. */
export const deny = (rule: string, because: string, cure: string): Verdict => ({
  permitted: false,
  rule,
  because,
  cure,
})
