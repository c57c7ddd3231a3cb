import type { FileTree } from '../../lib/file-tree.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import { withSetting } from '../../render/settings/edit-settings.ts'
import { SETTINGS_FILE } from '../../render/settings/read-settings.ts'
import { readPlatform } from '../settings/platform-file.ts'

/** What a new platform is told apart by. */
export interface PlatformChoices {
  readonly name?: string
  readonly dnsSuffix?: string
}

/** What is kept out of the repository: the state of a platform that runs in its folder. npm packs no file of this name. */
const IGNORED = '.idp/\n'
const decoder = new TextDecoder()

/** Every file of a new platform repository by its path, from the blueprint, with the choices in its settings. */
export function platformFiles(
  blueprint: FileTree,
  choices: PlatformChoices,
): Result<ReadonlyMap<string, string | Uint8Array>> {
  const files = new Map<string, string | Uint8Array>([['.gitignore', IGNORED]])
  const folders = ['']
  for (const folder of folders) {
    for (const name of blueprint.list(folder) ?? []) {
      const path = folder === '' ? name : `${folder}/${name}`
      if (name.endsWith('/')) folders.push(path.slice(0, -1))
      else files.set(path, blueprint.read(path) ?? '')
    }
  }
  const template = blueprint.read(SETTINGS_FILE)
  if (!template) throw new Error(`the blueprint has no ${SETTINGS_FILE}`)
  let text = decoder.decode(template)
  const wanted = [
    { path: ['cluster', 'name'], value: choices.name, flag: '--name' },
    { path: ['dns', 'suffix'], value: choices.dnsSuffix, flag: '--dns-suffix' },
  ]
  for (const { path, value, flag } of wanted) {
    if (value === undefined) continue
    const changed = withSetting(text, path, value)
    if (changed === undefined) throw new Error(`the blueprint does not set ${path.join('.')}`)
    const read = readPlatform(changed)
    if (!read.ok) {
      const [first] = read.error
      return fail({ code: 'init-choice-invalid', at: flag, message: first?.message ?? 'cannot be used' })
    }
    text = changed
  }
  files.set(SETTINGS_FILE, text)
  return succeed(files)
}
