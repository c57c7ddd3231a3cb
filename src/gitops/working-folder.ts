import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readSettings, SETTINGS_FILE } from '../render/settings/read-settings.ts'
import { gitFoldersAt, repositoryAbove } from '../sources/git/local-repository.ts'

/** The URLs under which the repository around a folder is known elsewhere; whoever names one of them means the folder. */
export function remoteUrls(folder: string): readonly string[] {
  const root = repositoryAbove(folder)
  const folders = root === undefined ? undefined : gitFoldersAt(root)
  if (root === undefined || !folders) return []
  return [...remotesIn(folders.commonDir), ...ownUrl(root)]
}

/** What a platform repository calls itself. */
function ownUrl(root: string): readonly string[] {
  try {
    const settings = readSettings(readFileSync(join(root, SETTINGS_FILE), 'utf8'))
    return settings.ok && settings.value.repository.url !== undefined ? [settings.value.repository.url] : []
  } catch {
    // It is no platform repository.
    return []
  }
}

function remotesIn(commonDir: string): readonly string[] {
  try {
    const config = readFileSync(join(commonDir, 'config'), 'utf8')
    return [...config.matchAll(/^\s*url\s*=\s*(\S+)\s*$/gm)].flatMap(([, url]) => url ?? [])
  } catch {
    // Without a config it has no remotes.
    return []
  }
}
