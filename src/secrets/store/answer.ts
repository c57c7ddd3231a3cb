import type { AnswerAuth, Refusal, Reply, WrapInfo } from './logical.ts'

/** What a client gets: a status and a body, which some answers do not have. */
export interface Answer {
  readonly status: number
  readonly body?: Readonly<Record<string, unknown>>
  /** The body where it is text already. */
  readonly json?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** The body in the form that every client of Vault knows. */
export function bodyOf(
  id: string,
  { data, auth, warnings, leaseSeconds = 0, wrap, alsoTopLevel }: Reply,
): Answer['body'] {
  const body = {
    request_id: id,
    lease_id: '',
    renewable: false,
    lease_duration: leaseSeconds,
    data: data ?? null,
    wrap_info: wrap ? wrapData(wrap) : null,
    warnings: warnings ?? null,
    auth: auth ? authData(auth) : null,
  }
  return alsoTopLevel && data ? { ...data, ...body } : body
}

const wrapData = (wrap: WrapInfo): Readonly<Record<string, unknown>> => ({ ...wrap })

function authData({
  clientToken,
  token,
  leaseSeconds,
  renewable,
  policies,
}: AnswerAuth): Readonly<Record<string, unknown>> {
  return {
    client_token: clientToken,
    accessor: token.accessor,
    policies,
    token_policies: policies,
    metadata: Object.keys(token.meta).length > 0 ? token.meta : null,
    lease_duration: leaseSeconds,
    renewable,
    entity_id: token.entityId,
    token_type: 'service',
    orphan: token.parent === '',
    mfa_requirement: null,
    num_uses: token.uses,
  }
}

export const refusalAnswer = ({ status, errors }: Refusal, headers?: Answer['headers']): Answer => ({
  status,
  body: { errors },
  ...(headers ? { headers } : {}),
})
