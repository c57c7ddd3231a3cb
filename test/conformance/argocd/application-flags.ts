import { withValue } from './go-values.ts'
import { Excuse, Unsupported } from './excuse.ts'

type Fields = Record<string, unknown>
type Change = (spec: Fields, value: string) => Fields

const set =
  (...path: readonly string[]): Change =>
  (spec, value) =>
    withValue(spec, path, value)
const setFlag =
  (...path: readonly string[]): Change =>
  (spec, value) =>
    withValue(spec, path, value !== 'false')
const at = (spec: Fields, path: readonly string[]): unknown =>
  path.reduce<unknown>((value, name) => (value as Fields | undefined)?.[name], spec)
const append =
  (...path: readonly string[]): Change =>
  (spec, value) =>
    withValue(spec, path, [...((at(spec, path) as readonly unknown[] | undefined) ?? []), value])

/** A parameter replaces one of its name. */
const parameter =
  (more: Fields = {}): Change =>
  (spec, text) => {
    const [name = '', ...rest] = text.split('=')
    const path = ['source', 'helm', 'parameters']
    const before = (at(spec, path) as readonly Fields[] | undefined) ?? []
    const added = { name, value: rest.join('='), ...more }
    const index = before.findIndex((each) => each['name'] === name)
    return withValue(spec, path, index < 0 ? [...before, added] : before.with(index, added))
  }

/** A `key=value` of a map of kustomize. */
const named =
  (field: string): Change =>
  (spec, text) => {
    const [key = '', ...rest] = text.split('=')
    return withValue(spec, ['source', 'kustomize', field, key], rest.join('='))
  }

const setOption: Change = (spec, option) => append('syncPolicy', 'syncOptions')(spec, option)

/** Flags of `argocd app create` and `argocd app set` that take a value. */
const WITH_VALUE: Readonly<Record<string, Change>> = {
  '--repo': set('source', 'repoURL'),
  '--path': set('source', 'path'),
  '--revision': set('source', 'targetRevision'),
  '--tag-prefix': set('source', 'tagPrefix'),
  '--helm-chart': set('source', 'chart'),
  '--project': set('project'),
  '--dest-server': set('destination', 'server'),
  '--dest-name': set('destination', 'name'),
  '--dest-namespace': set('destination', 'namespace'),
  '--values': append('source', 'helm', 'valueFiles'),
  '--release-name': set('source', 'helm', 'releaseName'),
  '--helm-set': parameter(),
  '--helm-set-string': parameter({ forceString: true }),
  '--parameter': parameter(),
  '-p': parameter(),
  '--helm-version': (spec, value) => (value === '' ? spec : set('source', 'helm', 'version')(spec, value)),
  '--kube-version': set('source', 'helm', 'kubeVersion'),
  '--helm-kube-version': set('source', 'helm', 'kubeVersion'),
  '--helm-namespace': set('source', 'helm', 'namespace'),
  '--nameprefix': set('source', 'kustomize', 'namePrefix'),
  '--namesuffix': set('source', 'kustomize', 'nameSuffix'),
  '--kustomize-image': append('source', 'kustomize', 'images'),
  '--kustomize-namespace': set('source', 'kustomize', 'namespace'),
  '--kustomize-kube-version': set('source', 'kustomize', 'kubeVersion'),
  '--kustomize-api-versions': append('source', 'kustomize', 'apiVersions'),
  '--helm-api-versions': append('source', 'helm', 'apiVersions'),
  '--kustomize-version': set('source', 'kustomize', 'version'),
  '--directory-include': set('source', 'directory', 'include'),
  '--directory-exclude': set('source', 'directory', 'exclude'),
  '--sync-option': setOption,
  '--sync-policy': (spec, value) => {
    const path = ['syncPolicy', 'automated']
    return withValue(spec, path, value.startsWith('auto') ? (at(spec, path) ?? {}) : undefined)
  },
  '--values-literal-file': (spec, value) => withValue(spec, ['source', 'helm', 'values'], value),
  '--env': (spec) => spec,
  '--ref': set('source', 'ref'),
  '--kustomize-replica': (spec, value) => {
    const [name = '', count = ''] = value.split('=')
    const path = ['source', 'kustomize', 'replicas']
    return withValue(spec, path, [
      ...((at(spec, path) as readonly Fields[] | undefined) ?? []),
      { name, count: Number(count) },
    ])
  },
  '--kustomize-common-label': named('commonLabels'),
  '--kustomize-common-annotation': named('commonAnnotations'),
  '--revision-history-limit': (spec, value) => withValue(spec, ['revisionHistoryLimit'], Number(value)),
  '--sync-retry-limit': (spec, value) => withValue(spec, ['syncPolicy', 'retry', 'limit'], Number(value)),
}

const SWITCHES: Readonly<Record<string, Change>> = {
  '--ignore-missing-value-files': setFlag('source', 'helm', 'ignoreMissingValueFiles'),
  '--helm-pass-credentials': setFlag('source', 'helm', 'passCredentials'),
  '--helm-skip-crds': setFlag('source', 'helm', 'skipCrds'),
  '--helm-skip-tests': setFlag('source', 'helm', 'skipTests'),
  '--helm-skip-schema-validation': setFlag('source', 'helm', 'skipSchemaValidation'),
  '--directory-recurse': setFlag('source', 'directory', 'recurse'),
  '--allow-empty': setFlag('syncPolicy', 'automated', 'allowEmpty'),
  '--auto-prune': setFlag('syncPolicy', 'automated', 'prune'),
  '--self-heal': setFlag('syncPolicy', 'automated', 'selfHeal'),
  '--kustomize-force-common-label': setFlag('source', 'kustomize', 'forceCommonLabels'),
  '--kustomize-force-common-annotation': setFlag('source', 'kustomize', 'forceCommonAnnotations'),
  '--kustomize-label-without-selector': setFlag('source', 'kustomize', 'labelWithoutSelector'),
  '--kustomize-label-include-templates': setFlag('source', 'kustomize', 'labelIncludeTemplates'),
  '--validate': (spec) => spec,
  '--upsert': (spec) => spec,
}

/** What flags say about an Application: its spec, and the labels and annotations of the object. */
export function applyFlags(
  start: Fields,
  flags: readonly string[],
): { readonly spec: Fields; readonly labels: Record<string, string>; readonly annotations: Record<string, string> } {
  let spec = start
  const labels: Record<string, string> = {}
  const annotations: Record<string, string> = {}
  for (let index = 0; index < flags.length; index++) {
    const [flag = '', ...inline] = (flags[index] ?? '').split('=')
    const attached = inline.length > 0 ? inline.join('=') : undefined
    const change = SWITCHES[flag]
    if (change) {
      spec = change(spec, attached ?? 'true')
      continue
    }
    const value = attached ?? flags[++index] ?? ''
    if (flag === '--label' || flag === '--annotations') {
      const [key = '', ...rest] = value.split('=')
      ;(flag === '--label' ? labels : annotations)[key] = rest.join('=')
      continue
    }
    if (flag.startsWith('--jsonnet-')) throw new Unsupported('Jsonnet is not evaluated')
    const valued = WITH_VALUE[flag]
    if (!valued) throw new Excuse(`needs the flag ${flag} of the argocd CLI`)
    spec = valued(spec, value)
  }
  return { spec, labels, annotations }
}

/** What `argocd app unset` takes away. */
export function removeFlags(start: Fields, flags: readonly string[]): Fields {
  const without: Readonly<Record<string, readonly string[]>> = {
    '--values-literal': ['source', 'helm', 'values'],
    '--nameprefix': ['source', 'kustomize', 'namePrefix'],
    '--namesuffix': ['source', 'kustomize', 'nameSuffix'],
    '--kustomize-version': ['source', 'kustomize', 'version'],
    '--kustomize-namespace': ['source', 'kustomize', 'namespace'],
    '--ignore-missing-value-files': ['source', 'helm', 'ignoreMissingValueFiles'],
    '--pass-credentials': ['source', 'helm', 'passCredentials'],
    '--ref': ['source', 'ref'],
  }
  let spec = start
  for (let index = 0; index < flags.length; index++) {
    const [flag = '', inline] = (flags[index] ?? '').split('=')
    const path = without[flag]
    if (path) {
      spec = withValue(spec, path, undefined)
      continue
    }
    const value = inline ?? flags[++index] ?? ''
    const list = { '-p': 'parameters', '--parameter': 'parameters', '--values': 'valueFiles' }[flag]
    const place = list === undefined ? ['source', 'kustomize', 'images'] : ['source', 'helm', list]
    if (list === undefined && flag !== '--kustomize-image') throw new Excuse(`needs the flag ${flag} of the argocd CLI`)
    const kept = ((at(spec, place) as readonly unknown[] | undefined) ?? []).filter(
      (item) =>
        item !== value &&
        (item as Fields)['name'] !== value &&
        !(typeof item === 'string' && item.startsWith(`${value}=`)),
    )
    spec = withValue(spec, place, kept.length > 0 ? kept : undefined)
  }
  return spec
}
