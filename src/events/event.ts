import type { Json } from '../lib/json.ts'

/** What is known of an event besides its data: the attributes of a CloudEvent. */
export interface EventContext {
  readonly id?: string
  readonly source?: string
  readonly specversion?: string
  readonly type?: string
  readonly datacontenttype?: string
  readonly subject?: string
  /** RFC 3339. */
  readonly time?: string
}

/** One event as a Sensor sees it; its data is text, whatever it holds. */
export interface SensorEvent {
  readonly context: EventContext
  readonly data?: string
}

/** The attributes with everything in its place, as they are written out. */
export function contextJson({
  id = '',
  source = '',
  specversion = '',
  type = '',
  datacontenttype = '',
  subject = '',
  time,
}: EventContext): Json {
  return { id, source, specversion, type, datacontenttype, subject, time: time ?? null }
}

/** A whole event as it is written out: data in base64. */
export function eventJson({ context, data }: SensorEvent): Json {
  const whole: Json = { context: contextJson(context) }
  return data === undefined ? whole : { ...whole, data: Buffer.from(data, 'utf8').toString('base64') }
}

/** The data as JSON; undefined if it is none. */
export function dataJson(data: string): Json | undefined {
  try {
    return JSON.parse(data) as Json // what JSON.parse makes is JSON
  } catch {
    // Not JSON: whoever needs it says so in its own words.
    return undefined
  }
}
