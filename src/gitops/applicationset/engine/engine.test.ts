import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { certificateMaker } from '../../../lib/certificates.ts'
import { seededIds } from '../../../lib/ids.ts'
import { jsonForm } from '../../../render/helm/json-form.ts'
import { type ApplicationSet, parseApplicationSet } from '../application-set.ts'
import { answered, recordedFacts } from '../recorded-facts.ts'
import { generate, type Generation, neededFor } from './generate.ts'
import { usualGeneratorSettings } from './generator.ts'
import { combineTexts } from './generators/matrix.ts'
import { gitFileMatcher } from './git-glob.ts'
import { sanitizeName, slugOf } from './names.ts'
import { fillFrom, flatTexts, mergeOver, type Params } from './params.ts'
import { templateReplacer } from './renderer.ts'
import { requeueAfterMs } from './requeue.ts'

const replace = templateReplacer({ clock: { now: () => 0 }, ids: seededIds(1), certificates: certificateMaker })

const template = { metadata: { name: 'app' }, spec: { project: 'default' } }

function setOf(spec: object): ApplicationSet {
  const parsed = parseApplicationSet({
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'ApplicationSet',
    metadata: { name: 'set', namespace: 'argocd' },
    spec: { template, ...spec },
  })
  if (!parsed.ok) throw new Error(parsed.error[0]?.message)
  return parsed.value
}

function run(spec: object, facts: object = {}): Exclude<Generation, { state: 'needs' }> {
  const set = setOf(spec)
  const done = answered(
    (known) => {
      const generation = generate(set, known, { replace })
      return generation.state === 'needs' ? generation : { done: generation }
    },
    recordedFacts(facts as Readonly<Record<string, unknown>>),
  )
  if (!done.ok) throw new Error(done.error[0]?.message)
  return done.value
}

function paramsOf(spec: object, facts: object = {}): unknown {
  const done = run(spec, facts)
  return done.state === 'done' ? done.applications.map(({ params }) => jsonForm(params)) : done.problems[0]?.message
}

const list = (...elements: readonly object[]): object => ({ list: { elements } })

describe('generators', () => {
  const repository = (files: Readonly<Record<string, string>>): object => ({
    repositories: { 'https://r': { HEAD: { files } } },
  })
  const git = (more: object): object => ({ git: { repoURL: 'https://r', revision: '', ...more } })
  const clusters = [
    { name: 'b', server: 'https://b', labels: { env: 'prod' } },
    { name: 'a_1', server: 'https://a', labels: { env: 'dev' }, annotations: { note: 'x' }, project: 'team' },
  ]
  test.each<{ name: string; spec: object; facts?: object; want: unknown }>([
    {
      name: 'a list',
      spec: { generators: [list({ name: 'a' }, { name: 'b' })] },
      want: [{ name: 'a' }, { name: 'b' }],
    },
    {
      name: 'a list with values, flat',
      spec: { generators: [list({ name: 'a', values: { x: '1' } })] },
      want: [{ name: 'a', 'values.x': '1' }],
    },
    {
      name: 'a list of what is no text',
      spec: { generators: [list({ name: 1 })] },
      want: 'error parsing value as string: name is none',
    },
    {
      name: 'elementsYaml',
      spec: { goTemplate: true, generators: [{ list: { elementsYaml: '- name: a\n  size: 1' } }] },
      want: [{ name: 'a', size: 1 }],
    },
    {
      name: 'clusters, sorted, and the local one',
      spec: { generators: [{ clusters: {} }] },
      facts: { clusters },
      want: [
        {
          name: 'a_1',
          nameNormalized: 'a-1',
          server: 'https://a',
          project: 'team',
          'metadata.annotations.note': 'x',
          'metadata.labels.env': 'dev',
        },
        { name: 'b', nameNormalized: 'b', server: 'https://b', project: '', 'metadata.labels.env': 'prod' },
        { name: 'in-cluster', nameNormalized: 'in-cluster', server: 'https://kubernetes.default.svc', project: '' },
      ],
    },
    {
      name: 'clusters by label, without the local one',
      spec: {
        goTemplate: true,
        generators: [
          {
            clusters: {
              selector: { matchLabels: { env: 'prod' } },
              values: { v: '{{ .metadata.labels.env }}-{{ index .metadata.labels "none" }}' },
            },
          },
        ],
      },
      facts: { clusters },
      want: [
        {
          name: 'b',
          nameNormalized: 'b',
          server: 'https://b',
          project: '',
          metadata: { labels: { env: 'prod' } },
          values: { v: 'prod-' },
        },
      ],
    },
    {
      name: 'clusters as one flat list',
      spec: {
        goTemplate: true,
        generators: [{ clusters: { flatList: true, selector: { matchLabels: { env: 'none' } } } }],
      },
      facts: { clusters },
      want: [{ clusters: [] }],
    },
    {
      name: 'folders, without those that an item excludes, in any order',
      spec: { generators: [git({ directories: [{ path: 'apps/b*', exclude: true }, { path: 'apps/*' }] })] },
      facts: repository({ 'apps/a/x': '', 'apps/b1/x': '', 'apps/.hidden/x': '', 'lib/x': '' }),
      want: [
        { path: 'apps/a', 'path.basename': 'a', 'path.basenameNormalized': 'a', 'path[0]': 'apps', 'path[1]': 'a' },
      ],
    },
    {
      name: 'files, flattened, under a prefix',
      spec: { generators: [git({ files: [{ path: 'conf/*.yaml' }], pathParamPrefix: 'in' })] },
      facts: repository({ 'conf/My_Conf.yaml': 'a:\n  b: 1\n  c: [x]\nempty: {}\n' }),
      want: [
        {
          'a.b': '1',
          'a.c.0': 'x',
          'in.path': 'conf',
          'in.path.basename': 'conf',
          'in.path.filename': 'My_Conf.yaml',
          'in.path.basenameNormalized': 'conf',
          'in.path.filenameNormalized': 'my-conf.yaml',
          'in.path[0]': 'conf',
        },
      ],
    },
    {
      name: 'a file at the root holds a list',
      spec: { goTemplate: true, generators: [git({ files: [{ path: 'all.json' }], values: { v: '{{.n}}' } })] },
      facts: repository({ 'all.json': '[{"n": 1}, {"n": 2}]' }),
      want: [1, 2].map((n) => ({
        n,
        path: {
          path: '.',
          basename: '.',
          basenameNormalized: '',
          filename: 'all.json',
          filenameNormalized: 'all.json',
          segments: ['.'],
        },
        values: { v: String(n) },
      })),
    },
    {
      name: 'a file that refers to the settings of its repository',
      spec: { goTemplate: true, generators: [git({ files: [{ path: 'a.yaml' }], values: { v: '{{.port}}' } })] },
      facts: repository({
        'a.yaml': 'host: a.${idp.dns.suffix}\nport: ${idp.gateway.httpPort}\n',
        'idp.yaml': 'dns: { suffix: x.test }\n',
      }),
      want: [expect.objectContaining({ host: 'a.x.test', port: 18_080, values: { v: '18080' } })],
    },
    {
      name: 'a file that refers to a setting which is not there',
      spec: { generators: [git({ files: [{ path: 'a.yaml' }] })] },
      facts: repository({ 'a.yaml': 'host: ${idp.dns.sufix}\n', 'idp.yaml': '' }),
      want: expect.stringMatching(
        /unable to process file 'a\.yaml'.*the field host refers to "\$\{idp\.dns\.sufix\}", which idp\.yaml does not set/,
      ),
    },
    {
      name: 'a file of a repository without settings is left alone',
      spec: { generators: [git({ files: [{ path: 'a.yaml' }] })] },
      facts: repository({ 'a.yaml': 'host: ${idp.dns.suffix}\n' }),
      want: [expect.objectContaining({ host: '${idp.dns.suffix}' })],
    },
    {
      name: 'a file that is no document',
      spec: { generators: [git({ files: [{ path: 'x' }] })] },
      facts: repository({ x: 'just words' }),
      want: "error generating params from git: unable to process file 'x' from repository 'https://r': unable to parse file: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal string into Go value of type []map[string]interface {}",
    },
    {
      name: 'a repository that cannot be read',
      spec: { generators: [git({ directories: [{ path: '*' }] })] },
      facts: { repositories: { 'https://r': { error: 'no route' } } },
      want: 'error generating params from git: error getting directories from repo: no route',
    },
    {
      name: 'a matrix whose second half uses the first',
      spec: {
        generators: [{ matrix: { generators: [list({ name: 'a' }, { name: 'b' }), list({ at: '{{name}}-1' })] } }],
      },
      want: [
        { name: 'a', at: 'a-1' },
        { name: 'b', at: 'b-1' },
      ],
    },
    {
      name: 'a matrix that disagrees',
      spec: { generators: [{ matrix: { generators: [list({ name: 'a' }), list({ name: 'b' })] } }] },
      want: 'failed to combine string maps with merging params for the matrix generator: found duplicate key name with different value, a: a ,b: b',
    },
    {
      name: 'a matrix of Go templates: the first half wins',
      spec: {
        goTemplate: true,
        generators: [{ matrix: { generators: [list({ n: { a: 1 } }), list({ n: { a: 2, b: 3 } })] } }],
      },
      want: [{ n: { a: 1, b: 3 } }],
    },
    {
      name: 'a matrix in a matrix in a matrix',
      spec: {
        generators: [
          {
            matrix: {
              generators: [
                { matrix: { generators: [{ matrix: { generators: [list({}), list({})] } }, list({})] } },
                list({}),
              ],
            },
          },
        ],
      },
      want: 'error failed to get params for first generator in matrix generator: child generator returned an error on parameter generation: error failed to get params for first generator in matrix generator: child generator returned an error on parameter generation: the generator matrix is nested too deeply: matrix and merge may hold each other once',
    },
    {
      name: 'merge by a key, in the order of the first',
      spec: {
        generators: [
          {
            merge: {
              mergeKeys: ['k'],
              generators: [list({ k: 'z', v: '1' }, { k: 'a', v: '2' }), list({ k: 'z', v: '9' }, { k: 'q', v: '8' })],
            },
          },
        ],
      },
      want: [
        { k: 'z', v: '9' },
        { k: 'a', v: '2' },
      ],
    },
    {
      name: 'merge of sets that are not unique',
      spec: {
        generators: [{ merge: { mergeKeys: ['k'], generators: [list({ k: 'a' }, { k: 'a' }), list({ k: 'z' })] } }],
      },
      want: 'error getting param sets by merge key: the parameters from a generator were not unique by the given mergeKeys, Merge requires all param sets to be unique. Duplicate key was {"k":"a"}',
    },
    {
      name: 'a selector on a generator',
      spec: {
        goTemplate: true,
        generators: [{ ...list({ n: { x: 'a b' } }, { n: { x: 'c' } }), selector: { matchLabels: { 'n.x': 'a b' } } }],
      },
      want: [{ n: { x: 'a b' } }],
    },
    {
      name: 'decisions about clusters',
      spec: {
        generators: [
          {
            clusterDecisionResource: {
              configMapRef: 'duck',
              labelSelector: { matchLabels: { d: 'x' } },
              values: { v: 'y' },
            },
          },
        ],
      },
      facts: {
        clusters,
        configMaps: { duck: { apiVersion: 'ducks.io/v1', kind: 'ducks', statusListKey: 'decisions', matchKey: 'at' } },
        objects: {
          'ducks.io/v1/ducks': [
            {
              metadata: { name: 'q', labels: { d: 'x' } },
              status: { decisions: [{ at: 'b', score: 0 }, { at: 'gone' }] },
            },
          ],
        },
      },
      want: [{ name: 'b', server: 'https://b', at: 'b', score: '0', 'values.v': 'y' }],
    },
    {
      name: 'a plugin',
      spec: {
        goTemplate: true,
        generators: [
          { plugin: { configMapRef: { name: 'p' }, input: { parameters: { a: 1 } }, values: { v: '{{ .x }}' } } },
        ],
      },
      facts: {
        configMaps: { p: { baseUrl: 'http://p', token: '$p:t' } },
        plugins: { p: { output: { parameters: [{ x: 'y' }] } } },
      },
      want: [{ x: 'y', generator: { input: { parameters: { a: 1 } } }, values: { v: 'y' } }],
    },
    {
      name: 'repositories of GitHub, page by page, by label and path',
      spec: {
        goTemplate: true,
        generators: [
          {
            scmProvider: {
              github: { organization: 'o' },
              filters: [{ labelMatch: '^prod$' }, { pathsExist: ['k8s/'] }],
            },
          },
        ],
      },
      facts: {
        http: {
          'https://api.github.com/orgs/o/repos?per_page=100': {
            body: [
              {
                owner: { login: 'o' },
                name: 'one',
                id: 190320251,
                ssh_url: 'git@g:o/one',
                default_branch: 'main',
                topics: ['prod', 'x'],
              },
            ],
            next: 'https://api.github.com/2',
          },
          'https://api.github.com/2': [
            { owner: { login: 'o' }, name: 'two', id: 2, ssh_url: 'git@g:o/two', default_branch: 'main', topics: [] },
            {
              owner: { login: 'o' },
              name: 'three',
              id: 3,
              ssh_url: 'git@g:o/three',
              default_branch: 'Main',
              topics: ['prod'],
            },
          ],
          'https://api.github.com/repos/o/one/branches/main': { body: { name: 'main', commit: { sha: '0bc57212c3' } } },
          'https://api.github.com/repos/o/three/branches/Main': { body: { name: 'Main', commit: { sha: '59d0' } } },
          'https://api.github.com/repos/o/one/contents/k8s?ref=main': {},
        },
      },
      want: [
        {
          organization: 'o',
          repository: 'one',
          repository_id: 190320251,
          url: 'git@g:o/one',
          branch: 'main',
          sha: '0bc57212c3',
          short_sha: '0bc57212',
          short_sha_7: '0bc5721',
          labels: 'prod,x',
          branchNormalized: 'main',
        },
      ],
    },
    {
      name: 'merge requests of GitLab by branch',
      spec: {
        generators: [
          {
            pullRequest: {
              gitlab: { project: 'g/p', api: 'https://gl.example.com/' },
              filters: [{ branchMatch: '^feat' }],
            },
          },
        ],
      },
      facts: {
        http: {
          'https://gl.example.com/api/v4/projects/g%2Fp/merge_requests?per_page=100': [
            {
              iid: 7,
              title: 'T',
              source_branch: 'feat/A_b',
              target_branch: 'main',
              sha: '0123456789',
              author: { username: 'me' },
            },
            { iid: 8, title: 'U', source_branch: 'fix', target_branch: 'main', sha: '1', author: { username: 'me' } },
          ],
        },
      },
      want: [
        {
          number: '7',
          title: 'T',
          branch: 'feat/A_b',
          branch_slug: 'feat-a-b',
          target_branch: 'main',
          target_branch_slug: 'main',
          head_sha: '0123456789',
          head_short_sha: '01234567',
          head_short_sha_7: '0123456',
          author: 'me',
        },
      ],
    },
    {
      name: 'pull requests of a repository that is gone',
      spec: { generators: [{ pullRequest: { gitea: { owner: 'o', repo: 'r', api: 'https://t' } } }] },
      want: 'error listing repos: repository not found',
    },
    {
      name: 'a repository that is gone, where that is expected',
      spec: {
        generators: [
          { pullRequest: { gitea: { owner: 'o', repo: 'r', api: 'https://t' }, continueOnRepoNotFoundError: true } },
        ],
      },
      want: [],
    },
    {
      name: 'a provider that is not served is named',
      spec: { generators: [{ scmProvider: { bitbucket: { owner: 'o' } } }] },
      want: 'the provider bitbucket is not served here: use github, gitlab or gitea, or the plugin generator',
    },
  ])('$name', ({ spec, facts, want }) => expect(paramsOf(spec, facts)).toEqual(want))

  test('one failing generator fails all of it', () => {
    const spec = { generators: [list({ name: 'a' }), git({ directories: [{ path: '*' }] })] }
    expect(run(spec, { repositories: { 'https://r': { error: 'x' } } })).toMatchObject({
      state: 'failed',
      reason: 'ApplicationGenerationFromParamsError',
      problems: [{ at: 'spec.generators[1]' }],
    })
  })

  test('what is needed is asked for all at once, and again when more is known', () => {
    const set = setOf({
      generators: [
        { matrix: { generators: [{ clusters: {} }, git({ revision: '{{name}}', directories: [{ path: '*' }] })] } },
        git({ directories: [{ path: '*' }] }),
      ],
    })
    expect(neededFor(set, { replace }).map((need) => need.need)).toEqual(['clusters', 'project', 'git-directories'])
  })
})

describe('templates', () => {
  const applicationsOf = (spec: object): unknown => {
    const done = run(spec)
    return done.state === 'done' ? done.applications.map((made) => made.application) : done
  }
  test('a generator may fill gaps of its template, and the patch has the last word but for the project', () => {
    const spec = {
      goTemplate: true,
      template: {
        metadata: { name: '{{ .name }}', labels: { a: '1' } },
        spec: { project: 'default', source: { path: 'x' } },
      },
      generators: [
        {
          list: {
            elements: [{ name: 'n' }],
            template: { metadata: { labels: { b: '{{ .name }}' } }, spec: { project: '' } },
          },
        },
      ],
      templatePatch:
        'metadata: {annotations: {"{{ .name }}": yes it is}}\nspec: {project: mine, source: {path: null, chart: c}}',
    }
    expect(applicationsOf(spec)).toEqual([
      {
        apiVersion: 'argoproj.io/v1alpha1',
        kind: 'Application',
        metadata: {
          name: 'n',
          namespace: 'argocd',
          labels: { a: '1', b: 'n' },
          annotations: { n: 'yes it is' },
          finalizers: ['resources-finalizer.argocd.argoproj.io'],
        },
        spec: { project: 'default', source: { chart: 'c' } },
      },
    ])
  })

  test('a patch that turns an annotation into a truth value is refused, as decoding would', () => {
    const spec = { generators: [list({ name: 'a' })], templatePatch: 'metadata: {annotations: {on-call: yes}}' }
    expect(run(spec)).toMatchObject({ state: 'failed', reason: 'RenderTemplateParamsError' })
  })

  test('resources that shall stay get no finalizer', () => {
    const spec = { generators: [list({ name: 'a' })], syncPolicy: { preserveResourcesOnDeletion: true } }
    expect(applicationsOf(spec)).toMatchObject([{ metadata: { name: 'app' } }])
    expect(JSON.stringify(applicationsOf(spec))).not.toContain('finalizers')
  })

  test.each([
    ['{{ .a | normalize }}', { a: 'My_App/1' }, 'my-app-1'],
    ['{{ slugify 23 true .a }}', { a: 'feat/areally+long_pull_request_name' }, 'feat-areally-long-pull'],
    ['{{ (fromYaml .a).b }}', { a: 'b: c' }, 'c'],
    ['{{ .missing }}', { a: 1 }, '<no value>'],
    ['{{ .a }}', { a: 1234567 }, '1.234567e+06'],
  ])('%s of %j is %s', (text, params, want) => {
    expect(replace(text, params, { goTemplate: true, options: [] })).toEqual({ ok: true, value: want })
  })

  test.each([
    ['{{a}}-{{ b.c }}-{{none}}', 'x-{{ b.c }}-{{none}}'],
    ['{{ }}', '{{ }}'],
    ['no template }} {{', 'no template }} {{'],
    ['{{__proto__}}{{constructor}}', '{{__proto__}}{{constructor}}'],
    ['{{a}}\n{{a}}', 'x\nx'],
  ])('without Go templates %j is %j', (text, want) => {
    expect(replace(text, { a: 'x' }, { goTemplate: false, options: [] })).toEqual({ ok: true, value: want })
  })

  test.each([
    ['an option that is none', '{{ .a }}', ['missingkey=maybe'], 'unrecognized option'],
    ['a missing key', '{{ .none }}', ['missingkey=error'], 'map has no entry for key "none"'],
    ['a loop without end', '{{ range until 100000000 }}{{ . }}{{ end }}', [], 'template'],
    ['the environment', '{{ env "HOME" }}', [], 'function "env" not defined'],
  ])('%s is refused', (_, text, options, want) => {
    const result = replace(text, { a: 'x' }, { goTemplate: true, options })
    expect(result.ok).toBe(false)
    expect(result.ok ? '' : result.error[0]?.message).toContain(want)
  })
})

test.each([
  ['pathspec', '*/config.json', 'a/b/config.json', true],
  ['pathspec', '**/config.json', 'config.json', false],
  ['pathspec', 'apps', 'apps/a/b', true],
  ['pathspec', 'apps/[ab]/x', 'apps/a/x', true],
  ['pathspec', 'apps/[!ab]/x', 'apps/a/x', false],
  ['doublestar', '*/config.json', 'a/b/config.json', false],
  ['doublestar', '**/config.json', 'config.json', true],
  ['doublestar', 'apps', 'apps/a/b', false],
] as const)('as a %s %s means %s: %s', (globbing, pattern, path, want) => {
  expect(gitFileMatcher(pattern, globbing)(path)).toBe(want)
})

test.each([
  ['My_App', 'my-app'],
  ['--x.-', 'x'],
  ['Ünï', 'n'],
  ['a'.repeat(300), 'a'.repeat(253)],
])('the name %s is %s', (name, want) => expect(sanitizeName(name)).toBe(want))

test.each([
  ['a&b @c "d"', 'aandb-atc-d'],
  ['Größe_1', 'grosse-1'],
  ['word', 'word'],
])('the slug of %s is %s', (text, want) => {
  expect(slugOf(text, { longest: 50, cutsAtWords: true, underscoresAreDashes: true })).toBe(want)
})

test.each([
  [[{ list: {} }], undefined],
  [[{ git: {} }, { plugin: {} }], 180_000],
  [[{ git: { requeueAfterSeconds: 5 } }], 5_000],
  [[{ git: { requeueAfterSeconds: 0 } }], undefined],
  [[{ matrix: { generators: [{ clusters: {} }, { merge: { generators: [{ scmProvider: {} }] } }] } }], 1_800_000],
])('%j are asked again after %s', (generators, want) => {
  expect(requeueAfterMs(generators, usualGeneratorSettings)).toBe(want)
})

describe('laws', () => {
  const texts = fc.dictionary(fc.constantFrom('a', 'b', '__proto__', 'constructor', 'd.e'), fc.string({ maxLength: 3 }))
  const params: fc.Arbitrary<Params> = fc.dictionary(
    fc.constantFrom('a', 'b', '__proto__', 'c'),
    fc.oneof(fc.string(), fc.integer(), fc.array(fc.string(), { maxLength: 2 }), texts),
  )

  test('combining texts does not depend on which comes first', () => {
    fc.assert(
      fc.property(texts, texts, (a, b) => {
        const [one, other] = [combineTexts(a, b), combineTexts(b, a)]
        expect(one.ok && one.value).toEqual(other.ok && other.value)
      }),
    )
  })

  test('merging over nothing, filling from nothing and merging twice change nothing', () => {
    fc.assert(
      fc.property(params, params, (a, b) => {
        expect(mergeOver(a, {})).toEqual(a)
        expect(fillFrom(a, {})).toEqual(a)
        const once = mergeOver(a, b)
        expect(mergeOver(once, b)).toEqual(once)
      }),
    )
  })

  test('the same ApplicationSet generates the same, in the same order', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string({ minLength: 1 }), { maxLength: 6 }), (names) => {
        const spec = { generators: [list(...names.map((name) => ({ name })))] }
        expect(paramsOf(spec)).toEqual(names.map((name) => ({ name })))
      }),
    )
  })

  test('flattened texts keep prototype names as data', () => {
    expect(flatTexts(JSON.parse('{"__proto__": {"x": 1}, "a": {"constructor": "y"}}') as Params)).toEqual(
      JSON.parse('{"__proto__.x": "1", "a.constructor": "y"}'),
    )
  })
})

test('a generator nested 100,000 deep is refused, not a crash', () => {
  let value: unknown = 'x'
  for (let depth = 0; depth < 100_000; depth++) value = [value]
  const spec = {
    goTemplate: true,
    generators: [{ matrix: { generators: [list({ a: 'b' }), { list: { elements: [{ deep: value }] } }] } }],
  }
  expect(paramsOf(spec)).toMatch(/nested deeper than 200/)
})
