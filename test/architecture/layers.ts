/** A row may import rows above it and itself within one folder; two folders of one row never import each other. */
export const layers: readonly (readonly string[])[] = [
  ['lib'],
  ['kube'],
  ['lang', 'store'],
  ['apiserver', 'client', 'render', 'sources', 'runtime'],
  ['workloads', 'gitops', 'policy', 'events', 'workflows', 'secrets', 'pki', 'gateway', 'observe', 'portal-api'],
  ['bootstrap', 'twin'],
  ['backbone.ts'],
  ['cli', 'library'],
]

/** Folders and files whose code is pure: no node: modules, no clock, no randomness, no effectful folder. */
export const pure: readonly string[] = [
  'kube',
  'lang',
  'render',
  'gitops/applicationset/engine',
  'gitops/actions',
  'gitops/compare',
  'gitops/health',
  'gitops/project',
  'gitops/metrics',
  'gitops/sync',
  'gitops/application/plan',
  'gitops/tree',
  'policy/engine',
  'policy/classic',
  'policy/cel',
  'secrets/external/data',
  'secrets/external/spec',
  'secrets/external/template',
  'gateway/table',
  'gateway/plan',
  'gateway/network-policy',
  '**/plan.ts',
]

/** Exceptions to the purity list, each with its reason. */
export const impure: Readonly<Record<string, string>> = {}

/** Built-in modules that pure code may use: hashing, packing and byte handling are functions of their input. Randomness is not: take Ids. */
export const pureModules: readonly string[] = ['node:crypto', 'node:buffer', 'node:zlib']

/** The longest a source file may grow before it is split by concept. */
export const lineLimit = 500
/** Files that may be longer, each with its reason. */
export const longFiles: Readonly<Record<string, string>> = {}
