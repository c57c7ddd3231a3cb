import type { KubeObject } from '../../kube/object.ts'
import { isEqual } from '../../lib/json.ts'
import type { Problem } from '../../lib/result.ts'
import { compileIgnoreRules, withoutIgnored } from '../compare/ignore.ts'
import type { ResourceSettings } from '../compare/resource-settings.ts'
import { healthOf } from '../health/health.ts'
import { compileLuaChecks } from '../health/lua-health.ts'
import type { HealthStatus } from '../health/status.ts'
import { isMeaningful } from './relevance.ts'

/** How objects are judged under the settings of an installation. */
export interface Judge {
  readonly healthOf: (object: KubeObject) => HealthStatus | undefined
  /** Tells whether a live object's change is worth another look at its Application. */
  readonly isNews: (before: KubeObject, now: KubeObject) => boolean
  /** Checks and rules that cannot be read. */
  readonly problems: readonly Problem[]
}

/** Compiles users' checks and rules: anew whenever the settings change, and never in between. */
export function judgeOf(resources: ResourceSettings): Judge {
  const { override, problems } = compileLuaChecks(resources.overrides)
  const rules = compileIgnoreRules(resources.ignoreResourceUpdates)
  const judge = (object: KubeObject): HealthStatus | undefined => healthOf(object, override)
  return {
    healthOf: judge,
    problems: [...problems, ...rules.problems],
    isNews: (before, now) => {
      if (!resources.ignoresResourceUpdates) return true
      if (!isMeaningful(before, now, judge)) return false
      if (!isEqual(judge(before), judge(now))) return true
      const was = withoutIgnored(before, rules.for(before))
      const is = withoutIgnored(now, rules.for(now))
      return isMeaningful(was, is, () => undefined)
    },
  }
}
