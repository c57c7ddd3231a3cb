import type { Result } from '../../lib/result.ts'

/** One line of input: an id to answer under, and what the op asks for (docs/eval.md). */
export type EvalRequest = Readonly<Record<string, unknown>>

/** A pure engine behind `idp eval`. */
export type EvalOp = (request: EvalRequest) => Result<unknown> | Promise<Result<unknown>>

interface OpEntry {
  readonly name: string
  readonly load: () => Promise<EvalOp>
}

/** Every op in alphabetical order; each is loaded when asked for. */
export const ops: readonly OpEntry[] = [
  { name: 'apply', load: async () => (await import('./apply.ts')).evaluate },
  { name: 'appset', load: async () => (await import('./appset.ts')).evaluate },
  { name: 'cel', load: async () => (await import('./cel.ts')).evaluate },
  { name: 'diff', load: async () => (await import('./diff.ts')).evaluate },
  { name: 'exprlang', load: async () => (await import('./exprlang.ts')).evaluate },
  { name: 'gotemplate', load: async () => (await import('./gotemplate.ts')).evaluate },
  { name: 'health', load: async () => (await import('./health.ts')).evaluate },
  { name: 'jmespath', load: async () => (await import('./jmespath.ts')).evaluate },
  { name: 'jq', load: async () => (await import('./jq.ts')).evaluate },
  { name: 'json-patch', load: async () => (await import('./json-patch.ts')).evaluate },
  { name: 'kustomize', load: async () => (await import('./kustomize.ts')).evaluate },
  { name: 'lua', load: async () => (await import('./lua.ts')).evaluate },
  { name: 'merge-patch', load: async () => (await import('./merge-patch.ts')).evaluate },
  { name: 'sensor-filter', load: async () => (await import('./sensor-filter.ts')).evaluate },
  { name: 'strategic-patch', load: async () => (await import('./strategic-patch.ts')).evaluate },
  { name: 'validate', load: async () => (await import('./validate.ts')).evaluate },
]
