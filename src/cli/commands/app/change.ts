import type { Command } from 'commander'
import type { RemoteClient } from '../../../client/remote-client.ts'
import type { Target } from '../../../kube/client.ts'
import { parseDuration } from '../../../lib/duration.ts'
import { systemClock } from '../../../lib/clock.ts'
import { formatTime } from '../../../kube/time.ts'
import { BACKGROUND_FINALIZER, FOREGROUND_FINALIZER } from '../../../gitops/application/plan/deletion.ts'
import { PAUSED_BECAUSE, PAUSED_UNTIL } from '../../../gitops/application/plan/pause.ts'
import type { Io } from '../../command.ts'
import { follow, getApplication, patchApplication, targetOf } from './applications.ts'
import type { Call } from '../../cluster-command.ts'
import { addAppCommand, type AppFlags, complain } from './flags.ts'

interface PauseFlags extends AppFlags {
  readonly for?: string
  readonly why?: string
}

interface DeleteFlags extends AppFlags {
  readonly cascade: boolean
  readonly propagationPolicy: string
  readonly wait?: boolean
  readonly timeout: string
}

const name: readonly [string, string] = ['<name>', 'NAME, or NAMESPACE/NAME']

/** The commands that change an Application itself: pause, resume, delete. */
export function addChangers(parent: Command, io: Io): void {
  addAppCommand<PauseFlags>(
    parent,
    {
      name: 'pause',
      summary: 'stop syncing automatically, for a time or until resumed',
      arguments: [name],
      options: (command) =>
        void command
          .option('--for <duration>', 'end the pause after so long')
          .option('--why <text>', 'tell others why'),
      examples: ['idp app pause shop', "idp app pause shop --for 2h --why 'a look at the database'"],
      run: runPause,
    },
    io,
  )
  addAppCommand<AppFlags>(
    parent,
    {
      name: 'resume',
      summary: 'sync automatically again',
      arguments: [name],
      examples: ['idp app resume shop'],
      async run({ words: [app = ''], flags, client, io: out }) {
        const target = targetOf(app, flags.namespace)
        const found = await getApplication(client, target)
        if (!found.ok) return complain('resume', found.error, out)
        const body = { metadata: { annotations: { [PAUSED_UNTIL]: null, [PAUSED_BECAUSE]: null } } }
        const changed = await patchApplication(client, target, body)
        if (!changed.ok) return complain('resume', changed.error, out)
        out.out(`${app}: resumed\n`)
        return 0
      },
    },
    io,
  )
  addAppCommand<DeleteFlags>(
    parent,
    {
      name: 'delete',
      summary: 'delete an Application with its objects, or without them',
      arguments: [name],
      options: (command) =>
        void command
          .option('--no-cascade', 'leave its objects in the cluster')
          .option('--propagation-policy <policy>', 'foreground or background', 'foreground')
          .option('--wait', 'until it is gone')
          .option('--timeout <duration>', 'wait so long', '10m'),
      examples: ['idp app delete shop --wait', 'idp app delete shop --no-cascade'],
      run: runDelete,
    },
    io,
  )
}

async function runPause({ words: [app = ''], flags, client, io }: Call<PauseFlags>): Promise<0 | 1 | 2> {
  const target = targetOf(app, flags.namespace)
  const found = await getApplication(client, target)
  if (!found.ok) return complain('pause', found.error, io)
  const length = flags.for === undefined ? undefined : parseDuration(flags.for)
  if (length && !length.ok) {
    io.err(`idp app pause: --for ${JSON.stringify(flags.for)} is not a duration, such as 2h\n`)
    return 2
  }
  const until = length ? formatTime(systemClock.now() + Number(length.value / 1_000_000n)) : 'resumed'
  const annotations = { [PAUSED_UNTIL]: until, [PAUSED_BECAUSE]: flags.why ?? null }
  const changed = await patchApplication(client, target, { metadata: { annotations } })
  if (!changed.ok) return complain('pause', changed.error, io)
  io.out(`${app}: paused until ${until === 'resumed' ? 'it is resumed' : until}\n`)
  return 0
}

async function runDelete({ words: [app = ''], flags, client, io }: Call<DeleteFlags>): Promise<0 | 1 | 2> {
  const target = targetOf(app, flags.namespace)
  const found = await getApplication(client, target)
  if (!found.ok) return complain('delete', found.error, io)
  const policies = new Map([
    ['foreground', FOREGROUND_FINALIZER],
    ['background', BACKGROUND_FINALIZER],
  ])
  const finalizer = policies.get(flags.propagationPolicy)
  if (!finalizer) {
    io.err(
      `idp app delete: there is no --propagation-policy ${flags.propagationPolicy}: use foreground or background\n`,
    )
    return 2
  }
  const others = (found.value.metadata.finalizers ?? []).filter((one) => !one.startsWith('resources-finalizer.argocd'))
  const changed = await patchApplication(client, target, {
    metadata: { finalizers: flags.cascade ? [...others, finalizer] : others },
  })
  if (!changed.ok) return complain('delete', changed.error, io)
  const answer = await client.delete(target)
  if (!answer.ok) {
    io.err(`idp app delete: ${answer.error.message}\n`)
    return 1
  }
  if (!flags.wait) {
    io.out(`${app}: is being deleted${flags.cascade ? ' with its objects' : '; its objects stay'}\n`)
    return 0
  }
  return waitUntilGone(client, target, flags.timeout, io)
}

/** Tells what a deletion waits for until it is done. */
async function waitUntilGone(client: RemoteClient, target: Target, timeout: string, io: Io): Promise<0 | 1> {
  const parsed = parseDuration(timeout)
  const limit = AbortSignal.any([
    io.signal,
    AbortSignal.timeout(parsed.ok ? Number(parsed.value / 1_000_000n) : 600_000),
  ])
  let told = ''
  try {
    for await (const state of follow(client, target, limit)) {
      if (!state) {
        io.out(`${target.name}: deleted\n`)
        return 0
      }
      const message = state.status?.conditions?.find(({ type }) => type === 'DeletionError')?.message ?? ''
      if (message !== '' && message !== told) io.out(`${message}\n`)
      told = message
    }
  } catch (error) {
    if (!limit.aborted) throw error
  }
  io.err(`idp app delete: ${target.name} is still there after ${timeout}${told === '' ? '' : `: ${told}`}\n`)
  return 1
}
