import { compileGlob } from '../../lib/glob.ts'
import { type DeclaredNode, usualNodes } from './declared-nodes.ts'
import type { Runtime } from './runtime.ts'
import type { SimulationRule } from './simulated/rules.ts'
import { simulatedRuntime } from './simulated/runtime.ts'

/** What the embedded cluster pretends to run on. */
export interface NodeAgentOptions {
  readonly nodes?: readonly DeclaredNode[]
  /** Globs over whole image references that nobody can pull. */
  readonly missingImages?: readonly string[]
  /** How simulated containers behave that do not say so themselves. */
  readonly rules?: readonly SimulationRule[]
  /** What can run Pods besides the simulation, by name. */
  readonly runtimes?: readonly Runtime[]
}

/** Tags that say of themselves that there is no such image. */
const usualMissing: readonly string[] = ['*:missing*', '*:does-not-exist*', '*:not-found*', '*:nonexistent*']

/** The nodes and runtimes as declared, or the usual ones; `live` adds the rules that can change. */
export function declarations(
  { nodes = usualNodes, missingImages = usualMissing, rules = [], runtimes = [] }: NodeAgentOptions,
  live: (usual: readonly SimulationRule[]) => () => readonly SimulationRule[] = (usual) => () => usual,
): {
  readonly nodes: readonly DeclaredNode[]
  readonly runtimes: ReadonlyMap<string, Runtime>
} {
  const globs = missingImages.flatMap((glob) => {
    const compiled = compileGlob(glob, 'gobwas')
    return compiled.ok ? [compiled.value] : []
  })
  const isImageMissing = (image: string): boolean => globs.some((matches) => matches(image))
  const all = [simulatedRuntime({ rules: live(rules), isImageMissing }), ...runtimes]
  return { nodes, runtimes: new Map(all.map((runtime) => [runtime.name, runtime])) }
}
