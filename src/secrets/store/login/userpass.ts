import { scrypt, timingSafeEqual } from 'node:crypto'
import type { Ids } from '../../../lib/ids.ts'
import { textField } from '../fields.ts'
import {
  type Backend,
  badRequest,
  dataReply,
  listReply,
  type MountRequest,
  nothing,
  type Outcome,
  permissionDenied,
  reply,
  unsupportedOperation,
  unsupportedPath,
} from '../logical.ts'
import { isFrom } from '../networks.ts'
import type { Lockout } from './lockout.ts'
import { changedTokens, limitsOf, type TokenSettings, tokensOf, usualTokens } from './token-settings.ts'

interface User extends TokenSettings {
  readonly salt: string
  readonly hash: string
}

interface UserpassParts {
  readonly ids: Pick<Ids, 'bytes'>
  readonly lockout: Lockout
}

const HASH_BYTES = 32
const [SALT_BYTES, LONGEST_PASSWORD] = [16, 1_024]
/** What a password is compared with where there is no such user, so that it takes as long. */
const NOBODY = { salt: Buffer.alloc(SALT_BYTES).toString('base64'), hash: Buffer.alloc(HASH_BYTES).toString('base64') }

/** `auth/userpass/`: people log in with a name and a password. */
export class Userpass implements Backend {
  readonly open: readonly string[] = ['login/*']
  readonly #parts: UserpassParts

  constructor(parts: UserpassParts) {
    this.#parts = parts
  }

  exists({ path, view }: MountRequest): boolean {
    return !/^users\/[^/]+$/.test(path) || view.get(path.toLowerCase()) !== undefined
  }

  async handle(request: MountRequest): Promise<Outcome> {
    const { path, operation, view } = request
    const isWrite = operation === 'update' || operation === 'create'
    const login = /^login\/([^/]+)$/.exec(path)?.[1]
    if (login !== undefined) return isWrite ? this.#logIn(request, login.toLowerCase()) : unsupportedOperation()
    if (path === 'users' || path === 'users/') {
      return operation === 'list' ? listReply(view.list('users/')) : unsupportedOperation()
    }
    const [, written, part] = /^users\/([^/]+)(?:\/(password|policies))?$/.exec(path) ?? []
    if (written === undefined) return unsupportedPath()
    const name = written.toLowerCase()
    const known = view.get(`users/${name}`) as User | undefined
    if (part !== undefined && !known) return badRequest(`username does not exist`)
    if (isWrite) return this.#write(request, name, known)
    if (part !== undefined) return unsupportedOperation()
    if (operation === 'read') return known ? dataReply({ ...tokensOf(known) }) : nothing
    if (operation !== 'delete') return unsupportedOperation()
    await view.delete(`users/${name}`)
    return nothing
  }

  async #write({ view, fields, mount }: MountRequest, name: string, known: User | undefined): Promise<Outcome> {
    const tokens = changedTokens(known ? tokensOf(known) : usualTokens, fields, mount)
    if (!tokens.ok) return tokens
    const password = textField(fields, 'password')
    if (!password.ok) return password
    if (!known && !password.value) return badRequest('missing password')
    if ((password.value?.length ?? 0) > LONGEST_PASSWORD) return badRequest('the password is too long')
    const salt = password.value
      ? Buffer.from(this.#parts.ids.bytes(SALT_BYTES)).toString('base64')
      : (known?.salt ?? '')
    const hash = password.value ? (await hashed(password.value, salt)).toString('base64') : (known?.hash ?? '')
    await view.put(`users/${name}`, { ...tokens.value, salt, hash } satisfies User)
    return nothing
  }

  async #logIn({ view, fields, mount, remoteAddress }: MountRequest, name: string): Promise<Outcome> {
    const password = textField(fields, 'password')
    if (!password.ok) return password
    if (!password.value) return badRequest('missing password')
    const { lockout } = this.#parts
    if (lockout.isLocked(mount.accessor, name) || password.value.length > LONGEST_PASSWORD) return permissionDenied()
    const user = view.get(`users/${name}`) as User | undefined
    const { salt, hash } = user ?? NOBODY
    const isRight = timingSafeEqual(await hashed(password.value, salt), Buffer.from(hash, 'base64'))
    if (!user || !isRight) {
      lockout.failed(mount.accessor, name)
      return badRequest('invalid username or password')
    }
    if (!isFrom(remoteAddress, user.token_bound_cidrs)) return permissionDenied()
    lockout.succeeded(mount.accessor, name)
    return reply({
      login: {
        policies: user.token_policies,
        metadata: { username: name },
        displayName: name,
        alias: { name, metadata: {} },
        limits: limitsOf(user),
      },
    })
  }
}

const hashed = (password: string, salt: string): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    scrypt(password, Buffer.from(salt, 'base64'), HASH_BYTES, (error, hash) => (error ? reject(error) : resolve(hash)))
  })
