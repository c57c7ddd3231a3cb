import type { Problem } from '../../../lib/result.ts'

export type { LintCluster } from '../../engine/compiled-policy.ts'

/** Something that an author must change before the policy can be used. */
export const invalid = (at: string, message: string, cure?: string): Problem => ({
  code: 'policy-invalid',
  at,
  message,
  ...(cure === undefined ? {} : { cure }),
})
