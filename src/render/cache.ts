import { createHash } from 'node:crypto'
import type { FileTree } from '../lib/file-tree.ts'
import type { Result } from '../lib/result.ts'

/** Keeps renderings under keys; where it keeps them is its own business. */
export interface RenderStore {
  get(key: string): string | undefined
  set(key: string, value: string): void
}

/** What a rendering looked at: files and folders with the hashes of what was there. */
type Trace = readonly (readonly [kind: 'read' | 'list', path: string, hash: string])[]

const MISSING = '-'
const hashOf = (data: Uint8Array | string): string => createHash('sha256').update(data).digest('base64url')

const lookAt = (tree: FileTree, kind: 'read' | 'list', path: string): string => {
  if (kind === 'read') {
    const data = tree.read(path)
    return data ? hashOf(data) : MISSING
  }
  const names = tree.list(path)
  return names ? hashOf(names.join('\n')) : MISSING
}

/** A tree that notes what is asked of it. */
export function tracedTree(tree: FileTree): { readonly tree: FileTree; trace(): Trace } {
  const seen = new Map<string, Trace[number]>()
  const note = (kind: 'read' | 'list', path: string, hash: () => string): void => {
    const key = `${kind} ${path}`
    if (!seen.has(key)) seen.set(key, [kind, path, hash()])
  }
  return {
    trace: () => [...seen.values()],
    tree: {
      read(path) {
        const data = tree.read(path)
        note('read', path, () => (data ? hashOf(data) : MISSING))
        return data
      },
      list(path) {
        const names = tree.list(path)
        note('list', path, () => (names ? hashOf(names.join('\n')) : MISSING))
        return names
      },
    },
  }
}

/** How many traces are remembered for one question, such as one chart with one set of flags. */
const TRACES = 4

interface Entry {
  readonly trace: Trace
  readonly key: string
}

/**
 * Renders once: the same question over the same files is answered from the store. `question` holds everything else that the
 * result depends on: flags, values, the cluster's API set, and our own version. Files that were not looked at do not count,
 * and failures are not kept.
 */
export function renderCached<T>(
  tree: FileTree,
  question: unknown,
  store: RenderStore,
  render: (tree: FileTree) => Result<T>,
): Result<T> {
  const name = `question/${hashOf(JSON.stringify(question))}`
  const entries = JSON.parse(store.get(name) ?? '[]') as readonly Entry[]
  for (const { trace, key } of entries) {
    const kept = trace.every(([kind, path, hash]) => lookAt(tree, kind, path) === hash) ? store.get(key) : undefined
    if (kept !== undefined) return { ok: true, value: JSON.parse(kept) as T }
  }
  const traced = tracedTree(tree)
  const rendered = render(traced.tree)
  if (!rendered.ok) return rendered
  const trace = traced.trace()
  const key = `rendering/${hashOf(name + JSON.stringify(trace))}`
  store.set(key, JSON.stringify(rendered.value))
  store.set(name, JSON.stringify([{ trace, key }, ...entries.filter((entry) => entry.key !== key)].slice(0, TRACES)))
  return rendered
}
