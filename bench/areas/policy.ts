import type { Area } from '../figure.ts'
import { admissionFigures } from './policy-admission.ts'
import { celPolicyFigures } from './policy-cel.ts'
import { classicPolicyFigures } from './policy-classic.ts'

/** The policy languages. */
export const policy: Area = {
  name: 'policy',
  async run(report) {
    classicPolicyFigures(report)
    celPolicyFigures(report)
    await admissionFigures(report)
  },
}
