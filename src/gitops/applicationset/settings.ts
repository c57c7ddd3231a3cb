import type { KubeObject } from '../../kube/object.ts'
import { own } from '../../lib/json.ts'
import { fieldsOf, textOf } from '../fields.ts'
import { isListed } from '../project/check-application.ts'
import type { ApplicationsSync } from './application-set.ts'
import type { GlobalPreserved } from './change-application.ts'
import { type GeneratorSettings, usualGeneratorSettings } from './engine/generator.ts'
import { usualRequeueMs } from './engine/requeue.ts'

/** How the installation wants ApplicationSets to be handled: `applicationsetcontroller.*` of argocd-cmd-params-cm. */
export interface ApplicationSetSettings {
  /** What may happen to Applications where an ApplicationSet does not say, or may not. */
  readonly policy: ApplicationsSync
  readonly mayOverridePolicy: boolean
  readonly progressiveSyncs: boolean
  readonly newGitGlobbing: boolean
  /** Namespaces besides the installation's own: globs, or regular expressions between slashes. */
  readonly namespaces: readonly string[]
  readonly preserved: GlobalPreserved
  readonly mostResources: number
  readonly generators: GeneratorSettings
}

const policies: readonly ApplicationsSync[] = ['sync', 'create-only', 'create-update', 'create-delete']

const listOf = (text: string): readonly string[] =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')

/**
 * Reads the settings. Progressive syncs are on unless they are switched off: who writes `strategy: RollingSync` wants it.
 */
export function applicationSetSettings(configMap: KubeObject | undefined): ApplicationSetSettings {
  const data = fieldsOf(configMap, 'data')
  const text = (name: string): string => textOf(data, `applicationsetcontroller.${name}`)
  const policy = policies.find((each) => each === text('policy'))
  const overrides = text('enable.policy.override')
  const most = Number(text('status.max.resources.count') || 5_000)
  return {
    policy: policy ?? 'sync',
    mayOverridePolicy: overrides === '' ? policy === undefined : overrides === 'true',
    progressiveSyncs: text('enable.progressive.syncs') !== 'false',
    newGitGlobbing: text('enable.new.git.file.globbing') === 'true',
    namespaces: listOf(text('namespaces')),
    preserved: {
      annotations: listOf(text('global.preserved.annotations')),
      labels: listOf(text('global.preserved.labels')),
    },
    mostResources: Number.isInteger(most) && most > 0 ? most : 5_000,
    generators: {
      ...usualGeneratorSettings,
      scmEnabled: own(data, 'applicationsetcontroller.enable.scm.providers') !== 'false',
      scmAllowed: listOf(text('allowed.scm.providers')),
      requeueAfterMs: usualRequeueMs(text('requeue.after')),
    },
  }
}

/** Whether ApplicationSets of a namespace are looked at. */
export const isWatched = (settings: ApplicationSetSettings, namespace: string, own: string): boolean =>
  namespace === own || settings.namespaces.some((rule) => isListed(rule, namespace))

/** What may happen to the Applications of an ApplicationSet. */
export const policyOf = (settings: ApplicationSetSettings, wanted: ApplicationsSync | undefined): ApplicationsSync =>
  wanted !== undefined && settings.mayOverridePolicy ? wanted : settings.policy
