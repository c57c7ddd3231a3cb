import { booleanField, isGiven, listField, type Read, readAll, textField } from '../fields.ts'
import {
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
import { isFrom } from '../networks.ts'
import { matchesText } from '../policy/acl.ts'
import { changedTokens, limitsOf, type TokenSettings, tokensOf, usualTokens } from './token-settings.ts'

/** What the cluster says of a token of a ServiceAccount. */
export interface ReviewedToken {
  readonly username: string
  readonly uid: string
  readonly audiences: readonly string[]
}

/** Asks the cluster whose token it is; nothing when it is nobody's. Audiences are asked for where there are some. */
export type TokenReviewer = (jwt: string, audiences: readonly string[]) => Promise<ReviewedToken | undefined>

interface KubernetesRole extends TokenSettings {
  readonly bound_service_account_names: readonly string[]
  readonly bound_service_account_namespaces: readonly string[]
  readonly audience: string
  readonly alias_name_source: string
}

const newRole: KubernetesRole = {
  ...usualTokens,
  bound_service_account_names: [],
  bound_service_account_namespaces: [],
  audience: '',
  alias_name_source: 'serviceaccount_uid',
}

const LONGEST_JWT = 64_000

/** `auth/kubernetes/`: ServiceAccounts log in with their tokens, which the cluster judges that runs this store. */
export class KubernetesLogin implements Backend {
  readonly open: readonly string[] = ['login']
  readonly #review: TokenReviewer | undefined

  constructor(review: TokenReviewer | undefined) {
    this.#review = review
  }

  exists({ path, view }: MountRequest): boolean {
    return !path.startsWith('role/') || view.get(path.toLowerCase()) !== undefined
  }

  async handle(request: MountRequest): Promise<Outcome> {
    const { path, operation } = request
    const isWrite = operation === 'update' || operation === 'create'
    if (path === 'login') return isWrite ? this.#logIn(request) : unsupportedOperation()
    if (path === 'config') return config(request)
    if (path === 'role' || path === 'role/') {
      return operation === 'list' ? listReply(request.view.list('role/')) : unsupportedOperation()
    }
    const name = /^role\/([^/]+)$/.exec(path)?.[1]
    return name === undefined ? unsupportedPath() : role(request, name.toLowerCase())
  }

  async #logIn({ fields, view, remoteAddress }: MountRequest): Promise<Outcome> {
    const read = readAll({ role: textField(fields, 'role'), jwt: textField(fields, 'jwt') })
    if (!read.ok) return read
    const { role: name, jwt } = read.value
    if (!name) return badRequest('missing role')
    if (!jwt) return badRequest('missing jwt')
    const known = view.get(`role/${name.toLowerCase()}`) as KubernetesRole | undefined
    if (!known) return badRequest(`invalid role name ${JSON.stringify(name)}`)
    if (!isFrom(remoteAddress, known.token_bound_cidrs)) return permissionDenied()
    if (view.get('config') === undefined) return refused(500, 'could not load backend configuration')
    if (!this.#review) return refused(500, 'there is no cluster here that could review tokens')
    if (jwt.length > LONGEST_JWT) return permissionDenied()
    const audiences = known.audience === '' ? [] : [known.audience]
    const reviewed = await this.#review(jwt, audiences)
    const account = reviewed && accountOf(reviewed.username)
    if (!reviewed || !account) return permissionDenied()
    if (audiences.length > 0 && !reviewed.audiences.includes(known.audience)) return permissionDenied()
    if (!isBound(account.namespace, known.bound_service_account_namespaces))
      return refused(403, 'namespace not authorized')
    if (!isBound(account.name, known.bound_service_account_names))
      return refused(403, 'service account name not authorized')
    const metadata = {
      service_account_uid: reviewed.uid,
      service_account_name: account.name,
      service_account_namespace: account.namespace,
      service_account_secret_name: '',
    }
    return reply({
      login: {
        policies: known.token_policies,
        metadata: { ...metadata, role: name },
        displayName: `${account.namespace}-${account.name}`,
        alias: {
          name:
            known.alias_name_source === 'serviceaccount_name' ? `${account.namespace}/${account.name}` : reviewed.uid,
          metadata,
        },
        limits: limitsOf(known),
      },
    })
  }
}

function accountOf(username: string): { readonly namespace: string; readonly name: string } | undefined {
  const [, namespace, name] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(username) ?? []
  return namespace !== undefined && name !== undefined ? { namespace, name } : undefined
}

const isBound = (name: string, bound: readonly string[]): boolean => bound.some((one) => matchesText(one, name))

interface Config {
  readonly kubernetes_host: string
  readonly kubernetes_ca_cert: string
  readonly pem_keys: readonly string[]
  readonly issuer: string
  readonly disable_iss_validation: boolean
  readonly disable_local_ca_jwt: boolean
}

const WARNING = 'tokens are reviewed by the cluster that this store runs in, whatever kubernetes_host says'

async function config({ operation, fields, view }: MountRequest): Promise<Outcome> {
  const known = view.get('config') as Config | undefined
  if (operation === 'read') return known ? dataReply({ ...known, token_reviewer_jwt_set: false }) : nothing
  if (operation !== 'update' && operation !== 'create') return unsupportedOperation()
  const read = readAll({
    kubernetes_host: textField(fields, 'kubernetes_host'),
    kubernetes_ca_cert: textField(fields, 'kubernetes_ca_cert'),
    pem_keys: listField(fields, 'pem_keys'),
    issuer: textField(fields, 'issuer'),
    disable_iss_validation: booleanField(fields, 'disable_iss_validation'),
    disable_local_ca_jwt: booleanField(fields, 'disable_local_ca_jwt'),
  })
  if (!read.ok) return read
  const { value } = read
  if (!value.kubernetes_host) return badRequest('no host provided')
  await view.put('config', {
    kubernetes_host: value.kubernetes_host,
    kubernetes_ca_cert: value.kubernetes_ca_cert ?? '',
    pem_keys: value.pem_keys ?? [],
    issuer: value.issuer ?? '',
    disable_iss_validation: value.disable_iss_validation ?? true,
    disable_local_ca_jwt: value.disable_local_ca_jwt ?? false,
  } satisfies Config)
  const isOurs = /^https:\/\/kubernetes(\.default(\.svc(\.cluster\.local)?)?)?(:\d+)?\/?$/.test(value.kubernetes_host)
  return isOurs ? nothing : reply({ warnings: [WARNING] })
}

async function role(request: MountRequest, name: string): Promise<Outcome> {
  const { operation, view } = request
  const known = view.get(`role/${name}`) as KubernetesRole | undefined
  switch (operation) {
    case 'read':
      return known ? dataReply(roleData(known)) : nothing
    case 'delete':
      await view.delete(`role/${name}`)
      return nothing
    case 'create':
    case 'update': {
      const changed = changedRole(known ?? newRole, request)
      if (!changed.ok) return changed
      await view.put(`role/${name}`, changed.value)
      return nothing
    }
    default:
      return unsupportedOperation()
  }
}

function changedRole(known: KubernetesRole, { fields, mount }: MountRequest): Read<KubernetesRole> {
  const tokens = changedTokens(tokensOf(known), fields, mount)
  if (!tokens.ok) return tokens
  if (isGiven(fields, 'bound_service_account_namespace_selector')) {
    return badRequest('"bound_service_account_namespace_selector" is not supported: name the namespaces')
  }
  const read = readAll({
    names: listField(fields, 'bound_service_account_names'),
    namespaces: listField(fields, 'bound_service_account_namespaces'),
    audience: textField(fields, 'audience'),
    source: textField(fields, 'alias_name_source'),
  })
  if (!read.ok) return read
  const names = read.value.names ?? known.bound_service_account_names
  const namespaces = read.value.namespaces ?? known.bound_service_account_namespaces
  const source = read.value.source || known.alias_name_source
  if (names.length === 0) return badRequest('"bound_service_account_names" can not be empty')
  if (namespaces.length === 0) return badRequest('"bound_service_account_namespaces" can not be empty')
  if ([names, namespaces].some((list) => list.length > 1 && list.includes('*'))) {
    return badRequest('can not mix "*" with values')
  }
  if (!['serviceaccount_uid', 'serviceaccount_name'].includes(source)) {
    return badRequest(
      `invalid alias_name_source ${JSON.stringify(source)}, must be one of: serviceaccount_uid, serviceaccount_name`,
    )
  }
  return {
    ok: true,
    value: {
      ...tokens.value,
      bound_service_account_names: names,
      bound_service_account_namespaces: namespaces,
      audience: read.value.audience ?? known.audience,
      alias_name_source: source,
    },
  }
}

function roleData({ audience, ...known }: KubernetesRole): Readonly<Record<string, unknown>> {
  return {
    ...known,
    bound_service_account_namespace_selector: '',
    ...(audience === '' ? {} : { audience }),
    ...(known.token_policies.length > 0 ? { policies: known.token_policies } : {}),
    ...(known.token_ttl > 0 ? { ttl: known.token_ttl } : {}),
    ...(known.token_max_ttl > 0 ? { max_ttl: known.token_max_ttl } : {}),
    ...(known.token_period > 0 ? { period: known.token_period } : {}),
    ...(known.token_num_uses > 0 ? { num_uses: known.token_num_uses } : {}),
  }
}
