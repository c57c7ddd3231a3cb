import { groupKindText } from '../../kube/gvk.ts'
import type { Application, OperationState } from '../application/application.ts'
import type { ComparedResource, Comparison, ResourceKey } from '../compare/comparison.ts'
import { differingPaths } from '../compare/differing-paths.ts'
import { maskSecrets } from '../compare/mask.ts'
import { explain, type Explaining } from './explain.ts'
import type { Trouble } from './pod-trouble.ts'

/** One line of an explanation: what about, what, and what to do. */
export interface WhyLine extends Trouble {
  readonly about: 'sync' | 'health' | 'operation' | 'condition'
  readonly subject?: string
}

/** Why an Application is in the state that it is in. */
export interface Why {
  /** `shop is OutOfSync and Degraded`. */
  readonly headline: string
  /** The most pressing first. */
  readonly lines: readonly WhyLine[]
}

const MOST_LINES = 10
const MOST_PATHS = 5

/** Explains an Application in plain words, with the next step. */
export function whyApplication(application: Application, comparison: Comparison, seen: Explaining): Why {
  const name = application.metadata.name ?? ''
  const { syncStatus, healthStatus } = comparison
  const lines = [
    ...conditionLines(comparison),
    ...operationLines(application),
    ...healthLines(comparison, seen),
    ...syncLines(application, comparison),
  ]
  return { headline: `${name} is ${syncStatus} and ${healthStatus}`, lines }
}

/** `Deployment web`, or with its namespace where there are several. */
const subjectOf = ({ group, kind, name }: ResourceKey): string =>
  `${group === '' || group === 'apps' || group === 'batch' ? kind : groupKindText({ group, kind })} ${name}`

const NEXT: Readonly<Record<string, string>> = {
  ComparisonError: 'correct what the message names; nothing is changed until then',
  SharedResourceWarning: 'take the object out of one of the two Applications',
  RepeatedResourceWarning: 'give the object to one manifest only: the last one counts',
  ExcludedResourceWarning: 'see resource.exclusions and resource.inclusions in argocd-cm',
  OrphanedResourceWarning: 'bring the objects to Git, delete them, or let the project ignore them',
}

function conditionLines({ conditions }: Comparison): readonly WhyLine[] {
  return conditions.slice(0, MOST_LINES).map(({ type, message }): WhyLine => {
    const next = Object.hasOwn(NEXT, type) ? NEXT[type] : undefined
    return { about: 'condition', because: message, ...(next === undefined ? {} : { next }) }
  })
}

function operationLines({ operation, status, metadata }: Application): readonly WhyLine[] {
  const state = status?.operationState
  if (operation && state?.phase !== 'Running')
    return [{ about: 'operation', because: 'a sync has been asked for and is about to begin' }]
  if (!state || state.phase === 'Succeeded') return []
  if (state.phase === 'Running') return [runningLine(state), ...failedResources(state)]
  if (state.phase === 'Terminating') return [{ about: 'operation', because: 'a sync is being stopped' }]
  return [
    {
      about: 'operation',
      because: `the last sync failed: ${state.message ?? ''}`,
      next: `idp app sync ${metadata.name ?? ''}`,
    },
    ...failedResources(state),
  ]
}

/** A sync under way; one that was refused and is tried again says so, with what was refused on lines of its own. */
function runningLine({ message = '', retryCount = 0 }: OperationState): WhyLine {
  const again = /Retrying attempt #\d+ at \S+?Z?\.?$/.exec(message)?.[0]
  if (retryCount === 0 || again === undefined) return { about: 'operation', because: `a sync is running: ${message}` }
  return {
    about: 'operation',
    because: `a sync was refused ${retryCount} ${retryCount === 1 ? 'time' : 'times'}. ${again}`,
    next: 'mend what is named below and commit it: a new commit is taken up at once',
  }
}

function failedResources({ syncResult }: OperationState): readonly WhyLine[] {
  return (syncResult?.resources ?? [])
    .filter(({ status, hookPhase }) => status === 'SyncFailed' || hookPhase === 'Failed' || hookPhase === 'Error')
    .slice(0, MOST_LINES)
    .map(({ group, kind, namespace, name, message = '' }) => ({
      about: 'operation',
      subject: subjectOf({ group, kind, namespace, name }),
      // Policies say why over several lines.
      because: message.replaceAll(/\s*\n\s*/g, ' ').trim(),
    }))
}

function healthLines({ resources, healthStatus }: Comparison, seen: Explaining): readonly WhyLine[] {
  if (healthStatus === 'Healthy') return []
  return resources
    .filter(({ live, health, isHook }) => live && !isHook && health && health.status !== 'Healthy')
    .slice(0, MOST_LINES)
    .map(({ key, live, health }): WhyLine => {
      const found = live ? explain(live, seen) : undefined
      const said = health?.message ? `${health.status}: ${health.message}` : (health?.status ?? '')
      return { about: 'health', subject: subjectOf(key), ...(found ?? { because: said }) }
    })
}

function syncLines(application: Application, { resources, syncStatus }: Comparison): readonly WhyLine[] {
  if (syncStatus !== 'OutOfSync') return []
  const next = nextOfSync(application)
  return resources
    .filter(({ status }) => status === 'OutOfSync')
    .slice(0, MOST_LINES)
    .map((resource): WhyLine => ({
      about: 'sync',
      subject: subjectOf(resource.key),
      because: difference(resource),
      next,
    }))
}

/** What differs, without a value of a Secret. */
function difference({ target, live, diff, because }: ComparedResource): string {
  if (!live) return 'the cluster does not have it'
  if (!target) return 'Git does not have it any more'
  const [before, after] = maskSecrets([diff?.normalizedLive, diff?.predictedLive])
  const paths = differingPaths(before, after)
  if (paths.length === 0) return because ?? 'it differs'
  const shownPaths = paths.slice(0, MOST_PATHS).join(', ')
  return `it differs from Git in ${shownPaths}${paths.length > MOST_PATHS ? ` and ${paths.length - MOST_PATHS} more places` : ''}`
}

function nextOfSync({ spec, metadata }: Application): string {
  const automated = spec.syncPolicy?.automated
  const name = metadata.name ?? ''
  if (!automated || automated.enabled === false)
    return `idp app sync ${name}, or spec.syncPolicy.automated to have it done by itself`
  if (automated.selfHeal !== true) {
    return `it is synced by itself for new revisions only: idp app sync ${name}, or spec.syncPolicy.automated.selfHeal`
  }
  return `it is synced by itself; idp app sync ${name} does it now`
}
