import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { openFileLog } from '../apiserver/audit/file-log.ts'
import { usualAuditRules } from '../apiserver/audit/policy.ts'
import { writeSecret } from '../apiserver/pki/server-pki.ts'
import { openState } from '../apiserver/state.ts'
import { type Backbone, type BackboneOptions, startBackbone } from '../backbone.ts'
import type { UserInfo } from '../kube/admission.ts'
import type { Client } from '../kube/client.ts'
import { systemClock } from '../lib/clock.ts'
import { systemIds } from '../lib/ids.ts'
import { type Log, logTo } from '../lib/log.ts'
import { type Result, succeed } from '../lib/result.ts'
import { STATE_KUBECONFIG } from './cluster-client.ts'
import type { Io } from './command.ts'

/** What an embedded cluster is started with by a command. */
export interface EmbeddedOptions extends Pick<BackboneOptions, 'chosen' | 'host' | 'port' | 'workingFolder'> {
  readonly nodes: NonNullable<BackboneOptions['nodes']>
  readonly stateFolder: string
  /** Whether requests are written down in `audit.log` of the state folder. */
  readonly audit: boolean
  readonly log: Log
}

/** An embedded cluster at work. */
export interface EmbeddedPlatform extends Pick<Backbone, 'server' | 'running' | 'controllers' | 'metrics'> {
  /** The administrator's kubeconfig. */
  readonly kubeconfig: string
  /** A way in for whoever starts the platform. */
  readonly client: Client
  /** Lets what is under way end, then closes everything. */
  close(): Promise<void>
}

const starter: UserInfo = { username: 'system:idp-bootstrap', groups: ['system:masters', 'system:authenticated'] }

/** A log on standard error, of what somebody should know. */
export const warningsTo = (io: Pick<Io, 'err'>): Log =>
  logTo(
    ({ level, message, fields }) => {
      if (level === 'warn' || level === 'error') io.err(`${level} ${message} ${JSON.stringify(fields)}\n`)
    },
    () => systemClock.now(),
  )

/** Opens the state folder, starts everything that was chosen on it, and leaves a kubeconfig there. */
export async function startEmbedded(
  { stateFolder, audit, ...options }: EmbeddedOptions,
  { env }: Pick<Io, 'env'>,
): Promise<Result<EmbeddedPlatform>> {
  await mkdir(stateFolder, { recursive: true, mode: 0o700 })
  const state = await openState(stateFolder)
  if (!state.ok) return state
  const { store } = state.value
  const auditLog = audit ? openFileLog(join(stateFolder, 'audit.log')) : undefined
  const backbone = await startBackbone({
    ...options,
    state: state.value,
    stateFolder,
    ...(env['PATH'] ? { path: env['PATH'] } : {}),
    clock: systemClock,
    ids: systemIds,
    ...(auditLog ? { audit: { rules: usualAuditRules, write: (event) => auditLog.write(event) } } : {}),
  })
  const kubeconfig = join(stateFolder, STATE_KUBECONFIG)
  await writeSecret(kubeconfig, backbone.running.kubeconfig)
  return succeed({
    ...backbone,
    kubeconfig,
    client: backbone.server.client(starter),
    async close() {
      await backbone.close()
      await store.close()
      auditLog?.close()
    },
  })
}

/** Resolves once the signal is aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    if (signal.aborted) done()
    else signal.addEventListener('abort', () => done(), { once: true })
  })
}
