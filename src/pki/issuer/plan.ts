import { type Condition, isTrue, setCondition } from '../../kube/condition.ts'
import type { KubeObject } from '../../kube/object.ts'
import { formatTime } from '../../kube/time.ts'
import { isEqual } from '../../lib/json.ts'
import type { Result } from '../../lib/result.ts'
import type { EventNote } from '../../runtime/event-recorder.ts'
import { said } from '../certificate/checks.ts'
import { CLUSTER_RESOURCES, type Issuer, type IssuerStatus, secretsOf } from '../objects.ts'
import { vaultProblem } from '../vault/fields.ts'
import { readAuthority } from './authority.ts'
import { issuerType } from './issuer-type.ts'

/** All that is known of an issuer when it is decided whether it is ready. */
export interface Observed {
  readonly issuer: Issuer
  /** The Secret that an issuer with an authority names. */
  readonly secret?: KubeObject
  /** What a Vault answered, where one signs. */
  readonly vault?: Result<undefined>
  readonly nowMs: number
}

/** A state of an issuer. */
interface Finding {
  readonly isReady: boolean
  readonly reason: string
  readonly message: string
  /** An issuer looks again then: what it found may change without an object that does. */
  readonly againMs?: number
}

export interface Plan {
  readonly because: string
  readonly status?: IssuerStatus
  readonly note?: EventNote
  readonly againMs?: number
}

/** Whether an issuer is ready, and why not. */
export function planIssuer(seen: Observed): Plan {
  const { issuer, nowMs } = seen
  if (issuer.metadata.deletionTimestamp !== undefined) return { because: 'it is being deleted' }
  const { isReady, reason, message, againMs } = findingOf(seen)
  const generation = issuer.metadata.generation
  const condition: Condition = {
    type: 'Ready',
    status: isReady ? 'True' : 'False',
    reason,
    message,
    ...(generation === undefined ? {} : { observedGeneration: generation }),
  }
  const status = { ...issuer.status, conditions: setCondition(issuer.status?.conditions, condition, nowMs) }
  const wait = againMs === undefined ? {} : { againMs }
  if (isEqual(status, issuer.status)) return { because: message, ...wait }
  const isNews = !(isReady && isTrue(issuer.status?.conditions, 'Ready')) && message !== ''
  return {
    because: message,
    status,
    ...(isNews ? { note: { type: isReady ? 'Normal' : 'Warning', reason, message } } : {}),
    ...wait,
  }
}

const notReady = (reason: string, message: string, againMs?: number): Finding => ({
  isReady: false,
  reason,
  message,
  ...(againMs === undefined ? {} : { againMs }),
})

function findingOf(seen: Observed): Finding {
  switch (issuerType(seen.issuer.spec)) {
    case 'selfSigned':
      return { isReady: true, reason: 'IsReady', message: '' }
    case 'ca':
      return authorityFinding(seen)
    case 'vault':
      return vaultFinding(seen)
    case 'acme':
      return notReady('Unsupported', 'ACME issuers are accepted but not served yet: use ca, selfSigned or vault')
    case 'venafi':
      return notReady('Unsupported', 'Venafi issuers are accepted but not served: use ca, selfSigned or vault')
    case undefined:
      return notReady('ErrInitIssuer', `no issuer specified for Issuer '${nameOf(seen.issuer)}'`)
  }
}

const nameOf = ({ metadata }: Issuer): string => `${metadata.namespace ?? ''}/${metadata.name ?? ''}`

const KEY_PAIR = 'Error getting keypair for CA issuer: '

function authorityFinding({ issuer, secret, nowMs }: Observed): Finding {
  const name = issuer.spec.ca?.secretName ?? ''
  if (!secret) {
    const where = issuer.kind === 'ClusterIssuer' ? ` in namespace ${CLUSTER_RESOURCES}` : ''
    return notReady('ErrGetKeyPair', `${KEY_PAIR}secret ${JSON.stringify(name)} not found${where}`)
  }
  const authority = readAuthority(secret)
  if (!authority.ok) return notReady('ErrGetKeyPair', `${KEY_PAIR}${said(authority.error)}`)
  const [issuing] = authority.value.certificates
  if (!issuing?.isCa) return notReady('ErrInvalidKeyPair', `${KEY_PAIR}certificate is not a CA`)
  if (issuing.notAfterMs < nowMs) {
    const since = formatTime(issuing.notAfterMs)
    return notReady(
      'ErrInvalidKeyPair',
      `${KEY_PAIR}certificate in secret ${secretsOf(issuer)}/${name} expired at ${since}`,
    )
  }
  const againMs = issuing.notAfterMs + 1_000 - nowMs
  return { isReady: true, reason: 'KeyPairVerified', message: 'Signing CA verified', againMs }
}

const VAULT_CHECK_MS = 600_000
const VAULT_RETRY_MS = 30_000

function vaultFinding({ issuer, vault }: Observed): Finding {
  const problem = vaultProblem(issuer.spec.vault ?? {})
  if (problem !== undefined) return notReady('VaultError', problem)
  if (vault && !vault.ok) return notReady('VaultError', said(vault.error), VAULT_RETRY_MS)
  return { isReady: true, reason: 'VaultVerified', message: 'Vault verified', againMs: VAULT_CHECK_MS }
}
