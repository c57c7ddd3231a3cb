/** A user and password for one host. */
export interface Credentials {
  readonly username: string
  readonly password: string
  /** Sends them to every host that a repository links to, not only its own. */
  readonly passToAll?: boolean
}

/** The header that carries credentials. */
export const basicAuth = ({ username, password }: Credentials): { readonly authorization: string } => ({
  authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
})
