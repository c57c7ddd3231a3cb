import { parseTime } from '../../../kube/time.ts'
import type { Application } from '../application.ts'

/** Until when an Application does not sync on its own: a time, or any other word for until somebody takes it away. */
export const PAUSED_UNTIL = 'idp-blueprint.io/paused-until'
export const PAUSED_BECAUSE = 'idp-blueprint.io/paused-because'

/** A pause that holds now. */
export interface Pause {
  readonly because: string
  /** When it ends by itself. */
  readonly untilMs?: number
}

/** The pause of an Application; undefined when there is none, or it has ended. */
export function pauseOf({ metadata }: Application, nowMs: number): Pause | undefined {
  const { [PAUSED_UNTIL]: until, [PAUSED_BECAUSE]: why } = metadata.annotations ?? {}
  if (until === undefined) return undefined
  const untilMs = parseTime(until)
  if (untilMs !== undefined && untilMs <= nowMs) return undefined
  const reason = why ? `: ${why}` : ''
  return untilMs === undefined
    ? { because: `it is paused until it is resumed${reason}` }
    : { because: `it is paused until ${until}${reason}`, untilMs }
}
