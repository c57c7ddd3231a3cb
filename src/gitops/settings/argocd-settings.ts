import { parseDuration } from '../../lib/duration.ts'
import { own } from '../../lib/json.ts'
import type { Problem } from '../../lib/result.ts'
import { readResourceSettings, type ResourceSettings } from '../compare/resource-settings.ts'
import { usualExclusions } from './usual-exclusions.ts'

/** The data of a ConfigMap. */
export type Data = Readonly<Record<string, string>>

/** What users set for the controller of Applications in `argocd-cm` and `argocd-cmd-params-cm`. */
export interface ArgocdSettings {
  /** How objects are marked, compared, judged and left out. */
  readonly resources: ResourceSettings
  /** How often a comparison is made anew though nothing is known to have changed; 0 for never. */
  readonly refreshEveryMs: number
  readonly hardRefreshEveryMs: number
  readonly impersonation: { readonly isEnabled: boolean; readonly isEnforced: boolean }
  /** Namespaces beside the controller's whose Applications it looks after; globs or `/regex/`. */
  readonly namespaces: readonly string[]
  readonly serverSideDiff: boolean
  readonly selfHeal: SelfHealDelay
  /** A sync that takes longer is terminated; 0 for no limit. */
  readonly syncTimeoutMs: number
  /** Whether `status.resources` tells the health of every object. */
  readonly persistsHealth: boolean
  readonly concurrency: number
  /** What could not be read; the usual value is used instead. */
  readonly problems: readonly Problem[]
}

/** How long self-healing waits between attempts on the same revision. */
export interface SelfHealDelay {
  /** A fixed wait, which turns the growing one off when it is set. */
  readonly timeoutMs: number
  readonly firstMs: number
  readonly factor: number
  readonly longestMs: number
}

const EXCLUSIONS = 'resource.exclusions'

/** Reads the settings; whatever is missing or malformed has upstream's usual value. */
export function readSettings(cm: Data = {}, params: Data = {}): ArgocdSettings {
  const problems: Problem[] = []
  const text = (key: string, otherwise: string = ''): string => own(cm, key) ?? own(params, key) ?? otherwise
  const complain = (key: string, message: string): void => {
    problems.push({ code: 'argocd-setting-invalid', at: key, message })
  }
  const duration = (key: string, otherwiseMs: number): number => {
    const value = text(key).trim()
    if (value === '') return otherwiseMs
    if (/^\d{1,9}$/.test(value)) return Number(value) * 1_000
    const parsed = parseDuration(value)
    if (parsed.ok) return Number(parsed.value / 1_000_000n)
    complain(key, `${JSON.stringify(value)} is not a duration, such as 3m`)
    return otherwiseMs
  }
  const number = (key: string, otherwise: number): number => {
    const value = text(key).trim()
    if (value === '') return otherwise
    if (/^\d{1,9}(\.\d{1,3})?$/.test(value)) return Number(value)
    complain(key, `${JSON.stringify(value)} is not a number`)
    return otherwise
  }
  const flag = (key: string, otherwise: boolean): boolean => {
    const value = text(key).trim().toLowerCase()
    return value === '' ? otherwise : value === 'true' || value === '1'
  }
  const resources = readResourceSettings(
    Object.hasOwn(cm, EXCLUSIONS) ? cm : { ...cm, [EXCLUSIONS]: JSON.stringify(usualExclusions) },
  )
  return {
    resources,
    refreshEveryMs: duration('timeout.reconciliation', 120_000),
    hardRefreshEveryMs: duration('timeout.hard.reconciliation', 0),
    impersonation: {
      isEnabled: flag('application.sync.impersonation.enabled', false),
      isEnforced: text('application.sync.impersonation.enforced') !== 'false',
    },
    namespaces: text('application.namespaces')
      .split(',')
      .flatMap((name) => name.trim() || []),
    serverSideDiff: flag('controller.diff.server.side', false),
    selfHeal: {
      timeoutMs: number('controller.self.heal.timeout.seconds', 0) * 1_000,
      firstMs: number('controller.self.heal.backoff.timeout.seconds', 2) * 1_000,
      factor: number('controller.self.heal.backoff.factor', 3),
      longestMs: number('controller.self.heal.backoff.cap.seconds', 300) * 1_000,
    },
    syncTimeoutMs: number('controller.sync.timeout.seconds', 0) * 1_000,
    persistsHealth: flag('controller.resource.health.persist', true),
    concurrency: Math.max(1, number('controller.status.processors', 20)),
    problems: [...problems, ...resources.problems],
  }
}
