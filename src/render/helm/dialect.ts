/** Whose output is reproduced: helm 3.17 (as Argo CD 3.x ships it) or helm 4.1. */
export type HelmDialect = 3 | 4

/** What a dialect answers about itself and the cluster it pretends to render for. */
export interface DialectFacts {
  readonly kubeMajor: string
  readonly kubeMinor: string
  readonly version: string
  readonly gitCommit: string
  readonly goVersion: string
  readonly kubeClientVersion: string | undefined
  readonly apiVersions: readonly string[]
  /** The package that Go types are named after in `typeOf`. */
  readonly valuesPackage: 'chartutil' | 'common'
  /** `.Chart` is a struct (and its JSON has lower-case names) or a map of its field names. */
  readonly chartIsStruct: boolean
  /** A values file may hold several documents, merged in order; otherwise only the first is read. */
  readonly valuesManyDocuments: boolean
  /** `--set-json '{...}'` takes a whole object. */
  readonly setJsonObjects: boolean
  /** A null that meets a null, or a key the chart does not know, is kept when tables are coalesced. */
  readonly keepsUnmatchedNulls: boolean
  /** Aliases of one chart get their own copies of what is below it. */
  readonly copiesAliased: boolean
  /** `mustToYaml` exists and `mustToJson` is helm's own. */
  readonly hasMustToYaml: boolean
  /** Words of messages that changed. */
  readonly words: {
    readonly missingDependencies: string
    readonly badName: string
    readonly badKubeVersion: (text: string) => string
  }
  /** How `toToml` writes very large and small floats. */
  readonly tomlFloats: 'plain' | 'short'
  /** `--kube-version` is kept as it was written, and constraints see only its numbers. */
  readonly keepsKubeVersion: boolean
}

const common = [
  'v1',
  'admissionregistration.k8s.io/v1',
  'admissionregistration.k8s.io/v1alpha1',
  'admissionregistration.k8s.io/v1beta1',
  'internal.apiserver.k8s.io/v1alpha1',
  'apps/v1',
  'apps/v1beta1',
  'apps/v1beta2',
  'authentication.k8s.io/v1',
  'authentication.k8s.io/v1alpha1',
  'authentication.k8s.io/v1beta1',
  'authorization.k8s.io/v1',
  'authorization.k8s.io/v1beta1',
  'autoscaling/v1',
  'autoscaling/v2',
  'autoscaling/v2beta1',
  'autoscaling/v2beta2',
  'batch/v1',
  'batch/v1beta1',
  'certificates.k8s.io/v1',
  'certificates.k8s.io/v1beta1',
  'certificates.k8s.io/v1alpha1',
  'coordination.k8s.io/v1alpha2',
  'coordination.k8s.io/v1beta1',
  'coordination.k8s.io/v1',
  'discovery.k8s.io/v1',
  'discovery.k8s.io/v1beta1',
  'events.k8s.io/v1',
  'events.k8s.io/v1beta1',
  'extensions/v1beta1',
  'flowcontrol.apiserver.k8s.io/v1',
  'flowcontrol.apiserver.k8s.io/v1beta1',
  'flowcontrol.apiserver.k8s.io/v1beta2',
  'flowcontrol.apiserver.k8s.io/v1beta3',
  'networking.k8s.io/v1',
] as const
const nodeToRbac = [
  'networking.k8s.io/v1beta1',
  'node.k8s.io/v1',
  'node.k8s.io/v1alpha1',
  'node.k8s.io/v1beta1',
  'policy/v1',
  'policy/v1beta1',
  'rbac.authorization.k8s.io/v1',
  'rbac.authorization.k8s.io/v1beta1',
  'rbac.authorization.k8s.io/v1alpha1',
] as const
const scheduling = [
  'resource.k8s.io/v1beta1',
  'resource.k8s.io/v1alpha3',
  'scheduling.k8s.io/v1alpha1',
  'scheduling.k8s.io/v1beta1',
  'scheduling.k8s.io/v1',
  'storage.k8s.io/v1beta1',
  'storage.k8s.io/v1',
  'storage.k8s.io/v1alpha1',
] as const
const extensions = ['apiextensions.k8s.io/v1beta1', 'apiextensions.k8s.io/v1'] as const

/** Everything that differs between the two, in one table. */
export const dialects: Readonly<Record<HelmDialect, DialectFacts>> = {
  3: {
    kubeMajor: '1',
    kubeMinor: '32',
    version: 'v3.17.2',
    gitCommit: 'cc0bbbd6d6276b83880042c1ecb34087e84d41eb',
    goVersion: 'go1.23.7',
    kubeClientVersion: undefined,
    apiVersions: [
      ...common,
      'networking.k8s.io/v1alpha1',
      ...nodeToRbac,
      ...scheduling,
      'storagemigration.k8s.io/v1alpha1',
      ...extensions,
    ],
    valuesPackage: 'chartutil',
    chartIsStruct: true,
    valuesManyDocuments: false,
    setJsonObjects: false,
    keepsUnmatchedNulls: false,
    copiesAliased: false,
    hasMustToYaml: false,
    words: {
      missingDependencies: 'An error occurred',
      badName: '',
      badKubeVersion: () => 'Invalid Semantic Version',
    },
    tomlFloats: 'plain',
    keepsKubeVersion: false,
  },
  4: {
    kubeMajor: '1',
    kubeMinor: '35',
    version: 'v4.1.4',
    gitCommit: '05fa37973dc9e42b76e1d2883494c87174b6074f',
    goVersion: 'go1.25.9',
    kubeClientVersion: 'v1.35',
    apiVersions: [
      ...common,
      ...nodeToRbac,
      'resource.k8s.io/v1',
      'resource.k8s.io/v1beta2',
      ...scheduling,
      'storagemigration.k8s.io/v1beta1',
      ...extensions,
    ],
    valuesPackage: 'common',
    chartIsStruct: false,
    valuesManyDocuments: true,
    setJsonObjects: true,
    keepsUnmatchedNulls: true,
    copiesAliased: true,
    hasMustToYaml: true,
    words: {
      missingDependencies: 'an error occurred',
      badName: 'release name check failed: ',
      badKubeVersion: (text) =>
        /^\s*v?\d/.test(text)
          ? `illegal version string ${JSON.stringify(text)}`
          : `could not parse ${JSON.stringify(text)} as version`,
    },
    tomlFloats: 'short',
    keepsKubeVersion: true,
  },
}
