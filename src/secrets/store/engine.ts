import type { Clock } from '../../lib/clock.ts'
import type { Ids } from '../../lib/ids.ts'
import type { Log } from '../../lib/log.ts'
import { AuditLog } from '../audit/audit-log.ts'
import type { AuditEvent } from '../audit/audit-line.ts'
import type { ToldChangeFeed } from '../change-feed.ts'
import { type Answer, bodyOf, refusalAnswer } from './answer.ts'
import type { Barrier } from './barrier.ts'
import type { Call } from './call.ts'
import { Identity } from './identity.ts'
import { KvV1 } from './kv/kv-v1.ts'
import { KvV2 } from './kv/kv-v2.ts'
import {
  badRequest,
  type Backend,
  type Fields,
  type Login,
  type MountInfo,
  type MountRequest,
  type Operation,
  type Outcome,
  permissionDenied,
  type Refusal,
  type Reply,
} from './logical.ts'
import { AppRole } from './login/approle.ts'
import { KubernetesLogin, type TokenReviewer } from './login/kubernetes.ts'
import { Lockout } from './login/lockout.ts'
import { Userpass } from './login/userpass.ts'
import { isFrom } from './networks.ts'
import type { Mount } from './mount/mount.ts'
import { MountTable, type Route } from './mount/mount-table.ts'
import type { Acl } from './policy/acl.ts'
import { PolicyStore } from './policy/policy-store.ts'
import { RateLimits } from './rate-limits.ts'
import type { SealState } from './seal/seal-state.ts'
import { SystemBackend } from './system/system-backend.ts'
import { newLifetime } from './token/lifetime.ts'
import { cleanPolicies, type Token } from './token/token.ts'
import { authOf, TokenBackend } from './token/token-backend.ts'
import { TokenStore, type TokenWish } from './token/token-store.ts'
import { Wrapping } from './wrapping.ts'

export interface EngineParts {
  readonly barrier: Barrier
  readonly seal: SealState
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Log
  readonly changes: ToldChangeFeed
  readonly auditFolder?: string
  readonly reviewToken?: TokenReviewer
  readonly sealSoon: () => void
}

/** Who asks, and what they may. */
interface Asker {
  readonly token?: Token
  readonly refusal?: Refusal
}

const DENIED = '1 error occurred:\n\t* permission denied\n\n'

/** An open store: everything there is between a request and its answer. It ends when the store is sealed. */
export class Engine {
  readonly tokens: TokenStore
  readonly audit: AuditLog
  readonly #parts: EngineParts
  readonly #policies: PolicyStore
  readonly #identity: Identity
  readonly #mounts: MountTable
  readonly #limits: RateLimits
  readonly #wrapping: Wrapping

  private constructor(
    parts: EngineParts,
    made: {
      readonly tokens: TokenStore
      readonly audit: AuditLog
      readonly policies: PolicyStore
      readonly identity: Identity
      readonly mounts: MountTable
      readonly limits: RateLimits
      readonly wrapping: Wrapping
    },
  ) {
    this.#parts = parts
    this.tokens = made.tokens
    this.audit = made.audit
    this.#policies = made.policies
    this.#identity = made.identity
    this.#mounts = made.mounts
    this.#limits = made.limits
    this.#wrapping = made.wrapping
  }

  /** Reads what there is behind the open barrier; what is not there yet is made. */
  static async open(parts: EngineParts): Promise<Engine> {
    const { barrier, clock, ids, log, auditFolder } = parts
    const cubbyhole = (hash: string): ReturnType<Barrier['view']> => barrier.view(`cubbyhole/${hash}/`)
    const onRevoked = async ({ hash }: Token): Promise<void> => {
      const view = cubbyhole(hash)
      await Promise.all(view.keysBelow('').map((key) => view.delete(key)))
    }
    const core = barrier.view('core/')
    const policies = await PolicyStore.open(barrier.view('policy/'))
    const tokens = await TokenStore.open({ view: barrier.view('token/'), clock, ids, log, onRevoked })
    const identity = new Identity(barrier.view('identity/'), ids)
    const limits = new RateLimits(barrier.view('limits/'), clock)
    const wrapping = new Wrapping({ tokens, clock, cubbyhole })
    const audit = await AuditLog.open({
      core,
      ids,
      clock,
      log,
      ...(auditFolder === undefined ? {} : { folder: auditFolder }),
    })
    const made = { tokens, audit, policies, identity, limits, wrapping }
    const make = backends(parts, { ...made, mounts: () => mounts })
    const mounts: MountTable = await MountTable.open({ core, logical: barrier.view('logical/'), ids, make })
    return new Engine(parts, { ...made, mounts })
  }

  async close(): Promise<void> {
    this.tokens.close()
    await this.audit.close()
  }

  /** A token of the policy `root` for whoever runs this process; without an end where nothing is said. */
  async rootToken(displayName: string, ttlSeconds = 0): Promise<{ readonly text: string; readonly token: Token }> {
    return this.tokens.create(this.#rootWish(displayName, ttlSeconds))
  }

  /** As `rootToken`, but in memory only; whoever asks for it revokes it. */
  passingRootToken(displayName: string, ttlSeconds: number): { readonly text: string; readonly token: Token } {
    return this.tokens.createPassing(this.#rootWish(displayName, ttlSeconds))
  }

  #rootWish(displayName: string, ttlSeconds: number): TokenWish {
    const nowMs = this.#parts.clock.now()
    return {
      parent: '',
      policies: ['root'],
      path: 'auth/token/root',
      meta: {},
      displayName,
      uses: 0,
      ttlSeconds,
      createdMs: nowMs,
      expiresMs: ttlSeconds === 0 ? 0 : nowMs + ttlSeconds * 1_000,
      periodSeconds: 0,
      explicitMaxSeconds: 0,
      maxSeconds: 0,
      role: '',
      renewable: false,
      entityId: '',
      boundCidrs: [],
    }
  }

  /** Answers a request. Only what nobody expects is thrown. */
  async handle(call: Call): Promise<Answer> {
    const retrySeconds = this.#limits.exceeded(call.path, call.remoteAddress)
    if (retrySeconds !== undefined) {
      const refusal = { status: 429, errors: ['request path "' + call.path + '": rate limit quota exceeded'] }
      return refusalAnswer(refusal, { 'retry-after': String(retrySeconds) })
    }
    const route = this.#mounts.route(call.path)
    const path = route ? below(route.mount.path, call.path) : ''
    const isOpen = route !== undefined && fits(path, route.backend.open ?? [])
    const asker = await this.#asker(call, isOpen)
    const request = route && this.#requestFor(call, route, path, asker.token)
    const operation = request?.operation ?? call.operation
    const refusal = asker.refusal ?? (isOpen ? undefined : this.#refusal(call, operation, route, path, asker.token))
    const event = eventOf(call, operation, route, asker.token)
    try {
      if (!(await this.audit.tell({ ...event, type: 'request', ...(refusal ? { errors: refusal.errors } : {}) }))) {
        return refusalAnswer({ status: 500, errors: ['internal error'] })
      }
      if (refusal) return refusalAnswer(refusal)
      if (!route || !request) {
        return refusalAnswer({ status: 404, errors: [`no handler for route "${call.path}". route entry not found.`] })
      }
      return await this.#answer(call, route, request, event)
    } finally {
      // The last use of a token ends with the request that it was for.
      if (asker.token && asker.token.uses < 0) await this.tokens.revoke(asker.token.hash)
    }
  }

  async #answer(call: Call, route: Route, request: MountRequest, event: AuditEvent): Promise<Answer> {
    let outcome = await this.#outcome(route, request)
    if (outcome.ok && outcome.value?.login) outcome = await this.#logIn(route, request, outcome.value)
    if (outcome.ok) {
      const wrapSeconds = outcome.value?.wrapSeconds ?? call.wrapSeconds
      if (wrapSeconds > 0 && outcome.value && !outcome.value.wrap && (outcome.value.status ?? 200) < 300) {
        outcome = await this.#wrap(call, outcome.value, wrapSeconds)
      }
    }
    const told: AuditEvent = {
      ...event,
      type: 'response',
      ...(outcome.ok ? (outcome.value ? { reply: outcome.value } : {}) : { errors: outcome.error.errors }),
    }
    if (!(await this.audit.tell(told))) return refusalAnswer({ status: 500, errors: ['internal error'] })
    if (!outcome.ok) return refusalAnswer(outcome.error)
    return answerOf(call, outcome.value)
  }

  #outcome(route: Route, request: MountRequest): Outcome | Promise<Outcome> {
    const isWrite = request.operation === 'create' || request.operation === 'update' || request.operation === 'patch'
    if (isWrite && request.path.endsWith('/')) return badRequest("cannot write to a path ending in '/'")
    if (request.operation === 'help') {
      const { type, path } = route.mount
      return { ok: true, value: { data: { help: `${path} is a mount of type ${type}.`, see_also: null } } }
    }
    return route.backend.handle(request)
  }

  async #asker(call: Call, isOpen: boolean): Promise<Asker> {
    if (call.token === '') return isOpen ? {} : { refusal: permissionDenied().error }
    const token = this.tokens.byText(call.token)
    const isHere = token && isFrom(call.remoteAddress, token.boundCidrs)
    if (!token || !isHere) return isOpen ? {} : { refusal: permissionDenied().error }
    // Open paths do not cost a use.
    return { token: isOpen ? token : await this.tokens.use(token) }
  }

  #requestFor(call: Call, route: Route, path: string, token: Token | undefined): MountRequest {
    const { mount, backend } = route
    const view = mount.type === 'cubbyhole' ? this.#parts.barrier.view(`cubbyhole/${token?.hash ?? ''}/`) : route.view
    const request: MountRequest = {
      operation: call.operation,
      path,
      fields: call.fields,
      view,
      mount: route.info,
      ...(token ? { token } : {}),
      clientToken: call.token,
      remoteAddress: call.remoteAddress,
      wrapSeconds: call.wrapSeconds,
    }
    const isNew = call.operation === 'update' && backend.exists?.(request) === false
    return isNew ? { ...request, operation: 'create' } : request
  }

  #refusal(
    call: Call,
    operation: Operation,
    route: Route | undefined,
    path: string,
    token: Token | undefined,
  ): Refusal | undefined {
    if (!token) return permissionDenied().error
    const { path: full, fields, wrapSeconds } = call
    const { isAllowed, hasSudo } = this.#aclOf(token).allows({ path: full, operation, fields, wrapSeconds })
    const needsSudo = route !== undefined && fits(path, route.backend.sudo ?? [])
    return isAllowed && (hasSudo || !needsSudo) ? undefined : { status: 403, errors: [DENIED] }
  }

  #aclOf(token: Token): Acl {
    return this.#policies.acl(token.policies, this.#identity.template(token.entityId))
  }

  async #logIn({ mount, info }: Route, request: MountRequest, { login, warnings = [] }: Reply): Promise<Outcome> {
    if (!login) throw new Error('a login without a login')
    if (login.policies.includes('root')) return badRequest('auth methods cannot create root tokens')
    const { clock } = this.#parts
    const { limits, alias } = login
    const entityId = await this.#identity.entityFor(mount.accessor, alias.name, alias.metadata)
    const life = newLifetime(0, limits, info)
    const nowMs = clock.now()
    const { text, token } = await this.tokens.create({
      parent: '',
      policies: cleanPolicies([...login.policies, ...(limits.withoutDefaultPolicy ? [] : ['default'])]),
      path: mount.path + request.path,
      meta: login.metadata,
      displayName: displayName(mount, login),
      uses: limits.uses ?? 0,
      ttlSeconds: life.ttlSeconds,
      createdMs: nowMs,
      expiresMs: nowMs + life.ttlSeconds * 1_000,
      periodSeconds: limits.periodSeconds ?? 0,
      explicitMaxSeconds: limits.explicitMaxTtlSeconds ?? 0,
      maxSeconds: limits.maxTtlSeconds ?? 0,
      role: '',
      renewable: true,
      entityId,
      boundCidrs: limits.boundCidrs ?? [],
    })
    const all = [...warnings, ...life.warnings]
    return { ok: true, value: { auth: authOf(text, token, nowMs), ...(all.length > 0 ? { warnings: all } : {}) } }
  }

  async #wrap(call: Call, reply: Reply, seconds: number): Promise<Outcome> {
    const json = reply.rawJson ?? JSON.stringify(bodyOf(call.id, reply))
    const wrap = await this.#wrapping.wrap(json, call.path, seconds, reply.auth?.token.accessor)
    return { ok: true, value: { wrap } }
  }
}

/** Makes what is behind a mount, by its type. */
function backends(
  { barrier, seal, clock, ids, changes, reviewToken, sealSoon }: EngineParts,
  made: {
    readonly tokens: TokenStore
    readonly audit: AuditLog
    readonly policies: PolicyStore
    readonly identity: Identity
    readonly limits: RateLimits
    readonly wrapping: Wrapping
    readonly mounts: () => MountTable
  },
): (mount: Mount) => Backend | undefined {
  const { tokens, policies, identity, mounts } = made
  const aclOf = (token: Token): Acl => policies.acl(token.policies, identity.template(token.entityId))
  const lockout = new Lockout(clock)
  const onChange = (mount: string, path: string): void => changes.tell({ what: 'changed', mount, path })
  const ttlsAt = (path: string): MountInfo => {
    const at = mounts().route(path) ?? mounts().at('auth/token/')
    if (!at) throw new Error('the mount of tokens is missing')
    return at.info
  }
  const noUse: Fields = new Map()
  const hasSudo = (token: Token, path: string): boolean =>
    aclOf(token).allows({ path, operation: 'update', fields: noUse, wrapSeconds: 0 }).hasSudo
  const system = new SystemBackend({ ...made, clock, barrier, seal, aclOf, sealSoon, lockout })
  const token = new TokenBackend({ tokens, clock, isPolicy: (name) => policies.has(name), hasSudo, ttlsAt })
  const cubbyhole = new KvV1(() => {}, false)
  return ({ type, options, path }) => {
    const isAuth = path.startsWith('auth/')
    switch (type) {
      case 'system':
        return system
      case 'identity':
        return identity
      case 'cubbyhole':
        return path === 'cubbyhole/' ? cubbyhole : undefined
      case 'token':
        return path === 'auth/token/' ? token : undefined
      case 'kv':
        if (isAuth) return undefined
        return options['version'] === '2' ? new KvV2(clock, onChange) : new KvV1(onChange)
      case 'kubernetes':
        return isAuth ? new KubernetesLogin(reviewToken) : undefined
      case 'approle':
        return isAuth ? new AppRole({ clock, ids, lockout }) : undefined
      case 'userpass':
        return isAuth ? new Userpass({ ids, lockout }) : undefined
      default:
        return undefined
    }
  }
}

function below(mount: string, path: string): string {
  return path.length < mount.length ? '' : path.slice(mount.length)
}

/** Whether a path is among some, of which those that end in `*` stand for whatever begins so. */
function fits(path: string, patterns: readonly string[]): boolean {
  return patterns.some((one) => (one.endsWith('*') ? path.startsWith(one.slice(0, -1)) : path === one))
}

function displayName({ path }: Mount, { displayName: name }: Login): string {
  const mount = path
    .replace(/^auth\//, '')
    .replaceAll('/', '-')
    .replace(/-$/, '')
  return name === '' ? mount : `${mount}-${name}`
}

function eventOf(
  { id, path, fields, token: clientToken, remoteAddress, wrapSeconds }: Call,
  operation: Operation,
  route: Route | undefined,
  token: Token | undefined,
): AuditEvent {
  return {
    type: 'request',
    id,
    operation,
    path,
    fields,
    clientToken,
    ...(token ? { token } : {}),
    ...(route ? { mount: route.mount } : {}),
    remoteAddress,
    wrapSeconds,
    plainRequestKeys: route?.mount.config.plainRequestKeys ?? [],
    plainResponseKeys: route?.mount.config.plainResponseKeys ?? [],
  }
}

function answerOf(call: Call, reply: Reply | undefined): Answer {
  if (!reply) {
    const isRead = call.operation === 'read' || call.operation === 'list'
    return isRead ? refusalAnswer({ status: 404, errors: [] }) : { status: 204 }
  }
  if (reply.rawJson !== undefined) return { status: reply.status ?? 200, json: reply.rawJson }
  const body = reply.body ?? bodyOf(call.id, reply)
  return { status: reply.status ?? 200, ...(body ? { body } : {}) }
}
