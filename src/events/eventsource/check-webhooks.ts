import { isSet, objectsOf, textOf, textsOf } from '../../lib/fields.ts'
import { own, isObject } from '../../lib/json.ts'
import { parseDuration } from '../../lib/duration.ts'
import { gitlabEvents } from '../sources/hooks/gitlab-forge.ts'
import { compileEndpoint } from '../sources/webhook/endpoint.ts'
import { type Check, checkSelector, selectorOf } from './check.ts'
import type { Fields } from './event-source.ts'

/** Where a source listens: the source itself for the plain webhook, its `webhook` for the others. */
export function webhookContextOf(field: string, spec: Fields): Fields | undefined {
  if (field === 'webhook') return spec
  const given = own(spec, 'webhook')
  return isObject(given) ? given : undefined
}

const METHODS = ['GET', 'POST']

/** What upstream asks of every webhook (argo-events v1.9, common/webhook/validate.go), and that its fields can be understood. */
function checkContext(check: Check, context: Fields | undefined, at: string): void {
  if (!context) {
    check.refuse(at, 'must say where to listen: endpoint and port')
    return
  }
  const endpoint = textOf(context, 'endpoint')
  if (endpoint === '') check.refuse(`${at}.endpoint`, "endpoint can't be empty")
  else {
    const compiled = compileEndpoint(endpoint)
    if (!compiled.ok) check.refuse(`${at}.endpoint`, compiled.error[0]?.message ?? 'cannot be read')
  }
  checkPort(check, own(context, 'port'), `${at}.port`)
  checkSelector(check, context, 'authSecret', at)
  const size = own(context, 'maxPayloadSize')
  if (size !== undefined && size !== null && (!Number.isSafeInteger(size) || Number(size) < 0)) {
    check.refuse(`${at}.maxPayloadSize`, 'must be a number of bytes')
  }
}

function checkPort(check: Check, port: unknown, at: string): void {
  if (port === undefined || port === null || port === '') check.refuse(at, "port can't be empty")
  else if (typeof port !== 'string') check.refuse(at, 'must be a text such as "12000"')
  else if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535) {
    check.refuse(at, `${JSON.stringify(port.slice(0, 40))} is not the number of a port`)
  }
}

const hasText = (spec: Fields, ...names: readonly string[]): boolean => names.every((name) => textOf(spec, name) !== '')

/** Whether a hook is to be made through the API of a forge: there is an account for it, and a URL that the forge can reach. */
export function makesHooks(field: string, spec: Fields): boolean {
  if (textOf(webhookContextOf(field, spec), 'url') === '') return false
  const auth = own(spec, 'auth')
  switch (field) {
    case 'github':
      return isObject(own(spec, 'apiToken')) || isObject(own(spec, 'githubApp'))
    case 'gitlab':
      return isObject(own(spec, 'accessToken'))
    case 'bitbucket':
      return isObject(auth) && (isObject(own(auth, 'basic')) || isObject(own(auth, 'oauthToken')))
    case 'bitbucketserver':
      return (
        isObject(own(spec, 'accessToken')) && (hasRepositories(spec) || (textsOf(spec, 'projects') ?? []).length > 0)
      )
    case 'gerrit':
      return isObject(auth)
    default:
      return false
  }
}

function hasRepositories(spec: Fields): boolean {
  return (objectsOf(spec, 'repositories') ?? []).length > 0 || hasText(spec, 'projectKey', 'repositorySlug')
}

const hasEvents = (spec: Fields): boolean => (textsOf(spec, 'events') ?? []).length > 0

function checkGitHub(check: Check, spec: Fields, at: string): void {
  const hasOwned = (objectsOf(spec, 'repositories') ?? []).length > 0 || hasText(spec, 'owner', 'repository')
  const organizations = own(spec, 'organizations')
  const hasOrganizations = organizations !== undefined && organizations !== null
  if (!hasOwned && !hasOrganizations) check.refuse(at, 'either repositories or organizations is required')
  if (hasOwned && hasOrganizations) check.refuse(at, 'only one of repositories and organizations is allowed')
  if (makesHooks('github', spec) && !hasEvents(spec)) {
    check.refuse(`${at}.events`, 'events must be defined to create a github webhook')
  }
  const contentType = textOf(spec, 'contentType')
  if (contentType !== '' && contentType !== 'json' && contentType !== 'form') {
    check.refuse(`${at}.contentType`, 'content type must be "json" or "form"')
  }
  const [base, upload] = [textOf(spec, 'githubBaseURL'), textOf(spec, 'githubUploadURL')]
  if (base === '' && upload !== '') check.refuse(`${at}.githubBaseURL`, 'is required when githubUploadURL is set')
  if (base !== '' && upload === '') check.refuse(`${at}.githubUploadURL`, 'is required when githubBaseURL is set')
  for (const name of ['webhookSecret', 'apiToken']) checkSelector(check, spec, name, at)
}

function checkGitLab(check: Check, spec: Fields, at: string): void {
  if (!Array.isArray(own(spec, 'events'))) check.refuse(`${at}.events`, "events can't be empty")
  for (const name of textsOf(spec, 'events') ?? []) {
    if (!gitlabEvents.has(name)) check.refuse(`${at}.events`, `unknown event ${JSON.stringify(name.slice(0, 60))}`)
  }
  if (textOf(spec, 'gitlabBaseURL') === '') check.refuse(`${at}.gitlabBaseURL`, "gitlab base url can't be empty")
  if (!selectorOf(spec, 'accessToken')) check.refuse(`${at}.accessToken`, "access token can't be nil")
  checkSelector(check, spec, 'secretToken', at)
}

function checkBitbucket(check: Check, spec: Fields, at: string): void {
  const repositories = objectsOf(spec, 'repositories') ?? []
  if (repositories.length === 0 && !hasText(spec, 'owner', 'repositorySlug')) {
    check.refuse(`${at}.repositories`, 'at least one repository is required')
  }
  if (makesHooks('bitbucket', spec) && !hasEvents(spec)) {
    check.refuse(`${at}.events`, 'events must be defined to create a bitbucket webhooks')
  }
}

function checkBitbucketServer(check: Check, spec: Fields, at: string): void {
  if (makesHooks('bitbucketserver', spec) && !hasEvents(spec)) {
    check.refuse(`${at}.events`, 'events must be defined to create a bitbucket server webhook')
  }
  if (textOf(spec, 'bitbucketserverBaseURL') === '') {
    check.refuse(`${at}.bitbucketserverBaseURL`, "bitbucket server base url can't be empty")
  } else if (isSet(spec, 'skipBranchRefsChangedOnOpenPR') && !selectorOf(spec, 'accessToken')) {
    check.refuse(`${at}.accessToken`, 'is needed to ask for open pull requests (skipBranchRefsChangedOnOpenPR)')
  }
  const interval = textOf(spec, 'checkInterval')
  if (interval !== '' && !parseDuration(interval).ok) {
    check.refuse(`${at}.checkInterval`, `${JSON.stringify(interval.slice(0, 40))} is not a duration such as 60s`)
  }
  for (const name of ['webhookSecret', 'accessToken']) checkSelector(check, spec, name, at)
}

function checkGerrit(check: Check, spec: Fields, at: string): void {
  if ((textsOf(spec, 'projects') ?? []).length === 0) check.refuse(`${at}.projects`, 'projects cannot be empty')
  if (!Array.isArray(own(spec, 'events'))) check.refuse(`${at}.events`, "events can't be empty")
  if (textOf(spec, 'gerritBaseURL') === '') check.refuse(`${at}.gerritBaseURL`, "gerrit base url can't be empty")
  if (!isObject(own(spec, 'auth'))) check.refuse(`${at}.auth`, "username and password can't be empty")
}

function checkSlack(check: Check, spec: Fields, at: string): void {
  if (!selectorOf(spec, 'token')) check.refuse(`${at}.token`, 'token not provided')
  if (!selectorOf(spec, 'signingSecret')) check.refuse(`${at}.signingSecret`, 'signingSecret not provided')
}

const checks: ReadonlyMap<string, (check: Check, spec: Fields, at: string) => void> = new Map([
  ['github', checkGitHub],
  ['gitlab', checkGitLab],
  ['bitbucket', checkBitbucket],
  ['bitbucketserver', checkBitbucketServer],
  ['gerrit', checkGerrit],
  ['slack', checkSlack],
])

/** What is wrong with a source of the webhook family. */
export function checkWebhook(check: Check, field: string, spec: Fields, at: string): void {
  checks.get(field)?.(check, spec, at)
  const place = field === 'webhook' ? at : `${at}.webhook`
  const context = webhookContextOf(field, spec)
  checkContext(check, context, place)
  const method = textOf(context, 'method')
  if (field === 'webhook' && !METHODS.includes(method)) {
    check.refuse(`${place}.method`, `must be one of ${METHODS.join(', ')}: others are answered with an error`)
  }
}
