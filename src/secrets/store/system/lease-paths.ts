import { textField } from '../fields.ts'
import {
  badRequest,
  dataReply,
  listReply,
  type MountRequest,
  nothing,
  type Outcome,
  unsupportedOperation,
} from '../logical.ts'
import { timeText } from '../time-text.ts'
import { leaseOf, secondsLeft, type Token } from '../token/token.ts'
import { isWrite, type SystemHandler, type SystemParts } from './system-parts.ts'

/** The leases of tokens; nothing else here has any. */
export const leasesLookup: SystemHandler = (request, rest, parts) => {
  if (request.operation === 'list') return listBelow(rest, parts)
  if (!isWrite(request)) return unsupportedOperation()
  const token = leased(request, rest, parts)
  if ('ok' in token) return token
  return dataReply({
    id: leaseOf(token),
    issue_time: timeText(token.createdMs),
    expire_time: timeText(token.expiresMs),
    last_renewal: token.renewedMs === undefined ? null : timeText(token.renewedMs),
    renewable: token.renewable,
    ttl: secondsLeft(token, parts.clock.now()),
  })
}

export const leasesRenew: SystemHandler = (request, rest, parts) => {
  if (!isWrite(request)) return unsupportedOperation()
  const token = leased(request, rest, parts)
  return 'ok' in token ? token : badRequest('tokens cannot be renewed through this endpoint')
}

export const leasesRevoke: SystemHandler = async (request, rest, parts) => {
  if (!isWrite(request)) return unsupportedOperation()
  const token = leased(request, rest, parts)
  // What is not there any more is as it should be.
  if ('ok' in token) return leaseField(request, rest) === '' ? token : nothing
  await parts.tokens.revoke(token.hash)
  return nothing
}

export const leasesRevokePrefix: SystemHandler = async (request, prefix, parts) => {
  if (!isWrite(request)) return unsupportedOperation()
  if (prefix === '') return badRequest('missing prefix')
  await parts.tokens.revokeBelow(prefix.endsWith('/') ? prefix : `${prefix}/`)
  return nothing
}

export const leasesCount: SystemHandler = ({ operation }, _, { tokens }) => {
  if (operation !== 'read') return unsupportedOperation()
  const count = [...tokens.leased()].length
  return dataReply({ counts: { 'auth/': count }, lease_count: count })
}

function leaseField({ fields }: MountRequest, rest: string): string {
  const sent = textField(fields, 'lease_id')
  return (sent.ok ? sent.value : undefined) ?? rest
}

function leased(request: MountRequest, rest: string, { tokens }: SystemParts): Token | Outcome {
  const id = leaseField(request, rest)
  if (id === '') return badRequest('lease_id must be specified')
  return tokens.byLease(id) ?? badRequest('invalid lease')
}

function listBelow(path: string, { tokens }: SystemParts): Outcome {
  const prefix = path === '' || path.endsWith('/') ? path : `${path}/`
  const names = new Set<string>()
  for (const token of tokens.leased()) {
    const lease = leaseOf(token)
    if (!lease.startsWith(prefix)) continue
    const rest = lease.slice(prefix.length)
    const slash = rest.indexOf('/')
    names.add(slash < 0 ? rest : rest.slice(0, slash + 1))
  }
  return listReply([...names].toSorted((a, b) => (a < b ? -1 : 1)))
}
