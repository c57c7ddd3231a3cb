import { isObject, setOwn } from '../../lib/json.ts'
import type { Fields, Operation, Reply } from '../store/logical.ts'
import { timeText } from '../store/time-text.ts'
import { leaseOf, type Token } from '../store/token/token.ts'

/** Makes of a value what stands for it in the log. */
export type Hash = (value: string) => string

/** One request, or one answer. */
export interface AuditEvent {
  readonly type: 'request' | 'response'
  readonly id: string
  readonly operation: Operation
  readonly path: string
  readonly mount?: { readonly type: string; readonly accessor: string; readonly path: string }
  readonly fields: Fields
  readonly clientToken: string
  readonly token?: Token
  readonly remoteAddress: string
  readonly wrapSeconds: number
  readonly errors?: readonly string[]
  readonly reply?: Reply
  /** Names whose values are no secrets, as the mount says. */
  readonly plainRequestKeys?: readonly string[]
  readonly plainResponseKeys?: readonly string[]
}

type Line = Readonly<Record<string, unknown>>

/** What is written of an event. Every scalar that was sent or answered is hashed; names are not. */
export function auditLine(event: AuditEvent, hash: Hash, atMs: number): Line {
  const { type, id, operation, path, mount, clientToken, token, reply, errors } = event
  const mounted = mount ? { mount_type: mount.type, mount_accessor: mount.accessor, mount_point: mount.path } : {}
  return {
    time: timeText(atMs),
    type,
    auth: token ? authLine(token, clientToken, hash) : { token_type: 'default' },
    request: {
      id,
      operation,
      ...mounted,
      ...(clientToken === '' ? {} : { client_token: hash(clientToken) }),
      ...(token ? { client_token_accessor: hash(token.accessor) } : {}),
      namespace: { id: 'root' },
      path,
      data: hashAll(Object.fromEntries(event.fields), hash, event.plainRequestKeys ?? []),
      remote_address: event.remoteAddress,
      ...(event.wrapSeconds > 0 ? { wrap_ttl: event.wrapSeconds } : {}),
    },
    ...(type === 'response' ? { response: replyLine(reply, mounted, hash, event.plainResponseKeys ?? []) } : {}),
    ...(errors && errors.length > 0 ? { error: errors.join('; ') } : {}),
  }
}

function authLine(token: Token, clientToken: string, hash: Hash): Line {
  return {
    ...(clientToken === '' ? {} : { client_token: hash(clientToken) }),
    accessor: hash(token.accessor),
    display_name: token.displayName,
    policies: token.policies,
    token_policies: token.policies,
    ...(Object.keys(token.meta).length > 0 ? { metadata: token.meta } : {}),
    ...(token.entityId === '' ? {} : { entity_id: token.entityId }),
    token_type: 'service',
    token_ttl: token.ttlSeconds,
    token_issue_time: timeText(token.createdMs),
  }
}

function replyLine(reply: Reply | undefined, mounted: Line, hash: Hash, plain: readonly string[]): Line {
  if (!reply) return mounted
  const { data, auth, wrap, warnings } = reply
  return {
    ...mounted,
    ...(auth ? { auth: authLine(auth.token, auth.clientToken, hash), secret: { lease_id: leaseOf(auth.token) } } : {}),
    ...(wrap ? { wrap_info: { ...wrap, token: hash(wrap.token), accessor: hash(wrap.accessor) } } : {}),
    ...(data ? { data: hashAll(data, hash, plain) } : {}),
    ...(warnings ? { warnings } : {}),
  }
}

const DEEPEST = 500

/** The same structure with every text and number hashed; what is deeper than anything sensible is hashed as a whole. */
function hashAll(value: unknown, hash: Hash, plain: readonly string[], depth = 0): unknown {
  if (typeof value === 'string') return hash(value)
  if (typeof value === 'number' || typeof value === 'bigint') return hash(String(value))
  if (typeof value !== 'object' || value === null) return value
  if (depth > DEEPEST) return hash('')
  if (Array.isArray(value)) return value.map((one) => hashAll(one, hash, plain, depth + 1))
  if (!isObject(value)) return hash('')
  const hashed: Record<string, unknown> = {}
  for (const [name, one] of Object.entries(value)) {
    setOwn(hashed, name, plain.includes(name) ? one : hashAll(one, hash, plain, depth + 1))
  }
  return hashed
}
