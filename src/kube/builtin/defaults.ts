import type { Schema } from '../schema/schema.ts'
import { admissionDefaults } from './admission/defaults.ts'
import { appsDefaults } from './apps/defaults.ts'
import { autoscalingDefaults } from './autoscaling/defaults.ts'
import { batchDefaults } from './batch/defaults.ts'
import { coreDefaults } from './core/defaults.ts'
import { defaulterWith } from './defaulting.ts'
import { networkingDefaults } from './networking/defaults.ts'
import { otherDefaults } from './other-defaults.ts'
import { rbacDefaults } from './rbac/defaults.ts'
import { storageDefaults } from './storage/defaults.ts'

const walk = defaulterWith({
  ...coreDefaults,
  ...appsDefaults,
  ...batchDefaults,
  ...autoscalingDefaults,
  ...networkingDefaults,
  ...rbacDefaults,
  ...storageDefaults,
  ...admissionDefaults,
  ...otherDefaults,
})

/**
 * Fills in what the API server fills in for a built-in kind, after decoding and before admission. Twice is the same as once;
 * what needs no change comes back as the same reference.
 */
export function applyBuiltinDefaults<T>(object: T, schema: Schema): T {
  return walk(object, schema) as T // a defaulter answers the kind of value that it got
}
