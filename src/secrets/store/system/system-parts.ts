import type { Clock } from '../../../lib/clock.ts'
import type { AuditLog } from '../../audit/audit-log.ts'
import type { Barrier } from '../barrier.ts'
import type { Identity } from '../identity.ts'
import type { MountRequest, Outcome } from '../logical.ts'
import type { Lockout } from '../login/lockout.ts'
import type { MountTable } from '../mount/mount-table.ts'
import type { Acl } from '../policy/acl.ts'
import type { PolicyStore } from '../policy/policy-store.ts'
import type { RateLimits } from '../rate-limits.ts'
import type { SealState } from '../seal/seal-state.ts'
import type { Token } from '../token/token.ts'
import type { TokenStore } from '../token/token-store.ts'
import type { Wrapping } from '../wrapping.ts'

/** Everything that `sys/` speaks of. */
export interface SystemParts {
  readonly clock: Pick<Clock, 'now'>
  readonly barrier: Barrier
  readonly seal: SealState
  readonly tokens: TokenStore
  readonly policies: PolicyStore
  readonly identity: Identity
  readonly mounts: () => MountTable
  readonly limits: RateLimits
  readonly wrapping: Wrapping
  readonly audit: AuditLog
  readonly lockout: Lockout
  readonly aclOf: (token: Token) => Acl
  /** Seals the store once the answer to this request is on its way. */
  readonly sealSoon: () => void
}

/** What answers a path below `sys/`; `rest` is what follows its first words. */
export type SystemHandler = (request: MountRequest, rest: string, parts: SystemParts) => Outcome | Promise<Outcome>

export const isWrite = ({ operation }: MountRequest): boolean => operation === 'update' || operation === 'create'
