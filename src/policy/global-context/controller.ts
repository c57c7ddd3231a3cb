import type { Client } from '../../kube/client.ts'
import { type Condition, setCondition } from '../../kube/condition.ts'
import type { KubeObject } from '../../kube/object.ts'
import { formatTime } from '../../kube/time.ts'
import type { Clock } from '../../lib/clock.ts'
import { isEqual, isObject, type Json } from '../../lib/json.ts'
import { explain, type Result } from '../../lib/result.ts'
import { type Controller, retryAfter } from '../../runtime/controller.ts'
import type { Informers } from '../../runtime/informers.ts'
import { partsOf } from '../../runtime/object-cache.ts'
import { again, done } from '../../runtime/work-queue.ts'
import { globalContextKind } from '../catalog/policy-kinds.ts'
import type { FactNeed } from '../engine/fact.ts'
import { type EntryCall, readEntry } from './entry.ts'
import type { GlobalContext } from './global-context.ts'

export interface GlobalContextPorts {
  readonly client: Client
  readonly informers: Informers
  readonly clock: Clock
  readonly context: GlobalContext
  readonly ask: (need: FactNeed, signal: AbortSignal) => Promise<Result<Json>>
}

/** Calls what entries name, again and again, and says in their status how that went. */
export function globalContextController({ client, informers, clock, context, ask }: GlobalContextPorts): Controller {
  const informer = informers.shared({ collection: { resource: globalContextKind } })
  const calledMs = new Map<string, { readonly atMs: number; readonly generation: number | undefined }>()
  return {
    name: 'global-context',
    watches: [{ informer }],
    async reconcile(key, { signal }) {
      const object = informer.cache.get(key)
      const entry = object && readEntry(object)
      if (!object || !entry) {
        calledMs.delete(key)
        return done
      }
      if (entry.from.kind === 'resources') return say(object, context.get(entry.name, undefined))
      const { call, everyMs, attempts } = entry.from
      const { generation } = object.metadata
      const last = calledMs.get(key)
      const dueMs = last && last.generation === generation ? last.atMs + everyMs : 0
      if (dueMs > clock.now()) return again(dueMs - clock.now(), 'the next call is due then')
      let answer = await ask(needOf(call), signal)
      for (let attempt = 1; !answer.ok && attempt < attempts; attempt++) answer = await ask(needOf(call), signal)
      calledMs.set(key, { atMs: clock.now(), generation })
      context.keep(entry.name, answer)
      const told = await say(object, answer)
      return told.do === 'done'
        ? again(answer.ok ? everyMs : Math.min(everyMs, RETRY_MS), 'the next call is due then')
        : told
    },
  }

  async function say(object: KubeObject, answer: Result<Json>) {
    const before = isObject(object['status']) ? object['status'] : {}
    const conditions = setCondition(
      (before['conditions'] ?? []) as readonly Condition[],
      {
        type: 'Ready',
        status: answer.ok ? 'True' : 'False',
        reason: answer.ok ? 'Succeeded' : 'Failed',
        message: answer.ok ? 'Ready' : answer.error.map(explain).join('; ').slice(0, 1_000),
      },
      clock.now(),
    )
    if (isEqual(conditions, before['conditions'])) return done
    const status = { ...before, conditions, lastRefreshTime: formatTime(clock.now()) }
    const { name } = partsOf(`/${object.metadata.name ?? ''}`)
    const written = await client.update(
      { resource: globalContextKind, name, subresource: 'status' },
      { ...object, status },
    )
    return written.ok || written.error.reason === 'NotFound' ? done : retryAfter(written.error)
  }
}

const RETRY_MS = 5_000

function needOf({ method, path, url, headers, caBundle, body }: EntryCall): FactNeed {
  // The definition of entries has made data JSON.
  const sent = body === undefined ? {} : { body: body as Json }
  return url === undefined
    ? { what: 'api-call', method, path: path ?? '', ...sent }
    : { what: 'service-call', method, url, headers, ...sent, ...(caBundle === undefined ? {} : { caBundle }) }
}
