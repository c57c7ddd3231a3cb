import type { EvalAnswer } from '../suite.ts'
import { decoded, differenceOf, errorOf, type Row } from './applicationset-values.ts'
import { clustersOf, DUCK_SETTINGS, gitMocks } from './applicationset-fixtures.ts'

/** What to ask for a row, and how to judge the answers. */
export interface Plan {
  readonly requests: readonly unknown[]
  /** Says what is wrong; undefined when all is as expected. */
  check(answers: readonly EvalAnswer[]): string | undefined
}

type Planner = (row: Row, table: string) => Plan

const isGo = (table: string): boolean => /GoTemplat|_go$/.test(table)

/** The plan for a row of a table; undefined where no plan for the table is known. */
export function planOf(table: string, row: Row): Plan | undefined {
  const planner = Object.hasOwn(planners, table) ? planners[table] : undefined
  return planner?.(decoded(row) as Row, table)
}

const textIn = (row: Row | undefined, key: string): string => {
  const value = row?.[key]
  return typeof value === 'string' ? value : ''
}

/** One request and one expected value. */
const one = (request: unknown, check: (answer: EvalAnswer) => string | undefined): Plan => ({
  requests: [request],
  check: ([answer]) => (answer ? check(answer) : 'no answer'),
})

/** Sets of parameters in any order; upstream's tests compare them as sets where maps are behind them. */
function paramsAre(row: Row, answer: EvalAnswer, errorKey = 'expectedError'): string | undefined {
  const error = errorOf(row[errorKey])
  if (error !== undefined) {
    if (answer.ok) return `expected the error ${JSON.stringify(error)}, got ${JSON.stringify(answer.value)}`
    return answer.error.message.includes(error) ? undefined : `error ${answer.error.message}, expected ${error}`
  }
  if (!answer.ok) return answer.error.message
  const [made] = answer.value as readonly { readonly params: readonly unknown[] }[]
  return differenceOf(row['expected'] ?? [], made?.params ?? [], { anyOrder: true })
}

const paramsRequest = (generator: unknown, goTemplate: boolean, more: object = {}): object => ({
  do: 'params',
  generator,
  applicationSet: { metadata: { name: 'set', namespace: 'namespace' }, spec: { goTemplate, ...specOf(more) } },
  ...more,
})

const specOf = (more: object): object => ('spec' in more ? (more.spec as object) : {})

const clusters: Planner = (row, table) =>
  one(
    paramsRequest(
      {
        clusters: {
          selector: row['selector'] ?? {},
          values: row['values'] ?? {},
          flatList: row['isFlatMode'] === true,
        },
      },
      isGo(table),
      { facts: { clusters: row['clientError'] === true ? { error: 'could not list Secrets' } : clustersOf(table) } },
    ),
    (answer) => paramsAre(row, answer),
  )

const transformed: Planner = (row, table) =>
  one(
    paramsRequest({ clusters: { values: row['values'] ?? {} }, selector: row['selector'] }, isGo(table), {
      facts: { clusters: clustersOf(table) },
    }),
    (answer) => paramsAre(row, answer),
  )

/** A row that is a cluster Secret of the table: it must make a cluster. */
function secretRow(row: Row): Plan {
  const data = row['data'] as Readonly<Record<string, string>>
  const meta = row['objectMeta'] as Row
  const fact = { name: data['name'], server: data['server'], labels: meta['labels'], annotations: meta['annotations'] }
  const request = paramsRequest({ clusters: { selector: { matchLabels: meta['labels'] } } }, true, {
    facts: { clusters: [fact] },
  })
  const { labels, annotations } = meta
  const expected = [
    {
      name: data['name'],
      nameNormalized: data['name'],
      server: data['server'],
      project: '',
      metadata: { labels, annotations },
    },
  ]
  return one(request, (answer) => paramsAre({ expected }, answer))
}

const decisions: Planner = (row, table) => {
  if (row['objectMeta'] !== undefined) return secretRow(row)
  const resource = (row['resource'] as Row | undefined)?.['object']
  return one(
    paramsRequest(
      {
        clusterDecisionResource: {
          configMapRef: 'my-configmap',
          name: row['resourceName'] ?? '',
          labelSelector: row['labelSelector'] ?? {},
          values: row['values'] ?? {},
        },
      },
      isGo(table),
      {
        facts: {
          clusters: clustersOf(table),
          configMaps: { 'my-configmap': DUCK_SETTINGS },
          objects: { 'mallard.io/v1/ducks': resource === undefined ? [] : [resource] },
        },
      },
    ),
    (answer) => paramsAre(row, answer),
  )
}

const matchValues: Planner = (row, table) =>
  one(paramsRequest({ list: { elements: row['elements'] }, selector: row['selector'] }, isGo(table)), (answer) =>
    paramsAre(row, answer),
  )

const REPOSITORY = 'RepoURL'
const REVISION = 'Revision'

const directories: Planner = (row, table) => {
  const git = {
    repoURL: REPOSITORY,
    revision: REVISION,
    directories: row['directories'],
    pathParamPrefix: row['pathParamPrefix'] ?? '',
    values: row['values'] ?? {},
  }
  const error = errorOf(row['repoError'])
  const found = { [REPOSITORY]: { [REVISION]: { directories: row['repoApps'] ?? [] } } }
  const repositories = error === undefined ? found : { [REPOSITORY]: { error } }
  return one(paramsRequest({ git }, isGo(table), { facts: { repositories } }), (answer) => paramsAre(row, answer))
}

const oneFile: Planner = (row) => {
  const args = row['args'] as Row
  const path = String(args['filePath'])
  const git = {
    repoURL: REPOSITORY,
    revision: REVISION,
    files: [{ path }],
    values: args['values'] ?? {},
    pathParamPrefix: args['pathParamPrefix'] ?? '',
  }
  const facts = { repositories: { [REPOSITORY]: { [REVISION]: { files: { [path]: args['fileContent'] ?? '' } } } } }
  return one(paramsRequest({ git }, args['useGoTemplate'] === true, { facts }), (answer) => {
    if (row['wantErr'] === true) return answer.ok ? 'expected an error' : undefined
    return paramsAre({ expected: row['want'] }, answer)
  })
}

/** The repository server answers each pattern as the row says, whatever the pattern means. */
const files: Planner = (row, table) => {
  const items = (row['files'] ?? []) as readonly Row[]
  const error = errorOf(row['repoPathsError'])
  const place = { need: 'git-files', repoURL: REPOSITORY, revision: REVISION, project: '' }
  const answerFor = (item: Row): unknown => {
    if (error !== undefined) return { need: { ...place, pattern: item['path'] }, error }
    const given = item['exclude'] === true ? row['excludeFiles'] : (row['includeFiles'] ?? row['repoFileContents'])
    return { need: { ...place, pattern: item['path'] }, value: given ?? {} }
  }
  const git = {
    repoURL: REPOSITORY,
    revision: REVISION,
    files: items,
    values: row['values'] ?? {},
    pathParamPrefix: row['pathParamPrefix'] ?? '',
  }
  return one(paramsRequest({ git }, isGo(table), { facts: { answers: items.map(answerFor) } }), (answer) =>
    paramsAre(row, answer),
  )
}

/** The Git generator under a project: the table hands over a whole ApplicationSet. */
const gitInProject: Planner = (row) => {
  const set = row['appset'] as Row
  const spec = set['spec'] as Row
  const [generator] = (spec['generators'] ?? []) as readonly Row[]
  const git = generator?.['git'] as Row | undefined
  const place = [String(git?.['repoURL']), String(git?.['revision'])] as const
  const files = row['repoFileContents'] ?? {}
  const error = errorOf(row['repoPathsError'])
  const commit = { directories: row['repoApps'] ?? [], files }
  const project = ((row['appProject'] as Row | undefined)?.['metadata'] as Row | undefined)?.['name']
  const facts = {
    repositories: { [place[0]]: error === undefined ? { [place[1]]: commit } : { error } },
    projects: project === undefined ? [] : [project],
  }
  return one({ do: 'params', generator, applicationSet: set, facts }, (answer) => paramsAre(row, answer))
}

/** Upstream mocks the Git generator in matrices: a list of what the mock returns stands for it. */
const matrices: Planner = (row, table) => {
  const given = (row['baseGenerators'] ?? []) as readonly Row[]
  const isFailing = errorOf(row['expectedErr']) !== undefined
  const mock = gitMocks[table] ?? []
  const generators = isFailing
    ? given
    : given.map((entry) => (entry['git'] ? { ...entry, git: undefined, list: { elements: mock } } : entry))
  const isGoTemplate = isGo(table) || table === 'TestMatrixGenerateListElementsYaml' || table.includes('GoTemplate')
  const repositories = { [REPOSITORY]: { [REVISION]: { directories: ['app1', 'app2'], files: {} } } }
  const facts = { clusters: clustersOf(table), repositories }
  return one(paramsRequest({ matrix: { generators } }, isGoTemplate, { facts }), (answer) =>
    paramsAre(row, answer, 'expectedErr'),
  )
}

const merges: Planner = (row) =>
  one(
    paramsRequest({ merge: { generators: row['baseGenerators'] ?? [], mergeKeys: row['mergeKeys'] ?? [] } }, false),
    (answer) => paramsAre(row, answer, 'expectedErr'),
  )

/** Sets of parameters by merge keys: merging a list with itself gives them back, or says why they are not unique. */
const uniqueKeys: Planner = (row) => {
  const list = { list: { elements: row['paramSets'] ?? [] } }
  const request = paramsRequest({ merge: { generators: [list, list], mergeKeys: row['mergeKeys'] ?? [] } }, true)
  const expected = Object.values((row['expected'] ?? {}) as Row)
  return one(request, (answer) => paramsAre({ ...row, expected }, answer, 'expectedErr'))
}

const combined: Planner = (row) => {
  const generators = [row['left'], row['right']].map((element) => ({ list: { elements: [element] } }))
  return one(paramsRequest({ matrix: { generators } }, false), (answer) =>
    paramsAre({ ...row, expected: [row['expected']] }, answer, 'expectedErr'),
  )
}

const matrixRequeue: Planner = (row) => {
  const nanoseconds = Number(row['gitGetRequeueAfter'] ?? 0)
  const base = (row['baseGenerators'] ?? []) as readonly Row[]
  // The mock's duration is what the Git generator asks for; seconds are all that a manifest can say.
  const seconds = nanoseconds / 1e9
  const generators = base.map((entry) =>
    entry['git'] ? { git: { ...(entry['git'] as Row), requeueAfterSeconds: seconds } } : entry,
  )
  return one({ do: 'requeue', generators: [{ matrix: { generators } }] }, (answer) => {
    if (!answer.ok) return answer.error.message
    const got = Math.round(Number(answer.value ?? 0) * 1e6)
    return got === Number(row['expected'] ?? 0) ? undefined : `${got} ns, expected ${String(row['expected'])}`
  })
}

const defaultRequeue: Planner = (row) =>
  one({ do: 'requeue', generators: [{ git: {} }], settings: { requeueAfter: row['requeueAfterEnv'] } }, (answer) => {
    if (!answer.ok) return answer.error.message
    const got = Number(answer.value) * 1e6
    return got === Number(row['want']) ? undefined : `${got} ns, expected ${String(row['want'])}`
  })

const plugins: Planner = (row) => {
  const config = (row['configmap'] ?? {}) as Row
  const secret = (row['secret'] ?? {}) as Row
  const nameOf = (object: Row): string => textIn(object['objectMeta'] as Row | undefined, 'name')
  const name = nameOf(config)
  const generator = {
    plugin: {
      configMapRef: { name },
      input: { parameters: row['inputParameters'] ?? {} },
      values: row['values'] ?? {},
    },
  }
  const facts = {
    namespace: 'default',
    configMaps: name === '' ? {} : { [name]: config['data'] ?? {} },
    secrets: nameOf(secret) === '' ? [] : [nameOf(secret)],
    plugins: { [name]: textIn(row, 'content') },
  }
  const expected = plainInputs(row['expected'])
  return one(paramsRequest(generator, row['gotemplate'] === true, { facts }), (answer) =>
    paramsAre({ ...row, expected }, answer),
  )
}

/** The input of a plugin is raw JSON in Go; here it is the value. */
function plainInputs(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plainInputs)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value)
  const [first] = entries
  if (entries.length === 1 && first?.[0] === 'Raw') return JSON.parse(String(first[1])) as unknown
  return Object.fromEntries(entries.map(([key, item]) => [key, plainInputs(item)]))
}

const GITHUB = 'https://api.github.com'

/** The fake service of the table is not in the row; what passes through a generator unchanged says what it held. */
const pulls: Planner = (row) => {
  const expected = (row['expected'] ?? []) as readonly Row[]
  const spec = ((row['applicationSet'] as Row | undefined)?.['spec'] ?? {}) as Row
  const values = row['values'] as Row | undefined
  const body = expected.map((pull) => ({
    number: Number(pull['number']),
    title: pull['title'],
    head: { ref: pull['branch'], sha: pull['head_sha'] },
    base: { ref: pull['target_branch'] },
    user: { login: pull['author'] },
    labels: ((pull['labels'] ?? []) as readonly string[]).map((name) => ({ name })),
  }))
  const error = errorOf(row['expectedErr'])
  const isGone = error?.includes('repository not found') === true || row['continueOnRepoNotFoundError'] === true
  const url = `${GITHUB}/repos/o/r/pulls?per_page=100`
  const cause = error?.replace(/^error listing repos: /, '')
  const facts = isGone ? {} : { http: { [url]: cause === undefined ? { body } : { error: cause } } }
  const generator = {
    pullRequest: {
      github: { owner: 'o', repo: 'r' },
      values: values ?? {},
      continueOnRepoNotFoundError: row['continueOnRepoNotFoundError'] === true,
    },
  }
  return one(paramsRequest(generator, spec['goTemplate'] === true, { facts }), (answer) =>
    paramsAre(row, answer, 'expectedErr'),
  )
}

const repositories: Planner = (row) => {
  const repos = (row['repos'] ?? []) as readonly Row[]
  const error = errorOf(row['listError'])
  const http: Record<string, unknown> = {
    [`${GITHUB}/orgs/o/repos?per_page=100`]:
      error === undefined
        ? {
            body: repos.map((repo) => ({
              owner: { login: repo['organization'] },
              name: repo['repository'],
              id: repo['repositoryId'] ?? null,
              ssh_url: repo['url'],
              default_branch: repo['branch'],
              topics: repo['labels'] ?? [],
            })),
          }
        : { error },
  }
  for (const repo of repos) {
    const [owner, name, branch] = [repo['organization'], repo['repository'], repo['branch']].map(String)
    http[`${GITHUB}/repos/${owner}/${name}/branches/${encodeURIComponent(branch ?? '')}`] = {
      body: { name: branch, commit: { sha: repo['sha'] } },
    }
  }
  const generator = { scmProvider: { github: { organization: 'o' }, values: row['values'] ?? {} } }
  return one(paramsRequest(generator, false, { facts: { http } }), (answer) => paramsAre(row, answer))
}

const allowed =
  (generator: string): Planner =>
  (row) => {
    const settings = { allowedScmProviders: ['github.myorg.com', 'gitlab.myorg.com', 'gitea.myorg.com'] }
    return one({ ...paramsRequest({ [generator]: row['providerConfig'] }, false), settings }, (answer) => {
      if (answer.ok) return 'expected an error'
      return /scm provider ".*" not allowed/.test(answer.error.message) ? undefined : answer.error.message
    })
  }

/** A plugin returns the parameters of the row, to which values are added. */
const interpolated: Planner = (row, table) => {
  const facts = {
    configMaps: { p: { baseUrl: 'http://p', token: '$p:t' } },
    plugins: { p: { output: { parameters: [row['params'] ?? {}] } } },
  }
  const generator = { plugin: { configMapRef: { name: 'p' }, values: row['values'] ?? {} } }
  return one(paramsRequest(generator, isGo(table), { facts }), (answer) => {
    if (!answer.ok) return answer.error.message
    const [made] = answer.value as readonly { readonly params: readonly Row[] }[]
    const got = Object.fromEntries(Object.entries(made?.params[0] ?? {}).filter(([key]) => key !== 'generator'))
    return differenceOf(row['expected'] ?? {}, got)
  })
}

/** Where a field of upstream's tables stands in an Application. */
const PLACES: Readonly<Record<string, readonly [string, string]>> = {
  Path: ['source', 'path'],
  RepoURL: ['source', 'repoURL'],
  TargetRevision: ['source', 'targetRevision'],
  Chart: ['source', 'chart'],
  Server: ['destination', 'server'],
  Namespace: ['destination', 'namespace'],
  Name: ['destination', 'name'],
  Project: ['project', ''],
}

const renderRequest = (field: string, text: unknown, row: Row, goTemplate: boolean): object => {
  const [group, name] = PLACES[field] ?? ['project', '']
  const spec = name === '' ? { [group]: text } : { [group]: { [name]: text } }
  const application = { metadata: { name: 'application-one', labels: { 'label-key': 'label-value' } }, spec }
  return {
    do: 'render',
    application,
    params: row['params'] ?? {},
    goTemplate,
    goTemplateOptions: row['templateOptions'] ?? [],
  }
}

const renderedAt = (field: string, answer: EvalAnswer): unknown => {
  const [group, name] = PLACES[field] ?? ['project', '']
  const spec = answer.ok ? ((answer.value as Row)['spec'] as Row) : {}
  return name === '' ? spec[group] : (spec[group] as Row)[name]
}

/** Every text in every field; a row that only names a field renders the table's first text there. */
const rendered: Planner = (given, table) => {
  const goTemplate = isGo(table)
  const simple = { params: { one: 'two' }, fieldVal: goTemplate ? '{{ .one }}' : '{{one}}', expectedVal: 'two' }
  const row: Row = given['$key'] === undefined ? given : simple
  const fields = given['$key'] === undefined ? Object.keys(PLACES) : [textIn(given, '$key')]
  return {
    requests: fields.map((field) => renderRequest(field, row['fieldVal'], row, goTemplate)),
    check: (answers) => {
      for (const [index, field] of fields.entries()) {
        const answer = answers[index]
        if (!answer) return 'no answer'
        const error = row['errorMessage']
        if (typeof error === 'string' && error !== '') {
          if (answer.ok) return `expected the error ${error}`
          if (answer.error.message !== error) return `error ${answer.error.message}, expected ${error}`
        } else if (!answer.ok) return answer.error.message
        else if (renderedAt(field, answer) !== row['expectedVal']) {
          return `${field}: ${JSON.stringify(renderedAt(field, answer))}, expected ${JSON.stringify(row['expectedVal'])}`
        }
      }
      return undefined
    },
  }
}

const finalizers: Planner = (row) => {
  const application = { metadata: { name: 'a', finalizers: row['existingFinalizers'] ?? [] }, spec: {} }
  const request = {
    do: 'render',
    application,
    params: { one: 'two' },
    goTemplate: true,
    syncPolicy: row['syncPolicy'] ?? {},
  }
  return one(request, (answer) => {
    if (!answer.ok) return answer.error.message
    const got = ((answer.value as Row)['metadata'] as Row)['finalizers'] ?? []
    return differenceOf(row['expectedFinalizers'] ?? [], got, { anyOrder: true })
  })
}

const checked: Planner = (row) =>
  one({ do: 'check', applicationSet: row['appSet'] }, (answer) => {
    if (!answer.ok) return answer.error.message
    const { count, names, message } = answer.value as { count: number; names: readonly string[]; message: unknown }
    if (row['expectedMsg'] !== undefined) return differenceOf(row['expectedMsg'], message)
    if (count > 0 !== (row['expectedInvalid'] === true)) return `${count} invalid generators`
    return differenceOf(Object.keys(row['expectedNames'] ?? {}).toSorted(), names)
  })

const slugs: Planner = (row) => {
  const template = `{{ slugify ${String(row['length'])} ${String(row['smartTruncate'] === true)} .branch }}`
  const request = {
    do: 'render',
    application: { metadata: {}, spec: { project: template } },
    params: { branch: row['branch'] },
    goTemplate: true,
  }
  return one(request, (answer) =>
    answer.ok ? differenceOf(row['expectedBasePath'], renderedAt('Project', answer)) : answer.error.message,
  )
}

const filled: Planner = (row) => {
  const args = (row['args'] ?? row) as Row
  const generator = args['requestedGenerator'] ?? args['gen']
  const request = {
    do: 'fill',
    generator: generator ?? {},
    params: args['params'] ?? {},
    goTemplate: args['useGoTemplate'] === true,
    goTemplateOptions: args['goTemplateOptions'] ?? [],
  }
  return one(request, (answer) => {
    const error = textIn(row, 'expectedErrStr')
    const part = textIn(row, 'expectErr')
    if (part !== '') return !answer.ok && answer.error.message.includes(part) ? undefined : `expected the error ${part}`
    if (error === 'generator is empty') return generator === null || generator === undefined ? undefined : 'a generator'
    if (error !== '') return answer.ok ? `expected the error ${error}` : differenceOf(error, answer.error.message)
    if (!answer.ok) return answer.error.message
    const got = answer.value as Row
    for (const [key, name] of [
      ['expectedGitValues', 'git'],
      ['expectedClusterValues', 'clusters'],
    ] as const) {
      const wrong =
        row[key] === undefined ? undefined : differenceOf(row[key], (got[name] as Row | undefined)?.['values'])
      if (wrong !== undefined) return wrong
    }
    return row['want'] === undefined ? undefined : differenceOf(row['want'], got, { ignoresEmpty: true })
  })
}

const patched: Planner = (row) =>
  one({ do: 'patch', application: row['appTemplate'], templatePatch: row['templatePatch'] }, (answer) =>
    answer.ok
      ? differenceOf(row['expectedApp'], answer.value, { ignoresEmpty: true, nullIsUnknown: true })
      : answer.error.message,
  )

/** A generator's own template over that of the ApplicationSet, seen in what it returns beside the parameters. */
const templates: Planner = (row) => {
  const generator = { list: { elements: row['params'] ?? [], template: row['overrideTemplate'] ?? {} } }
  return one(paramsRequest(generator, false, { spec: { template: row['template'] ?? {} } }), (answer) => {
    if (!answer.ok) return answer.error.message
    const [made] = answer.value as readonly { readonly template: unknown }[]
    return differenceOf(row['expectedMerged'], made?.template, { ignoresEmpty: true })
  })
}

const generated: Planner = (row) => {
  const broken = errorOf(row['rendererError']) !== undefined
  const name = broken ? '{{ .name' : '{{ .name }}'
  const template = { ...((row['template'] ?? {}) as Row), metadata: { name } }
  const failing = errorOf(row['generateParamsError']) !== undefined
  const generator = failing ? { git: {} } : { list: { elements: row['params'] ?? [] } }
  return one({ applicationSet: { spec: { goTemplate: true, generators: [generator], template } } }, (answer) => {
    if (row['expectErr'] === true) return answer.ok ? 'expected an error' : undefined
    if (!answer.ok) return answer.error.message
    const made = (answer.value as { applications: readonly { application: Row }[] }).applications
    const names = made.map(({ application }) => (application['metadata'] as Row)['name'])
    return differenceOf(
      ((row['params'] ?? []) as readonly Row[]).map((params) => params['name']),
      names,
    )
  })
}

const planners: Readonly<Record<string, Planner>> = {
  TestGenerateParams: clusters,
  TestGenerateParamsGoTemplate: clusters,
  TestTransForm: transformed,
  TestTransFormGoTemplate: transformed,
  TestGenerateParamsForDuckType: decisions,
  TestGenerateParamsForDuckTypeGoTemplate: decisions,
  TestMatchValues: matchValues,
  TestMatchValuesGoTemplate: matchValues,
  TestGenerateListParams: matchValues,
  TestGenerateListParamsGoTemplate: matchValues,
  TestInterpolateGeneratorError: filled,
  TestInterpolateGeneratorValuesHandling: filled,
  TestRenderGeneratorParams_ValuesInterpolation: filled,
  Test_generateParamsFromGitFile: oneFile,
  TestGitGenerateParamsFromDirectories: directories,
  TestGitGenerateParamsFromDirectoriesGoTemplate: directories,
  TestGitGenerateParamsFromFiles: files,
  TestGitGenerateParamsFromFilesGoTemplate: files,
  TestGitGeneratorParamsFromFilesWithExcludeOptionWithNewGlobbing: files,
  TestGitGeneratorParamsFromFilesWithExcludeOptionWithOldGlobbing: files,
  TestGitGeneratorParamsFromFilesWithExcludeOptionGoTemplate: files,
  TestGitGenerator_GenerateParams: gitInProject,
  Test_getDefaultRequeueAfter: defaultRequeue,
  TestMatrixGenerate: matrices,
  TestMatrixGenerateGoTemplate: matrices,
  TestInterpolatedMatrixGenerate: matrices,
  TestInterpolatedMatrixGenerateGoTemplate: matrices,
  TestMatrixGenerateListElementsYaml: matrices,
  TestMatrixGetRequeueAfter: matrixRequeue,
  TestMergeGenerate: merges,
  TestParamSetsAreUniqueByMergeKeys: uniqueKeys,
  TestCombineStringMaps: combined,
  TestPluginGenerateParams: plugins,
  TestPullRequestGithubGenerateParams: pulls,
  TestAllowedSCMProviderPullRequest: allowed('pullRequest'),
  TestAllowedSCMProvider: allowed('scmProvider'),
  TestSCMProviderGenerateParams: repositories,
  TestValueInterpolation: interpolated,
  TestValueInterpolationWithGoTemplating: interpolated,
  TestRenderTemplateParams: rendered,
  TestRenderTemplateParamsGoTemplate: rendered,
  TestRenderTemplateParamsFinalizers: finalizers,
  TestCheckInvalidGenerators: checked,
  TestInvalidGenerators: checked,
  TestSlugify: slugs,
  Test_ApplyTemplatePatch: patched,
  TestMergeTemplateApplications: templates,
  TestGenerateApplications: generated,
}
