import type { KubeObject } from '../../kube/object.ts'
import { isObject, own } from '../../lib/json.ts'
import { fail, type Problem, type Result, succeed } from '../../lib/result.ts'
import { normalGitUrl, withoutUser } from './git-url.ts'
import type { RepositoryAccess } from './repository-access.ts'

/** One Secret that Argo CD would read as a repository or as a template of credentials. */
export interface RepositorySecret {
  /** Namespace and name of the Secret, for messages. */
  readonly from: string
  readonly role: 'repository' | 'repo-creds'
  readonly url: string
  /** What it is called in Chart.yaml and messages. */
  readonly name: string
  readonly type: string
  /** Whose it is; '' is everybody's. */
  readonly project: string
  readonly access: RepositoryAccess
  readonly isOci: boolean
  readonly plainHttp: boolean
  readonly enableLfs: boolean
  /** What it asks for that we cannot do. */
  readonly unsupported: string | undefined
}

/** Everything that says who we are to repositories and whom we trust. */
export interface RepositorySettings {
  readonly secrets: readonly RepositorySecret[]
  /** Certificates of authorities by host name (argocd-tls-certs-cm). */
  readonly authorities: ReadonlyMap<string, string>
  /** Known SSH hosts (argocd-ssh-known-hosts-cm). */
  readonly knownHosts: string
}

const LABEL = 'argocd.argoproj.io/secret-type'

/** What to make of a repository that a Secret says something about, or of one without. */
export interface FoundRepository {
  readonly access: RepositoryAccess
  readonly type: string
  readonly isOci: boolean
  readonly plainHttp: boolean
  /** Files in large file storage stay pointers. */
  readonly enableLfs: boolean
}

function dataOf(secret: KubeObject): (name: string) => string {
  const data = own(secret, 'data')
  return (name) => {
    const value = isObject(data) ? own(data, name) : undefined
    return typeof value === 'string' ? Buffer.from(value, 'base64').toString('utf8') : ''
  }
}

/** Go's idea of a true flag; anything that is no flag is false. */
const isTrue = (text: string): boolean => /^(?:1|t|T|true|TRUE|True)$/.test(text)

function unsupportedIn(data: (name: string) => string): string | undefined {
  if (data('githubAppPrivateKey') !== '') return 'a GitHub App (githubAppPrivateKey)'
  if (data('gcpServiceAccountKey') !== '') return 'a Google service account (gcpServiceAccountKey)'
  if (isTrue(data('useAzureWorkloadIdentity'))) return 'Azure workload identity (useAzureWorkloadIdentity)'
  return data('azureServicePrincipalClientSecret') === '' ? undefined : 'an Azure service principal'
}

/** Reads one Secret; undefined when it is no repository that is read. */
export function parseRepositorySecret(secret: KubeObject): RepositorySecret | undefined {
  const role = secret.metadata.labels?.[LABEL]
  if (role !== 'repository' && role !== 'repo-creds') return undefined
  const data = dataOf(secret)
  type Text = Exclude<keyof RepositoryAccess, 'insecure'>
  const optional = (name: Text): Partial<Record<Text, string>> => (data(name) === '' ? {} : { [name]: data(name) })
  return {
    from: `${secret.metadata.namespace ?? ''}/${secret.metadata.name ?? ''}`,
    role,
    url: data('url'),
    name: data('name'),
    type: data('type') === '' ? 'git' : data('type'),
    project: role === 'repository' ? data('project') : '',
    isOci: isTrue(data('enableOCI')),
    plainHttp: isTrue(data('insecureOCIForceHttp')),
    enableLfs: isTrue(data('enableLfs')),
    unsupported: unsupportedIn(data),
    access: {
      ...optional('username'),
      ...optional('password'),
      ...optional('bearerToken'),
      ...optional('sshPrivateKey'),
      ...optional('tlsClientCertData'),
      ...optional('tlsClientCertKey'),
      ...optional('proxy'),
      ...optional('noProxy'),
      ...(isTrue(data('insecure')) || isTrue(data('insecureIgnoreHostKey')) ? { insecure: true } : {}),
    },
  }
}

/** Reads the Secrets and ConfigMaps of the control namespace, in the order of their names. */
export function repositorySettings(
  secrets: readonly KubeObject[],
  configMaps: { readonly tlsCerts?: KubeObject | undefined; readonly knownHosts?: KubeObject | undefined } = {},
): RepositorySettings {
  const textData = (object: KubeObject | undefined): readonly (readonly [string, string])[] => {
    const data = object && own(object, 'data')
    return isObject(data)
      ? Object.entries(data).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
      : []
  }
  return {
    secrets: secrets
      .flatMap((secret) => parseRepositorySecret(secret) ?? [])
      .toSorted((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : 0)),
    authorities: new Map(textData(configMaps.tlsCerts)),
    knownHosts: textData(configMaps.knownHosts)
      .filter(([name]) => name === 'ssh_known_hosts')
      .map(([, text]) => text)
      .join('\n'),
  }
}

const hasCredentials = ({ access, unsupported }: RepositorySecret): boolean =>
  unsupported !== undefined ||
  [access.username, access.password, access.bearerToken, access.sshPrivateKey, access.tlsClientCertData].some(Boolean)

/** The Secret of a repository: one of the project first, then one of everybody. */
function repositoryFor(settings: RepositorySettings, url: string, project: string): RepositorySecret | undefined {
  const same = settings.secrets.filter((secret) => secret.role === 'repository' && normalGitUrl(secret.url) === url)
  return same.find((secret) => secret.project === project) ?? same.find((secret) => secret.project === '')
}

/** The template with the longest URL that the repository's begins with. */
function templateFor(settings: RepositorySettings, url: string): RepositorySecret | undefined {
  let longest: RepositorySecret | undefined
  for (const secret of settings.secrets) {
    if (secret.role !== 'repo-creds' || secret.url === '' || !url.startsWith(normalGitUrl(secret.url))) continue
    if (!longest || normalGitUrl(secret.url).length > normalGitUrl(longest.url).length) longest = secret
  }
  return longest
}

/**
 * Finds who we are to a repository, as Argo CD does: what its own Secret says; credentials that it lacks come from a template.
 * Certificates and known hosts belong to the host.
 */
export function findRepository(
  settings: RepositorySettings,
  repoURL: string,
  project: string = '',
): Result<FoundRepository> {
  const url = normalGitUrl(repoURL)
  const repository = repositoryFor(settings, url, project)
  const template = repository && hasCredentials(repository) ? undefined : templateFor(settings, url)
  const unsupported = [repository, template].find((secret) => secret?.unsupported !== undefined)
  if (unsupported) return fail(cannotUse(unsupported, repoURL))
  const said = [repository, template].filter((secret) => secret !== undefined)
  return succeed({
    type: said[0]?.type ?? 'git',
    isOci: said.some((secret) => secret.isOci),
    plainHttp: said.some((secret) => secret.plainHttp),
    enableLfs: said.some((secret) => secret.enableLfs),
    access: { ...template?.access, ...repository?.access, ...trustOf(settings, repoURL) },
  })
}

/** Whom we trust to be the host of a repository. */
function trustOf({ authorities, knownHosts }: RepositorySettings, repoURL: string): RepositoryAccess {
  const ca = authorities.get(hostOf(repoURL))
  return { ...(ca === undefined ? {} : { ca }), ...(knownHosts === '' ? {} : { knownHosts }) }
}

/** The host of a repository without its port: how certificates are named. */
function hostOf(repoURL: string): string {
  const text = repoURL.trim()
  if (/^[a-z]+:\/\//i.test(text)) return URL.canParse(text) ? new URL(text).hostname : ''
  return /^(?:[^@/]*@)?([^:/]+)/.exec(text)?.[1] ?? ''
}

const cannotUse = ({ from, unsupported = '' }: RepositorySecret, repoURL: string): Problem => ({
  code: 'git-credentials-unsupported',
  at: from,
  message: `cannot reach ${withoutUser(repoURL)}: the Secret ${from} asks for ${unsupported}, which is not supported`,
  cure: 'use username and password (a token), bearerToken or sshPrivateKey',
})

/** The URL of the repository that is called so, as charts refer to them: `@name` or `alias:name`. */
export function repositoryNamed(settings: RepositorySettings, name: string, project: string = ''): string | undefined {
  const named = settings.secrets.filter((secret) => secret.role === 'repository' && secret.name === name)
  return (named.find((secret) => secret.project === project) ?? named.find((secret) => secret.project === ''))?.url
}
