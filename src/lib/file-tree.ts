/** A read-only tree of files at one revision. Paths are relative, separated by `/`, without `.` or `..` parts. */
export interface FileTree {
  /** The file's bytes, or undefined where there is no such file. Links are resolved, and refused when they leave the tree. */
  read(path: string): Uint8Array | undefined
  /** The names directly below a folder ('' is the root), sorted, folders ending in `/`; undefined where there is none. */
  list(path: string): readonly string[] | undefined
}

/** A tree held in memory: paths to contents. */
export function memoryTree(files: Readonly<Record<string, string | Uint8Array>>): FileTree {
  const contents = new Map<string, Uint8Array>()
  const folders = new Map<string, Set<string>>([['', new Set()]])
  for (const [path, content] of Object.entries(files)) {
    contents.set(path, typeof content === 'string' ? new TextEncoder().encode(content) : content)
    const parts = path.split('/')
    for (let depth = 0; depth < parts.length; depth++) {
      const folder = parts.slice(0, depth).join('/')
      const names = folders.get(folder) ?? new Set()
      names.add(depth === parts.length - 1 ? (parts[depth] ?? '') : `${parts[depth] ?? ''}/`)
      folders.set(folder, names)
    }
  }
  return {
    read: (path) => contents.get(path),
    list(path) {
      const names = folders.get(path)
      return names && [...names].toSorted()
    },
  }
}

/** Joins and cleans a path; undefined when it leaves the tree. */
export function cleanPath(base: string, path: string): string | undefined {
  const parts: string[] = []
  for (const part of `${base}/${path}`.split('/')) {
    if (part === '' || part === '.') continue
    if (part !== '..') parts.push(part)
    else if (parts.pop() === undefined) return undefined
  }
  return parts.join('/')
}
