import type { KubeObject } from '../../../kube/object.ts'
import type { Status } from '../../../kube/status.ts'
import { fieldsOf, textOf } from '../../../lib/fields.ts'
import { isEqual } from '../../../lib/json.ts'
import { type Controller, ownerKeys, retryAfter, type TurnContext } from '../../../runtime/controller.ts'
import type { ControllerPorts } from '../../../runtime/controller-part.ts'
import type { Informer } from '../../../runtime/informer.ts'
import { again, done, type Turn } from '../../../runtime/work-queue.ts'
import { isOwnChange } from '../external-world.ts'
import { type KindMetrics, kindMetrics } from '../metrics.ts'
import { durationMs } from '../spec/external-secret.ts'
import { type FanOut, type FanOutPlan, planFanOut } from './plan.ts'

const HOUR_MS = 3_600_000
const FAILED = 'one or more namespaces failed'
/** What the operator puts on the object; its children go with their owner here. */
const FINALIZER = 'externalsecrets.external-secrets.io/clusterexternalsecret-cleanup'

export interface FanOutPorts<T extends KubeObject> {
  readonly ports: ControllerPorts
  readonly children: Informer<T>
  readonly namespaces: Informer
}

/** Makes the children of a kind of the cluster in every namespace that is meant, at once when a namespace comes. */
export function fanOutController<T extends KubeObject>(
  fanOut: FanOut,
  { ports, children, namespaces }: FanOutPorts<T>,
): Controller {
  const { client, informers } = ports
  const parents = informers.own<KubeObject>({ collection: { resource: fanOut.kind } })
  const events = ports.events(`cluster-${fanOut.child.kind.toLowerCase()}-controller`)
  const metrics = kindMetrics(fanOut.kind.kind.toLowerCase(), ports.metrics)
  const ofOwner = ownerKeys(fanOut.kind.kind, fanOut.kind.group)
  const all = (): readonly string[] => parents.cache.list().map(({ metadata }) => `/${metadata.name ?? ''}`)

  const apply = async (
    parent: KubeObject,
    plan: FanOutPlan,
    context: TurnContext,
  ): Promise<ReadonlyMap<string, string>> => {
    const failed = new Map(plan.refused)
    for (const step of plan.steps) {
      const refused = await act(step, context)
      if (refused) failed.set(step.namespace, refused.message)
    }
    for (const [namespace, message] of failed) {
      events.note(parent, { type: 'Warning', reason: 'NamespaceFailed', message: `${namespace}: ${message}` })
    }
    return failed
  }

  async function act(step: FanOutPlan['steps'][number], { log, signal }: TurnContext): Promise<Status | undefined> {
    const at = { resource: fanOut.child, namespace: step.namespace }
    if (step.do === 'delete') {
      log.info('taking a child away', { namespace: step.namespace, name: step.name, because: step.because })
      const gone = await client.delete({ ...at, name: step.name }, { signal })
      return gone.ok || gone.error.reason === 'NotFound' ? undefined : gone.error
    }
    const options = { fieldManager: 'external-secrets', signal }
    const { name = '' } = step.object.metadata
    // What an informer adds is no part of the object.
    const object = Object.fromEntries(Object.entries(step.object).filter(([field]) => field !== 'parsed'))
    const written =
      step.do === 'create'
        ? await client.create(at, object, options)
        : await client.update({ ...at, name }, object, options)
    if (written.ok) await children.caughtUp(written.value, signal)
    return written.ok ? undefined : written.error
  }

  return {
    name: fanOut.kind.kind.toLowerCase(),
    watches: [
      { informer: parents, keys: (object, { key, previous }) => (isOwnChange(object, previous) ? [key] : []) },
      {
        informer: children,
        keys: (object, { previous }) => (isOwnChange(object, previous) ? ofOwner(object).map(bare) : []),
      },
      {
        informer: namespaces,
        keys: (object, { previous }) => (isOwnChange(object, previous) ? all() : []),
      },
    ],
    async reconcile(key, context) {
      const parent = parents.cache.get(key)
      if (!parent) {
        metrics.forget('', key.slice(1))
        return done
      }
      if (parent.metadata.deletionTimestamp !== undefined) return letGo(parent, context)
      const plan = planFanOut(parent, fanOut, namespaces.cache.list(), children.cache.list())
      const failed = await apply(parent, plan, context)
      const told = await tell(parent, plan, failed, metrics)
      if (told) return told
      const everyMs = durationMs(textOf(fieldsOf(parent, 'spec'), 'refreshTime'), HOUR_MS)
      return failed.size > 0 ? { do: 'retry', because: FAILED, quietly: true } : again(everyMs, 'refreshTime')
    },
  }

  async function letGo(parent: KubeObject, { signal }: TurnContext): Promise<Turn> {
    const { finalizers = [], name = '', resourceVersion = '' } = parent.metadata
    const left = finalizers.filter((one) => one !== FINALIZER)
    if (left.length === finalizers.length) return done
    const body = { metadata: { resourceVersion, finalizers: left } }
    const patched = await client.patch({ resource: fanOut.kind, name }, { type: 'merge', body }, { signal })
    return patched.ok || patched.error.reason === 'NotFound' ? done : retryAfter(patched.error)
  }

  async function tell(
    parent: KubeObject,
    plan: FanOutPlan,
    failed: ReadonlyMap<string, string>,
    kind: KindMetrics,
  ): Promise<Turn | undefined> {
    const { name = '' } = parent.metadata
    const isGood = failed.size === 0
    const condition = {
      type: 'Ready',
      status: isGood ? 'True' : 'False',
      ...(isGood ? {} : { message: FAILED }),
    } as const
    kind.stands('', name, condition)
    const status = {
      [fanOut.fields.name]: plan.childName,
      conditions: [condition],
      provisionedNamespaces: plan.namespaces.filter((namespace) => !failed.has(namespace)).toSorted(),
      failedNamespaces: [...failed]
        .toSorted(([a], [b]) => (a < b ? -1 : 1))
        .map(([namespace, reason]) => ({ namespace, reason })),
    }
    const before = fieldsOf(parent, 'status')
    const same = { failedNamespaces: [], provisionedNamespaces: [], ...before }
    if (isEqual(same, status)) return undefined
    const body = { status }
    const patched = await client.patch({ resource: fanOut.kind, name, subresource: 'status' }, { type: 'merge', body })
    return patched.ok || patched.error.reason === 'NotFound' ? undefined : retryAfter(patched.error)
  }
}

/** What belongs to no namespace, as its key is. */
const bare = (key: string): string => `/${key.slice(key.indexOf('/') + 1)}`
