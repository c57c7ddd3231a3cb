import { type Backend, type MountRequest, type Outcome, unsupportedPath } from '../logical.ts'
import { auditDevices, auditHash } from './audit-paths.ts'
import { capabilitiesByAccessor, capabilitiesOf, capabilitiesSelf } from './capability-paths.ts'
import { keyStatus, rotate, rotateConfig, sealStore } from './key-paths.ts'
import { leasesCount, leasesLookup, leasesRenew, leasesRevoke, leasesRevokePrefix } from './lease-paths.ts'
import { authMounts, internalMounts, remount, secretMounts } from './mount-paths.ts'
import { lockedUsers } from './locked-users-path.ts'
import { policiesAcl, policyOld } from './policy-paths.ts'
import { rateLimitQuotas } from './quota-paths.ts'
import type { SystemHandler, SystemParts } from './system-parts.ts'
import { wrappingLookup, wrappingRewrap, wrappingUnwrap, wrappingWrap } from './wrapping-paths.ts'

/** Every path below `sys/` that needs an open store. Those that do not are in `seal-paths.ts`. */
const HANDLERS: ReadonlyMap<string, SystemHandler> = new Map([
  ['audit', auditDevices],
  ['audit-hash', auditHash],
  ['auth', authMounts],
  ['capabilities', capabilitiesOf],
  ['capabilities-accessor', capabilitiesByAccessor],
  ['capabilities-self', capabilitiesSelf],
  ['internal/counters/tokens', leasesCount],
  ['internal/ui/mounts', internalMounts],
  ['key-status', keyStatus],
  ['leases/count', leasesCount],
  ['leases/lookup', leasesLookup],
  ['leases/renew', leasesRenew],
  ['leases/revoke', leasesRevoke],
  ['leases/revoke-force', leasesRevokePrefix],
  ['leases/revoke-prefix', leasesRevokePrefix],
  ['locked-users', lockedUsers],
  ['mounts', secretMounts],
  ['policies/acl', policiesAcl],
  ['policy', policyOld],
  ['quotas/rate-limit', rateLimitQuotas],
  ['remount', remount],
  ['renew', leasesRenew],
  ['revoke', leasesRevoke],
  ['revoke-prefix', leasesRevokePrefix],
  ['rotate', rotate],
  ['rotate/config', rotateConfig],
  ['seal', sealStore],
  ['wrapping/lookup', wrappingLookup],
  ['wrapping/rewrap', wrappingRewrap],
  ['wrapping/unwrap', wrappingUnwrap],
  ['wrapping/wrap', wrappingWrap],
])

const MOST_WORDS = 3

/** `sys/`: the store speaking of itself. */
export class SystemBackend implements Backend {
  readonly open: readonly string[] = ['wrapping/lookup', 'internal/ui/mounts', 'internal/ui/mounts/*']
  readonly sudo: readonly string[] = [
    'audit',
    'audit/*',
    'auth/*',
    'leases/lookup/*',
    'leases/revoke-force/*',
    'leases/revoke-prefix/*',
    'remount',
    'revoke-prefix/*',
    'rotate',
    'seal',
  ]
  readonly #parts: SystemParts

  constructor(parts: SystemParts) {
    this.#parts = parts
  }

  handle(request: MountRequest): Outcome | Promise<Outcome> {
    const words = request.path.split('/')
    for (let count = Math.min(MOST_WORDS, words.length); count > 0; count--) {
      const handler = HANDLERS.get(words.slice(0, count).join('/'))
      if (handler) return handler(request, words.slice(count).join('/'), this.#parts)
    }
    return unsupportedPath()
  }
}
