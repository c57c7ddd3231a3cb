import type { ResourceInfo } from '../../kube/client.ts'
import type { Controller } from '../../runtime/controller.ts'
import { controllerLoop } from '../../runtime/controller.ts'
import { again, done, retry, type Turn } from '../../runtime/work-queue.ts'
import type { TurnContext } from '../../runtime/controller.ts'
import type { ControllerPart } from '../../runtime/controller-part.ts'
import type { ClusterPorts } from '../cluster-controller.ts'
import { definitions } from '../collections.ts'
import { applyAction } from './apply.ts'
import { type Node, nodeOf, OwnerGraph } from './graph.ts'
import { observeInGraph, observeLive, observeOwners } from './observe.ts'
import { planGarbage } from './plan.ts'
import { ResourceWatches } from './resource-watches.ts'

/** Services of other processes come and go without a definition to watch. */
const DISCOVER_EVERY_MS = 30_000
const NOT_READ_YET_MS = 50
const WORKERS = 16

/** Deletes what is owned only by what is gone, and carries out foreground and orphaning deletions. */
export function garbageCollector(ports: ClusterPorts): ControllerPart {
  const { client, clock, log, informers, events } = ports
  const graph = new OwnerGraph()
  const absent = new Set<string>()
  const recorder = events('garbage-collector-controller')
  let resources: readonly ResourceInfo[] = []
  const collector: Controller = {
    name: 'garbage-collector',
    watches: [],
    concurrency: WORKERS,
    retryDelay: { firstMs: 50, longestMs: 60_000 },
    reconcile: (uid, context) => collect(uid, context),
  }
  const loop = controllerLoop(collector, ports)
  const lookup = { graph, client, absent, resources: () => resources }
  const watches = new ResourceWatches({
    client,
    clock,
    log,
    changed(resource, { type, object, previous }) {
      const { group, version, plural } = resource
      const touched: string[] = []
      if (type === 'removed') touched.push(...graph.remove(object.metadata.uid ?? ''))
      else {
        // A namesake that took its place while nobody looked.
        const before = previous?.metadata.uid
        if (before !== undefined && before !== object.metadata.uid) touched.push(...graph.remove(before))
        touched.push(...graph.set(nodeOf({ group, version, plural }, object)))
      }
      for (const uid of touched) if (graph.node(uid)) loop.queue.add(uid)
    },
  })

  const collect = async (uid: string, context: TurnContext): Promise<Turn> => {
    const unread = watches.unread()
    if (unread.length > 0) return again(NOT_READ_YET_MS, `${unread.join(', ')} have not been read yet`)
    const known = graph.node(uid)
    if (!known || planGarbage(observeInGraph(known, graph)).length === 0) return done
    const live = await observeLive(known, client, context.signal)
    if (!live) return done
    const owners = await observeOwners(live.node, lookup, context.signal)
    if (!owners.ok) return { do: 'retry', because: owners.because, quietly: true }
    for (const { kind, name } of owners.misplaced) {
      recorder.note(live.object, {
        type: 'Warning',
        reason: 'OwnerRefInvalidNamespace',
        message: `ownerRef ${kind} ${name} does not exist in namespace ${JSON.stringify(live.node.namespace ?? '')}`,
      })
    }
    return act(live, planGarbage({ ...observeInGraph(live.node, graph), owners: owners.owners }), context)
  }

  const act = async (
    live: { readonly object: Parameters<typeof applyAction>[1]['object']; readonly node: Node },
    actions: ReturnType<typeof planGarbage>,
    context: TurnContext,
  ): Promise<Turn> => {
    let problem: string | undefined
    for (const action of actions) {
      // Every write makes the object another one; the next turn does the rest.
      if (action.node.uid === live.node.uid) {
        const because = await applyAction(action, live, client, context)
        return because === undefined ? done : { do: 'retry', because, quietly: true }
      }
      problem = (await applyAction(action, live, client, context)) ?? problem
    }
    return problem === undefined ? done : { do: 'retry', because: problem, quietly: true }
  }

  const crds = informers.shared({ collection: { resource: definitions } })
  return {
    pending: () => loop.queue.pending(),
    async run(signal) {
      const following = controllerLoop(
        {
          name: 'garbage-collector-discovery',
          watches: [{ informer: crds, keys: () => ['all'] }],
          async reconcile() {
            const found = await client.discover({ signal })
            if (!found.ok) return retry(`cannot discover what is served: ${found.error.message}`)
            resources = found.value
            watches.follow(resources, signal)
            return again(DISCOVER_EVERY_MS, 'what is served may change')
          },
        },
        ports,
      )
      following.queue.add('all')
      await Promise.all([following.run(signal), loop.run(signal)])
      await watches.ended()
    },
  }
}
