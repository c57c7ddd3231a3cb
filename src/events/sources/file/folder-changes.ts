/** What is known of a file without reading it. */
export interface FileState {
  /** The same file under another name has the same one. */
  readonly inode: number
  readonly size: number
  readonly changedMs: number
  readonly mode: number
}

/** The files of a folder by their names. */
export type Folder = ReadonlyMap<string, FileState>

export type FileOperation = 'CREATE' | 'WRITE' | 'REMOVE' | 'RENAME' | 'CHMOD'

export interface FileChange {
  readonly name: string
  readonly operation: FileOperation
}

/** The bits under which fsnotify, and so upstream's events, know the operations. */
export const operationBits: Readonly<Record<FileOperation, number>> = {
  CREATE: 1,
  WRITE: 2,
  REMOVE: 4,
  RENAME: 8,
  CHMOD: 16,
}

/**
 * What has happened between two looks at a folder, in the words of fsnotify: what got another name is a RENAME of the old one and a
 * CREATE of the new one; what is new and holds something was created and written.
 */
export function folderChanges(before: Folder, after: Folder): readonly FileChange[] {
  const changes: FileChange[] = []
  const inodes = new Set([...after.entries()].filter(([name]) => !before.has(name)).map(([, { inode }]) => inode))
  const old = new Set<number>()
  for (const [name, { inode }] of before) {
    if (after.has(name)) continue
    old.add(inode)
    changes.push({ name, operation: inodes.has(inode) ? 'RENAME' : 'REMOVE' })
  }
  for (const [name, now] of after) {
    const then = before.get(name)
    if (!then) {
      changes.push({ name, operation: 'CREATE' })
      if (now.size > 0 && !old.has(now.inode)) changes.push({ name, operation: 'WRITE' })
      continue
    }
    if (then.inode !== now.inode) changes.push({ name, operation: 'CREATE' })
    if (then.size !== now.size || then.changedMs !== now.changedMs) changes.push({ name, operation: 'WRITE' })
    if (then.mode !== now.mode) changes.push({ name, operation: 'CHMOD' })
  }
  return changes
}
