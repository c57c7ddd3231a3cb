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

/** So many of the last texts that were read are kept read: every Sensor looks at the same events, one soon after the other. */
const KEPT = 16
/** A text that is larger than this is read anew. */
const LARGEST_KEPT = 64 * 1024
const kept: { readonly data: string; readonly json: Json | undefined }[] = []
let next = 0

/** The data as JSON; undefined if it is none. What is read belongs to many: nobody may change it. */
export function dataJson(data: string): Json | undefined {
  const known = kept.find((one) => one.data === data)
  if (known) return known.json
  const json = parsed(data)
  if (data.length <= LARGEST_KEPT) kept[next++ % KEPT] = { data, json }
  return json
}

function parsed(data: string): Json | undefined {
  try {
    return JSON.parse(data) as Json // what JSON.parse makes is JSON
  } catch {
    // Not JSON: whoever needs it says so in its own words.
    return undefined
  }
}
