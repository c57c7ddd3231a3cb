import { isDeepStrictEqual } from 'node:util'
import type { KubeObject } from '../../../src/kube/object.ts'
import { wordOf } from '../chainsaw/chainsaw-test.ts'
import type { World } from '../chainsaw/world.ts'
import { APPLICATION_SETS, APPLICATIONS, type Argocd, conditionsOf, part, type Said } from './argocd.ts'
import { type Context, CONTROL_NAMESPACE } from './context.ts'
import { fromGo, type GoValue, Lost } from './go-values.ts'

type Fields = Readonly<Record<string, unknown>>

/** What an expectation looks at. */
export interface Scene {
  readonly world: World
  readonly context: Context
  readonly argocd: Argocd
  readonly said: Said
  /** The ApplicationSet that the scenario made last. */
  readonly setName: string | undefined
  readonly setNamespace: string
  /** It is enough that it was so at some moment since the last action. */
  readonly eventually: boolean
}

/** Fulfilled, or what is missing; `final` when waiting longer is of no use. */
export type Finding = { readonly ok: true } | { readonly ok: false; readonly because: string; readonly final?: boolean }

const fine: Finding = { ok: true }
const missing = (because: string, final = false): Finding => ({ ok: false, because, final })
const say = (value: unknown): string => JSON.stringify(value) ?? 'nothing'

function sameAs(what: string, actual: unknown, wanted: unknown): Finding {
  return actual === wanted ? fine : missing(`${what} is ${say(actual)}, not ${say(wanted)}`)
}

interface Call {
  readonly $call: string
  readonly args: readonly GoValue[]
}

type Check = (app: KubeObject, args: readonly unknown[]) => Finding

const resourcesOf = (app: unknown): readonly Fields[] =>
  (part(app, 'status', 'resources') as readonly Fields[] | undefined) ?? []
const resultsOf = (app: unknown): readonly Fields[] | undefined =>
  part(app, 'status', 'operationState', 'syncResult', 'resources') as readonly Fields[] | undefined

const findResource = (app: unknown, kind: unknown, name: unknown, namespace?: unknown): Fields | undefined =>
  resourcesOf(app).find(
    (each) =>
      each['kind'] === kind && each['name'] === name && (namespace === undefined || each['namespace'] === namespace),
  )

const healthOf = (resource: Fields | undefined): unknown =>
  resource ? (part(resource, 'health', 'status') ?? 'Healthy') : 'Missing'

/** Expectations that look at the Application alone. */
const OF_APPLICATION: Readonly<Record<string, Check>> = {
  OperationPhaseIs: (app, [phase]) => {
    const found = sameAs('the phase', part(app, 'status', 'operationState', 'phase') ?? 'Running', phase)
    return found.ok
      ? found
      : missing(`${found.because}: ${say(part(app, 'status', 'operationState', 'message'))} ${say(resultsOf(app))}`)
  },
  OperationMessageContains: (app, [text]) => {
    const message = wordOf(part(app, 'status', 'operationState', 'message'))
    return message.includes(wordOf(text)) ? fine : missing(`the operation says ${say(message)}`)
  },
  SyncStatusIs: (app, [status]) => {
    const found = sameAs('the sync status', part(app, 'status', 'sync', 'status'), status)
    return found.ok ? found : missing(`${found.because}: ${say(conditionsOf(app))} ${say(resourcesOf(app))}`)
  },
  SyncRevisionIs: (app, [revision]) => sameAs('the revision', part(app, 'status', 'sync', 'revision'), revision),
  HealthIs: (app, [status]) => {
    const found = sameAs('the health', part(app, 'status', 'health', 'status'), status)
    return found.ok ? found : missing(`${found.because}: ${say(resourcesOf(app))}`)
  },
  NoConditions: (app) =>
    conditionsOf(app).length === 0 ? fine : missing(`the conditions are ${say(conditionsOf(app))}`),
  OperationRetriedMinimumTimes: (app, [count]) => {
    const retries = Number(part(app, 'status', 'operationState', 'retryCount') ?? 0)
    return retries >= Number(count) ? fine : missing(`it was retried ${retries} times`)
  },
  StatusExists: (app) =>
    Object.keys((app['status'] as Fields | undefined) ?? {}).length > 0 ? fine : missing('there is no status'),
  NoStatus: (app) =>
    Object.keys((app['status'] as Fields | undefined) ?? {}).length === 0
      ? fine
      : missing(`the status is ${say(app['status'])}`),
  Condition: (app, [type, text]) =>
    conditionsOf(app).some((each) => each.type === type && each.message.includes(wordOf(text)))
      ? fine
      : missing(`the conditions are ${say(conditionsOf(app))}, none is ${wordOf(type)} with ${say(text)}`),
  ResourceSyncStatusIs: (app, [kind, name, status]) =>
    sameAs(`the sync status of ${wordOf(kind)} ${wordOf(name)}`, findResource(app, kind, name)?.['status'], status),
  ResourceSyncStatusWithNamespaceIs: (app, [kind, name, namespace, status]) =>
    sameAs(
      `the sync status of ${wordOf(kind)} ${wordOf(name)}`,
      findResource(app, kind, name, namespace)?.['status'],
      status,
    ),
  ResourceHealthIs: (app, [kind, name, status]) =>
    sameAs(`the health of ${wordOf(kind)} ${wordOf(name)}`, healthOf(findResource(app, kind, name)), status),
  ResourceHealthWithNamespaceIs: (app, [kind, name, namespace, status]) =>
    sameAs(`the health of ${wordOf(kind)} ${wordOf(name)}`, healthOf(findResource(app, kind, name, namespace)), status),
  ResourceResultNumbering: (app, [count]) => {
    const results = resultsOf(app)
    if (!results) return missing('there is no result of a sync')
    return results.length === count
      ? fine
      : missing(
          `there are ${results.length} results, not ${wordOf(count)}: ${say(results)}`,
          results.length > Number(count),
        )
  },
  ResourceResultIs: (app, [wanted]) =>
    (resultsOf(app) ?? []).some((result) => isDeepStrictEqual(withGroup(result), withGroup(wanted as Fields)))
      ? fine
      : missing(`no result is ${say(wanted)}, there are ${say(resultsOf(app))}`),
  ResourceResultMatches: (app, [wanted]) =>
    (resultsOf(app) ?? []).some((result) => matches(result, wanted as Fields))
      ? fine
      : missing(`no result matches ${say(wanted)}, there are ${say(resultsOf(app))}`),
}

const withGroup = (result: Fields): Fields => ({ group: '', ...result })

function matches(result: Fields, wanted: Fields): boolean {
  const same = ['kind', 'namespace', 'name', 'syncPhase', 'status', 'hookPhase'].every(
    (key) => result[key] === wanted[key],
  )
  return same && new RegExp(wordOf(wanted['message'])).test(wordOf(result['message']))
}

/** Checks one expectation against the world as it is now. */
export async function check(expectation: GoValue, scene: Scene): Promise<Finding> {
  const { $call: name, args } = expectation as unknown as Call
  if (name === 'All' || name === 'Or') return checkSeveral(name, args, scene)
  const of = OF_APPLICATION[name]
  if (of) {
    const app = await scene.argocd.app()
    if (!app) return missing('the Application does not exist')
    const values = args.map((arg) => fromGo(arg, scene.context))
    const found = of(app, values)
    return !found.ok && scene.eventually && scene.argocd.seen().some((version) => of(version, values).ok) ? fine : found
  }
  return checkWorld(name, args, scene)
}

async function checkSeveral(name: string, parts: readonly GoValue[], scene: Scene): Promise<Finding> {
  let last: Finding = fine
  for (const each of parts) {
    last = await check(each, scene)
    if (last.ok === (name === 'Or')) return last
  }
  return last
}

async function checkWorld(name: string, args: readonly GoValue[], scene: Scene): Promise<Finding> {
  const { said, argocd, context } = scene
  const text = (index: number): string => wordOf(fromGo(args[index] ?? '', context))
  switch (name) {
    case 'Success': {
      if (said.error !== '') return missing(`the command failed: ${said.error}`, true)
      const isThere = squeeze(said.output).includes(squeeze(text(0)))
      return isThere ? fine : missing(`the command says ${say(said.output)}, not ${say(text(0))}`, true)
    }
    case 'SuccessRegex':
      if (said.error !== '') return missing(`the command failed: ${said.error}`, true)
      return new RegExp(text(0)).test(said.output) ? fine : missing(`the command says ${say(said.output)}`, true)
    case 'Error':
    case 'ErrorRegex': {
      if (said.error === '') return missing(`the command succeeded: ${say(said.output)}`, true)
      const fits = (whole: string, wanted: string): boolean =>
        name === 'Error' ? whole.includes(wanted) : new RegExp(wanted).test(whole)
      const all = `${said.output}\n${said.error}`
      return fits(all, text(0)) && fits(all, text(1))
        ? fine
        : missing(`the command failed with ${say(said.error)}`, true)
    }
    case 'Event':
    case 'NamespacedEvent':
      return name === 'Event'
        ? checkEvent(CONTROL_NAMESPACE, text(0), text(1), scene)
        : checkEvent(text(0), text(1), text(2), scene)
    case 'DoesNotExistNow':
    case 'DoesNotExist':
      return (await argocd.app()) ? missing('the Application exists') : fine
    case 'Namespace':
    case 'NoNamespace':
      return checkNamespace(name, text(0), scene)
    case 'Pod':
    case 'NotPod':
      // Which Pod is meant is a function that the extract does not hold: what else the scenario says is compared.
      return fine
    case 'ApplicationsExist':
    case 'ApplicationsDoNotExist':
      return checkApplications(name, args[0] ?? null, scene)
  }
  if (SET_CHECKS.includes(name)) return checkSet(name, args, scene)
  throw new Lost(`the expectation ${name}`)
}

const squeeze = (text: string): string => text.replace(/\s+/g, ' ').trim()

async function checkNamespace(name: string, namespace: string, { world }: Scene): Promise<Finding> {
  const got = await world.client.get({ resource: { group: '', version: 'v1', plural: 'namespaces' }, name: namespace })
  return got.ok === (name === 'Namespace')
    ? fine
    : missing(`the namespace ${namespace} ${got.ok ? 'exists' : 'does not exist'}`)
}

async function checkApplications(name: string, list: GoValue, { world, context }: Scene): Promise<Finding> {
  for (const wanted of (fromGo(list, context) as readonly KubeObject[] | null) ?? []) {
    const { name: appName = '', namespace = CONTROL_NAMESPACE } = wanted.metadata
    const got = await world.client.get({ resource: APPLICATIONS, namespace, name: appName })
    if (name === 'ApplicationsDoNotExist') {
      if (got.ok) return missing(`the Application ${appName} exists`)
      continue
    }
    if (!got.ok) return missing(`the Application ${appName} does not exist`)
    const [is, want] = [shapeOf(got.value), shapeOf(wanted)]
    if (!isDeepStrictEqual(is, want)) return missing(`the Application ${appName} is ${say(is)}, not ${say(want)}`)
  }
  return fine
}

/** What upstream compares of two Applications. */
function shapeOf({ metadata, ...rest }: KubeObject): unknown {
  const { labels = {}, annotations = {}, finalizers = [] } = metadata
  const spec = rest['spec']
  const { path, repoURL, targetRevision } = (part(spec, 'source') as Fields | undefined) ?? {}
  const { server, name, namespace } = (part(spec, 'destination') as Fields | undefined) ?? {}
  const shape = { labels, annotations, finalizers, path, repoURL, targetRevision, server, name, namespace }
  return JSON.parse(JSON.stringify({ ...shape, project: part(spec, 'project') })) as unknown
}

async function checkEvent(
  namespace: string,
  reason: string,
  message: string,
  { world, context }: Scene,
): Promise<Finding> {
  const listed = await world.client.list({ resource: { group: '', version: 'v1', plural: 'events' }, namespace })
  const events = (listed.ok ? listed.value.items : []).filter(
    (event) => part(event, 'involvedObject', 'name') === context.name,
  )
  const found = events.some((event) => event['reason'] === reason && wordOf(event['message']).includes(message))
  return found
    ? fine
    : missing(`no event says ${reason} ${message}: ${say(events.map((event) => [event['reason'], event['message']]))}`)
}

const SET_CHECKS: readonly string[] = [
  'ApplicationSetHasConditions',
  'ApplicationSetHasCondition',
  'ApplicationSetHasHealthStatus',
  'ApplicationSetDoesNotHaveApplicationStatus',
  'ApplicationSetHasApplicationStatus',
  'CheckProgressiveSyncStatusCodeOfApplications',
  'CheckApplicationInRightSteps',
  'ApplicationDeletionStarted',
  'ApplicationsExistAndNotBeingDeleted',
]

async function checkSet(name: string, args: readonly GoValue[], scene: Scene): Promise<Finding> {
  const { world, context, setName = '', setNamespace } = scene
  const values = args.map((arg) => fromGo(arg, context))
  const [first] = values
  if (name === 'ApplicationDeletionStarted' || name === 'ApplicationsExistAndNotBeingDeleted') {
    return checkDeletions(name, first as readonly string[], scene)
  }
  const got = await world.client.get({ resource: APPLICATION_SETS, namespace: setNamespace, name: setName })
  if (!got.ok) return missing('the ApplicationSet does not exist')
  const status = part(got.value, 'status')
  const conditions = (part(status, 'conditions') as readonly Fields[] | undefined) ?? []
  const statuses = part(status, 'applicationStatus') as readonly Fields[] | undefined
  switch (name) {
    case 'ApplicationSetHasConditions':
      return hasConditions(conditions, first as readonly Fields[])
    case 'ApplicationSetHasCondition': {
      const [type, wanted, message, reason] = values.map(wordOf)
      const fits = conditions.some(
        (each) =>
          each['type'] === type &&
          each['status'] === wanted &&
          each['reason'] === reason &&
          new RegExp(message ?? '').test(wordOf(each['message'])),
      )
      return fits ? fine : missing(`the conditions are ${say(conditions)}`)
    }
    case 'ApplicationSetHasHealthStatus':
      return sameAs('the health of the set', part(status, 'health', 'status'), first)
    case 'ApplicationSetDoesNotHaveApplicationStatus':
      return statuses === undefined || statuses.length === 0 ? fine : missing(`the set has ${say(statuses)}`, true)
    case 'ApplicationSetHasApplicationStatus':
      return statuses?.length === first && statuses?.every((each) => each['status'] === 'Healthy') === true
        ? fine
        : missing(`the set has ${say(statuses)}`)
    case 'CheckProgressiveSyncStatusCodeOfApplications': {
      if (!statuses) return missing('the set has no status of Applications')
      const wanted = first as Readonly<Record<string, Fields>>
      const wrong = statuses.find(({ application, status: is }) => {
        const want = wanted[wordOf(application)]
        return want !== undefined && want['status'] !== is
      })
      return wrong ? missing(`the set has ${say(wrong)}`) : fine
    }
  }
  const inStep = (statuses ?? []).filter(({ step }) => step === first).map(({ application }) => wordOf(application))
  const isSame = isDeepStrictEqual(inStep.toSorted(), (values[1] as readonly string[]).toSorted())
  return isSame ? fine : missing(`step ${say(first)} has ${say(inStep)}`)
}

function hasConditions(conditions: readonly Fields[], all: readonly Fields[]): Finding {
  for (const wanted of all) {
    const keys = ['type', 'status', 'reason', 'message']
    if (!conditions.some((each) => keys.every((key) => each[key] === wanted[key]))) {
      return missing(`the conditions are ${say(conditions)}, none is ${say(wanted)}`)
    }
  }
  return fine
}

async function checkDeletions(
  name: string,
  names: readonly string[],
  { world, setNamespace }: Scene,
): Promise<Finding> {
  const going: string[] = []
  for (const appName of names) {
    const got = await world.client.get({ resource: APPLICATIONS, namespace: setNamespace, name: appName })
    if (!got.ok) return missing(`the Application ${appName} does not exist`, true)
    if (got.value.metadata.deletionTimestamp !== undefined) going.push(appName)
  }
  if (name === 'ApplicationDeletionStarted') return going.length > 0 ? fine : missing('no Application is being deleted')
  return going.length === 0 ? fine : missing(`${going.join(', ')} is being deleted`, true)
}
