import type { KubeObject } from '../../kube/object.ts'
import { fieldsOf, isSet, objectsOf, textOf } from '../../lib/fields.ts'
import { isEqual, type Json } from '../../lib/json.ts'
import { fail, type Problem, type Result, succeed } from '../../lib/result.ts'
import type { ApplicationAction, ApplicationVerb } from './action.ts'
import { invalid, parametersAt } from './template.ts'

/*
 * A kind of trigger of our own: what `argocd app` does to an Application of Argo CD, in annotations and in its operation field. A refresh
 * and a sync can be written as k8s triggers too; a rollback has to look at the Application first.
 */

type Fields = Readonly<Record<string, unknown>>

const operations: readonly string[] = [
  'refresh',
  'hard-refresh',
  'sync',
  'rollback',
] satisfies readonly ApplicationVerb[]
const REFRESH = 'argocd.argoproj.io/refresh'
const PAUSED_UNTIL = 'idp-blueprint.io/paused-until'
const PAUSED_BECAUSE = 'idp-blueprint.io/paused-because'
/** The revision that a trigger has rolled an Application back to: once is enough. */
const ROLLED_BACK_TO = 'idp-blueprint.io/rolled-back-to'
const FIRE_INFO = 'idp-blueprint.io/fire-id'

/** What is wrong with an argoCD section whatever the event. */
export function checkApplication(section: Fields): readonly Problem[] {
  const parameters = parametersAt(section, 'parameters', 'argoCD')
  if (!parameters.ok) return parameters.error
  const filled = new Set(parameters.value.map(({ dest }) => dest))
  const operation = textOf(section, 'operation')
  const problems: Problem[] = []
  if (!operations.includes(operation) && !filled.has('operation'))
    problems.push(
      invalid(
        'argoCD.operation',
        `there is no operation ${JSON.stringify(operation)}`,
        `use one of ${operations.join(', ')}`,
      ),
    )
  if (textOf(section, 'application') === '' && !filled.has('application'))
    problems.push(invalid('argoCD.application', 'there is no Application to act on'))
  return problems
}

/** What an argoCD section, with its parameters in it, asks for. */
export function applicationAction(section: Fields): Result<ApplicationAction> {
  const [problem] = checkApplication({ ...section, parameters: undefined })
  if (problem) return fail(problem)
  const historyId = section['historyId']
  const id = historyId === undefined || historyId === '' ? undefined : Number(historyId)
  if (id !== undefined && !Number.isInteger(id))
    return fail(invalid('argoCD.historyId', `${JSON.stringify(historyId)} is no id of the history`))
  const revision = textOf(section, 'revision')
  return succeed({
    do: 'application',
    operation: textOf(section, 'operation') as ApplicationVerb, // checked just now
    name: textOf(section, 'application'),
    namespace: textOf(section, 'namespace') || 'argocd',
    ...(revision === '' ? {} : { revision }),
    prune: section['prune'] === true,
    dryRun: section['dryRun'] === true,
    ...(id === undefined ? {} : { historyId: id }),
    unlessViolated: section['unlessViolated'] === true,
  })
}

/** Who asks, so that a repeated firing is known again. */
export interface Asker {
  readonly user: string
  readonly fireId: string
  readonly because: string
}

/** What is to be written on the Application, or why nothing is. */
export type ApplicationPlan =
  | { readonly do: 'patch'; readonly because: string; readonly body: { readonly [field: string]: Json } }
  | { readonly do: 'nothing'; readonly because: string }

const asJson = (value: unknown): Json => value as Json // it came from the API

/** Decides how to do what is asked of an Application as it is now. */
export function planApplication(action: ApplicationAction, app: KubeObject, asker: Asker): Result<ApplicationPlan> {
  const { operation } = action
  if (operation === 'refresh' || operation === 'hard-refresh') {
    const kind = operation === 'refresh' ? 'normal' : 'hard'
    return succeed({
      do: 'patch',
      because: `asked for a ${kind} refresh of`,
      body: { metadata: { annotations: { [REFRESH]: kind } } },
    })
  }
  const status = fieldsOf(app, 'status')
  const state = fieldsOf(status, 'operationState')
  if (isAsked(fieldsOf(app, 'operation'), asker) || isAsked(fieldsOf(state, 'operation'), asker))
    return succeed({ do: 'nothing', because: `had asked for the ${operation} of` })
  if (app['operation'] !== undefined || textOf(state, 'phase') === 'Running')
    return refuse(`another operation is in progress on Application ${action.namespace}/${action.name}`)
  return operation === 'sync' ? planSync(action, app, asker) : planRollback(action, app, asker)
}

const refuse = (message: string, cure?: string): Result<never> =>
  fail({ code: 'trigger-refused', message, ...(cure === undefined ? {} : { cure }) })

const isAsked = (operation: Fields, { fireId }: Asker): boolean =>
  (objectsOf(operation, 'info') ?? []).some((info) => info['name'] === FIRE_INFO && info['value'] === fireId)

const operationOf = (sync: Fields, { user, fireId, because }: Asker): Json =>
  asJson({
    sync,
    initiatedBy: { username: user },
    info: [
      { name: 'Reason', value: because },
      { name: FIRE_INFO, value: fireId },
    ],
  })

function planSync(action: ApplicationAction, app: KubeObject, asker: Asker): Result<ApplicationPlan> {
  const { syncOptions } = fieldsOf(fieldsOf(app, 'spec'), 'syncPolicy')
  const sync = {
    ...(action.revision === undefined ? {} : { revision: action.revision }),
    ...(action.prune ? { prune: true } : {}),
    ...(action.dryRun ? { dryRun: true } : {}),
    ...(Array.isArray(syncOptions) ? { syncOptions: syncOptions as readonly unknown[] } : {}),
  }
  return succeed({
    do: 'patch',
    because: 'asked for a sync of',
    body: { ...unchanged(app), operation: operationOf(sync, asker) },
  })
}

/** The write is only meant for the Application as it was looked at. */
const unchanged = (
  { metadata }: KubeObject,
  annotations?: Readonly<Record<string, string>>,
): { readonly metadata: Json } => ({
  metadata: {
    ...(metadata.resourceVersion === undefined ? {} : { resourceVersion: metadata.resourceVersion }),
    ...(annotations ? { annotations } : {}),
  },
})

function planRollback(action: ApplicationAction, app: KubeObject, asker: Asker): Result<ApplicationPlan> {
  const history = objectsOf(app['status'], 'history') ?? []
  const last = history.at(-1)
  const named = `Application ${action.namespace}/${action.name}`
  if (!last) return refuse(`${named} was never synced: there is nothing to roll back to`)
  const before = app.metadata.annotations?.[ROLLED_BACK_TO]
  if (action.historyId === undefined && before !== undefined && before === deployedOf(last))
    return succeed({ do: 'nothing', because: `it is rolled back to ${before} already:` })
  const entry =
    action.historyId === undefined
      ? history.findLast((one) => deployedOf(one) !== deployedOf(last) || !isEqual(one['source'], last['source']))
      : history.find((one) => one['id'] === action.historyId)
  if (!entry) {
    const ids = history.map((one) => String(one['id'])).join(', ')
    return refuse(
      action.historyId === undefined
        ? `${named} has only ever been at ${deployedOf(last)}: there is nothing to roll back to`
        : `${named} has no sync with the id ${action.historyId}: there are ${ids}`,
    )
  }
  const policy = fieldsOf(fieldsOf(app, 'spec'), 'syncPolicy')
  const automated = fieldsOf(policy, 'automated')
  const isAutomated =
    policy['automated'] !== undefined && policy['automated'] !== null && automated['enabled'] !== false
  const { syncOptions } = policy
  const isMany = (objectsOf(entry, 'sources') ?? []).length > 0
  const sync = {
    ...(isMany
      ? { sources: entry['sources'], revisions: entry['revisions'] ?? [] }
      : { revision: textOf(entry, 'revision'), source: entry['source'] }),
    prune: true,
    ...(action.dryRun ? { dryRun: true } : {}),
    ...(Array.isArray(syncOptions) ? { syncOptions: syncOptions as readonly unknown[] } : {}),
  }
  // What syncs on its own would be back at the newest revision at once.
  const pause = isAutomated
    ? { [PAUSED_UNTIL]: 'resumed', [PAUSED_BECAUSE]: `rolled back to ${deployedOf(entry)}: ${asker.because}` }
    : {}
  const marks = action.dryRun ? {} : { ...pause, [ROLLED_BACK_TO]: deployedOf(entry) }
  return succeed({
    do: 'patch',
    because: `asked for the rollback to ${String(entry['id'])} (${deployedOf(entry).slice(0, 12)}) of`,
    body: { ...unchanged(app, marks), operation: operationOf(sync, asker) },
  })
}

/** The revisions of a sync, as one text. */
function deployedOf(entry: Fields): string {
  const many = entry['revisions']
  return Array.isArray(many) && many.length > 0 ? many.map(String).join(',') : textOf(entry, 'revision')
}

/** A rule of a policy that a resource breaks, and that would refuse it if it came now. */
export interface Violation {
  readonly policy: string
  readonly rule: string
  readonly resource: string
}

/** What reports say of the resources of an Application, as far as policies that refuse are concerned. */
export function violationsOf(
  app: KubeObject,
  reports: readonly KubeObject[],
  isEnforced: (policy: string, rule: string) => boolean,
): readonly Violation[] {
  const key = (one: Fields): string =>
    JSON.stringify([textOf(one, 'kind'), textOf(one, 'namespace'), textOf(one, 'name')])
  const mine = new Set((objectsOf(app['status'], 'resources') ?? []).map(key))
  return reports.flatMap((report) => {
    const scope = fieldsOf(report, 'scope')
    if (!mine.has(key(scope))) return []
    return (objectsOf(report, 'results') ?? []).flatMap((result): readonly Violation[] => {
      const [policy, rule] = [textOf(result, 'policy'), textOf(result, 'rule')]
      if (textOf(result, 'result') !== 'fail' || !isEnforced(policy, rule)) return []
      return [{ policy, rule, resource: `${textOf(scope, 'kind')} ${textOf(scope, 'name')}` }]
    })
  })
}

/** Tells whether a policy refuses what breaks a rule of it, instead of only reporting it. */
export function isEnforcing(policy: KubeObject, rule: string): boolean {
  const spec = fieldsOf(policy, 'spec')
  const actions = spec['validationActions']
  if (Array.isArray(actions)) return actions.includes('Deny')
  const own = (objectsOf(spec, 'rules') ?? []).find((one) => textOf(one, 'name') === rule)
  const action = textOf(fieldsOf(own, 'validate'), 'failureAction') || textOf(spec, 'validationFailureAction')
  return action.toLowerCase() === 'enforce' && !isSet(spec, 'disabled')
}
