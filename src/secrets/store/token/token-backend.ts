import type { Clock } from '../../../lib/clock.ts'
import { secondsField, textField } from '../fields.ts'
import {
  type AnswerAuth,
  type Backend,
  badRequest,
  dataReply,
  listReply,
  type MountRequest,
  nothing,
  type Outcome,
  permissionDenied,
  refused,
  reply,
  unsupportedOperation,
  unsupportedPath,
} from '../logical.ts'
import { timeText } from '../time-text.ts'
import { planToken } from './create-token.ts'
import { type MountTtls, renewedLifetime } from './lifetime.ts'
import { leaseOf, secondsLeft, type Token } from './token.ts'
import { changedRole, newRole, roleData, type TokenRole } from './token-role.ts'
import type { TokenStore } from './token-store.ts'

export interface TokenBackendParts {
  readonly tokens: TokenStore
  readonly clock: Pick<Clock, 'now'>
  readonly isPolicy: (name: string) => boolean
  /** Whether somebody has `sudo` at a path. */
  readonly hasSudo: (token: Token, path: string) => boolean
  /** How long tokens live that a mount made, by the path that they were made at. */
  readonly ttlsAt: (path: string) => MountTtls
}

/** `auth/token/`: tokens that are made, looked up, renewed and revoked. */
export class TokenBackend implements Backend {
  readonly sudo: readonly string[] = ['revoke-orphan', 'accessors*']
  readonly #parts: TokenBackendParts

  constructor(parts: TokenBackendParts) {
    this.#parts = parts
  }

  async handle(request: MountRequest): Promise<Outcome> {
    const [word, rest] = splitOnce(request.path)
    const isWrite = request.operation === 'update' || request.operation === 'create'
    switch (word) {
      case 'create':
      case 'create-orphan':
        return isWrite ? this.#create(request, word === 'create-orphan', rest) : unsupportedOperation()
      case 'roles':
        return this.#roles(request, rest)
      case 'accessors':
        return request.operation === 'list' ? listReply(this.#parts.tokens.accessors()) : unsupportedOperation()
      case 'lookup-self':
        return showSelf(request, this.#parts)
      case 'lookup':
        return rest === '' ? this.#lookUp(request) : unsupportedPath()
      case 'tidy':
        return isWrite ? reply({ status: 202, warnings: ['There is nothing to tidy.'] }) : unsupportedOperation()
      default:
        return isWrite && rest === '' ? this.#write(word, request) : unsupportedPath()
    }
  }

  exists({ path, view }: MountRequest): boolean {
    return !path.startsWith('roles/') || view.get(path) !== undefined
  }

  async #write(word: string, request: MountRequest): Promise<Outcome> {
    switch (word) {
      case 'lookup-accessor': {
        const found = this.#byAccessor(request)
        return 'ok' in found ? found : show(found, '', this.#parts)
      }
      case 'renew-self':
        return request.token ? this.#renew(request.token, request, request.clientToken) : permissionDenied()
      case 'renew': {
        const id = idOf(request)
        if (id === '') return badRequest('missing token ID')
        const token = this.#parts.tokens.byText(id)
        return token ? this.#renew(token, request, id) : badRequest('token not found')
      }
      case 'renew-accessor': {
        const found = this.#byAccessor(request)
        return 'ok' in found ? found : this.#renew(found, request, '')
      }
      case 'revoke-self':
        if (request.token) await this.#parts.tokens.revoke(request.token.hash)
        return nothing
      case 'revoke': {
        const id = idOf(request)
        if (id === '') return badRequest('missing token ID')
        await this.#parts.tokens.revoke(this.#parts.tokens.hashOf(id))
        return nothing
      }
      case 'revoke-orphan': {
        const id = idOf(request)
        if (id === '') return badRequest('missing token ID')
        const token = this.#parts.tokens.byText(id)
        if (!token) return badRequest('token to revoke not found')
        await this.#parts.tokens.revokeAlone(token.hash)
        return nothing
      }
      case 'revoke-accessor': {
        const found = this.#byAccessor(request)
        if ('ok' in found) return found
        await this.#parts.tokens.revoke(found.hash)
        return nothing
      }
      default:
        return unsupportedPath()
    }
  }

  async #create(request: MountRequest, isOrphan: boolean, roleName: string): Promise<Outcome> {
    const { token: parent, fields, mount, view } = request
    const { clock, tokens, isPolicy, hasSudo } = this.#parts
    if (!parent) return permissionDenied()
    const settings = roleName === '' ? undefined : (view.get(`roles/${roleName}`) as TokenRole | undefined)
    if (roleName !== '' && (isOrphan || !settings)) return badRequest(`unknown role ${roleName}`)
    const planned = planToken({
      fields,
      parent,
      hasSudo: hasSudo(parent, mount.path + request.path),
      isOrphan,
      ...(settings ? { role: { name: roleName, settings } } : {}),
      mount,
      nowMs: clock.now(),
      isPolicy,
    })
    if (!planned.ok) return planned
    const { wish, id, warnings } = planned.value
    if (id !== undefined && tokens.byText(id)) return badRequest('cannot create a token with a duplicate ID')
    const { text, token } = await tokens.create(wish, id)
    return reply({ auth: authOf(text, token, clock.now()), ...(warnings.length > 0 ? { warnings } : {}) })
  }

  async #roles(request: MountRequest, name: string): Promise<Outcome> {
    const { view, operation, fields } = request
    if (operation === 'list' && name === '') return listReply(view.list('roles/'))
    if (name === '' || name.includes('/')) return badRequest('role name cannot be empty')
    const known = view.get(`roles/${name}`) as TokenRole | undefined
    switch (operation) {
      case 'read':
        return known ? dataReply(roleData(name, known)) : nothing
      case 'delete':
        await view.delete(`roles/${name}`)
        return nothing
      case 'create':
      case 'update': {
        const role = changedRole(known ?? newRole, fields)
        if (!role.ok) return role
        await view.put(`roles/${name}`, role.value)
        return nothing
      }
      default:
        return unsupportedOperation()
    }
  }

  #lookUp(request: MountRequest): Outcome {
    if (request.operation === 'read') return showSelf(request, this.#parts)
    const id = idOf(request)
    if (id === '') return badRequest('missing token ID')
    const token = this.#parts.tokens.byText(id)
    return token ? show(token, id, this.#parts) : refused(403, 'bad token')
  }

  #byAccessor({ fields }: MountRequest): Token | Outcome {
    const accessor = textField(fields, 'accessor')
    if (!accessor.ok) return accessor
    if (!accessor.value) return badRequest('missing accessor')
    return this.#parts.tokens.byAccessor(accessor.value) ?? refused(403, 'invalid accessor')
  }

  async #renew(token: Token, { fields }: MountRequest, text: string): Promise<Outcome> {
    const increment = secondsField(fields, 'increment')
    if (!increment.ok) return increment
    const renewed = await renewToken(token, increment.value ?? 0, this.#parts)
    if (!renewed) return badRequest('lease is not renewable')
    const auth = authOf(text, renewed.token, this.#parts.clock.now())
    return reply({ auth, ...(renewed.warnings.length > 0 ? { warnings: renewed.warnings } : {}) })
  }
}

const showSelf = ({ token, clientToken }: MountRequest, parts: Pick<TokenBackendParts, 'clock'>): Outcome =>
  token ? show(token, clientToken, parts) : permissionDenied()

/** The token itself is known to who has sent it, and to nobody else. */
const show = (token: Token, id: string, { clock }: Pick<TokenBackendParts, 'clock'>): Outcome =>
  dataReply({ ...tokenData(token, clock.now()), id })

/** Renews a token, unless it is one that cannot be renewed. */
export async function renewToken(
  token: Token,
  increment: number,
  { tokens, clock, ttlsAt }: Pick<TokenBackendParts, 'tokens' | 'clock' | 'ttlsAt'>,
): Promise<{ readonly token: Token; readonly warnings: readonly string[] } | undefined> {
  if (!token.renewable || token.expiresMs === 0) return undefined
  const nowMs = clock.now()
  const { ttlSeconds, warnings } = renewedLifetime(token, increment, ttlsAt(token.path), nowMs)
  const expiresMs = nowMs + ttlSeconds * 1_000
  const renewed = await tokens.change(token.hash, (known) => ({ ...known, expiresMs, renewedMs: nowMs }))
  return renewed && { token: renewed, warnings }
}

const splitOnce = (path: string): readonly [string, string] => {
  const slash = path.indexOf('/')
  return slash < 0 ? [path, ''] : [path.slice(0, slash), path.slice(slash + 1)]
}

/** The token that a request is about. It is never a part of the path, which is written down. */
function idOf({ fields }: MountRequest): string {
  const sent = textField(fields, 'token')
  return (sent.ok ? sent.value : undefined) ?? ''
}

/** What an answer says of a token that it carries. */
export function authOf(text: string, token: Token, nowMs: number): AnswerAuth {
  return {
    clientToken: text,
    token,
    leaseSeconds: secondsLeft(token, nowMs),
    renewable: token.renewable && token.expiresMs > 0,
    policies: token.policies,
  }
}

/** What a lookup says of a token. */
export function tokenData(token: Token, nowMs: number): Readonly<Record<string, unknown>> {
  const hasLease = leaseOf(token) !== ''
  return {
    accessor: token.accessor,
    creation_time: Math.floor(token.createdMs / 1_000),
    creation_ttl: token.ttlSeconds,
    display_name: token.displayName,
    entity_id: token.entityId,
    expire_time: hasLease ? timeText(token.expiresMs) : null,
    explicit_max_ttl: token.explicitMaxSeconds,
    ...(hasLease ? { issue_time: timeText(token.createdMs), renewable: token.renewable } : {}),
    meta: Object.keys(token.meta).length === 0 ? null : token.meta,
    num_uses: token.uses,
    orphan: token.parent === '',
    path: token.path,
    policies: token.policies,
    ttl: secondsLeft(token, nowMs),
    type: 'service',
    ...(token.periodSeconds > 0 ? { period: token.periodSeconds } : {}),
    ...(token.role === '' ? {} : { role: token.role }),
    ...(token.boundCidrs.length > 0 ? { bound_cidrs: token.boundCidrs } : {}),
    ...(token.renewedMs === undefined
      ? {}
      : { last_renewal: timeText(token.renewedMs), last_renewal_time: Math.floor(token.renewedMs / 1_000) }),
  }
}
