import { isSet, objectsOf, textOf, textsOf } from '../../../lib/fields.ts'
import { own } from '../../../lib/json.ts'
import { fail, type Result, succeed } from '../../../lib/result.ts'
import type { Forge, ForgeGiven } from './forge.ts'

const PAGE = 100

/** The events of a hook as an EventSource names them, and as GitLab's API does. */
export const gitlabEvents: ReadonlyMap<string, string> = new Map(
  [
    'ConfidentialIssuesEvents',
    'ConfidentialNoteEvents',
    'DeploymentEvents',
    'EmojiEvents',
    'IssuesEvents',
    'JobEvents',
    'MergeRequestsEvents',
    'NoteEvents',
    'PipelineEvents',
    'PushEvents',
    'ReleasesEvents',
    'ResourceAccessTokenEvents',
    'TagPushEvents',
    'VulnerabilityEvents',
    'WikiPageEvents',
  ].map((name) => [name, name.replace(/(?<=.)[A-Z]/g, (letter) => `_${letter}`).toLowerCase()]),
)

/** GitLab's API, version 4. */
export function gitlabForge({ spec, hookUrl, secret }: ForgeGiven): Result<Forge> {
  const token = secret(own(spec, 'accessToken'))
  const secretToken = secret(own(spec, 'secretToken'))
  if (!token.ok) return token
  if (!secretToken.ok) return secretToken
  const asked = textsOf(spec, 'events') ?? []
  const unknown = asked.find((name) => !gitlabEvents.has(name))
  if (unknown !== undefined)
    return fail({ code: 'hook-not-registered', message: `unknown event ${JSON.stringify(unknown)}` })
  const flags = [...gitlabEvents].map(([name, field]) => [field, asked.includes(name)] as const)
  const verifies = isSet(spec, 'enableSSLVerification')
  const base = `${textOf(spec, 'gitlabBaseURL')
    .replace(/\/+$/, '')
    .replace(/\/api\/v4$/, '')}/api/v4`
  const projects = textsOf(spec, 'projects') ?? []
  const named = projects.length > 0 ? projects : [textOf(spec, 'projectID')].filter((id) => id !== '')
  const targets = [
    ...(textsOf(spec, 'groups') ?? []).map((name) => ({
      name,
      url: `${base}/groups/${encodeURIComponent(name)}/hooks`,
    })),
    ...named.map((name) => ({ name, url: `${base}/projects/${encodeURIComponent(name)}/hooks` })),
  ]
  return succeed({
    headers: { 'private-token': token.value ?? '' },
    targets: () => Promise.resolve(succeed(targets)),
    pageUrl: ({ url }, page) => `${url}?per_page=${PAGE}&page=${page + 1}`,
    readPage(page) {
      const hooks = objectsOf({ page }, 'page') ?? []
      return { hooks, isLast: hooks.length < PAGE }
    },
    readHook: (hook) => ({
      id: String(Number(own(hook, 'id'))),
      url: textOf(hook, 'url'),
      // What this GitLab does not know, it does not show.
      isAsWanted:
        isSet(hook, 'enable_ssl_verification') === verifies &&
        flags.every(([field, wanted]) => (own(hook, field) ?? wanted) === wanted),
    }),
    wanted: {
      url: hookUrl,
      enable_ssl_verification: verifies,
      ...(secretToken.value ? { token: secretToken.value } : {}),
      ...Object.fromEntries(flags),
    },
    updateMethod: 'PUT',
  })
}
