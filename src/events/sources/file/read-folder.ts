import { lstat, mkdir, readdir, realpath } from 'node:fs/promises'
import { join, posix, sep } from 'node:path'
import { fail, type Result, succeed } from '../../../lib/result.ts'
import type { FileState, Folder } from './folder-changes.ts'

/** A folder with more is not looked at: every look would take too long. */
const MOST_FILES = 20_000

/** Where a directory of a Pod lies below the root that stands for its file system; made if it is not there. */
export async function placeOf(root: string, directory: string): Promise<Result<string>> {
  // From the root on, no way leads above it.
  const place = join(root, posix.normalize(`/${directory}`))
  await mkdir(place, { recursive: true })
  const [real, realRoot] = await Promise.all([realpath(place), realpath(root)])
  if (real === realRoot || real.startsWith(`${realRoot}${sep}`)) return succeed(real)
  return refuse(`${directory} leads out of the folder that stands for the Pod's file system, through a link`)
}

/** The plain files and folders in a place as `placeOf` found it; links are not followed. */
export async function readFolder(place: string): Promise<Result<Folder>> {
  const names = await readdir(place)
  if (names.length > MOST_FILES) return refuse(`the folder holds more than ${MOST_FILES} files`)
  const folder = new Map<string, FileState>()
  for (const name of names.toSorted()) {
    const state = await lstat(join(place, name)).catch((error: unknown) => {
      // It went while we were looking.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    })
    if (!state) continue
    const size = state.isDirectory() ? 0 : state.size
    const changedMs = state.isDirectory() ? 0 : state.mtimeMs
    folder.set(name, { inode: state.ino, size, changedMs, mode: state.mode })
  }
  // It may have become a link to elsewhere since it was checked: then what was read is none of our business.
  if ((await realpath(place)) !== place) return refuse('the folder was replaced by a link while it was looked at')
  return succeed(folder)
}

const refuse = (message: string): Result<never> => fail({ code: 'event-files-refused', message })
