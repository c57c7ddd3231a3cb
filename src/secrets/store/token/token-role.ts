import {
  booleanField,
  integerField,
  isGiven,
  listField,
  type Read,
  readAll,
  secondsField,
  textField,
} from '../fields.ts'
import { badRequest, type Fields } from '../logical.ts'
import { cleanPolicies } from './token.ts'

/** A role of the token mount: how tokens are that somebody makes in its name. */
export interface TokenRole {
  readonly allowed_policies: readonly string[]
  readonly allowed_policies_glob: readonly string[]
  readonly disallowed_policies: readonly string[]
  readonly disallowed_policies_glob: readonly string[]
  readonly allowed_entity_aliases: readonly string[]
  readonly orphan: boolean
  readonly renewable: boolean
  readonly path_suffix: string
  readonly token_type: string
  readonly token_period: number
  readonly token_explicit_max_ttl: number
  readonly token_bound_cidrs: readonly string[]
  readonly token_no_default_policy: boolean
  readonly token_num_uses: number
}

export const newRole: TokenRole = {
  allowed_policies: [],
  allowed_policies_glob: [],
  disallowed_policies: [],
  disallowed_policies_glob: [],
  allowed_entity_aliases: [],
  orphan: false,
  renewable: true,
  path_suffix: '',
  token_type: 'default-service',
  token_period: 0,
  token_explicit_max_ttl: 0,
  token_bound_cidrs: [],
  token_no_default_policy: false,
  token_num_uses: 0,
}

const SUFFIX = /^[\w.-]+(?:\/[\w.-]+)*$/

/** The role as it is with what was sent; what was not sent stays. */
export function changedRole(known: TokenRole, fields: Fields): Read<TokenRole> {
  const sent = readAll({
    allowed_policies: listField(fields, 'allowed_policies'),
    allowed_policies_glob: listField(fields, 'allowed_policies_glob'),
    disallowed_policies: listField(fields, 'disallowed_policies'),
    disallowed_policies_glob: listField(fields, 'disallowed_policies_glob'),
    allowed_entity_aliases: listField(fields, 'allowed_entity_aliases'),
    orphan: booleanField(fields, 'orphan'),
    renewable: booleanField(fields, 'renewable'),
    path_suffix: textField(fields, 'path_suffix'),
    token_type: textField(fields, 'token_type'),
    token_period: secondsField(fields, isGiven(fields, 'token_period') ? 'token_period' : 'period'),
    token_explicit_max_ttl: secondsField(
      fields,
      isGiven(fields, 'token_explicit_max_ttl') ? 'token_explicit_max_ttl' : 'explicit_max_ttl',
    ),
    token_bound_cidrs: listField(fields, isGiven(fields, 'token_bound_cidrs') ? 'token_bound_cidrs' : 'bound_cidrs'),
    token_no_default_policy: booleanField(fields, 'token_no_default_policy'),
    token_num_uses: integerField(fields, 'token_num_uses'),
  })
  if (!sent.ok) return sent
  const { value } = sent
  const type = value.token_type
  if (type !== undefined && !['service', 'default-service', 'default', ''].includes(type)) {
    return badRequest(`invalid 'token_type' value ${JSON.stringify(type)}: there are service tokens only`)
  }
  if (value.path_suffix && (!SUFFIX.test(value.path_suffix) || value.path_suffix.includes('..'))) {
    return badRequest(`given role path suffix contains invalid characters; must match ${SUFFIX.source}`)
  }
  const given = Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined))
  const role: TokenRole = { ...known, ...given }
  return {
    ok: true,
    value: {
      ...role,
      allowed_policies: cleanPolicies(role.allowed_policies),
      disallowed_policies: cleanPolicies(role.disallowed_policies),
      token_type: role.token_type === '' || role.token_type === 'default' ? 'default-service' : role.token_type,
    },
  }
}

/** The role as it is shown. */
export function roleData(name: string, role: TokenRole): Readonly<Record<string, unknown>> {
  const { token_period: period, token_explicit_max_ttl: explicit, ...rest } = role
  return { name, ...rest, period, explicit_max_ttl: explicit, token_period: period, token_explicit_max_ttl: explicit }
}
