import { sign } from 'node:crypto'
import { describeError } from '../../../lib/log.ts'
import { fieldsOf, isSet, objectsOf, textOf, textsOf } from '../../../lib/fields.ts'
import { isObject, own } from '../../../lib/json.ts'
import { fail, type Result, succeed } from '../../../lib/result.ts'
import type { AskForge, Forge, ForgeGiven, HookTarget } from './forge.ts'
import { sameTexts } from './same-texts.ts'

const PUBLIC = 'https://api.github.com/'
const PAGE = 100

/** GitHub's API, and Gitea's, which looks the same below `/api/v1/`. */
export async function githubForge(given: ForgeGiven, ask: AskForge): Promise<Result<Forge>> {
  const { spec, hookUrl, secret } = given
  const base = textOf(spec, 'githubBaseURL').replace(/\/*$/, '/').replace(/^\/$/, PUBLIC)
  const isGitea = base.endsWith('/api/v1/')
  const token = await tokenOf(given, base, ask)
  if (!token.ok) return token
  const hookSecret = secret(own(spec, 'webhookSecret'))
  if (!hookSecret.ok) return hookSecret
  const events = textsOf(spec, 'events') ?? []
  const contentType = textOf(spec, 'contentType') || (isGitea ? 'json' : '')
  const config = {
    url: hookUrl,
    ...(contentType ? { content_type: contentType } : {}),
    ...(isGitea ? {} : { insecure_ssl: isSet(spec, 'insecure') ? '1' : '0' }),
    ...(hookSecret.value ? { secret: hookSecret.value } : {}),
  }
  const active = isSet(spec, 'active')
  return succeed({
    headers: {
      authorization: `Bearer ${token.value}`,
      accept: 'application/vnd.github+json',
      'user-agent': 'idp-blueprint',
      ...(isGitea ? {} : { 'x-github-api-version': '2022-11-28' }),
    },
    targets: () => Promise.resolve(succeed(targetsOf(spec, base))),
    pageUrl: ({ url }, page) => `${url}?per_page=${PAGE}&limit=${PAGE}&page=${page + 1}`,
    readPage: (page) => ({ hooks: listOf(page), isLast: listOf(page).length < PAGE }),
    readHook: (hook) => ({
      id: String(Number(own(hook, 'id'))),
      url: textOf(fieldsOf(hook, 'config'), 'url'),
      isAsWanted: isSet(hook, 'active') === active && sameTexts(textsOf(hook, 'events') ?? [], events),
    }),
    wanted: { ...(isGitea ? { type: 'gitea' } : { name: 'web' }), active, events, config },
    updateMethod: 'PATCH',
  })
}

const listOf = (page: unknown) => objectsOf({ page }, 'page') ?? []

function targetsOf(spec: ForgeGiven['spec'], base: string): readonly HookTarget[] {
  const organizations = (textsOf(spec, 'organizations') ?? []).map((name) => ({
    name,
    url: `${base}orgs/${encodeURIComponent(name)}/hooks`,
  }))
  const given = objectsOf(spec, 'repositories') ?? []
  const owned = given.length > 0 ? given : [{ owner: textOf(spec, 'owner'), names: [textOf(spec, 'repository')] }]
  const repositories = owned.flatMap((one) =>
    (textsOf(one, 'names') ?? [])
      .filter((name) => name !== '' && textOf(one, 'owner') !== '')
      .map((name) => ({
        name: `${textOf(one, 'owner')}/${name}`,
        url: `${base}repos/${encodeURIComponent(textOf(one, 'owner'))}/${encodeURIComponent(name)}/hooks`,
      })),
  )
  return [...organizations, ...repositories]
}

/** The token that is given, or one that GitHub gives to the app. */
async function tokenOf({ spec, secret, nowMs }: ForgeGiven, base: string, ask: AskForge): Promise<Result<string>> {
  const given = secret(own(spec, 'apiToken'))
  if (!given.ok) return given
  if (given.value !== undefined) return succeed(given.value)
  const app = own(spec, 'githubApp')
  if (!isObject(app))
    return fail({ code: 'hook-not-registered', message: 'there is no account to register hooks with' })
  const key = secret(own(app, 'privateKey'))
  if (!key.ok) return key
  const jwt = appToken(Number(own(app, 'appID')), key.value ?? '', nowMs)
  if (!jwt.ok) return jwt
  const url = `${base}app/installations/${Number(own(app, 'installationID'))}/access_tokens`
  const answered = await ask({
    method: 'POST',
    url,
    body: {},
    headers: {
      authorization: `Bearer ${jwt.value}`,
      accept: 'application/vnd.github+json',
      'user-agent': 'idp-blueprint',
    },
  })
  return answered.ok ? succeed(textOf(answered.value, 'token')) : answered
}

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** A JSON web token in the name of an app, for ten minutes less the difference of clocks. */
function appToken(appId: number, key: string, nowMs: number): Result<string> {
  const seconds = Math.floor(nowMs / 1_000)
  const signed = `${encoded({ alg: 'RS256', typ: 'JWT' })}.${encoded({ iat: seconds - 60, exp: seconds + 540, iss: String(appId) })}`
  try {
    return succeed(`${signed}.${sign('sha256', Buffer.from(signed), key).toString('base64url')}`)
  } catch (error) {
    // What the key is does not matter to the reader, and is a secret.
    return fail({
      code: 'hook-not-registered',
      message: `the private key of the GitHub app cannot sign: ${describeError(error).slice(0, 100)}`,
    })
  }
}
