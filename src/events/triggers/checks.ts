import type { TriggerChecks } from '../sensor/trigger.ts'
import { checkTemplate } from './prepare.ts'
import { triggerKindOf } from './template.ts'

/** What can be said of triggers before there is a cluster, at admission and in a simulation. */
export const triggerChecks: TriggerChecks = { check: checkTemplate, kindOf: triggerKindOf }
