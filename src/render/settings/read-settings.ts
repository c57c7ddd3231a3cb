import { isObject, own } from '../../lib/json.ts'
import { type Problem, type Result, succeed } from '../../lib/result.ts'
import { parseYaml } from '../../lib/yaml.ts'
import { checkSettings, pathText } from './check-settings.ts'
import { settingLines } from './setting-line.ts'
import { type SettingsSchema, settingsSchema } from './settings-schema.ts'

/** Where a platform's settings lie, from the root of its repository. */
export const SETTINGS_FILE = 'idp.yaml'

/** Who provides a capability. */
export type Engine = 'embedded' | 'upstream'

/** What a setting that manifests may refer to holds. */
export type SettingValue = string | number | boolean

/** The settings of a platform, each with its default where the file does not say it. */
export interface PlatformSettings {
  readonly cluster: { readonly name: string }
  readonly dns: { readonly suffix: string }
  readonly repository: { readonly url?: string; readonly revision: string }
  readonly gateway: { readonly host: string; readonly httpPort: number; readonly httpsPort: number }
  /** By capability; all that there are. */
  readonly engines: Readonly<Record<string, Engine>>
  /** By stack; those of the blueprint, and others that the file names. */
  readonly stacks: Readonly<Record<string, boolean>>
  readonly values: Readonly<Record<string, SettingValue>>
  /** As written: for the simulated nodes to read. */
  readonly nodes?: unknown
  readonly simulation?: unknown
}

const LONGEST = 256 * 1024
const DEEPEST = 24
const MOST_PROBLEMS = 20

/**
 * Reads the settings of a platform from the text of `idp.yaml`. Whatever the schema does not know is refused, with its line and what
 * was probably meant.
 */
export function readSettings(text: string, file: string = SETTINGS_FILE): Result<PlatformSettings> {
  const parsed = parseYaml(text, { file, duplicates: 'reject', maxDepth: DEEPEST, maxChars: LONGEST })
  if (!parsed.ok) return parsed
  const value = parsed.value ?? {}
  const findings = checkSettings(value, settingsSchema)
  // The schema was just checked: what comes out of it with its defaults is of this type.
  if (findings.length === 0) return succeed(withDefaults(value, settingsSchema) as PlatformSettings)
  const lineOf = settingLines(text)
  // Some are enough to mend a file; thousands would take their time to find.
  const problems = findings.slice(0, MOST_PROBLEMS).map(({ path, message, cure }): Problem => {
    const subject = path.length === 0 ? 'the file' : pathText(path)
    return {
      code: 'settings-invalid',
      at: `${file}:${lineOf(path)}`,
      message: `${subject} ${message}`,
      ...(cure === undefined ? {} : { cure }),
    }
  })
  return { ok: false, error: problems }
}

/** A section with what it does not say, from the schema; lists and free values are left as they are. */
function withDefaults(value: unknown, schema: SettingsSchema): unknown {
  if (!schema.properties) return value ?? {}
  const said = isObject(value) ? value : {}
  const known = Object.entries(schema.properties).flatMap(([key, below]) => {
    const written = own(said, key)
    if (isSection(below)) return [[key, withDefaults(written, below)] as const]
    const found = written ?? below.default
    return found === undefined ? [] : [[key, found] as const]
  })
  const others = Object.entries(said).filter(([key]) => own(schema.properties ?? {}, key) === undefined)
  return Object.fromEntries([...known, ...others])
}

/** Only sections come with defaults; what lists hold has them where it is read. */
const isSection = ({ type }: SettingsSchema): boolean =>
  Array.isArray(type) && type.length === 2 && type[0] === 'object'

/** The settings of a platform whose file says nothing. */
export function usualSettings(): PlatformSettings {
  return withDefaults({}, settingsSchema) as PlatformSettings // as above
}
