import { type Condition, setCondition } from '../../kube/condition.ts'
import type { KubeObject } from '../../kube/object.ts'
import { objectsOf } from '../../lib/fields.ts'
import { explain } from '../../lib/result.ts'
import { type Controller, controllerLoop, retryAfter } from '../../runtime/controller.ts'
import type { ControllerPart, ControllerPorts } from '../../runtime/controller-part.ts'
import { keyOf, partsOf } from '../../runtime/object-cache.ts'
import { done } from '../../runtime/work-queue.ts'
import { readBusSettings } from './bus-settings.ts'
import { EventBusKind } from './event-bus.ts'
import type { EventLog } from './event-log.ts'

/** Opens a place on the log for every EventBus, whatever it asks to be carried by, and says so in its status. */
export function eventBuses(ports: ControllerPorts, bus: EventLog): ControllerPart {
  const { client, informers, clock } = ports
  const objects = informers.shared({ collection: { resource: EventBusKind } })
  let begin = (): void => {}
  bus.hold(new Promise<void>((resolve) => (begin = resolve)))
  const configure = (key: string): ReturnType<typeof readBusSettings> | undefined => {
    const { namespace = '', name } = partsOf(key)
    const object = objects.cache.get(key)
    const read = object && object.metadata.deletionTimestamp === undefined ? readBusSettings(object['spec']) : undefined
    bus.configure(namespace, name, read?.ok === true ? read.value.settings : undefined)
    return read
  }
  const controller: Controller = {
    name: 'eventbus',
    watches: [{ informer: objects }],
    async reconcile(key) {
      const { namespace = '', name } = partsOf(key)
      const object = objects.cache.get(key)
      const read = configure(key)
      if (!object || !read) return done
      const before = (objectsOf(object['status'], 'conditions') ?? []) as unknown as readonly Condition[] // written here
      let conditions = before
      for (const condition of conditionsOf(read, object)) conditions = setCondition(conditions, condition, clock.now())
      if (conditions === before) return done
      const target = { resource: EventBusKind, namespace, name, subresource: 'status' }
      const status = { status: { conditions: conditions as never } }
      const written = await client.patch(target, { type: 'merge', body: status })
      return written.ok || written.error.reason === 'NotFound' ? done : retryAfter(written.error)
    },
  }
  const loop = controllerLoop(controller, ports)
  return {
    pending: () => loop.queue.pending(),
    async run(signal) {
      try {
        await objects.synced(signal)
        for (const object of objects.cache.list()) configure(keyOf(object))
      } catch (error) {
        if (!signal.aborted) throw error
      } finally {
        begin()
      }
      await loop.run(signal)
    },
  }
}

/** What is so of a bus, with upstream's types of conditions (reconciler/eventbus at v1.9). */
function conditionsOf(read: ReturnType<typeof readBusSettings>, { metadata }: KubeObject): readonly Condition[] {
  const observed = metadata.generation === undefined ? {} : { observedGeneration: metadata.generation }
  if (!read.ok) {
    const message = read.error.map(explain).join('; ')
    return [
      { type: 'Configured', status: 'False', reason: 'InvalidSpec', message, ...observed },
      { type: 'Deployed', status: 'Unknown', reason: 'NotConfigured', message: 'the spec cannot be read', ...observed },
    ]
  }
  const { maxMsgs, maxBytes, maxAgeMs } = read.value.settings
  const bounds = `keeps at most ${maxMsgs} events, ${maxBytes} bytes, ${maxAgeMs / 3_600_000} hours`
  const message = `asks for ${read.value.asked}: runs on the platform's embedded log, which ${bounds}`
  return [
    { type: 'Configured', status: 'True', reason: 'Configured', message: '', ...observed },
    { type: 'Deployed', status: 'True', reason: 'EmbeddedLog', message, ...observed },
  ]
}
