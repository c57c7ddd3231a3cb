import type { SensorEvent } from '../event.ts'

/** The source of heartbeats: no EventSource can have this name. */
export const HEARTBEAT_SOURCE = 'idp-blueprint.io/heartbeat'

/** A synthetic event for a Sensor. */
export const heartbeatEvent = (id: string, sensor: string, nowMs: number): SensorEvent => ({
  context: {
    id,
    source: HEARTBEAT_SOURCE,
    subject: sensor,
    type: 'heartbeat',
    specversion: '1.0',
    time: new Date(nowMs).toISOString(),
  },
})
