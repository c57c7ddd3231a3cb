import { conditionOf } from '../../kube/condition.ts'
import type { KubeObject } from '../../kube/object.ts'
import { parseTime } from '../../kube/time.ts'
import type { CertificateRequest, CertificateSpec, CertificateStatus } from '../objects.ts'
import { secretText } from '../objects.ts'
import { encodePrivateKey, isSameKey, keyViolations } from '../x509/keys.ts'
import { said } from './checks.ts'
import { keyOf, type SecretWithKey } from './key-secret.ts'
import { requestOf, requestViolations } from './matches.ts'
import { planOutcome } from './plan-outcome.ts'
import { requestName, revisionOf } from './revision.ts'
import { statusStep } from './status.ts'
import type { Observed, Plan, Step } from './step.ts'
import { wantedKey, wantedRequest } from './wanted.ts'

/** The steps of an issuance that is under way: a key, a request for it, and what becomes of the request. */
export function planIssuance(seen: Observed, given: CertificateStatus): Plan {
  const { certificate, keySecrets } = seen
  const [only] = keySecrets.length === 1 ? keySecrets : []
  const name = given.nextPrivateKeySecretName ?? only?.metadata.name ?? keySecretName(certificate, seen.suffix)
  const status = { ...given, nextPrivateKeySecretName: name }
  const begun = statusStep(certificate, status)
  const others: readonly Step[] = keySecrets
    .filter(({ metadata }) => metadata.name !== name)
    .map(({ metadata }) => ({
      do: 'delete-secret',
      name: metadata.name ?? '',
      because: `status.nextPrivateKeySecretName is ${name}`,
    }))
  const secret = keySecrets.find(({ metadata }) => metadata.name === name)
  const usable = secret && usableKey(secret, certificate.spec)
  if (!usable) {
    const key = keyStep(seen, name)
    if (key.do === 'note') return { steps: [...begun, ...others, key] }
    const asked = askSteps(seen, status, { keySecret: name, ...(key.pem === undefined ? {} : { pem: key.pem }) })
    return { steps: [...begun, ...others, ...replaced(secret, certificate.spec), key, ...asked] }
  }
  const { stale, current } = sorted(seen, status, usable)
  if (current.length > 1) return { steps: [...begun, ...others, ...stale] }
  const [request] = current
  if (!request) {
    const pem = secretText(usable.secret, 'tls.key')
    const asked = askSteps({ ...seen, requests: [] }, status, { keySecret: name, ...(pem ? { pem } : {}) })
    return { steps: [...begun, ...others, ...stale, ...asked] }
  }
  const outcome = planOutcome(seen, status, request, usable)
  // Where the outcome writes the status, what began the turn is in it.
  const isWritten = outcome.steps.some((step) => step.do === 'set-status')
  return { ...outcome, steps: [...(isWritten ? [] : begun), ...others, ...stale, ...outcome.steps] }
}

/** Names of Secrets are at most 253 characters long. */
const keySecretName = ({ metadata }: Observed['certificate'], suffix: string): string =>
  `${(metadata.name ?? '').slice(0, 247)}-${suffix}`

function usableKey(secret: KubeObject, spec: CertificateSpec): SecretWithKey | undefined {
  const key = keyOf(secret)
  return key && keyViolations(key.key, wantedKey(spec)).length === 0 ? { secret, key } : undefined
}

/** Takes a key away that is not as the Certificate asks for. */
function replaced(secret: KubeObject | undefined, spec: CertificateSpec): readonly Step[] {
  if (!secret) return []
  const key = keyOf(secret)
  const violations = key ? keyViolations(key.key, wantedKey(spec)) : ['tls.key']
  const message = `Regenerating private key due to change in fields: [${violations.join(' ')}]`
  return [
    {
      do: 'delete-secret',
      name: secret.metadata.name ?? '',
      because: message,
      note: { type: 'Normal', reason: 'Deleted', message },
    },
  ]
}

/** A new key, or the one that is there where it is never rotated; only a note where a user has to act first. */
function keyStep(seen: Observed, name: string): Extract<Step, { readonly do: 'create-key' | 'note' }> {
  const { certificate, secret } = seen
  const wanted = wantedKey(certificate.spec)
  const fresh = {
    do: 'create-key',
    name,
    wanted,
    because: 'a new key is made for every issuance',
    note: {
      type: 'Normal',
      reason: 'Generated',
      message: `Stored new private key in temporary Secret resource ${JSON.stringify(name)}`,
    },
  } as const
  if (certificate.spec.privateKey?.rotationPolicy !== 'Never' || !secret) return fresh
  const pem = secretText(secret, 'tls.key')
  if (pem === undefined) return fresh
  const key = keyOf(secret)
  if (!key) {
    return { ...fresh, note: { type: 'Warning', reason: 'DecodeFailed', message: decodeFailed(secret) } }
  }
  const violations = keyViolations(key.key, wanted)
  if (violations.length > 0) return stuck(secret, violations)
  const message = `Reusing private key stored in existing Secret resource ${JSON.stringify(secret.metadata.name)}`
  return {
    ...fresh,
    because: 'spec.privateKey.rotationPolicy is Never',
    pem: encodePrivateKey(key.key, 'PKCS8'),
    note: { type: 'Normal', reason: 'Reused', message },
  }
}

function stuck({ metadata }: KubeObject, violations: readonly string[]): Extract<Step, { readonly do: 'note' }> {
  const message = `User intervention required: existing private key in Secret ${JSON.stringify(metadata.name)} does not match requirements on Certificate resource, mismatching fields: [${violations.join(' ')}], but a new private key cannot be made as spec.privateKey.rotationPolicy is Never. Set it to Always to allow it`
  return { do: 'note', because: message, note: { type: 'Warning', reason: 'CannotRegenerateKey', message } }
}

const decodeFailed = ({ metadata }: KubeObject): string =>
  `Failed to decode private key stored in Secret ${JSON.stringify(metadata.name)} - generating new key`

/** Makes a request, taking away those of its revision that are there. */
function askSteps(
  { certificate, requests }: Observed,
  status: CertificateStatus,
  key: { readonly keySecret: string; readonly pem?: string },
): readonly Step[] {
  const revision = (status.revision ?? 0) + 1
  const name = requestName(certificate.metadata.name ?? '', revision)
  const gone = requests
    .filter((request) => revisionOf(request) === revision || revisionOf(request) === undefined)
    .map((request) => deletion(request, 'it was made for another key'))
  const wanted = wantedRequest(certificate.spec)
  if (!wanted.ok) {
    const message = `Failed to generate CSR: ${said(wanted.error)} - will not retry`
    return gone.map((step) => ({ ...step, note: { type: 'Warning', reason: 'RequestFailed', message } }))
  }
  const message = `Created new CertificateRequest resource ${JSON.stringify(name)}`
  return [
    ...gone,
    {
      do: 'create-request',
      name,
      revision,
      ...key,
      because: `revision ${revision} has no request yet`,
      note: { type: 'Normal', reason: 'Requested', message },
    },
  ]
}

const deletion = ({ metadata }: CertificateRequest, because: string): Extract<Step, { do: 'delete-request' }> => ({
  do: 'delete-request',
  name: metadata.name ?? '',
  because,
})

/** The requests of the next revision, and those that have to go first. */
function sorted(
  { certificate, requests }: Observed,
  status: CertificateStatus,
  { key }: SecretWithKey,
): { readonly stale: readonly Step[]; readonly current: readonly CertificateRequest[] } {
  const issuingSince = parseTime(conditionOf(status.conditions, 'Issuing')?.lastTransitionTime ?? '') ?? 0
  const staleBecause = (request: CertificateRequest): string | undefined => {
    const violations = requestViolations(request, certificate.spec)
    if (!violations.ok) return said(violations.error)
    if (violations.value.length > 0) return `it does not match the Certificate: [${violations.value.join(' ')}]`
    const read = requestOf(request)
    if (read.ok && !isSameKey(read.value.spki, key.spki)) return 'it was made for another key'
    const failedAt = parseTime(request.status?.failureTime ?? '')
    const hasFailed = conditionOf(request.status?.conditions, 'Ready')?.reason === 'Failed'
    return hasFailed && failedAt !== undefined && failedAt < issuingSince
      ? 'it failed in an issuance before this one'
      : undefined
  }
  const stale: Step[] = []
  const current: CertificateRequest[] = []
  for (const request of requests) {
    const revision = revisionOf(request)
    if (revision === undefined) stale.push(deletion(request, 'it has no revision'))
    if (revision !== (status.revision ?? 0) + 1) continue
    const because = staleBecause(request)
    if (because === undefined) current.push(request)
    else stale.push(deletion(request, because))
  }
  return { stale, current }
}
