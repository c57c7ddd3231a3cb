import type { Application } from '../gitops/application/application.ts'
import { type Condition, conditionOf, isTrue } from '../kube/condition.ts'
import type { KubeObject } from '../kube/object.ts'

/** How far a platform has come to what Git says. */
export interface PlatformProgress {
  readonly sets: number
  readonly applications: number
  /** Those that are Synced and Healthy. */
  readonly settled: number
  /** Whether there is nothing left to wait for. */
  readonly isSettled: boolean
  /** What is not there yet, and why. */
  readonly blockers: readonly Blocker[]
}

/** One thing that is not as Git says. */
export interface Blocker {
  readonly what: string
  readonly because: string
  /** Whether somebody has to do something: it will not pass by waiting. */
  readonly isStuck: boolean
}

/** Looks at all ApplicationSets and Applications as they stand. */
export function platformProgress(sets: readonly KubeObject[], applications: readonly Application[]): PlatformProgress {
  const behind = [...sets.flatMap(blockerOfSet), ...applications.flatMap(blockerOfApplication)]
  return {
    sets: sets.length,
    applications: applications.length,
    settled: applications.filter(isSettled).length,
    isSettled: behind.length === 0 && sets.length + applications.length > 0,
    blockers: behind,
  }
}

const isSettled = ({ status }: Application): boolean =>
  status?.sync?.status === 'Synced' && status.health?.status === 'Healthy' && status.operationState?.phase !== 'Running'

function blockerOfSet({ metadata, ...rest }: KubeObject): readonly Blocker[] {
  const { conditions } = (rest['status'] ?? {}) as { readonly conditions?: readonly Condition[] }
  const what = `ApplicationSet ${metadata.name ?? ''}`
  const failed = conditionOf(conditions, 'ErrorOccurred')
  if (failed?.status === 'True') return [{ what, because: failed.message ?? 'it cannot generate', isStuck: true }]
  if (isTrue(conditions, 'ResourcesUpToDate')) return []
  return [{ what, because: 'it has not generated its Applications yet', isStuck: false }]
}

function blockerOfApplication(application: Application): readonly Blocker[] {
  if (isSettled(application)) return []
  const { status, metadata } = application
  const what = `Application ${metadata.name ?? ''}`
  const complaint = status?.conditions?.find(({ type }) => type.endsWith('Error'))
  if (complaint) return [{ what, because: complaint.message, isStuck: true }]
  const { phase, message } = status?.operationState ?? {}
  const said = message === undefined || message === '' ? '' : `: ${message}`
  if (phase === 'Running') return [{ what, because: `syncing${said}`, isStuck: false }]
  if (phase === 'Failed' || phase === 'Error') return [{ what, because: `the sync failed${said}`, isStuck: true }]
  if (!status?.sync?.status) return [{ what, because: 'it has not been looked at yet', isStuck: false }]
  if (status.sync.status !== 'Synced') return [{ what, because: `it is ${status.sync.status}${said}`, isStuck: false }]
  const { status: health = 'Unknown', message: why } = status.health ?? {}
  return [{ what, because: why ? `${health}: ${why}` : `it is ${health}`, isStuck: health === 'Degraded' }]
}
