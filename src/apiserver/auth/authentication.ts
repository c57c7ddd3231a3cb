import type { UserInfo } from '../../kube/admission.ts'

/** What a connection offers to prove who speaks. */
export interface Credentials {
  /** The bearer token of the Authorization header. */
  readonly token?: string
  /** The subject of a client certificate that our own authority signed. */
  readonly certificate?: CertificateSubject
}

export interface CertificateSubject {
  readonly commonName: string
  readonly organizations: readonly string[]
}

/** Finds out who speaks: undefined when these credentials are not known here, so that the next one is asked. */
export type Authenticator = (credentials: Credentials) => UserInfo | undefined | Promise<UserInfo | undefined>

/** Everybody whose credentials were in order is in this group too. */
export const AUTHENTICATED = 'system:authenticated'

/** Who speaks when nobody says so. */
export const anonymous: UserInfo = { username: 'system:anonymous', groups: ['system:unauthenticated'] }

/** A client certificate names its user and groups. */
export const byCertificate: Authenticator = ({ certificate }) =>
  certificate && certificate.commonName !== ''
    ? { username: certificate.commonName, groups: [...certificate.organizations, AUTHENTICATED] }
    : undefined

/** A fixed list of tokens. */
export function byStaticToken(users: ReadonlyMap<string, UserInfo>): Authenticator {
  return ({ token }) => {
    const user = token === undefined ? undefined : users.get(token)
    return user && { ...user, groups: [...user.groups, AUTHENTICATED] }
  }
}
