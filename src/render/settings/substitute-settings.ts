import { isObject, own, setOwn } from '../../lib/json.ts'
import { nearest } from '../../lib/nearest.ts'
import { type Problem, type Result, succeed } from '../../lib/result.ts'
import { type PlatformSettings, SETTINGS_FILE, type SettingValue } from './read-settings.ts'

/** A field into which settings were put, and which ones. */
export interface Substitution {
  /** The path of the field, as `kubectl` writes it. */
  readonly field: string
  readonly settings: readonly string[]
}

/** An object with its references replaced; the same object where it has none. */
export interface Substituted<T> {
  readonly object: T
  readonly substitutions: readonly Substitution[]
}

/** Begins a reference; what begins so and is none is refused. */
const MARK = '${idp.'
/** A reference, or its escaped form; or what only begins as one. */
const REFERENCE = /(\$?)\$\{idp\.(?:([A-Za-z0-9_.-]*)\})?/g
const WHOLE = /^\$\{idp\.([A-Za-z0-9_.-]*)\}$/
const DEEPEST = 1_000
const MOST_CHARS = 16 * 1024 * 1024
const MOST_PROBLEMS = 20

/** Whether a text, such as the JSON of an object, may hold references. */
export const mayRefer = (text: string): boolean => text.includes(MARK)

/** What references can name: every setting that holds one value, by its path from the root. */
export function settingValues(settings: PlatformSettings): ReadonlyMap<string, SettingValue> {
  const { nodes: _nodes, simulation: _simulation, ...sections } = settings
  return new Map(
    Object.entries(sections).flatMap(([section, keys]) =>
      Object.entries(keys as Readonly<Record<string, SettingValue>>).map(
        ([key, value]) => [`${section}.${key}`, value] as const,
      ),
    ),
  )
}

/**
 * Replaces `${idp.SECTION.KEY}` in the text values of an object. A value that is nothing but a reference becomes what the setting is, a
 * number or a truth value too, except where Kubernetes takes only text; within a text it is written out. `$${idp.` stands for the
 * text `${idp.`; other variables are left alone. A reference to what is not there is a problem that names the field.
 */
export function substituteSettings<T extends object>(
  object: T,
  values: ReadonlyMap<string, SettingValue>,
  place: string,
): Result<Substituted<T>> {
  const walk = new Walk(values, place, isObject(object) ? own(object, 'kind') : undefined)
  const replaced = walk.value(object, { path: [], isText: false })
  if (walk.problems.length > 0) return { ok: false, error: walk.problems }
  // Only text values were replaced: the shape is what it was.
  return succeed({ object: replaced as T, substitutions: walk.substitutions })
}

interface Spot {
  readonly path: readonly (string | number)[]
  /** Whether what is here has to be text. */
  readonly isText: boolean
}

/** Where Kubernetes takes only text, whatever the kind. */
const TEXT_MAPS = new Set([
  'labels',
  'annotations',
  'selector',
  'matchLabels',
  'matchExpressions',
  'nodeSelector',
  'args',
  'command',
])
const DATA_MAPS = new Set(['data', 'stringData'])

class Walk {
  readonly #values: ReadonlyMap<string, SettingValue>
  readonly #place: string
  readonly #holdsData: boolean
  readonly problems: Problem[] = []
  readonly substitutions: Substitution[] = []
  #left = MOST_CHARS

  constructor(values: ReadonlyMap<string, SettingValue>, place: string, kind: unknown) {
    this.#values = values
    this.#place = place
    this.#holdsData = kind === 'ConfigMap' || kind === 'Secret'
  }

  value(value: unknown, spot: Spot): unknown {
    if (typeof value === 'string') return value.includes(MARK) ? this.#text(value, spot) : value
    if (typeof value !== 'object' || value === null) return value
    if (spot.path.length > DEEPEST) {
      this.#refuse(spot, { code: 'settings-reference-invalid', message: 'is nested too deep to look for references' })
      return value
    }
    return Array.isArray(value) ? this.#list(value, spot) : this.#map(value as Readonly<Record<string, unknown>>, spot)
  }

  #list(list: readonly unknown[], { path, isText }: Spot): readonly unknown[] {
    let changed: unknown[] | undefined
    for (const [index, item] of list.entries()) {
      const next = this.value(item, { path: [...path, index], isText })
      if (next !== item) (changed ??= [...list])[index] = next
    }
    return changed ?? list
  }

  #map(map: Readonly<Record<string, unknown>>, { path, isText }: Spot): Readonly<Record<string, unknown>> {
    let changed: Record<string, unknown> | undefined
    const isNamed = typeof own(map, 'name') === 'string'
    for (const key of Object.keys(map)) {
      if (key.includes(MARK)) {
        const cure = 'put references into values; keys are left as they are written'
        const message = 'has a reference in its key'
        this.#refuse({ path: [...path, key], isText }, { code: 'settings-reference-invalid', message, cure })
        continue
      }
      const item = map[key]
      const below = isText || TEXT_MAPS.has(key) || (key === 'value' && isNamed) || this.#isData(path, key)
      const next = this.value(item, { path: [...path, key], isText: below })
      if (next === item) continue
      if (!changed) {
        changed = {}
        for (const each of Object.keys(map)) setOwn(changed, each, map[each])
      }
      setOwn(changed, key, next)
    }
    return changed ?? map
  }

  #isData(path: Spot['path'], key: string): boolean {
    return this.#holdsData && path.length === 0 && DATA_MAPS.has(key)
  }

  #text(text: string, spot: Spot): SettingValue {
    const whole = WHOLE.exec(text)
    const used: string[] = []
    if (whole && !spot.isText) {
      const value = this.#find(whole[1] ?? '', spot)
      if (value !== undefined) this.#note(spot, [whole[1] ?? ''])
      return value ?? text
    }
    const replaced = text.replace(REFERENCE, (written, dollar: string, key: string | undefined) => {
      if (dollar !== '') return written.slice(1)
      if (key === undefined) {
        const cure = 'write ${idp.SECTION.KEY}, or $${idp. for the text itself'
        const message = 'begins a reference that does not end'
        this.#refuse(spot, { code: 'settings-reference-invalid', message, cure })
        return ''
      }
      const value = this.#find(key, spot)
      if (value !== undefined) used.push(key)
      const shown = String(value ?? '')
      this.#left -= shown.length
      return this.#left < 0 ? '' : shown
    })
    if (this.#left < 0) {
      this.#refuse(spot, { code: 'settings-too-large', message: `becomes larger than ${MOST_CHARS} characters` })
    } else if (used.length > 0) this.#note(spot, used)
    return replaced
  }

  #note({ path }: Spot, settings: readonly string[]): void {
    this.substitutions.push({ field: fieldText(path), settings: [...new Set(settings)] })
  }

  #find(key: string, spot: Spot): SettingValue | undefined {
    const value = this.#values.get(key)
    // Some problems are enough.
    if (value !== undefined || this.problems.length >= MOST_PROBLEMS) return value
    const inside = [...this.#values.keys()].filter((each) => each.startsWith(`${key}.`))
    const reference = JSON.stringify(`\${idp.${key}}`)
    if (inside.length > 0) {
      const cure = `name one of its keys: ${inside.join(', ')}`
      const message = `refers to the whole section ${reference}`
      this.#refuse(spot, { code: 'settings-reference-invalid', message, cure })
      return undefined
    }
    const meant = nearest(key, this.#values.keys())
    const cure = meant === undefined ? `set ${key} in ${SETTINGS_FILE}` : `did you mean \${idp.${meant}}?`
    const message = `refers to ${reference}, which ${SETTINGS_FILE} does not set`
    this.#refuse(spot, { code: 'settings-reference-unknown', message, cure })
    return undefined
  }

  #refuse({ path }: Spot, problem: Problem): void {
    const message = `the field ${fieldText(path)} ${problem.message}`
    this.problems.push({ ...problem, at: this.#place, message })
  }
}

const PLAIN = /^[A-Za-z_][A-Za-z0-9_-]*$/

/** How a field is written: `spec.rules[0].host`, `metadata.annotations["a.b/c"]`. */
function fieldText(path: Spot['path']): string {
  return path
    .map((step, at) => {
      if (typeof step === 'number') return `[${step}]`
      if (!PLAIN.test(step)) return `[${JSON.stringify(step)}]`
      return at === 0 ? step : `.${step}`
    })
    .join('')
}
