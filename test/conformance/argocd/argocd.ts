import type { Target } from '../../../src/kube/client.ts'
import type { ResourceId } from '../../../src/kube/gvk.ts'
import type { KubeObject } from '../../../src/kube/object.ts'
import { wordOf } from '../chainsaw/chainsaw-test.ts'
import type { World } from '../chainsaw/world.ts'
import { applyFlags, removeFlags } from './application-flags.ts'
import { type Context, CONTROL_NAMESPACE } from './context.ts'
import { Excuse } from './excuse.ts'

type Fields = Readonly<Record<string, unknown>>

/** How an Application is read: missing parts are empty. */
export const part = (object: unknown, ...path: readonly string[]): unknown =>
  path.reduce<unknown>((value, name) => (value as Fields | undefined)?.[name], object)

const GROUP = 'argoproj.io'
const VERSION = 'v1alpha1'
export const APPLICATIONS: ResourceId = { group: GROUP, version: VERSION, plural: 'applications' }
export const APPLICATION_SETS: ResourceId = { group: GROUP, version: VERSION, plural: 'applicationsets' }
const FINALIZER = 'resources-finalizer.argocd.argoproj.io'
const REFRESH = 'argocd.argoproj.io/refresh'
const ENDED = ['Succeeded', 'Failed', 'Error']

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** What a command said, as far as cases look at it. */
export interface Said {
  readonly output: string
  readonly error: string
}

const NOTHING: Said = { output: '', error: '' }

/** Does with the API what the argocd CLI asks its server to do: objects are created, patched and watched, nothing else. */
export class Argocd {
  readonly #world: World
  readonly #context: Context

  /** Every version of the Application since the last action, as a watch told them. */
  readonly #versions: KubeObject[] = []
  #since = 0

  constructor(world: World, context: Context) {
    this.#world = world
    this.#context = context
  }

  /** Keeps what the Application has been until the signal is aborted: what is waited for may be true for a moment only. */
  async watch(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        for await (const event of this.#world.client.watch({ resource: APPLICATIONS }, { signal })) {
          if (event.type !== 'ADDED' && event.type !== 'MODIFIED') continue
          const { name, namespace } = event.object.metadata
          if (name === this.#context.name && namespace === this.#context.appNamespace) this.#versions.push(event.object)
        }
      } catch {
        // It is watched again, unless the scenario is over.
      }
      if (!signal.aborted) await pause(100)
    }
  }

  /** What the Application has been since the last action ended. */
  seen(): readonly KubeObject[] {
    return this.#versions.filter(({ metadata }) => Number(metadata.resourceVersion) > this.#since)
  }

  /** Forgets what was before: an action has ended, and what follows is about what it did. */
  async settle(): Promise<void> {
    const app = await this.app()
    this.#since = Number(app?.metadata.resourceVersion ?? 1) - 1
  }

  target(): Target {
    return { resource: APPLICATIONS, namespace: this.#context.appNamespace, name: this.#context.name }
  }

  async app(): Promise<KubeObject | undefined> {
    const got = await this.#world.client.get(this.target())
    if (got.ok) return got.value
    if (got.error.reason === 'NotFound') return undefined
    throw new Error(got.error.message)
  }

  async until(
    what: string,
    ms: number,
    test: (app: KubeObject | undefined) => boolean,
  ): Promise<KubeObject | undefined> {
    const end = Date.now() + ms
    for (;;) {
      const app = await this.app()
      if (test(app)) return app
      if (Date.now() > end) throw new Error(`waited too long for ${what}`)
      await pause(30)
    }
  }

  specOfContext(): Record<string, unknown> {
    const { project, destServer, deploymentNamespace, repoType, path, chart, revision, tagPrefix } = this.#context
    const { namePrefix, nameSuffix, doesRecurse, doesPassCredentials, destName, sources } = this.#context
    const destination = {
      ...(destName === '' ? { server: destServer } : { name: destName }),
      namespace: deploymentNamespace,
    }
    if (sources.length > 0) {
      return { project, destination, sources, syncPolicy: { automated: { selfHeal: true } } }
    }
    return {
      project,
      destination,
      source: {
        repoURL: this.#context.repoURL(repoType),
        ...(path === '' ? {} : { path }),
        ...(chart === '' ? {} : { chart }),
        ...(revision === '' ? {} : { targetRevision: revision }),
        ...(tagPrefix === '' ? {} : { tagPrefix }),
        ...(doesRecurse ? { directory: { recurse: true } } : {}),
        ...(doesPassCredentials ? { helm: { passCredentials: true } } : {}),
        ...(namePrefix || nameSuffix
          ? { kustomize: { ...(namePrefix ? { namePrefix } : {}), ...(nameSuffix ? { nameSuffix } : {}) } }
          : {}),
      },
    }
  }

  /** Creates the Application; one that its controller calls invalid is taken away again, as a server would not have let it in. */
  async create(object: KubeObject): Promise<Said> {
    const { namespace = CONTROL_NAMESPACE } = object.metadata
    const created = await this.#world.client.create({ resource: APPLICATIONS, namespace }, object)
    if (!created.ok) return { output: '', error: created.error.message }
    if (object.metadata.annotations?.['argocd.argoproj.io/skip-reconcile'] === 'true') return NOTHING
    const app = await this.until(
      'the first comparison',
      15_000,
      (seen) => part(seen, 'status', 'sync', 'status') !== undefined || conditionsOf(seen).length > 0,
    )
    const status = part(app, 'status', 'sync', 'status')
    const wrong = conditionsOf(app).filter(({ type }) => type === 'InvalidSpecError' || type === 'ComparisonError')
    if (wrong.length === 0 || (status !== undefined && status !== 'Unknown')) return NOTHING
    await this.#world.client.delete(this.target())
    // The upstream server words a missing project as a missing permission.
    const because = wrong.map(({ message }) =>
      /referencing project .* does not exist/.test(message)
        ? `it is not allowed to use the project: ${message}`
        : message,
    )
    return { output: '', error: because.join('; ') }
  }

  async createFromFlags(flags: readonly string[], isNamespaced: boolean): Promise<Said> {
    const { name, appNamespace } = this.#context
    const start = this.specOfContext()
    if (!isNamespaced) start['destination'] = { server: this.#context.destServer }
    const { helmFlags, parameters } = this.#context
    const all = [...helmFlags, ...parameters.flatMap((parameter) => ['--parameter', parameter]), ...flags]
    const { spec, labels, annotations } = applyFlags(start, all)
    return this.create({
      apiVersion: `${GROUP}/${VERSION}`,
      kind: 'Application',
      metadata: { name, namespace: appNamespace, labels, annotations },
      spec,
    })
  }

  async set(flags: readonly string[]): Promise<Said> {
    return this.#change((app) => {
      const { spec, labels } = applyFlags(app['spec'] as Record<string, unknown>, flags)
      return { ...app, metadata: { ...app.metadata, labels: { ...app.metadata.labels, ...labels } }, spec }
    })
  }

  /** Writes what a change makes of the Application, again when somebody else was faster. */
  async #change(change: (app: KubeObject) => KubeObject): Promise<Said> {
    for (let tries = 0; ; tries++) {
      const updated = await this.#world.client.update(this.target(), change(await this.#mustExist()))
      if (updated.ok) return NOTHING
      if (updated.error.reason !== 'Conflict' || tries > 20) return { output: '', error: updated.error.message }
    }
  }

  async unset(flags: readonly string[]): Promise<Said> {
    return this.#change((app) => ({ ...app, spec: removeFlags(app['spec'] as Record<string, unknown>, flags) }))
  }

  /** Says that what waits for a confirmation before it is deleted may go. */
  async confirmDeletion(): Promise<Said> {
    const annotations = { 'argocd.argoproj.io/deletion-approved': new Date().toISOString() }
    const patched = await this.#world.client.patch(this.target(), {
      type: 'merge',
      body: { metadata: { annotations } },
    })
    return patched.ok ? NOTHING : { output: '', error: patched.error.message }
  }

  async deleteBySelector(selector: string, waits: boolean): Promise<Said> {
    const listed = await this.#world.client.list({ resource: APPLICATIONS }, { labelSelector: selector })
    if (!listed.ok) return { output: '', error: listed.error.message }
    if (listed.value.items.length === 0) return { output: '', error: `no apps match selector ${selector}` }
    for (const { metadata } of listed.value.items) {
      const target = { resource: APPLICATIONS, namespace: metadata.namespace ?? '', name: metadata.name ?? '' }
      const finalizers = [...new Set([...(metadata.finalizers ?? []), FINALIZER])]
      await this.#world.client.patch(target, { type: 'merge', body: { metadata: { finalizers } } })
      await this.#world.client.delete(target)
    }
    if (waits) await this.until('the Application to be gone', 15_000, (app) => app === undefined)
    return NOTHING
  }

  async #mustExist(): Promise<KubeObject> {
    const app = await this.app()
    if (!app) throw new Error(`the Application ${this.#context.name} does not exist`)
    return app
  }

  async patch(type: 'json' | 'merge', body: string): Promise<Said> {
    const patched = await this.#world.client.patch(this.target(), { type, body: JSON.parse(body) as never })
    return patched.ok ? NOTHING : { output: '', error: patched.error.message }
  }

  async refresh(kind: string): Promise<Said> {
    const body = { metadata: { annotations: { [REFRESH]: kind } } }
    const patched = await this.#world.client.patch(this.target(), { type: 'merge', body })
    if (!patched.ok) return { output: '', error: patched.error.message }
    await this.until('a refresh', 20_000, (app) => !app || app.metadata.annotations?.[REFRESH] === undefined)
    this.#since = Number(patched.value.metadata.resourceVersion)
    return NOTHING
  }

  async sync(flags: readonly string[]): Promise<Said> {
    const app = await this.until('the end of the operation before', 20_000, (seen) => seen?.['operation'] === undefined)
    if (!app) return { output: '', error: `the Application ${this.#context.name} does not exist` }
    const began = part(app, 'status', 'operationState', 'startedAt')
    const policy = part(app, 'spec', 'syncPolicy')
    const operation = {
      initiatedBy: { username: 'admin' },
      sync: syncOf([...flags, ...contextFlags(this.#context)], policy),
      ...retryOf(policy),
    }
    const patched = await this.#world.client.patch(this.target(), { type: 'merge', body: { operation } as never })
    if (!patched.ok) return { output: '', error: patched.error.message }
    if (this.#context.isAsync || flags.includes('--async')) {
      await this.until('the operation to begin', 10_000, (seen) => seen?.['operation'] === undefined)
      return NOTHING
    }
    const state = (seen: unknown): unknown => part(seen, 'status', 'operationState', 'phase')
    const isOver = (seen: KubeObject | undefined): boolean =>
      !seen ||
      (seen['operation'] === undefined &&
        ENDED.includes(wordOf(state(seen))) &&
        (began === undefined || part(seen, 'status', 'operationState') !== part(app, 'status', 'operationState')))
    let ended: KubeObject | undefined
    try {
      ended = await this.until('the operation', this.#context.timeoutSeconds * 1_000, isOver)
    } catch (error) {
      return { output: '', error: String(error) }
    }
    const output = outputOf(ended)
    const phase = wordOf(state(ended))
    const error = phase === 'Succeeded' ? '' : `Operation has completed with phase: ${phase}\n${output}`
    return { output, error }
  }

  async wait(): Promise<Said> {
    try {
      await this.until('the Application to be synced and healthy', this.#context.timeoutSeconds * 1_000, (app) => {
        const phase = part(app, 'status', 'operationState', 'phase')
        return (
          part(app, 'status', 'sync', 'status') === 'Synced' &&
          part(app, 'status', 'health', 'status') === 'Healthy' &&
          app?.['operation'] === undefined &&
          (phase === undefined || ENDED.includes(wordOf(phase)))
        )
      })
      return NOTHING
    } catch (error) {
      return { output: '', error: String(error) }
    }
  }

  async delete(cascade: boolean): Promise<Said> {
    const app = await this.app()
    if (!app) return { output: '', error: 'not found' }
    const others = (app.metadata.finalizers ?? []).filter((name) => !name.startsWith(FINALIZER))
    const finalizers = cascade ? [...others, FINALIZER] : others
    await this.#world.client.patch(this.target(), { type: 'merge', body: { metadata: { finalizers } } })
    const deleted = await this.#world.client.delete(this.target())
    return deleted.ok ? NOTHING : { output: '', error: deleted.error.message }
  }

  async terminate(): Promise<Said> {
    const app = await this.#mustExist()
    if (part(app, 'status', 'operationState', 'phase') !== 'Running')
      return { output: '', error: 'no operation is in progress' }
    const body = { status: { operationState: { phase: 'Terminating' } } }
    const patched = await this.#world.client.patch(this.target(), { type: 'merge', body })
    return patched.ok ? NOTHING : { output: '', error: patched.error.message }
  }
}

export interface AppCondition {
  readonly type: string
  readonly message: string
}

export const conditionsOf = (app: unknown): readonly AppCondition[] =>
  (part(app, 'status', 'conditions') as readonly AppCondition[] | undefined) ?? []

function retryOf(policy: unknown): { readonly retry?: unknown } {
  const retry = part(policy, 'retry')
  return retry === undefined ? {} : { retry }
}

/** The operation that flags of `argocd app sync` ask for, with the sync options of the Application, as its server adds them. */
const contextFlags = (context: Context): readonly string[] => [
  ...(context.resource === '' ? [] : ['--resource', context.resource]),
  ...(context.doesPrune ? ['--prune'] : []),
  ...(context.doesForce ? ['--force'] : []),
  ...(context.doesReplace ? ['--replace'] : []),
  ...(context.isOutOfSyncOnly ? ['--apply-out-of-sync-only'] : []),
]

function syncOf(names: readonly string[], policy: unknown): Fields {
  const options = [...((part(policy, 'syncOptions') as readonly string[] | undefined) ?? [])]
  const resources: Fields[] = []
  const sync: Record<string, unknown> = {}
  for (let index = 0; index < names.length; index++) {
    const flag = names[index] ?? ''
    switch (flag) {
      case '--prune':
      case '--dry-run':
        sync[flag === '--prune' ? 'prune' : 'dryRun'] = true
        break
      case '--force':
        sync['syncStrategy'] = { hook: { force: true } }
        break
      case '--server-side':
        options.push('ServerSideApply=true')
        break
      case '--replace':
        options.push('Replace=true')
        break
      case '--apply-out-of-sync-only':
        options.push('ApplyOutOfSyncOnly=true')
        break
      case '--revision':
        sync['revision'] = names[++index]
        break
      case '--resource': {
        const [group = '', kind = '', place = ''] = (names[++index] ?? '').split(':')
        const [name = '', namespace] = place.split('/').toReversed()
        resources.push({ group, kind, name, ...(namespace === undefined ? {} : { namespace }) })
        break
      }
      case '--async':
        break
      case '--strategy':
        sync['syncStrategy'] = { [names[++index] ?? 'hook']: {} }
        break
      case '--timeout':
      case '--retry-limit':
        index += 1
        break
      default:
        throw new Excuse(`needs the flag ${flag} of the argocd CLI`)
    }
  }
  return {
    syncStrategy: { hook: {} },
    ...sync,
    ...(options.length > 0 ? { syncOptions: options } : {}),
    ...(resources.length > 0 ? { resources } : {}),
  }
}

/** The lines about an operation that cases look for. */
function outputOf(app: unknown): string {
  const results =
    (part(app, 'status', 'operationState', 'syncResult', 'resources') as readonly Fields[] | undefined) ?? []
  const lines = results.map(({ name, status, message }) =>
    [name, status, message].map((word) => wordOf(word)).join('  '),
  )
  return [...lines, wordOf(part(app, 'status', 'operationState', 'message'))].join('\n')
}
