import { objectsOf, textOf } from '../../../lib/fields.ts'
import { own, isObject } from '../../../lib/json.ts'
import { type Result, succeed } from '../../../lib/result.ts'
import type { SourceEntry } from '../../eventsource/event-source.ts'
import type { Route } from '../webhook/route.ts'
import { askForge } from './ask-forge.ts'
import { bitbucketServerBase, repositoryUrl } from './bitbucket-forges.ts'
import type { HookPorts } from './hook-keeper.ts'

/** Asks a Bitbucket Server whether a commit belongs to an open pull request, with the account of the source. */
export function openPullRequests(
  { secrets, httpFor }: Pick<HookPorts, 'secrets' | 'httpFor'>,
  namespace: string,
  { kind, spec }: SourceEntry,
): Route['hasOpenPullRequest'] {
  if (kind.field !== 'bitbucketserver') return undefined
  return async (project, repository, commit): Promise<Result<boolean>> => {
    const selector = own(spec, 'accessToken')
    const token = isObject(selector)
      ? secrets(namespace, { name: textOf(selector, 'name'), key: textOf(selector, 'key') })
      : succeed('')
    if (!token.ok) return token
    const http = await httpFor(namespace)
    if (!http.ok) return http
    const ask = askForge(
      { http: http.value, signal: AbortSignal.timeout(20_000) },
      { authorization: `Bearer ${token.value}` },
    )
    const place = repositoryUrl(bitbucketServerBase(spec), [project, repository])
    const answered = await ask({
      method: 'GET',
      url: `${place}/commits/${encodeURIComponent(commit)}/pull-requests?limit=100`,
    })
    if (!answered.ok) return answered
    return succeed(
      (objectsOf(answered.value, 'values') ?? []).some((one) => textOf(one, 'state').toUpperCase() === 'OPEN'),
    )
  }
}
