import {
  booleanField,
  integerField,
  listField,
  type Read,
  readAll,
  secondsField,
  textField,
  textMapField,
} from '../fields.ts'
import { badRequest, type Fields } from '../logical.ts'
import { matchesText } from '../policy/acl.ts'
import { type Lifetime, type MountTtls, newLifetime } from './lifetime.ts'
import { cleanPolicies, isRoot, type Token } from './token.ts'
import { newRole, type TokenRole } from './token-role.ts'
import type { TokenWish } from './token-store.ts'

/** Who asks for a token, and how. */
export interface CreateFacts {
  readonly fields: Fields
  readonly parent: Token
  readonly hasSudo: boolean
  /** Asked at `create-orphan`. */
  readonly isOrphan: boolean
  readonly role?: { readonly name: string; readonly settings: TokenRole }
  readonly mount: MountTtls
  readonly nowMs: number
  readonly isPolicy: (name: string) => boolean
}

export interface CreatePlan {
  readonly wish: TokenWish
  /** The token itself, where somebody with sudo said what it is to be. */
  readonly id?: string
  readonly warnings: readonly string[]
}

type Asked = ReturnType<typeof readAsked> extends Read<infer T> ? T : never

const readAsked = (fields: Fields) =>
  readAll({
    id: textField(fields, 'id'),
    policies: listField(fields, 'policies'),
    meta: textMapField(fields, 'meta'),
    no_parent: booleanField(fields, 'no_parent'),
    no_default_policy: booleanField(fields, 'no_default_policy'),
    renewable: booleanField(fields, 'renewable'),
    ttl: secondsField(fields, fields.has('ttl') ? 'ttl' : 'lease'),
    explicit_max_ttl: secondsField(fields, 'explicit_max_ttl'),
    period: secondsField(fields, 'period'),
    display_name: textField(fields, 'display_name'),
    num_uses: integerField(fields, 'num_uses'),
    type: textField(fields, 'type'),
    entity_alias: textField(fields, 'entity_alias'),
  })

/** What a token is to be that somebody asked for, or why it may not be. */
export function planToken(facts: CreateFacts): Read<CreatePlan> {
  const { parent, hasSudo, role } = facts
  const read = readAsked(facts.fields)
  if (!read.ok) return read
  const asked = read.value
  const refusal = refusalOf(asked, facts)
  if (refusal !== undefined) return badRequest(refusal)
  const policies = role
    ? rolePolicies(asked.policies, role.settings, parent, hasSudo)
    : ownPolicies(asked.policies, parent, hasSudo)
  if (!policies.ok) return policies
  const withDefault = addsDefault(facts, policies.value, asked.no_default_policy === true)
  const names = cleanPolicies([...policies.value, ...(withDefault ? ['default'] : [])])
  if (names.includes('root') && !isRoot(parent)) {
    return badRequest('root tokens may not be created without parent token being root')
  }
  return lifeOf(asked, names, facts)
}

/** Why nobody, or nobody without sudo, may ask for such a token. */
function refusalOf(asked: Asked, { parent, hasSudo, role }: CreateFacts): string | undefined {
  const id = asked.id ?? ''
  const facts: readonly (readonly [boolean, string])[] = [
    [parent.uses !== 0, 'restricted use token cannot generate child tokens'],
    [(asked.num_uses ?? 0) < 0, 'number of uses cannot be negative'],
    [!['', 'service', undefined].includes(asked.type), "invalid 'token_type' value: there are service tokens only"],
    [Boolean(asked.entity_alias), 'entity aliases of tokens are not supported'],
    [id !== '' && !hasSudo, 'root or sudo privileges required to specify token id'],
    [id.startsWith('s.'), "custom token ID cannot have the 's.' prefix"],
    [id.includes('.') || id.length > 256, 'custom token ID cannot contain the "." character, nor more than 256'],
    [asked.no_parent === true && !hasSudo && !role, 'root or sudo privileges required to create orphan token'],
    [(asked.period ?? 0) > 0 && !hasSudo && !role, 'root or sudo privileges required to create periodic token'],
  ]
  return facts.find(([isSo]) => isSo)?.[1]
}

/** The token with its limits: the lesser of what was asked for and what the role says. */
function lifeOf(asked: Asked, names: readonly string[], facts: CreateFacts): Read<CreatePlan> {
  const { parent, mount, nowMs } = facts
  const role = facts.role?.settings ?? newRole
  const isOrphan = facts.role ? role.orphan : facts.isOrphan || asked.no_parent === true
  const period = lesser(asked.period, role.token_period)
  const explicit = lesser(asked.explicit_max_ttl, role.token_explicit_max_ttl)
  const neverEnds = names.includes('root') && !asked.ttl && period === 0 && explicit === 0
  if (neverEnds && parent.expiresMs > 0) {
    return badRequest('expiring root tokens cannot create non-expiring root tokens')
  }
  const limits = { periodSeconds: period, explicitMaxTtlSeconds: explicit }
  const life = neverEnds ? endless : newLifetime(asked.ttl ?? 0, limits, mount)
  const unknown = names.filter((name) => !facts.isPolicy(name))
  const wish: TokenWish = {
    parent: isOrphan ? '' : parent.hash,
    policies: names,
    path: madeAt(facts),
    meta: Object.fromEntries(asked.meta ?? new Map<string, string>()),
    displayName: displayName(asked.display_name),
    uses: lesser(asked.num_uses, role.token_num_uses),
    ttlSeconds: life.ttlSeconds,
    createdMs: nowMs,
    expiresMs: life.ttlSeconds === 0 ? 0 : nowMs + life.ttlSeconds * 1_000,
    periodSeconds: period,
    explicitMaxSeconds: explicit,
    maxSeconds: 0,
    role: facts.role?.name ?? '',
    renewable: !neverEnds && asked.renewable !== false && role.renewable,
    entityId: isOrphan ? '' : parent.entityId,
    boundCidrs: role.token_bound_cidrs,
  }
  const warnings = [...life.warnings, ...unknown.map((name) => `Policy "${name}" does not exist`)]
  return { ok: true, value: { wish, ...idOf(asked), warnings } }
}

const endless: Lifetime = { ttlSeconds: 0, warnings: [] }

const idOf = ({ id }: Asked): { readonly id?: string } => (id ? { id } : {})

function madeAt({ role, isOrphan }: CreateFacts): string {
  if (role) return `auth/token/create/${role.settings.path_suffix === '' ? role.name : role.settings.path_suffix}`
  return isOrphan ? 'auth/token/create-orphan' : 'auth/token/create'
}

/** The lesser of two limits of which either may be missing. */
function lesser(a: number | undefined, b: number | undefined): number {
  if (!a) return b ?? 0
  return b ? Math.min(a, b) : a
}

function displayName(wanted = ''): string {
  const clean = `token-${wanted}`.replaceAll(/[^a-zA-Z0-9-]/g, '-')
  return clean.replace(/-$/, '')
}

function addsDefault({ role }: CreateFacts, names: readonly string[], isUnwanted: boolean): boolean {
  if (isUnwanted || names.includes('root')) return false
  if (!role) return true
  const { token_no_default_policy: without, disallowed_policies: no, disallowed_policies_glob: noGlob } = role.settings
  return !without && !no.includes('default') && !noGlob.some((glob) => matchesText(glob, 'default'))
}

function ownPolicies(asked: readonly string[] | undefined, parent: Token, hasSudo: boolean): Read<readonly string[]> {
  const wanted = cleanPolicies(asked ?? [])
  if (wanted.length === 0) return { ok: true, value: parent.policies }
  const isSubset = wanted.every((name) => name === 'default' || parent.policies.includes(name))
  if (!hasSudo && !isSubset) return badRequest('child policies must be subset of parent')
  return { ok: true, value: wanted }
}

function rolePolicies(
  asked: readonly string[] | undefined,
  role: TokenRole,
  parent: Token,
  hasSudo: boolean,
): Read<readonly string[]> {
  const wanted = cleanPolicies(asked ?? [])
  const { allowed_policies: yes, allowed_policies_glob: yesGlob } = role
  const { disallowed_policies: no, disallowed_policies_glob: noGlob } = role
  const fitsGlob = (name: string, globs: readonly string[]): boolean => globs.some((glob) => matchesText(glob, name))
  let names: readonly string[]
  if (yes.length > 0 || yesGlob.length > 0) {
    names = wanted.length > 0 ? wanted : yes
    const wrong = names.some((name) => name !== 'default' && !yes.includes(name) && !fitsGlob(name, yesGlob))
    if (wrong) {
      return badRequest(
        `token policies (${list(names)}) must be subset of the role's allowed policies (${list(yes)}) or glob policies (${list(yesGlob)})`,
      )
    }
  } else if (wanted.length > 0) {
    names = wanted
    const isSubset = names.every((name) => name === 'default' || parent.policies.includes(name))
    const hasRules = no.length > 0 || noGlob.length > 0
    if (!hasRules && !isSubset && !hasSudo) return badRequest('child policies must be subset of parent')
  } else {
    names = parent.policies.filter((name) => !no.includes(name))
  }
  const wrong = names.find((name) => no.includes(name) || fitsGlob(name, noGlob))
  if (wrong !== undefined) return badRequest(`token policy "${wrong}" is disallowed by this role`)
  return { ok: true, value: names }
}

const list = (names: readonly string[]): string => `[${names.map((name) => JSON.stringify(name)).join(' ')}]`
