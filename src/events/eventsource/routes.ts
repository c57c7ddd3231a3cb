import { textOf } from '../../lib/fields.ts'
import { type Result, succeed } from '../../lib/result.ts'
import type { Dispatch } from '../sources/dispatch.ts'
import type { SecretValues } from '../sources/secret-values.ts'
import type { SourceCounts } from '../sources/source-metrics.ts'
import { compileEndpoint } from '../sources/webhook/endpoint.ts'
import { providers } from '../sources/webhook/providers.ts'
import { mostBytesOf, type Route } from '../sources/webhook/route.ts'
import { selectorOf } from './check.ts'
import { webhookContextOf } from './check-webhooks.ts'
import type { SourceEntry } from './event-source.ts'

export interface RouteParts {
  readonly namespace: string
  readonly secrets: SecretValues
  readonly dispatch: Dispatch
  readonly counts: SourceCounts
  readonly hasOpenPullRequest?: Route['hasOpenPullRequest']
  readonly onRefusal: Route['onRefusal']
}

/** The route of a source that was found good. */
export function routeOf({ kind, spec }: SourceEntry, parts: RouteParts): Result<Route> {
  const { namespace, secrets, dispatch, counts, hasOpenPullRequest, onRefusal } = parts
  const context = webhookContextOf(kind.field, spec) ?? {}
  const endpoint = compileEndpoint(textOf(context, 'endpoint'))
  if (!endpoint.ok) return endpoint
  const provider = providers.get(kind.field)
  if (!provider) throw new Error(`no provider reads what is sent to sources of kind ${kind.field}`)
  const valueOf = (holder: typeof spec, field: string): Result<string | undefined> => {
    const selector = selectorOf(holder, field)
    return selector ? secrets(namespace, selector) : succeed(undefined)
  }
  return succeed({
    port: Number(textOf(context, 'port')),
    endpoint: endpoint.value,
    ...(kind.field === 'webhook' ? { method: textOf(context, 'method') } : {}),
    mostBytes: mostBytesOf(context),
    // Where metadata is given where it listens, the plain webhook reads it there: they are one object.
    spec,
    provider,
    secret: (field) => valueOf(spec, field),
    token: () => valueOf(context, 'authSecret'),
    dispatch,
    counts,
    onRefusal,
    ...(hasOpenPullRequest ? { hasOpenPullRequest } : {}),
  })
}
