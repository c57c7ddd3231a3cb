import type { Clock } from '../../lib/clock.ts'
import { explain } from '../../lib/result.ts'
import type { Publish } from '../bus/publish.ts'
import type { TraceSink } from '../sensor/trace-sink.ts'

/** Publishes, and tells where an event came from once it is on disk, or why it is not. */
export function tracedPublish(publish: Publish, trace: TraceSink, clock: Clock): Publish {
  return async (to, event) => {
    const kept = await publish(to, event)
    const { namespace, busName, eventSourceName, eventName } = to
    const values = {
      namespace,
      bus: busName,
      source: `${eventSourceName}/${eventName}`,
      type: event.context.type ?? '',
    }
    const because = kept.ok
      ? kept.value.isRepeat
        ? 'it was told again; the bus keeps the first telling'
        : `on the bus ${namespace}/${busName}`
      : `refused by the bus: ${kept.error.map(explain).join('; ')}`
    trace({ atMs: clock.now(), eventId: event.context.id ?? '', step: 'received', because, values })
    return kept
  }
}
