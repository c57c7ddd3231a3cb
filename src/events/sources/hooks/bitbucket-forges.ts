import { fieldsOf, isSet, objectsOf, textOf, textsOf } from '../../../lib/fields.ts'
import { own } from '../../../lib/json.ts'
import { fail, type Result, succeed } from '../../../lib/result.ts'
import type { AskForge, Forge, ForgeGiven, HookTarget } from './forge.ts'
import { sameTexts } from './same-texts.ts'

const CLOUD = 'https://api.bitbucket.org/2.0'
const PAGE = 100

/** Bitbucket's API, version 2. */
export function bitbucketForge({ spec, hookUrl, secret }: ForgeGiven): Result<Forge> {
  const auth = fieldsOf(spec, 'auth')
  const basic = fieldsOf(auth, 'basic')
  const [token, user, password] = [own(auth, 'oauthToken'), own(basic, 'username'), own(basic, 'password')].map(secret)
  for (const one of [token, user, password]) if (one && !one.ok) return one
  const valueOf = (one: typeof token): string | undefined => (one?.ok ? one.value : undefined)
  const account = valueOf(user)
  const authorization =
    account === undefined
      ? `Bearer ${valueOf(token) ?? ''}`
      : `Basic ${Buffer.from(`${account}:${valueOf(password) ?? ''}`).toString('base64')}`
  const events = textsOf(spec, 'events') ?? []
  const targets = repositoriesOf(spec, 'owner').map(([owner, slug]) => ({
    name: `${owner}/${slug}`,
    url: `${CLOUD}/repositories/${encodeURIComponent(owner)}/${encodeURIComponent(slug)}/hooks`,
  }))
  return succeed({
    headers: { authorization },
    targets: () => Promise.resolve(succeed(targets)),
    pageUrl: ({ url }, page) => `${url}?pagelen=${PAGE}&page=${page + 1}`,
    readPage: (page) => ({ hooks: objectsOf(page, 'values') ?? [], isLast: textOf(page, 'next') === '' }),
    readHook: (hook) => ({
      id: textOf(hook, 'uuid'),
      url: textOf(hook, 'url'),
      isAsWanted: isSet(hook, 'active') && sameTexts(textsOf(hook, 'events') ?? [], events),
    }),
    wanted: { description: 'webhook managed by Argo Events', url: hookUrl, active: true, events },
    updateMethod: 'PUT',
  })
}

/** The API of Bitbucket Server and Data Center, below `/rest`. */
export function bitbucketServerForge({ spec, hookUrl, secret }: ForgeGiven): Result<Forge> {
  const token = secret(own(spec, 'accessToken'))
  const hookSecret = secret(own(spec, 'webhookSecret'))
  if (!token.ok) return token
  if (!hookSecret.ok) return hookSecret
  const events = textsOf(spec, 'events') ?? []
  const base = bitbucketServerBase(spec)
  const targetOf = ([key, slug]: Repository): HookTarget => ({
    name: `${key}/${slug}`,
    url: `${repositoryUrl(base, [key, slug])}/webhooks`,
  })
  return succeed({
    headers: { authorization: `Bearer ${token.value ?? ''}` },
    async targets(ask) {
      const found = await projectRepositories(textsOf(spec, 'projects') ?? [], base, ask)
      return found.ok ? succeed([...repositoriesOf(spec, 'projectKey'), ...found.value].map(targetOf)) : found
    },
    pageUrl: ({ url }, page) => `${url}?limit=${PAGE}&start=${page * PAGE}`,
    readPage: (page) => ({
      hooks: objectsOf(page, 'values') ?? [],
      isLast: own(fieldsOf({ page }, 'page'), 'isLastPage') !== false,
    }),
    readHook: (hook) => ({
      id: String(Number(own(hook, 'id'))),
      url: textOf(hook, 'url'),
      isAsWanted: isSet(hook, 'active') && sameTexts(textsOf(hook, 'events') ?? [], events),
    }),
    // An empty secret is an error there.
    wanted: {
      name: 'Argo Events',
      url: hookUrl,
      active: true,
      events,
      ...(hookSecret.value ? { configuration: { secret: hookSecret.value } } : {}),
    },
    updateMethod: 'PUT',
  })
}

type Repository = readonly [owner: string, slug: string]

/** Where the API of a server lies: below `/rest`, which may be left out. */
export const bitbucketServerBase = (spec: ForgeGiven['spec']): string =>
  `${textOf(spec, 'bitbucketserverBaseURL')
    .replace(/\/+$/, '')
    .replace(/\/rest$/, '')}/rest/api/1.0`

/** Where a repository lies in the API of a server. */
export const repositoryUrl = (base: string, [key, slug]: Repository): string =>
  `${base}/projects/${encodeURIComponent(key)}/repos/${encodeURIComponent(slug)}`

function repositoriesOf(spec: ForgeGiven['spec'], ownerField: 'owner' | 'projectKey'): readonly Repository[] {
  const given = objectsOf(spec, 'repositories') ?? []
  return (given.length > 0 ? given : [spec])
    .map((one): Repository => [textOf(one, ownerField), textOf(one, 'repositorySlug')])
    .filter(([owner, slug]) => owner !== '' && slug !== '')
}

const MOST_PAGES = 50

async function projectRepositories(
  projects: readonly string[],
  base: string,
  ask: AskForge,
): Promise<Result<readonly Repository[]>> {
  const found: Repository[] = []
  for (const project of projects) {
    for (let page = 0; ; page += 1) {
      if (page >= MOST_PAGES)
        return fail({
          code: 'hook-not-registered',
          message: `project ${project} has more repositories than are looked at`,
        })
      const url = `${base}/projects/${encodeURIComponent(project)}/repos?limit=${PAGE}&start=${page * PAGE}`
      const answered = await ask({ method: 'GET', url })
      if (!answered.ok) return answered
      const repositories = objectsOf(answered.value, 'values') ?? []
      found.push(
        ...repositories.map((one): Repository => [
          textOf(fieldsOf(one, 'project'), 'key') || project,
          textOf(one, 'slug'),
        ]),
      )
      if (own(fieldsOf({ page: answered.value }, 'page'), 'isLastPage') !== false) break
    }
  }
  return succeed(found)
}
