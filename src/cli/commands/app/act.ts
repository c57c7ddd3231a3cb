import type { Command } from 'commander'
import type { RemoteClient } from '../../../client/remote-client.ts'
import type {
  Application,
  Operation,
  OperationState,
  RevisionHistory,
  SyncOperation,
} from '../../../gitops/application/application.ts'
import { PAUSED_BECAUSE, PAUSED_UNTIL } from '../../../gitops/application/plan/pause.ts'
import { isSelected } from '../../../gitops/sync/selected.ts'
import { isInProgress } from '../../../gitops/application/plan/operation-state.ts'
import type { Target } from '../../../kube/client.ts'
import type { Json } from '../../../lib/json.ts'
import { parseDuration } from '../../../lib/duration.ts'
import { printAs } from '../../cluster-client.ts'
import type { Io } from '../../command.ts'
import { follow, getApplication, patchApplication, targetOf } from './applications.ts'
import type { Call } from '../../cluster-command.ts'
import { addAppCommand, type AppFlags, complain } from './flags.ts'
import { outcomeText, progressTeller } from './progress.ts'

interface SyncFlags extends AppFlags {
  readonly revision?: string
  readonly prune?: boolean
  readonly dryRun?: boolean
  readonly force?: boolean
  readonly applyOnly?: boolean
  readonly replace?: boolean
  readonly serverSide?: boolean
  readonly resource?: readonly string[]
  readonly option?: readonly string[]
  readonly retryLimit?: string
  readonly async?: boolean
  readonly timeout: string
}

interface WaitFlags extends AppFlags {
  readonly sync?: boolean
  readonly health?: boolean
  readonly operation?: boolean
  readonly timeout: string
}

const name: readonly [string, string] = ['<name>', 'NAME, or NAMESPACE/NAME']
const several = (value: string, before: readonly string[] = []): readonly string[] => [...before, value]

/** The commands that sync and wait: sync, rollback, terminate, wait. */
export function addActors(parent: Command, io: Io): void {
  addAppCommand<SyncFlags>(
    parent,
    {
      name: 'sync',
      summary: 'bring the cluster to what Git says, and tell how that goes',
      arguments: [name],
      options: (command) =>
        void command
          .option('--revision <revision>', 'what to sync to, instead of what the Application names')
          .option('--prune', 'remove what Git does not have')
          .option('--dry-run', 'only try')
          .option('--force', 'delete and create again what cannot be changed')
          .option('--apply-only', 'apply without hooks')
          .option('--replace', 'replace objects instead of applying them')
          .option('--server-side', 'apply on the server')
          .option(
            '--resource <group:kind:name>',
            'only this object, or with ! in front all but it; may be repeated',
            several,
          )
          .option('--option <name=value>', 'a sync option, such as CreateNamespace=true; may be repeated', several)
          .option('--retry-limit <count>', 'try again so often')
          .option('--async', 'do not wait until it is done')
          .option('--timeout <duration>', 'wait so long', '10m'),
      examples: [
        'idp app sync shop',
        'idp app sync shop --prune --revision v1.2.3',
        "idp app sync shop --resource apps:Deployment:web --resource '!:ConfigMap:cache'",
      ],
      run: runSync,
    },
    io,
  )
  addAppCommand<AppFlags & { readonly timeout: string }>(
    parent,
    {
      name: 'rollback',
      summary: 'sync to what was synced before, and stop syncing automatically until resumed',
      arguments: [name, ['[id]', 'an id of the history; without it, the sync before the last one']],
      options: (command) => void command.option('--timeout <duration>', 'wait so long', '10m'),
      examples: ['idp app rollback shop', 'idp app rollback shop 3'],
      run: runRollback,
    },
    io,
  )
  addAppCommand<AppFlags>(
    parent,
    {
      name: 'terminate',
      summary: 'end the sync that is in progress',
      arguments: [name],
      examples: ['idp app terminate shop'],
      async run({ words: [app = ''], flags, client, io: out }) {
        const target = targetOf(app, flags.namespace)
        const found = await getApplication(client, target)
        if (!found.ok) return complain('terminate', found.error, out)
        if (!isInProgress(found.value.status?.operationState)) {
          out.out(`${app}: no sync is in progress\n`)
          return 0
        }
        const body = { status: { operationState: { phase: 'Terminating', message: 'operation is terminating' } } }
        const changed = await patchApplication(client, target, body)
        if (!changed.ok) return complain('terminate', changed.error, out)
        out.out(`${app}: the sync is being ended\n`)
        return 0
      },
    },
    io,
  )
  addAppCommand<WaitFlags>(
    parent,
    {
      name: 'wait',
      summary: 'wait until an Application is Synced and Healthy and at rest',
      arguments: [name],
      options: (command) =>
        void command
          .option('--sync', 'until it is Synced')
          .option('--health', 'until it is Healthy')
          .option('--operation', 'until no sync is in progress')
          .option('--timeout <duration>', 'wait so long', '10m'),
      examples: ['idp app wait shop', 'idp app wait shop --health --timeout 2m'],
      async run(call) {
        const isAll = !call.flags.sync && !call.flags.health && !call.flags.operation
        const isDone = ({ status, operation }: Application): boolean =>
          (!(isAll || call.flags.sync) || status?.sync?.status === 'Synced') &&
          (!(isAll || call.flags.health) || status?.health?.status === 'Healthy') &&
          (!(isAll || call.flags.operation) || (!operation && !isInProgress(status?.operationState)))
        return waitFor('wait', call, targetOf(call.words[0] ?? '', call.flags.namespace), isDone)
      },
    },
    io,
  )
}

async function runSync(call: Call<SyncFlags>): Promise<0 | 1 | 2> {
  const { words, flags, client, io } = call
  const [app = ''] = words
  const target = targetOf(app, flags.namespace)
  const found = await getApplication(client, target)
  if (!found.ok) return complain('sync', found.error, io)
  const resources = resourcesOf(flags.resource ?? [], found.value)
  if ('because' in resources) {
    io.err(`idp app sync: ${resources.because}\n`)
    return 2
  }
  const limit = Number(flags.retryLimit ?? Number.NaN)
  const retry = Number.isNaN(limit) ? found.value.spec.syncPolicy?.retry : { limit }
  const operation = { sync: syncOf(flags, found.value, resources), ...(retry ? { retry } : {}) }
  return begin(call, { target, app: found.value, operation }, 'sync')
}

function syncOf(flags: SyncFlags, { spec }: Application, resources: Resources): SyncOperation {
  const options = [
    ...(flags.option ?? spec.syncPolicy?.syncOptions ?? []),
    ...(flags.replace ? ['Replace=true'] : []),
    ...(flags.serverSide ? ['ServerSideApply=true'] : []),
  ]
  const force = flags.force ? { force: true } : {}
  return {
    ...(flags.revision === undefined ? {} : { revision: flags.revision }),
    ...(flags.prune ? { prune: true } : {}),
    ...(flags.dryRun ? { dryRun: true } : {}),
    ...(flags.applyOnly ? { syncStrategy: { apply: force } } : flags.force ? { syncStrategy: { hook: force } } : {}),
    ...(options.length > 0 ? { syncOptions: options } : {}),
    ...(resources.length > 0 ? { resources } : {}),
  }
}

interface Beginning {
  readonly target: Target
  readonly app: Application
  readonly operation: Operation
  /** What else changes with it. */
  readonly more?: Readonly<Record<string, Json>>
}

/** Asks for an operation and, unless told not to, waits for its end. */
async function begin(
  call: Call<AppFlags & { readonly timeout: string; readonly async?: boolean }>,
  { target, app, operation, more = {} }: Beginning,
  name: string,
): Promise<0 | 1 | 2> {
  const { client, io, flags, format } = call
  const before: OperationState | undefined = app.status?.operationState
  const isBusy: boolean = isInProgress(before)
  if (app.operation || isBusy) {
    io.err(
      `idp app ${name}: a sync is in progress: ${before?.message ?? 'it is about to begin'} (wait for it, or end it with idp app terminate ${target.name})\n`,
    )
    return 1
  }
  const asked: Operation = { ...operation, initiatedBy: { username: io.env['USER'] ?? 'idp' } }
  const changed = await patchApplication(client, target, { ...more, operation: asked as unknown as Json }) // plain data
  if (!changed.ok) return complain(name, changed.error, io)
  if (flags.async) {
    io.out(`${target.name}: a sync has been asked for\n`)
    return 0
  }
  const tell = format === 'text' ? progressTeller(io) : () => {}
  // What was asked for is there until it is over, or in progress; times cannot tell two syncs of one second apart.
  const isOver = (one: Application): boolean => {
    const state = one.status?.operationState
    if (isInProgress(state)) tell(one)
    if (one.operation !== undefined || state === undefined || isInProgress(state)) return false
    tell(one)
    return true
  }
  const end = await followUntil(client, { target, isDone: isOver, timeout: flags.timeout }, io)
  if (!end) {
    io.err(`idp app ${name}: the sync is not over after ${flags.timeout} (see idp app why ${target.name})\n`)
    return 1
  }
  printAs(format, end, () => outcomeText(end), io)
  return end.status?.operationState?.phase === 'Succeeded' ? 0 : 1
}

async function runRollback(call: Call<AppFlags & { readonly timeout: string }>): Promise<0 | 1 | 2> {
  const { words, flags, client, io } = call
  const [app = '', id] = words
  const target = targetOf(app, flags.namespace)
  const found = await getApplication(client, target)
  if (!found.ok) return complain('rollback', found.error, io)
  const history = found.value.status?.history ?? []
  const entry = id === undefined ? history.at(-2) : history.find((one) => String(one.id) === id)
  if (!entry) {
    const known = history.map((one) => one.id).join(', ') || 'none'
    io.err(
      `idp app rollback: ${id === undefined ? 'there is no earlier sync' : `there is no sync with the id ${id}`}: there are ${known}\n`,
    )
    return 2
  }
  const sync = rollbackTo(entry, found.value)
  // What syncs on its own would be back at the newest revision at once.
  const pause = {
    [PAUSED_UNTIL]: 'resumed',
    [PAUSED_BECAUSE]: `rolled back to ${String(entry.id)}`,
  }
  const more = found.value.spec.syncPolicy?.automated ? { metadata: { annotations: pause } } : {}
  if ('metadata' in more) io.out(`${app}: automated syncs are paused; idp app resume ${app} ends that\n`)
  return begin(call, { target, app: found.value, operation: { sync }, more }, 'rollback')
}

function rollbackTo({ source, sources, revision, revisions }: RevisionHistory, { spec }: Application): SyncOperation {
  const isMany = sources !== undefined && sources.length > 0
  const { syncOptions } = spec.syncPolicy ?? {}
  return {
    prune: true,
    ...(isMany ? { sources, revisions: revisions ?? [] } : { revision: revision ?? '' }),
    ...(source && !isMany ? { source } : {}),
    ...(syncOptions ? { syncOptions } : {}),
  }
}

async function waitFor(
  name: string,
  { client, io, flags, format }: Call<WaitFlags>,
  target: Target,
  isDone: (app: Application) => boolean,
): Promise<0 | 1> {
  const found = await getApplication(client, target)
  if (!found.ok) return complain(name, found.error, io)
  const end = await followUntil(client, { target, isDone, timeout: flags.timeout }, io)
  if (!end) {
    const last = await getApplication(client, target)
    const { sync, health, operationState } = (last.ok ? last.value.status : undefined) ?? {}
    io.err(
      `idp app ${name}: ${target.name} is ${sync?.status ?? 'not looked at'} and ${health?.status ?? 'unknown'} after ${flags.timeout}${operationState?.message ? `: ${operationState.message}` : ''} (see idp app why ${target.name})\n`,
    )
    return 1
  }
  printAs(
    format,
    end,
    () => `${target.name}: ${end.status?.sync?.status ?? ''}, ${end.status?.health?.status ?? ''}\n`,
    io,
  )
  return 0
}

interface Following {
  readonly target: Target
  readonly isDone: (app: Application) => boolean
  readonly timeout: string
}

/** The Application once it is as wanted; undefined when time runs out or it is gone. */
async function followUntil(
  client: RemoteClient,
  { target, isDone, timeout }: Following,
  io: Io,
): Promise<Application | undefined> {
  const parsed = parseDuration(timeout)
  const limit = AbortSignal.timeout(parsed.ok ? Number(parsed.value / 1_000_000n) : 600_000)
  const signal = AbortSignal.any([io.signal, limit])
  try {
    for await (const app of follow(client, target, signal)) {
      if (!app) return undefined
      if (isDone(app)) return app
    }
  } catch (error) {
    if (!signal.aborted) throw error
  }
  return undefined
}

type Resources = NonNullable<SyncOperation['resources']>

/**
 * `group:kind:name` or `group:kind:namespace/name`, with `!` in front for all but that. An operation can only name what it
 * means, so what is left is worked out here.
 */
function resourcesOf(words: readonly string[], { status }: Application): Resources | { readonly because: string } {
  const named: Resources[number][] = []
  for (const word of words) {
    const exclude = word.startsWith('!')
    const [group, kind = '', rest = '', ...more] = (exclude ? word.slice(1) : word).split(':')
    if (group === undefined || more.length > 0 || kind === '' || rest === '') {
      return { because: `--resource ${JSON.stringify(word)} is not GROUP:KIND:NAME` }
    }
    const slash = rest.indexOf('/')
    const place = slash < 0 ? {} : { namespace: rest.slice(0, slash) }
    named.push({ group, kind, name: rest.slice(slash + 1), ...place, ...(exclude ? { exclude: true } : {}) })
  }
  if (named.length === 0) return []
  const chosen = (status?.resources ?? [])
    .map(({ group = '', kind = '', namespace = '', name: called = '' }) => ({ group, kind, namespace, name: called }))
    .filter((key) => isSelected(key, named))
  if (chosen.length === 0) return { because: `${words.join(' ')} names no object of the Application` }
  return chosen.map(({ namespace, ...key }) => ({ ...key, ...(namespace === '' ? {} : { namespace }) }))
}
