import { type Answer, refusalAnswer } from '../answer.ts'
import type { Call } from '../call.ts'
import { booleanField, integerField, readAll, textField } from '../fields.ts'
import type { Result } from '../../../lib/result.ts'
import type { RootGeneration } from '../seal/root-generation.ts'
import type { SharePlan } from '../seal/seal-record.ts'
import type { SealState } from '../seal/seal-state.ts'
import { VERSION } from '../version.ts'
import { generateRootAttempt, generateRootUpdate } from './generate-root-paths.ts'
import { shareOf } from './share-text.ts'

/** What the paths that answer without an open store work on. */
export interface SealPathParts {
  readonly seal: SealState
  readonly store: {
    init(plan: SharePlan): Promise<Result<{ readonly keys: readonly Uint8Array[]; readonly rootToken: string }>>
    unseal(share: Uint8Array): Promise<Result<unknown>>
  }
  readonly roots: RootGeneration
  readonly nowMs: () => number
}

type Handler = (call: Call, parts: SealPathParts) => Answer | Promise<Answer>

const bad = (status: number, ...errors: readonly string[]): Answer => refusalAnswer({ status, errors })
const ok = (body: Readonly<Record<string, unknown>>): Answer => ({ status: 200, body })
const isWrite = ({ operation }: Call): boolean => operation === 'update'

/** Every path of `sys/` that anybody may use, sealed or not. */
const HANDLERS: ReadonlyMap<string, Handler> = new Map<string, Handler>([
  ['sys/generate-root/attempt', generateRootAttempt],
  ['sys/generate-root/update', generateRootUpdate],
  ['sys/health', health],
  ['sys/init', init],
  ['sys/leader', leader],
  ['sys/rekey/init', rekeyInit],
  ['sys/rekey/update', rekeyUpdate],
  ['sys/seal-status', ({ operation }, { seal }) => (operation === 'read' ? ok(status(seal)) : notAllowed)],
  ['sys/unseal', unseal],
])

const notAllowed: Answer = bad(405, 'unsupported operation')

/** The answer of such a path; nothing for every other one. */
export function answerUnsealed(call: Call, parts: SealPathParts): Answer | Promise<Answer> | undefined {
  return HANDLERS.get(call.path)?.(call, parts)
}

/** Whether the store is sealed, and how far its unsealing is. */
function status(seal: SealState): Readonly<Record<string, unknown>> {
  const { record, progress } = seal
  return {
    type: 'shamir',
    initialized: seal.isInitialised,
    sealed: seal.isSealed,
    t: record?.threshold ?? 0,
    n: record?.shares ?? 0,
    progress: progress.given,
    nonce: progress.nonce,
    version: VERSION,
    build_date: '',
    migration: false,
    ...(record && !seal.isSealed ? { cluster_name: record.cluster.name, cluster_id: record.cluster.id } : {}),
    recovery_seal: false,
    storage_type: 'file',
  }
}

function health({ operation, fields }: Call, { seal, nowMs }: SealPathParts): Answer {
  if (operation !== 'read') return notAllowed
  const codes = readAll({
    active: integerField(fields, 'activecode'),
    sealed: integerField(fields, 'sealedcode'),
    uninit: integerField(fields, 'uninitcode'),
  })
  if (!codes.ok) return refusalAnswer(codes.error)
  const { active = 200, sealed = 503, uninit = 501 } = codes.value
  const code = !seal.isInitialised ? uninit : seal.isSealed ? sealed : active
  if (code < 200 || code > 599) return bad(400, 'a status code lies between 200 and 599')
  return {
    status: code,
    body: {
      initialized: seal.isInitialised,
      sealed: seal.isSealed,
      standby: seal.isSealed,
      performance_standby: false,
      replication_performance_mode: 'disabled',
      replication_dr_mode: 'disabled',
      server_time_utc: Math.floor(nowMs() / 1_000),
      version: VERSION,
      ...(seal.record && !seal.isSealed
        ? { cluster_name: seal.record.cluster.name, cluster_id: seal.record.cluster.id }
        : {}),
    },
  }
}

function leader({ operation }: Call, { seal }: SealPathParts): Answer {
  if (operation !== 'read') return notAllowed
  if (seal.isSealed) return bad(503, 'Vault is sealed')
  return ok({
    ha_enabled: false,
    is_self: false,
    active_time: '0001-01-01T00:00:00Z',
    leader_address: '',
    leader_cluster_address: '',
    performance_standby: false,
    performance_standby_last_remote_wal: 0,
  })
}

async function init(call: Call, { seal, store }: SealPathParts): Promise<Answer> {
  if (call.operation === 'read') return ok({ initialized: seal.isInitialised })
  if (!isWrite(call)) return notAllowed
  const { fields } = call
  const given = ['pgp_keys', 'root_token_pgp_key'].find((name) => isWanted(fields.get(name)))
  if (given !== undefined)
    return bad(400, `${given} is not supported: take the keys as they are, and encrypt them yourself`)
  const read = readAll({
    shares: integerField(fields, 'secret_shares'),
    threshold: integerField(fields, 'secret_threshold'),
    recoveryShares: integerField(fields, 'recovery_shares'),
  })
  if (!read.ok) return refusalAnswer(read.error)
  if (read.value.recoveryShares) {
    return bad(400, 'parameters recovery_shares,recovery_threshold not applicable to seal type shamir')
  }
  const done = await store.init({ shares: read.value.shares ?? 0, threshold: read.value.threshold ?? 0 })
  if (!done.ok) return bad(400, ...done.error.map(({ message }) => message))
  const { keys, rootToken } = done.value
  return ok({ ...keysData(keys), root_token: rootToken })
}

/** Clients send what they do not want as well, empty or as `false`. */
const isWanted = (value: unknown): boolean => Boolean(value) && !(Array.isArray(value) && value.length === 0)

const keysData = (keys: readonly Uint8Array[]): Readonly<Record<string, unknown>> => ({
  keys: keys.map((key) => Buffer.from(key).toString('hex')),
  keys_base64: keys.map((key) => Buffer.from(key).toString('base64')),
})

async function unseal(call: Call, { seal, store }: SealPathParts): Promise<Answer> {
  if (!isWrite(call)) return notAllowed
  const read = readAll({ key: textField(call.fields, 'key'), reset: booleanField(call.fields, 'reset') })
  if (!read.ok) return refusalAnswer(read.error)
  if (!seal.isInitialised) return bad(400, 'Vault is not initialized')
  if (read.value.reset) {
    seal.forgetShares()
    return ok(status(seal))
  }
  if (!read.value.key) return bad(400, "'key' must be specified in request body as JSON, or 'reset' set to true")
  const key = shareOf(read.value.key)
  if (!key) return bad(400, "'key' must be a valid hex or base64 string")
  const done = await store.unseal(key)
  return done.ok ? ok(status(seal)) : bad(400, ...done.error.map(({ message }) => message))
}

function rekeyStatus(seal: SealState): Readonly<Record<string, unknown>> {
  const { rekeyPlan: plan, record } = seal
  return {
    nonce: seal.rekeying.nonce,
    started: plan !== undefined,
    t: plan?.threshold ?? 0,
    n: plan?.shares ?? 0,
    progress: seal.rekeying.size,
    required: record?.threshold ?? 0,
    pgp_fingerprints: null,
    backup: false,
    verification_required: false,
  }
}

function rekeyInit(call: Call, { seal }: SealPathParts): Answer {
  if (seal.isSealed) return bad(503, 'Vault is sealed')
  if (call.operation === 'delete') {
    seal.cancelRekey()
    return { status: 204 }
  }
  if (isWrite(call)) {
    const { fields } = call
    const given = ['pgp_keys', 'backup', 'require_verification'].find((name) => isWanted(fields.get(name)))
    if (given !== undefined) return bad(400, `${given} is not supported`)
    const read = readAll({
      shares: integerField(fields, 'secret_shares'),
      threshold: integerField(fields, 'secret_threshold'),
    })
    if (!read.ok) return refusalAnswer(read.error)
    const begun = seal.startRekey({ shares: read.value.shares ?? 0, threshold: read.value.threshold ?? 0 })
    if (!begun.ok) return bad(400, ...begun.error.map(({ message }) => message))
  } else if (call.operation !== 'read') return notAllowed
  return ok(rekeyStatus(seal))
}

async function rekeyUpdate(call: Call, { seal }: SealPathParts): Promise<Answer> {
  if (seal.isSealed) return bad(503, 'Vault is sealed')
  if (!isWrite(call)) return notAllowed
  const read = readAll({ key: textField(call.fields, 'key'), nonce: textField(call.fields, 'nonce') })
  if (!read.ok) return refusalAnswer(read.error)
  if (!seal.rekeyPlan) return bad(400, 'no barrier rekey in progress')
  if (!read.value.key) return bad(400, "'key' must be specified in request body as JSON")
  const { nonce } = seal.rekeying
  if (read.value.nonce !== nonce) return bad(400, 'incorrect nonce supplied')
  const key = shareOf(read.value.key)
  if (!key) return bad(400, "'key' must be a valid hex or base64 string")
  const done = await seal.giveRekeyShare(key)
  if (!done.ok) return bad(400, ...done.error.map(({ message }) => message))
  if (!done.value) return ok(rekeyStatus(seal))
  return ok({
    nonce,
    complete: true,
    ...keysData(done.value),
    pgp_fingerprints: null,
    backup: false,
    verification_required: false,
  })
}
