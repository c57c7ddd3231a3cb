import { parseTime } from '../../kube/time.ts'
import type { Certificate, CertificateRequest } from '../objects.ts'
import { requestViolations } from './matches.ts'

const FIRST_MS = 3_600_000
const LONGEST_MS = 32 * FIRST_MS

/**
 * How long issuance still waits after failures: an hour, doubled with each, 32 at most. A Certificate that changed since the
 * request that failed waits no longer.
 */
export function backoffMs(
  { status = {}, spec }: Certificate,
  nextRequest: CertificateRequest | undefined,
  nowMs: number,
): number {
  const failedAt = status.lastFailureTime === undefined ? undefined : parseTime(status.lastFailureTime)
  if (failedAt === undefined) return 0
  const violations = nextRequest && requestViolations(nextRequest, spec)
  if (violations && (!violations.ok || violations.value.length > 0)) return 0
  const attempts = Math.max(status.failedIssuanceAttempts ?? 1, 1)
  const delay = Math.min(FIRST_MS * 2 ** Math.min(attempts - 1, 30), LONGEST_MS)
  return Math.max(failedAt + delay - nowMs, 0)
}
