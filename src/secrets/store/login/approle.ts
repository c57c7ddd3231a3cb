import { createHmac } from 'node:crypto'
import type { Clock } from '../../../lib/clock.ts'
import type { Ids } from '../../../lib/ids.ts'
import type { View } from '../barrier.ts'
import {
  booleanField,
  integerField,
  isGiven,
  listField,
  objectField,
  type Read,
  readAll,
  secondsField,
  textField,
} from '../fields.ts'
import { KeyedLock } from '../keyed-lock.ts'
import {
  type Backend,
  badRequest,
  dataReply,
  type Fields,
  listReply,
  type MountInfo,
  type MountRequest,
  nothing,
  type Outcome,
  permissionDenied,
  refused,
  reply,
  unsupportedOperation,
  unsupportedPath,
} from '../logical.ts'
import { isFrom, wrongNetwork } from '../networks.ts'
import { timeText } from '../time-text.ts'
import type { Lockout } from './lockout.ts'
import { changedTokens, limitsOf, type TokenSettings, tokensOf, usualTokens } from './token-settings.ts'

interface Role extends TokenSettings {
  readonly role_id: string
  readonly bind_secret_id: boolean
  readonly secret_id_num_uses: number
  readonly secret_id_ttl: number
  readonly secret_id_bound_cidrs: readonly string[]
}

/** What is kept of a secret id: everything but itself. */
interface SecretId {
  readonly accessor: string
  readonly metadata: Readonly<Record<string, string>>
  readonly uses: number
  readonly ttlSeconds: number
  readonly createdMs: number
  readonly expiresMs: number
  readonly updatedMs: number
  readonly cidrs: readonly string[]
  readonly tokenCidrs: readonly string[]
}

interface AppRoleParts {
  readonly clock: Pick<Clock, 'now'>
  readonly ids: Ids
  readonly lockout: Lockout
}

const WRONG = 'invalid role or secret ID'
const MOST_SECRET_IDS = 10_000

/** `auth/approle/`: programs log in with the id of a role and a secret id. */
export class AppRole implements Backend {
  readonly open: readonly string[] = ['login']
  readonly #parts: AppRoleParts
  readonly #locks = new KeyedLock()

  constructor(parts: AppRoleParts) {
    this.#parts = parts
  }

  exists({ path, view }: MountRequest): boolean {
    const name = /^role\/([^/]+)$/.exec(path)?.[1]
    return name === undefined || roleOf(view, name.toLowerCase()) !== undefined
  }

  async handle(request: MountRequest): Promise<Outcome> {
    const { path, operation, view } = request
    const isWrite = operation === 'update' || operation === 'create'
    if (path === 'login') return isWrite ? this.#logIn(request) : unsupportedOperation()
    if (path === 'tidy/secret-id') return isWrite ? this.#tidy(view) : unsupportedOperation()
    if (path === 'role' || path === 'role/') {
      return operation === 'list' ? listReply(view.list('role/')) : unsupportedOperation()
    }
    const [, written, rest = ''] = /^role\/([^/]+)(?:\/(.*?))?\/?$/.exec(path) ?? []
    if (written === undefined) return unsupportedPath()
    const name = written.toLowerCase()
    if (rest === '') return this.#role(request, name)
    const role = roleOf(view, name)
    if (!role) return refused(404, `role ${JSON.stringify(name)} does not exist`)
    if (rest === 'role-id') return this.#roleId(request, name, role)
    if (/^(secret-id|custom-secret-id)(-accessor)?(\/|$)/.test(rest)) return this.#secretIds(request, name, role, rest)
    return this.#oneField(request, name, role, rest)
  }

  async #role(request: MountRequest, name: string): Promise<Outcome> {
    const { view, operation, fields, mount } = request
    const known = roleOf(view, name)
    switch (operation) {
      case 'read':
        return known ? dataReply(roleData(known)) : nothing
      case 'delete':
        if (known) await this.#delete(view, name, known)
        return nothing
      case 'create':
      case 'update': {
        const role = changedRole(known ?? this.#newRole(), fields, mount)
        return role.ok ? this.#keep(view, name, known, role.value) : role
      }
      default:
        return unsupportedOperation()
    }
  }

  #newRole(): Role {
    return {
      ...usualTokens,
      role_id: this.#parts.ids.uid(),
      bind_secret_id: true,
      secret_id_num_uses: 0,
      secret_id_ttl: 0,
      secret_id_bound_cidrs: [],
    }
  }

  /** The index comes first and is checked when it is used: a crash leaves one that leads nowhere. */
  async #keep(view: View, name: string, known: Role | undefined, role: Role): Promise<Outcome> {
    const taken = view.get(indexKey(role.role_id))
    if (typeof taken === 'string' && taken !== name && roleOf(view, taken)?.role_id === role.role_id) {
      return badRequest('role_id already in use')
    }
    await view.put(indexKey(role.role_id), name)
    await view.put(`role/${name}`, role)
    if (known && known.role_id !== role.role_id) await view.delete(indexKey(known.role_id))
    return nothing
  }

  async #delete(view: View, name: string, { role_id: id }: Role): Promise<void> {
    await view.delete(`role/${name}`)
    const secrets = view.keysBelow(`secret-id/${name}/`)
    await Promise.all([view.delete(indexKey(id)), ...secrets.map((key) => view.delete(`secret-id/${name}/${key}`))])
  }

  async #roleId({ view, operation, fields }: MountRequest, name: string, role: Role): Promise<Outcome> {
    if (operation === 'read') return dataReply({ role_id: role.role_id })
    if (operation !== 'update' && operation !== 'create') return unsupportedOperation()
    const id = textField(fields, 'role_id')
    if (!id.ok) return id
    return id.value ? this.#keep(view, name, role, { ...role, role_id: id.value }) : badRequest('missing role_id')
  }

  /** `role/<name>/<field>`: one setting by itself. */
  async #oneField(
    { view, operation, fields, mount }: MountRequest,
    name: string,
    role: Role,
    path: string,
  ): Promise<Outcome> {
    const field = ONE_FIELD.get(path)
    if (field === undefined) return unsupportedPath()
    if (operation === 'read') return dataReply({ [field]: role[field] })
    const usual: Role = { ...this.#newRole(), role_id: role.role_id }
    if (operation === 'delete') return this.#keep(view, name, role, { ...role, [field]: usual[field] })
    if (operation !== 'update' && operation !== 'create') return unsupportedOperation()
    const sent = [field, field.replace(/^token_/, ''), path.replaceAll('-', '_')].find((one) => isGiven(fields, one))
    if (sent === undefined) return badRequest(`missing ${field}`)
    const changed = changedRole(role, new Map([[field, fields.get(sent)]]), mount)
    return changed.ok ? this.#keep(view, name, role, changed.value) : changed
  }

  #secretIds(request: MountRequest, name: string, role: Role, path: string): Promise<Outcome> | Outcome {
    const { operation, view } = request
    const isWrite = operation === 'update' || operation === 'create'
    if (path === 'secret-id' || path === 'custom-secret-id') {
      if (operation === 'list' && path === 'secret-id') {
        return listReply(secretIdsOf(view, name).map(([, secret]) => secret.accessor))
      }
      return isWrite ? this.#newSecretId(request, name, role, path === 'custom-secret-id') : unsupportedOperation()
    }
    const isDelete = path.endsWith('/destroy') && (isWrite || operation === 'delete')
    if (!isDelete && !(path.endsWith('/lookup') && isWrite)) return unsupportedPath()
    return this.#oneSecretId(request, name, role, { byAccessor: path.startsWith('secret-id-accessor'), isDelete })
  }

  async #oneSecretId(
    { view, fields }: MountRequest,
    name: string,
    role: Role,
    how: { readonly byAccessor: boolean; readonly isDelete: boolean },
  ): Promise<Outcome> {
    const field = how.byAccessor ? 'secret_id_accessor' : 'secret_id'
    const sent = textField(fields, field)
    if (!sent.ok) return sent
    if (!sent.value) return badRequest(`missing ${field}`)
    const key = how.byAccessor
      ? secretIdsOf(view, name).find(([, { accessor }]) => accessor === sent.value)?.[0]
      : secretKey(name, role, sent.value)
    const secret = key === undefined ? undefined : (view.get(key) as SecretId | undefined)
    if (key === undefined || !secret || this.#isOver(secret)) {
      if (how.byAccessor) return refused(404, 'failed to find accessor entry for secret_id_accessor')
      return how.isDelete ? badRequest('invalid secret id') : nothing
    }
    if (!how.isDelete) return dataReply(secretData(secret))
    await view.delete(key)
    return nothing
  }

  async #newSecretId(
    { view, fields, mount }: MountRequest,
    name: string,
    role: Role,
    isCustom: boolean,
  ): Promise<Outcome> {
    const planned = planSecretId(fields, role, mount, isCustom)
    if (!planned.ok) return planned
    if (view.keysBelow(`secret-id/${name}/`).length >= MOST_SECRET_IDS) await this.#tidy(view)
    if (view.keysBelow(`secret-id/${name}/`).length >= MOST_SECRET_IDS) {
      return badRequest(`a role has at most ${MOST_SECRET_IDS} secret ids: give them an end, or destroy some`)
    }
    const { ids, clock } = this.#parts
    const { own, ...plan } = planned.value
    const text = isCustom && own ? own : ids.uid()
    const key = secretKey(name, role, text)
    if (view.get(key) !== undefined) return badRequest('SecretID is already registered')
    const nowMs = clock.now()
    const expiresMs = plan.ttlSeconds > 0 ? nowMs + plan.ttlSeconds * 1_000 : 0
    const secret: SecretId = { ...plan, accessor: ids.uid(), createdMs: nowMs, updatedMs: nowMs, expiresMs }
    await view.put(key, secret)
    return dataReply({
      secret_id: text,
      secret_id_accessor: secret.accessor,
      secret_id_ttl: secret.ttlSeconds,
      secret_id_num_uses: secret.uses,
    })
  }

  async #logIn(request: MountRequest): Promise<Outcome> {
    const { fields, view, mount, remoteAddress } = request
    const read = readAll({ roleId: textField(fields, 'role_id'), secretId: textField(fields, 'secret_id') })
    if (!read.ok) return read
    const roleId = read.value.roleId?.trim() ?? ''
    const text = read.value.secretId?.trim() ?? ''
    if (roleId === '') return badRequest('missing role_id')
    const { lockout } = this.#parts
    if (lockout.isLocked(mount.accessor, roleId)) return permissionDenied()
    const name = view.get(indexKey(roleId))
    const role = typeof name === 'string' ? roleOf(view, name) : undefined
    if (typeof name !== 'string' || role?.role_id !== roleId) return badRequest(WRONG)
    let secret: SecretId | undefined
    if (role.bind_secret_id) {
      if (text === '') return badRequest('missing secret_id')
      const key = secretKey(name, role, text)
      secret = await this.#locks.run(mount.accessor + key, () => this.#useSecretId(view, key))
      if (!secret) {
        lockout.failed(mount.accessor, roleId)
        return badRequest(WRONG)
      }
      if (!isFrom(remoteAddress, secret.cidrs)) {
        return badRequest(`source address "${remoteAddress}" unauthorized through CIDR restrictions on the secret ID`)
      }
    }
    if (!isFrom(remoteAddress, role.secret_id_bound_cidrs)) {
      return badRequest(`source address "${remoteAddress}" unauthorized by CIDR restrictions on the role`)
    }
    lockout.succeeded(mount.accessor, roleId)
    const metadata = { ...secret?.metadata, role_name: name }
    const limits = limitsOf(role)
    const boundCidrs = secret && secret.tokenCidrs.length > 0 ? secret.tokenCidrs : role.token_bound_cidrs
    return reply({
      login: {
        policies: role.token_policies,
        metadata,
        displayName: '',
        alias: { name: roleId, metadata },
        limits: { ...limits, boundCidrs },
      },
    })
  }

  /** Counts a use before the login succeeds; the last one takes the secret id away. */
  async #useSecretId(view: View, key: string): Promise<SecretId | undefined> {
    const secret = view.get(key) as SecretId | undefined
    if (!secret) return undefined
    if (this.#isOver(secret)) {
      await view.delete(key)
      return undefined
    }
    if (secret.uses === 1) await view.delete(key)
    if (secret.uses > 1) {
      await view.put(key, { ...secret, uses: secret.uses - 1, updatedMs: this.#parts.clock.now() } satisfies SecretId)
    }
    return secret
  }

  #isOver({ expiresMs }: SecretId): boolean {
    return expiresMs > 0 && expiresMs <= this.#parts.clock.now()
  }

  async #tidy(view: View): Promise<Outcome> {
    const over = view.keysBelow('secret-id/').filter((key) => this.#isOver(view.get(`secret-id/${key}`) as SecretId))
    await Promise.all(over.map((key) => view.delete(`secret-id/${key}`)))
    return reply({ status: 202, warnings: [`${over.length} expired secret ids were removed.`] })
  }
}

// What this file wrote, authenticated by the barrier.
const roleOf = (view: View, name: string): Role | undefined => view.get(`role/${name}`) as Role | undefined

const hashBy = (key: string, text: string): string => createHmac('sha256', key).update(text).digest('hex')
const indexKey = (roleId: string): string => `role-id/${hashBy('role-id', roleId)}`
const secretKey = (name: string, { role_id: id }: Role, text: string): string => `secret-id/${name}/${hashBy(id, text)}`

const secretIdsOf = (view: View, name: string): readonly (readonly [string, SecretId])[] =>
  view.keysBelow(`secret-id/${name}/`).map((key) => {
    const full = `secret-id/${name}/${key}`
    return [full, view.get(full) as SecretId] as const
  })

function changedRole(known: Role, fields: Fields, mount: MountInfo): Read<Role> {
  const tokens = changedTokens(tokensOf(known), fields, mount)
  if (!tokens.ok) return tokens
  const read = readAll({
    role_id: textField(fields, 'role_id'),
    bind_secret_id: booleanField(fields, 'bind_secret_id'),
    secret_id_num_uses: integerField(fields, 'secret_id_num_uses'),
    secret_id_ttl: secondsField(fields, 'secret_id_ttl'),
    secret_id_bound_cidrs: listField(
      fields,
      isGiven(fields, 'secret_id_bound_cidrs') ? 'secret_id_bound_cidrs' : 'bound_cidr_list',
    ),
  })
  if (!read.ok) return read
  const given = Object.fromEntries(Object.entries(read.value).filter(([, value]) => value !== undefined))
  const role: Role = { ...known, ...given, ...tokens.value }
  if (role.role_id === '') return badRequest('invalid role_id supplied, or failed to generate a role_id')
  if (role.secret_id_num_uses < 0) return badRequest('secret_id_num_uses cannot be negative')
  const wrong = wrongNetwork([...role.secret_id_bound_cidrs, ...role.token_bound_cidrs])
  if (wrong !== undefined) return badRequest('invalid CIDR blocks')
  if (!role.bind_secret_id && role.secret_id_bound_cidrs.length === 0 && role.token_bound_cidrs.length === 0) {
    return badRequest('at least one constraint should be enabled on the role')
  }
  return { ok: true, value: role }
}

interface SecretIdPlan extends Pick<SecretId, 'metadata' | 'uses' | 'ttlSeconds' | 'cidrs' | 'tokenCidrs'> {
  readonly own: string
}

/** What a secret id is to be: what was asked for, within what the role allows. */
function planSecretId(fields: Fields, role: Role, mount: MountInfo, isCustom: boolean): Read<SecretIdPlan> {
  const read = readAll({
    own: textField(fields, 'secret_id'),
    metadata: metadataField(fields),
    cidrs: listField(fields, 'cidr_list'),
    tokenCidrs: listField(fields, 'token_bound_cidrs'),
    uses: integerField(fields, 'num_uses'),
    ttl: secondsField(fields, 'ttl'),
  })
  if (!read.ok) return read
  const { own = '', metadata = {}, cidrs = [], tokenCidrs = [], uses = role.secret_id_num_uses } = read.value
  const { ttl = Math.min(role.secret_id_ttl, mount.maxTtlSeconds) } = read.value
  const { secret_id_num_uses: mostUses, secret_id_ttl: longest } = role
  const facts: readonly (readonly [boolean, string])[] = [
    [!role.bind_secret_id, 'bind_secret_id is not set on the role'],
    [isCustom && own === '', 'missing secret_id'],
    [wrongNetwork(cidrs) !== undefined, 'failed to validate CIDR blocks'],
    [wrongNetwork(tokenCidrs) !== undefined, 'failed to validate token CIDR blocks'],
    [uses < 0, 'num_uses cannot be negative'],
    [mostUses > 0 && (uses === 0 || uses > mostUses), "num_uses cannot be higher than the role's secret_id_num_uses"],
    [longest > 0 && (ttl === 0 || ttl > longest), "ttl cannot be longer than the role's secret_id_ttl"],
  ]
  const refusal = facts.find(([isSo]) => isSo)
  if (refusal) return badRequest(refusal[1])
  return { ok: true, value: { own, metadata, cidrs, tokenCidrs, uses, ttlSeconds: ttl } }
}

const ONE_FIELD: ReadonlyMap<string, keyof Role> = new Map<string, keyof Role>([
  ['policies', 'token_policies'],
  ['bind-secret-id', 'bind_secret_id'],
  ['secret-id-num-uses', 'secret_id_num_uses'],
  ['secret-id-ttl', 'secret_id_ttl'],
  ['secret-id-bound-cidrs', 'secret_id_bound_cidrs'],
  ['bound-cidr-list', 'secret_id_bound_cidrs'],
  ['token-bound-cidrs', 'token_bound_cidrs'],
  ['token-num-uses', 'token_num_uses'],
  ['token-ttl', 'token_ttl'],
  ['token-max-ttl', 'token_max_ttl'],
  ['period', 'token_period'],
])

/** The role without its id, which has a path of its own. */
function roleData(role: Role): Readonly<Record<string, unknown>> {
  return {
    ...tokensOf(role),
    bind_secret_id: role.bind_secret_id,
    secret_id_num_uses: role.secret_id_num_uses,
    secret_id_ttl: role.secret_id_ttl,
    secret_id_bound_cidrs: role.secret_id_bound_cidrs,
    local_secret_ids: false,
  }
}

const secretData = (secret: SecretId): Readonly<Record<string, unknown>> => ({
  secret_id_accessor: secret.accessor,
  metadata: secret.metadata,
  secret_id_num_uses: secret.uses,
  secret_id_ttl: secret.ttlSeconds,
  creation_time: timeText(secret.createdMs),
  expiration_time: secret.expiresMs === 0 ? '0001-01-01T00:00:00Z' : timeText(secret.expiresMs),
  last_updated_time: timeText(secret.updatedMs),
  cidr_list: secret.cidrs,
  token_bound_cidrs: secret.tokenCidrs,
})

/** Metadata comes as JSON text, and from some clients as an object. */
function metadataField(fields: Fields): Read<Readonly<Record<string, string>> | undefined> {
  const sent = fields.get('metadata')
  if (sent === undefined || sent === null || sent === '') return { ok: true, value: undefined }
  let value: unknown = sent
  if (typeof sent === 'string') {
    try {
      value = JSON.parse(sent)
    } catch {
      return badRequest('failed to parse metadata: it has to be an object of strings in JSON')
    }
  }
  const object = objectField(new Map([['metadata', value]]), 'metadata')
  if (!object.ok) return object
  const entries = Object.entries(object.value ?? {})
  if (!entries.every((entry): entry is [string, string] => typeof entry[1] === 'string')) {
    return badRequest('failed to parse metadata: it has to be an object of strings in JSON')
  }
  return { ok: true, value: Object.fromEntries(entries) }
}
