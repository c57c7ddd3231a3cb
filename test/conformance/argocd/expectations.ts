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
    case 'ApplicationSetHasConditions':
      return checkSetConditions(args[0] ?? null, scene)
  }
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
  return JSON.parse(JSON.stringify({ labels, annotations, finalizers, spec: rest['spec'] })) as unknown
}

async function checkSetConditions(list: GoValue, { world, context, setName }: Scene): Promise<Finding> {
  const got = await world.client.get({ resource: APPLICATION_SETS, namespace: CONTROL_NAMESPACE, name: setName ?? '' })
  if (!got.ok) return missing('the ApplicationSet does not exist')
  const conditions = (part(got.value, 'status', 'conditions') as readonly Fields[] | undefined) ?? []
  for (const wanted of fromGo(list, context) as readonly Fields[]) {
    const keys = ['type', 'status', 'reason', 'message']
    if (!conditions.some((each) => keys.every((key) => each[key] === wanted[key]))) {
      return missing(`the conditions are ${say(conditions)}, none is ${say(wanted)}`)
    }
  }
  return fine
}
