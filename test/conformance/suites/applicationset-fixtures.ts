/** A cluster as the tables' Secrets describe it. */
interface Cluster {
  readonly name: string
  readonly server: string
  readonly project?: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
}

const SECRET_TYPE = { 'argocd.argoproj.io/secret-type': 'cluster' }

const staging: Cluster = {
  name: 'staging-01',
  server: 'https://staging-01.example.com',
  labels: { ...SECRET_TYPE, environment: 'staging', org: 'foo' },
  annotations: { 'foo.argoproj.io': 'staging' },
}

const production: Cluster = {
  name: 'production_01/west',
  server: 'https://production-01.example.com',
  labels: { ...SECRET_TYPE, environment: 'production', org: 'bar' },
  annotations: { 'foo.argoproj.io': 'production' },
}

/** The generator tests' third cluster, whose URL is longer than a label may be. */
const longUrl: Cluster = {
  name: 'some-really-long-server-url',
  server: 'https://some-really-long-url-that-will-exceed-63-characters.com',
  labels: { ...SECRET_TYPE, environment: 'production', org: 'bar' },
  annotations: { 'foo.argoproj.io': 'production' },
}

const byEnvironment = (environment: string): Cluster => ({
  name: `${environment}-01`,
  server: `https://${environment}-01.example.com`,
  labels: { ...SECRET_TYPE, environment },
})

/** The clusters that a table's test keeps beside its rows. */
export function clustersOf(table: string): readonly Cluster[] {
  if (table === 'TestGenerateParams') return [staging, { ...production, project: 'prod-project' }]
  if (table.startsWith('TestGenerateParamsForDuckType')) return [staging, { ...production, name: 'production-01' }]
  if (table.startsWith('TestInterpolatedMatrix')) return ['dev', 'prod'].map(byEnvironment)
  if (table.startsWith('TestTransForm')) return [staging, production, longUrl]
  return [staging, production]
}

/** The ConfigMap of the duck-typed generator's tests. */
export const DUCK_SETTINGS = {
  apiVersion: 'mallard.io/v1',
  kind: 'ducks',
  statusListKey: 'decisions',
  matchKey: 'clusterName',
}

const flatPath = (path: string, basename: string): unknown => ({
  path,
  'path.basename': basename,
  'path.basenameNormalized': basename,
})
const nestedPath = (path: string, basename: string): unknown => ({
  path: { path, basename, basenameNormalized: basename },
})
const configOf = (environment: string): string =>
  `examples/git-generator-files-discovery/cluster-config/${environment}/config.json`

const charts = ['a', 'b'].map((chart, index) => ({ chart, version: String(index + 1) }))
const charted = {
  foo: { bar: charts },
  path: {
    basename: 'dir',
    basenameNormalized: 'dir',
    filename: 'file_name.yaml',
    filenameNormalized: 'file-name.yaml',
    path: 'path/dir',
    segments: ['path', 'dir'],
  },
}

/** What the mocked Git generator of a table returns. */
export const gitMocks: Readonly<Record<string, readonly unknown[]>> = {
  TestMatrixGenerate: ['app1', 'app2'].map((app) => flatPath(app, app)),
  TestMatrixGenerateGoTemplate: ['app1', 'app2'].map((app) => nestedPath(app, app)),
  TestInterpolatedMatrixGenerate: ['dev', 'prod'].map((name) => flatPath(configOf(name), name)),
  TestInterpolatedMatrixGenerateGoTemplate: ['dev', 'prod'].map((name) => nestedPath(configOf(name), name)),
  TestMatrixGenerateListElementsYaml: [charted],
}
