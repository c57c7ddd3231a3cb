import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gitFoldersAt, repositoryAbove } from '../sources/git/local-repository.ts'

/** The URLs under which the repository around a folder is known elsewhere; whoever names one of them means the folder. */
export function remoteUrls(folder: string): readonly string[] {
  const root = repositoryAbove(folder)
  const folders = root === undefined ? undefined : gitFoldersAt(root)
  if (!folders) return []
  try {
    const config = readFileSync(join(folders.commonDir, 'config'), 'utf8')
    return [...config.matchAll(/^\s*url\s*=\s*(\S+)\s*$/gm)].flatMap(([, url]) => url ?? [])
  } catch {
    // Without a config it has no remotes.
    return []
  }
}
