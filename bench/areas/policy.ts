import type { Area } from '../figure.ts'
import { celPolicyFigures } from './policy-cel.ts'

/** The policy languages. */
export const policy: Area = {
  name: 'policy',
  async run(report) {
    celPolicyFigures(report)
  },
}
