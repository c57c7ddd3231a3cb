import type { FileTree } from '../../lib/file-tree.ts'
import { type Result, succeed } from '../../lib/result.ts'
import { readSettings, SETTINGS_FILE, type SettingValue } from '../settings/read-settings.ts'
import { mayRefer, settingValues, substituteSettings, type Substituted } from '../settings/substitute-settings.ts'

/** The settings that a repository's manifests may refer to; undefined where the repository has none. Only asked when something refers. */
export type SettingsOf = () => Result<ReadonlyMap<string, SettingValue> | undefined>

const decoder = new TextDecoder()

/** The settings at the root of a tree, read when they are first asked for: a tree that is never asked is not looked at. */
export function settingsOf(tree: FileTree): SettingsOf {
  let known: ReturnType<SettingsOf> | undefined
  return () => (known ??= readFrom(tree))
}

function readFrom(tree: FileTree): ReturnType<SettingsOf> {
  const data = tree.read(SETTINGS_FILE)
  if (!data) return succeed(undefined)
  const settings = readSettings(decoder.decode(data))
  return settings.ok ? succeed(settingValues(settings.value)) : settings
}

/** Puts settings where an object refers to them; without settings its text is left alone. */
export function withSettings<T extends object>(
  object: T,
  settings: SettingsOf | undefined,
  place: string,
): Result<Substituted<T>> {
  const plain = { object, substitutions: [] }
  if (!settings || !mayRefer(JSON.stringify(object))) return succeed(plain)
  const values = settings()
  if (!values.ok) return values
  return values.value ? substituteSettings(object, values.value, place) : succeed(plain)
}
