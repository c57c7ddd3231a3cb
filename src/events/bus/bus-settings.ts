import { isObject, own } from '../../lib/json.ts'
import { millisecondsOf, parseDuration } from '../../lib/duration.ts'
import { fail, type Problem, type Result, succeed } from '../../lib/result.ts'
import { parseYaml } from '../../lib/yaml.ts'

/** How much a bus keeps, and what it takes. */
export interface BusSettings {
  /** At most so many events; what every running trigger is done with goes first. */
  readonly maxMsgs: number
  readonly maxBytes: number
  readonly maxAgeMs: number
  /** The largest data of one event. */
  readonly maxPayloadBytes: number
  /** A full bus refuses new events instead of forgetting old ones that were dealt with. */
  readonly discardNew: boolean
}

/** What an EventBus asks for: settings, and what it asked for that an embedded log does not do. */
export interface ReadSettings {
  readonly settings: BusSettings
  /** `jetstream`, `nats`, ...: what it would be upstream. */
  readonly asked: string
}

/** Upstream's defaults for a JetStream bus (its controller's configuration), with a bound on bytes. */
export const usualSettings: BusSettings = {
  maxMsgs: 50_000,
  maxBytes: 256 * 2 ** 20,
  maxAgeMs: 168 * 3_600_000,
  maxPayloadBytes: 2 ** 20,
  discardNew: false,
}

const kinds = ['nats', 'jetstream', 'jetstreamExotic', 'kafka'] as const

const invalid = (at: string, message: string): Result<never> => fail({ code: 'event-bus-invalid', at, message })

/** Reads the settings out of the spec of an EventBus, which names what would carry it upstream. */
export function readBusSettings(spec: unknown): Result<ReadSettings> {
  const given = isObject(spec) ? spec : {}
  const asked = kinds.filter((kind) => own(given, kind) !== undefined && own(given, kind) !== null)
  const [kind] = asked
  if (kind === undefined) return invalid('spec', `spec must name one of ${kinds.join(', ')}`)
  if (asked.length > 1) return invalid('spec', `spec names ${asked.join(' and ')}: leave one of them`)
  const of = own(given, kind)
  const at = `spec.${kind}`
  if (!isObject(of)) return invalid(at, `${at} must be an object`)
  const wrong = requirements[kind](of, at)
  if (wrong) return { ok: false, error: [wrong] }
  const settings = kind === 'nats' ? natsSettings(of) : streamSettings(of, at)
  return settings.ok ? succeed({ settings: settings.value, asked: kind }) : settings
}

type Fields = Readonly<Record<string, unknown>>

const text = (of: Fields, key: string): string => {
  const value = own(of, key)
  return typeof value === 'string' ? value : ''
}

const missing = (at: string): Problem => ({ code: 'event-bus-invalid', at, message: `${at} is missing` })

const needsUrl = (of: Fields, at: string): Problem | undefined =>
  text(of, 'url') === '' ? missing(`${at}.url`) : undefined

/** What upstream refuses to install. */
const requirements: Readonly<Record<(typeof kinds)[number], (of: Fields, at: string) => Problem | undefined>> = {
  kafka: needsUrl,
  jetstreamExotic: needsUrl,
  jetstream(of, at) {
    if (text(of, 'version') === '') return missing(`${at}.version`)
    const replicas = own(of, 'replicas')
    if (typeof replicas !== 'number' || replicas === 1 || replicas >= 3) return undefined
    return {
      code: 'event-bus-invalid',
      at: `${at}.replicas`,
      message: `a jetstream bus has 1 replica or at least 3, not ${replicas}`,
    }
  },
  nats(of, at) {
    const [native, exotic] = [own(of, 'native'), own(of, 'exotic')]
    if (isObject(native) === isObject(exotic))
      return { code: 'event-bus-invalid', at, message: `${at} must have one of native, exotic` }
    if (!isObject(exotic)) return undefined
    if (text(exotic, 'url') === '') return missing(`${at}.exotic.url`)
    return text(exotic, 'clusterID') === '' ? missing(`${at}.exotic.clusterID`) : undefined
  },
}

function natsSettings(of: Fields): Result<BusSettings> {
  const native = own(of, 'native')
  return isObject(native) ? settingsFrom(native, 'spec.nats.native') : succeed(usualSettings)
}

function streamSettings(of: Fields, at: string): Result<BusSettings> {
  const config = text(of, 'streamConfig')
  const payload = own(of, 'maxPayload')
  const given: Fields = payload === undefined ? {} : { maxPayload: payload }
  if (config === '') return settingsFrom(given, at)
  const read = parseYaml(config)
  if (!read.ok) return invalid(`${at}.streamConfig`, `it is no YAML: ${read.error[0]?.message ?? ''}`)
  if (!isObject(read.value)) return invalid(`${at}.streamConfig`, 'it must be a YAML mapping')
  return settingsFrom({ ...read.value, ...given }, `${at}.streamConfig`)
}

/** Names are read whatever their case, as upstream does. */
function settingsFrom(given: Fields, at: string): Result<BusSettings> {
  const values = new Map(Object.entries(given).map(([key, value]) => [key.toLowerCase(), value]))
  const readers = [
    ['maxMsgs', countOf, 'maxmsgs', usualSettings.maxMsgs],
    ['maxBytes', bytesOf, 'maxbytes', usualSettings.maxBytes],
    ['maxAgeMs', ageOf, 'maxage', usualSettings.maxAgeMs],
    ['maxPayloadBytes', bytesOf, 'maxpayload', usualSettings.maxPayloadBytes],
  ] as const
  const made: Record<string, number> = {}
  for (const [name, read, key, usual] of readers) {
    const value = values.get(key)
    const found = value === undefined || value === null ? usual : read(value)
    if (found === undefined) return invalid(at, `${key} cannot be ${JSON.stringify(value)}`)
    made[name] = found > 0 ? found : usual
  }
  const { maxMsgs = 0, maxBytes = 0, maxAgeMs = 0, maxPayloadBytes = 0 } = made
  return succeed({ maxMsgs, maxBytes, maxAgeMs, maxPayloadBytes, discardNew: Number(values.get('discard')) === 1 })
}

const countOf = (value: unknown): number | undefined => {
  const count = Number(value)
  return Number.isInteger(count) ? count : undefined
}

const units: Readonly<Record<string, number>> = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 }

/** `1048576`, `1MB`, `64Mi`, `1G`. */
function bytesOf(value: unknown): number | undefined {
  const found = /^(-?\d{1,15})([kmgt]?)i?b?$/i.exec(String(value).trim())
  if (!found) return undefined
  return Number(found[1]) * (units[(found[2] ?? '').toLowerCase()] ?? 1)
}

function ageOf(value: unknown): number | undefined {
  if (typeof value === 'number') return value / 1e6
  const read = parseDuration(String(value))
  return read.ok ? millisecondsOf(read.value) : undefined
}
