import { booleanField, integerField, isGiven, listField, type Read, readAll, secondsField } from '../fields.ts'
import { badRequest, type Fields, type MountInfo, type TokenLimits } from '../logical.ts'
import { cleanPolicies } from '../token/token.ts'

/** What every login method's roles say about the tokens that they give. */
export interface TokenSettings {
  readonly token_policies: readonly string[]
  readonly token_ttl: number
  readonly token_max_ttl: number
  readonly token_explicit_max_ttl: number
  readonly token_period: number
  readonly token_num_uses: number
  readonly token_bound_cidrs: readonly string[]
  readonly token_no_default_policy: boolean
  readonly token_type: string
}

export const usualTokens: TokenSettings = {
  token_policies: [],
  token_ttl: 0,
  token_max_ttl: 0,
  token_explicit_max_ttl: 0,
  token_period: 0,
  token_num_uses: 0,
  token_bound_cidrs: [],
  token_no_default_policy: false,
  token_type: 'default',
}

/** The settings with what was sent, under today's names or those of before. */
export function changedTokens(known: TokenSettings, fields: Fields, mount: MountInfo): Read<TokenSettings> {
  const name = (today: string, before: string): string => (isGiven(fields, today) ? today : before)
  const read = readAll({
    token_policies: listField(fields, name('token_policies', 'policies')),
    token_ttl: secondsField(fields, name('token_ttl', 'ttl')),
    token_max_ttl: secondsField(fields, name('token_max_ttl', 'max_ttl')),
    token_explicit_max_ttl: secondsField(fields, 'token_explicit_max_ttl'),
    token_period: secondsField(fields, name('token_period', 'period')),
    token_num_uses: integerField(fields, name('token_num_uses', 'num_uses')),
    token_bound_cidrs: listField(fields, name('token_bound_cidrs', 'bound_cidrs')),
    token_no_default_policy: booleanField(fields, 'token_no_default_policy'),
  })
  if (!read.ok) return read
  const type = fields.get('token_type') ?? ''
  if (typeof type !== 'string' || !['', 'default', 'service', 'default-service'].includes(type)) {
    return badRequest("invalid 'token_type' value: there are service tokens only")
  }
  const given = Object.fromEntries(Object.entries(read.value).filter(([, value]) => value !== undefined))
  const settings: TokenSettings = { ...known, ...given }
  if ((settings.token_num_uses ?? 0) < 0) return badRequest("'token_num_uses' cannot be negative")
  if (settings.token_max_ttl > 0 && settings.token_ttl > settings.token_max_ttl) {
    return badRequest("'token_ttl' cannot be greater than 'token_max_ttl'")
  }
  if (settings.token_period > mount.maxTtlSeconds) {
    return badRequest(`'token_period' cannot be greater than the mount's maximum of ${mount.maxTtlSeconds} seconds`)
  }
  return { ok: true, value: { ...settings, token_policies: cleanPolicies(settings.token_policies) } }
}

export const limitsOf = (settings: TokenSettings): TokenLimits => ({
  ttlSeconds: settings.token_ttl,
  maxTtlSeconds: settings.token_max_ttl,
  explicitMaxTtlSeconds: settings.token_explicit_max_ttl,
  periodSeconds: settings.token_period,
  uses: settings.token_num_uses,
  boundCidrs: settings.token_bound_cidrs,
  withoutDefaultPolicy: settings.token_no_default_policy,
})

/** The settings alone, out of a role that has more in it. */
export const tokensOf = (settings: TokenSettings): TokenSettings => ({
  token_policies: settings.token_policies,
  token_ttl: settings.token_ttl,
  token_max_ttl: settings.token_max_ttl,
  token_explicit_max_ttl: settings.token_explicit_max_ttl,
  token_period: settings.token_period,
  token_num_uses: settings.token_num_uses,
  token_bound_cidrs: settings.token_bound_cidrs,
  token_no_default_policy: settings.token_no_default_policy,
  token_type: settings.token_type,
})
