import { fieldsOf, isSet, objectsOf, textOf } from '../../../../lib/fields.ts'
import { fail, type Result, succeed } from '../../../../lib/result.ts'
import { headerOf } from '../delivery.ts'
import { forgeData, type JsonBody, readJson } from '../payload.ts'
import { type Provider, type ProviderContext, type ReceivedEvent, refuseDelivery, withoutSecret } from '../provider.ts'
import { isSigned } from '../signature.ts'

type Fields = Readonly<Record<string, unknown>>

/** A push to as many branches as there are has its changes looked at one by one. */
const MOST_CHANGES = 500

/** Bitbucket Server and Data Center: signed with SHA-256; a push may become one event for every branch. */
export const bitbucketServerWebhook: Provider = async (delivery, context) => {
  const { headers, body } = delivery
  const { spec, secret } = context
  const key = secret('webhookSecret')
  if (!key.ok) return withoutSecret('webhook secret')
  if (key.value !== undefined && key.value !== '') {
    const signature = headerOf(headers, 'X-Hub-Signature')
    if (signature === '') return refuseDelivery(400, 'missing signature header', 'signature')
    if (!signature.startsWith('sha256=') || !isSigned(signature, key.value, body)) {
      return refuseDelivery(400, 'hmac verification failed', 'signature')
    }
  }
  const read = readJson(body)
  if (!read.ok) return refuseDelivery(400, read.error[0]?.message ?? '', 'body')
  const isPush = headerOf(headers, 'X-Event-Key') === 'repo:refs_changed'
  const bodies = isPush ? await pushBodies(read.value, context) : succeed([read.value.text])
  if (!bodies.ok) return refuseDelivery(400, bodies.error[0]?.message ?? '', 'pull-requests')
  const id = headerOf(headers, 'X-Request-Id')
  const events = bodies.value.map((text, at): ReceivedEvent => ({
    data: forgeData(headers, text, spec['metadata']),
    ...(id === '' ? {} : { delivery: bodies.value.length === 1 ? id : `${id}/${at}` }),
  }))
  return { do: 'publish', events }
}

async function pushBodies({ text, value }: JsonBody, context: ProviderContext): Promise<Result<readonly string[]>> {
  const { spec } = context
  const skips = isSet(spec, 'skipBranchRefsChangedOnOpenPR')
  const splits = isSet(spec, 'oneEventPerChange')
  if (!skips && !splits) return succeed([text])
  const push = value as Fields // whatever it is, fields are read from objects only
  const changes = objectsOf(push, 'changes') ?? []
  if (changes.length > MOST_CHANGES) {
    return fail({ code: 'webhook-body-invalid', message: `the push has more than ${MOST_CHANGES} changes` })
  }
  const kept = skips ? await withoutOpenPullRequests(push, changes, context) : succeed(changes)
  if (!kept.ok) return kept
  if (skips && kept.value.length === 0) return succeed([])
  if (splits) return succeed(kept.value.map((change) => JSON.stringify({ ...push, changes: [change] })))
  return succeed([text])
}

async function withoutOpenPullRequests(
  push: Fields,
  changes: readonly Fields[],
  { hasOpenPullRequest }: ProviderContext,
): Promise<Result<readonly Fields[]>> {
  const repository = fieldsOf(push, 'repository')
  const kept: Fields[] = []
  for (const change of changes) {
    const isBranch = textOf(fieldsOf(change, 'ref'), 'type') === 'BRANCH' && textOf(change, 'type') !== 'DELETE'
    const open = isBranch
      ? await hasOpenPullRequest?.(
          textOf(fieldsOf(repository, 'project'), 'key'),
          textOf(repository, 'slug'),
          textOf(change, 'toHash'),
        )
      : undefined
    if (open?.ok === false) return open
    if (!open?.value) kept.push(change)
  }
  return succeed(kept)
}
