import { compileGlob } from '../../lib/glob.ts'
import { type DeclaredNode, usualNodes } from './declared-nodes.ts'

/** What the embedded cluster pretends to run on. */
export interface NodeAgentOptions {
  readonly nodes?: readonly DeclaredNode[]
  /** Globs over whole image references that nobody can pull. */
  readonly missingImages?: readonly string[]
}

/** Tags that say of themselves that there is no such image. */
const usualMissing: readonly string[] = ['*:missing*', '*:does-not-exist*', '*:not-found*', '*:nonexistent*']

/** The nodes and images as declared, or the usual ones. */
export function declarations({ nodes = usualNodes, missingImages = usualMissing }: NodeAgentOptions): {
  readonly nodes: readonly DeclaredNode[]
  readonly isImageMissing: (image: string) => boolean
} {
  const globs = missingImages.flatMap((glob) => {
    const compiled = compileGlob(glob, 'gobwas')
    return compiled.ok ? [compiled.value] : []
  })
  return { nodes, isImageMissing: (image) => globs.some((matches) => matches(image)) }
}
