import type { FileTree } from '../../lib/file-tree.ts'
import { compileGlob } from '../../lib/glob.ts'

const MOST_FILES = 20_000
const DEEPEST = 50

/** Tells a pattern from the path of one file. */
export const isGlob = (path: string): boolean => /[*?[]/.test(path)

/** The files of a tree that a pattern stands for, in the order of their paths; a path that is no pattern stands for itself. */
export function expandGlob(tree: FileTree, pattern: string): readonly string[] {
  if (!isGlob(pattern)) return [pattern]
  const matches = compileGlob(pattern, 'doublestar')
  if (!matches.ok) return []
  // Only what lies below the last folder that is named without a pattern can match.
  const before = pattern.slice(0, pattern.search(/[*?[]/))
  const top = before.includes('/') ? before.slice(0, before.lastIndexOf('/')) : ''
  const found: string[] = []
  const walk = (folder: string, depth: number): void => {
    for (const name of depth > DEEPEST ? [] : (tree.list(folder) ?? [])) {
      const path = folder === '' ? name : `${folder}/${name}`
      if (name.endsWith('/')) walk(path.slice(0, -1), depth + 1)
      else if (found.length < MOST_FILES && matches.value(path)) found.push(path)
    }
  }
  walk(top, 0)
  return found.toSorted()
}
