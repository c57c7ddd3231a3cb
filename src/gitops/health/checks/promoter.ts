import { type Check, type CheckTable, degraded, healthy, progressing } from '../notation.ts'
import { asObjects, at, conditionsOf, type Fields, shown, textAt } from '../reading.ts'
import type { HealthStatus } from '../status.ts'

interface Words {
  readonly starting: string
  readonly deleting: string
  /** Of whose specification the observation is waited for. */
  readonly observed: string
  /** What failed, when only reconciling did. */
  readonly failed: string
  /** What failed, before the reason. */
  readonly failedWith: string
  /** What is not known; without it an unknown Ready counts as there. */
  readonly unknown?: string
  readonly missing: string
}

/** What a finalizer waits for, and what is at stake when it is removed by hand. */
type Finalizers = Readonly<Record<string, { readonly wait: string; readonly risk: string }>>

const REFERENCES = 'GitRepository objects can reference a provider that no longer exists.'

function deletion(object: Fields, text: string, finalizers: Finalizers): HealthStatus | undefined {
  if (at(object, 'metadata.deletionTimestamp') === undefined) return undefined
  const names = at(object, 'metadata.finalizers')
  const known = (Array.isArray(names) ? names : []).flatMap((name: unknown) => {
    const entry = typeof name === 'string' && Object.hasOwn(finalizers, name) ? finalizers[name] : undefined
    return entry ? [`${shown(name)}: ${entry.wait} Risk if removed manually: ${entry.risk}`] : []
  })
  return progressing([text, ...known].join(' '))
}

function readiness(object: Fields, words: Words, types: readonly string[]): HealthStatus | undefined {
  if (at(object, 'status') === undefined) return progressing(words.starting)
  const generation = at(object, 'metadata.generation')
  const own = conditionsOf(object).filter(({ type }) => type !== undefined && types.includes(type))
  for (const { status, observedGeneration: seen, reason = 'Unknown', message } of own) {
    if (seen !== undefined && generation !== undefined && seen !== generation) {
      return progressing(`Waiting for ${words.observed} spec update to be observed`)
    }
    if (status === 'False') {
      const said = message ?? 'Unknown error'
      const isPlain = reason === 'ReconciliationError'
      return degraded(isPlain ? `${words.failed}: ${said}` : `${words.failedWith} (${reason}): ${said}`)
    }
    if (status === 'Unknown' && words.unknown !== undefined) {
      return progressing(`${words.unknown} (${reason}): ${message ?? 'Unknown'}`)
    }
  }
  return own.length > 0 ? undefined : progressing(words.missing)
}

interface Parts {
  readonly finalizers?: Finalizers
  readonly types?: readonly string[]
  readonly end: (object: Fields) => HealthStatus
}

/** Deletion, then readiness, then what the kind itself tells. */
const promoted =
  (words: Words, { finalizers = {}, types = ['Ready'], end }: Parts): Check =>
  (object) =>
    deletion(object, words.deleting, finalizers) ?? readiness(object, words, types) ?? end(object)

/** Kinds named by a noun: `Commit status`. */
const named = (noun: string): Words => {
  const small = noun.slice(0, 1) === 'A' ? noun : noun.slice(0, 1).toLowerCase() + noun.slice(1)
  return {
    starting: `Initializing ${small}`,
    deleting: `${noun} is being deleted`,
    observed: small,
    failed: `${noun} reconciliation failed`,
    failedWith: `${noun} reconciliation failed`,
    missing: `${noun} is not ready yet`,
  }
}

/** Kinds named by their kind, that say when they do not know. */
const byKind = (kind: string, noun: string, starting: string, failed: string, unknownWord: string): Words => ({
  starting: `Initializing ${starting}`,
  deleting: `${kind} is being deleted`,
  observed: kind,
  failed: `${noun} ${failed}`,
  failedWith: `${noun} not ready`,
  unknown: `${noun} ${unknownWord}`,
  missing: `${kind} Ready condition is missing`,
})

/** Per branch a phase; one failure is the whole's. */
function environmentsHealth(object: Fields, words: Readonly<Record<'done' | 'failed' | 'pending' | 'passed', string>>) {
  const environments = asObjects(at(object, 'status.environments'))
  if (environments.length === 0) return healthy(words.done)
  const branches = (isIn: (phase: unknown) => boolean): string =>
    environments
      .filter(({ phase }) => isIn(phase))
      .map(({ branch }) => shown(branch) || '?')
      .join(', ')
  const isEnded = (phase: unknown): boolean => phase === 'failure' || phase === 'success'
  const failed = branches((phase) => phase === 'failure')
  if (failed !== '') return degraded(`${words.failed} for branch(es): ${failed}`)
  const pending = branches((phase) => !isEnded(phase))
  if (pending !== '') return progressing(`${words.pending} for branch(es): ${pending}`)
  return healthy(`${words.passed} for ${environments.length} environment(s)`)
}

const short = (sha: unknown): string => shown(sha).slice(0, 7)
const isThere = (sha: unknown): boolean => typeof sha === 'string' && sha !== ''

interface Tally {
  readonly pending: readonly string[]
  readonly failed: readonly string[]
  readonly succeeded: number
}

function tally(statuses: unknown): Tally {
  const all = asObjects(statuses)
  const keys = (wanted: string): readonly string[] =>
    all.filter(({ phase }) => phase === wanted).map(({ key }) => shown(key))
  return { pending: keys('pending'), failed: keys('failure'), succeeded: keys('success').length }
}

const counts = ({ pending, failed, succeeded }: Tally): string =>
  `${pending.length} pending, ${succeeded} successful, ${failed.length} failed. `

const keysOf = ({ pending, failed }: Tally): string =>
  (pending.length > 0 ? `Pending commit statuses: ${pending.join(', ')}. ` : '') +
  (failed.length > 0 ? `Failed commit statuses: ${failed.join(', ')}. ` : '')

function transferHealth(object: Fields): HealthStatus {
  const active = at(object, 'status.active.dry.sha')
  const proposed = at(object, 'status.proposed.dry.sha')
  if (!isThere(active)) return progressing('The active commit DRY SHA is missing or empty.')
  if (!isThere(proposed)) return progressing('The proposed commit DRY SHA is missing or empty.')
  if (proposed !== active) {
    const found = tally(at(object, 'status.proposed.commitStatuses'))
    const step = `Promotion in progress from '${short(active)}' to '${short(proposed)}'`
    return progressing(`${step}: ${counts(found)}${keysOf(found)}`)
  }
  const found = tally(at(object, 'status.active.commitStatuses'))
  if (found.pending.length > 0 || found.failed.length > 0) {
    const text = 'Environment is up-to-date, but there are non-successful active commit statuses'
    return healthy(`${text}: ${counts(found)}${keysOf(found)}`)
  }
  return healthy(`Environment is up-to-date on commit ${short(active)}.`)
}

/** The hydrator's note speaks for the proposal when there is one. */
function proposedSha(environment: Fields): string | undefined {
  const note = textAt(environment, 'proposed.note.drySha')
  if (isThere(note)) return note
  const sha = textAt(environment, 'proposed.dry.sha')
  return isThere(sha) ? sha : undefined
}

function strategyHealth(object: Fields): HealthStatus {
  const environments = asObjects(at(object, 'status.environments'))
  const [first] = environments
  if (!first) return degraded('Promotion strategy has no environments configured')
  for (const environment of environments) {
    const place = `commit DRY SHA is missing or empty in environment '${shown(environment['branch'])}'.`
    if (!isThere(at(environment, 'active.dry.sha'))) return progressing(`The active ${place}`)
    if (proposedSha(environment) === undefined) return progressing(`The proposed ${place}`)
  }
  const wanted = proposedSha(first)
  if (environments.some((environment) => proposedSha(environment) !== wanted)) {
    return progressing(
      'Not all environments have the same proposed commit SHA. This likely means the hydrator has not run for all environments yet.',
    )
  }
  return promotionUnderWay(environments) ?? promotionDone(environments, first)
}

function promotionUnderWay(environments: readonly Fields[]): HealthStatus | undefined {
  const moving = environments.find(
    (environment) => at(environment, 'proposed.dry.sha') !== at(environment, 'active.dry.sha'),
  )
  if (!moving) return undefined
  const found = tally(at(moving, 'proposed.commitStatuses'))
  const from = short(at(moving, 'active.dry.sha'))
  const to = short(at(moving, 'proposed.dry.sha'))
  const step = `Promotion in progress for environment '${shown(moving['branch'])}' from '${from}' to '${to}'`
  const hydrated = `Hydrator has processed dry commit '${short(proposedSha(moving))}'. `
  return progressing(`${step}: ${counts(found)}${keysOf(found)}${hydrated}`)
}

function promotionDone(environments: readonly Fields[], first: Fields): HealthStatus {
  const troubled = environments.flatMap((environment) => {
    const { pending, failed } = tally(at(environment, 'active.commitStatuses'))
    return pending.length + failed.length > 0
      ? [`${shown(environment['branch'])} (${failed.length} failed, ${pending.length} pending)`]
      : []
  })
  if (troubled.length > 0) {
    const text = 'Environments are up-to-date, but some environments have non-successful commit statuses'
    return healthy(`${text}: ${troubled.join(', ')}.`)
  }
  const active = short(at(first, 'active.dry.sha'))
  const hydrated = short(proposedSha(first))
  return healthy(
    `All environments are up-to-date on commit '${active}'. Hydrator has processed dry commit '${hydrated}'.`,
  )
}

const withStop = (words: Words): Words => ({ ...words, deleting: `${words.deleting}.` })

/** GitOps Promoter's kinds. */
export const promoterChecks: CheckTable = {
  'promoter.argoproj.io/ArgoCDCommitStatus': promoted(named('Argo CD commit status'), {
    end: (object) => {
      const count = asObjects(at(object, 'status.applicationsSelected')).length
      return count === 0
        ? degraded('Argo CD commit status has no applications configured')
        : healthy(`Argo CD commit status is healthy and is tracking ${count} applications`)
    },
  }),
  'promoter.argoproj.io/ChangeTransferPolicy': promoted(withStop(named('Change transfer policy')), {
    finalizers: {
      'changetransferpolicy.promoter.argoproj.io/finalizer': {
        wait: 'Waiting to clear related PullRequest finalizers and finish cleanup before this policy is removed.',
        risk: "The 'changetransferpolicy.promoter.argoproj.io/pullrequest-finalizer' finalizer may not be cleaned up from PullRequests owned by this ChangeTransferPolicy.",
      },
    },
    end: transferHealth,
  }),
  'promoter.argoproj.io/ClusterScmProvider': promoted(
    withStop(
      byKind(
        'ClusterScmProvider',
        'Cluster SCM provider',
        'cluster SCM provider',
        'validation failed',
        'readiness unknown',
      ),
    ),
    {
      finalizers: {
        'clusterscmprovider.promoter.argoproj.io/finalizer': {
          wait: 'Waiting until no GitRepository still references this cluster-wide SCM provider.',
          risk: REFERENCES,
        },
      },
      end: () => healthy('Cluster SCM provider is ready'),
    },
  ),
  'promoter.argoproj.io/CommitStatus': promoted(named('Commit status'), {
    end: (object) => {
      const sha = textAt(object, 'status.sha')
      const phase = textAt(object, 'status.phase')
      return sha === undefined || phase === undefined
        ? healthy('Commit status is healthy')
        : healthy(`Commit status for commit ${sha} reports ${phase}`)
    },
  }),
  'promoter.argoproj.io/GitCommitStatus': promoted(
    byKind('GitCommitStatus', 'Git commit validation', 'git commit validation', 'failed', 'status unknown'),
    {
      end: (object) =>
        environmentsHealth(object, {
          done: 'Git commit validation reconciled',
          failed: 'Git commit validation failed',
          pending: 'Git commit validation pending',
          passed: 'Git commit validation passed',
        }),
    },
  ),
  'promoter.argoproj.io/GitRepository': promoted(
    withStop(byKind('GitRepository', 'Git repository', 'Git repository', 'validation failed', 'readiness unknown')),
    {
      finalizers: {
        'gitrepository.promoter.argoproj.io/finalizer': {
          wait: 'Waiting until no non-deleting PullRequests still reference this repository.',
          risk: 'repository metadata may be removed while promotions still depend on it.',
        },
      },
      end: () => healthy('Git repository is ready'),
    },
  ),
  'promoter.argoproj.io/PromotionStrategy': promoted(named('Promotion strategy'), { end: strategyHealth }),
  'promoter.argoproj.io/PullRequest': promoted(withStop(named('Pull request')), {
    types: ['Reconciled', 'Ready'],
    finalizers: {
      'pullrequest.promoter.argoproj.io/finalizer': {
        wait: 'Waiting for SCM closure or reconciliation of the pull request.',
        risk: 'the real PR can stay open after the CR is gone.',
      },
      'changetransferpolicy.promoter.argoproj.io/pullrequest-finalizer': {
        wait: 'Waiting for the ChangeTransferPolicy to observe PR identity and state.',
        risk: 'promotion status or history can be wrong or racy.',
      },
    },
    end: (object) => {
      const state = at(object, 'status.state')
      const id = at(object, 'status.id')
      return state === undefined || id === undefined
        ? healthy('Pull request is healthy')
        : healthy(`Pull request is ${shown(state)} as PR ${shown(id)}`)
    },
  }),
  'promoter.argoproj.io/ScmProvider': promoted(
    withStop(byKind('ScmProvider', 'SCM provider', 'SCM provider', 'validation failed', 'readiness unknown')),
    {
      finalizers: {
        'scmprovider.promoter.argoproj.io/finalizer': {
          wait: 'Waiting until no GitRepository in this namespace still references this provider.',
          risk: REFERENCES,
        },
      },
      end: () => healthy('SCM provider is ready'),
    },
  ),
  'promoter.argoproj.io/TimedCommitStatus': promoted(
    byKind('TimedCommitStatus', 'Timed commit gate', 'timed commit gate', 'failed', 'status unknown'),
    {
      end: (object) =>
        environmentsHealth(object, {
          done: 'Timed commit gate reconciled',
          failed: 'Timed commit gate failed',
          pending: 'Timed commit gate pending',
          passed: 'Timed commit gate satisfied',
        }),
    },
  ),
  'promoter.argoproj.io/WebRequestCommitStatus': promoted(
    byKind(
      'WebRequestCommitStatus',
      'Web request commit validation',
      'web request commit validation',
      'failed',
      'unknown',
    ),
    {
      end: (object) =>
        environmentsHealth(object, {
          done: 'Web request commit validation reconciled',
          failed: 'Web request validation failed',
          pending: 'Web request validation pending',
          passed: 'Web request validation passed',
        }),
    },
  ),
}
