import { type Answer, refusalAnswer } from '../answer.ts'
import type { Call } from '../call.ts'
import { readAll, textField } from '../fields.ts'
import { OTP_LENGTH, type RootGeneration } from '../seal/root-generation.ts'
import type { SealState } from '../seal/seal-state.ts'
import { shareOf } from './share-text.ts'

interface GenerateRootParts {
  readonly seal: SealState
  readonly roots: RootGeneration
}

const bad = (status: number, ...errors: readonly string[]): Answer => refusalAnswer({ status, errors })

/** `sys/generate-root/attempt`: begins, shows and cancels. */
export function generateRootAttempt(call: Call, { seal, roots }: GenerateRootParts): Answer {
  if (seal.isSealed) return bad(503, 'Vault is sealed')
  if (call.operation === 'read') return { status: 200, body: progress(seal, roots) }
  if (call.operation === 'delete') {
    roots.cancel()
    return { status: 204 }
  }
  if (call.operation !== 'update') return bad(405, 'unsupported operation')
  const read = readAll({ otp: textField(call.fields, 'otp'), pgp: textField(call.fields, 'pgp_key') })
  if (!read.ok) return refusalAnswer(read.error)
  if (read.value.pgp)
    return bad(400, 'pgp_key is not supported: bring a one-time password, or take the one that is answered')
  const begun = roots.start(read.value.otp ?? '')
  if (!begun.ok) return bad(400, ...begun.error.map(({ message }) => message))
  return { status: 200, body: { ...progress(seal, roots), otp: begun.value } }
}

/** `sys/generate-root/update`: takes a share. */
export async function generateRootUpdate(call: Call, { seal, roots }: GenerateRootParts): Promise<Answer> {
  if (seal.isSealed) return bad(503, 'Vault is sealed')
  if (call.operation !== 'update') return bad(405, 'unsupported operation')
  const read = readAll({ key: textField(call.fields, 'key'), nonce: textField(call.fields, 'nonce') })
  if (!read.ok) return refusalAnswer(read.error)
  if (!roots.isStarted) return bad(400, 'no root generation in progress')
  const { nonce } = roots.shares
  if (read.value.nonce !== nonce) return bad(400, 'incorrect nonce supplied')
  const key = shareOf(read.value.key ?? '')
  if (!key) return bad(400, "'key' must be a valid hex or base64 string")
  const given = await roots.give(key)
  if (!given.ok) return bad(400, ...given.error.map(({ message }) => message))
  if (given.value === undefined) return { status: 200, body: progress(seal, roots) }
  const required = seal.record?.threshold ?? 0
  return {
    status: 200,
    body: {
      ...progress(seal, roots),
      nonce,
      started: true,
      progress: required,
      complete: true,
      encoded_token: given.value,
      encoded_root_token: given.value,
    },
  }
}

function progress(seal: SealState, roots: RootGeneration): Readonly<Record<string, unknown>> {
  return {
    nonce: roots.shares.nonce,
    started: roots.isStarted,
    progress: roots.shares.size,
    required: seal.record?.threshold ?? 0,
    complete: false,
    encoded_token: '',
    encoded_root_token: '',
    pgp_fingerprint: '',
    otp: '',
    otp_length: OTP_LENGTH,
  }
}
