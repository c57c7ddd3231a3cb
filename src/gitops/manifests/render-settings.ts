import { isObject, own } from '../../lib/json.ts'

/** What `argocd-cm` says about making manifests. */
export interface RenderSettings {
  /** Flags of `kustomize build` (kustomize.buildOptions) that change what comes out. */
  readonly enableHelm: boolean
  readonly loadRestrictor: 'rootOnly' | 'none'
  readonly reorder?: 'none' | 'legacy'
  /** Kinds of sources that are switched off (`helm.enable: "false"` and the like). */
  readonly switchedOff: readonly ('Helm' | 'Kustomize')[]
}

/** Reads the data of `argocd-cm`; flags that change nothing here are passed over. */
export function renderSettings(data: unknown = {}): RenderSettings {
  const value = (key: string): string => {
    const text = isObject(data) ? own(data, key) : undefined
    return typeof text === 'string' ? text : ''
  }
  const flags = value('kustomize.buildOptions').split(/[\s=]+/)
  const after = (flag: string): string => flags[flags.indexOf(flag) + 1] ?? ''
  const reorder = flags.includes('--reorder') ? after('--reorder') : ''
  const restrictor = flags.includes('--load-restrictor')
    ? after('--load-restrictor')
    : flags.includes('--load_restrictor')
      ? after('--load_restrictor')
      : ''
  const isOff = (name: string): boolean => value(`${name}.enable`) === 'false'
  return {
    enableHelm: flags.includes('--enable-helm') && !flags.join(' ').includes('--enable-helm false'),
    loadRestrictor: /none$/i.test(restrictor) ? 'none' : 'rootOnly',
    ...(reorder === 'none' || reorder === 'legacy' ? { reorder } : {}),
    switchedOff: [
      ...(isOff('helm') ? (['Helm'] as const) : []),
      ...(isOff('kustomize') ? (['Kustomize'] as const) : []),
    ],
  }
}
