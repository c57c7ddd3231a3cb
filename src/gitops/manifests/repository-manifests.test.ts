import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { certificateMaker } from '../../lib/certificates.ts'
import { movableClock, systemClock } from '../../lib/clock.ts'
import { readData } from '../../lib/data-file.ts'
import { seededIds } from '../../lib/ids.ts'
import { silentLog } from '../../lib/log.ts'
import { type Result, succeed } from '../../lib/result.ts'
import { writeTarGz } from '../../lib/tar.ts'
import type { ApplicationSource } from '../../render/application/source.ts'
import { kindTable } from '../../render/kustomize/build-kustomization.ts'
import { memoryChartCache } from '../../sources/chart/chart-cache.ts'
import type { Http } from '../../sources/chart/http.ts'
import { scratchFolder, scratchRepository, type ScratchRepository } from '../../sources/git/git.testkit.ts'
import { type GitRepositories, gitRepositories } from '../../sources/git/git-repositories.ts'
import { charts } from './charts.ts'
import type { ManifestRequest, Manifests, ManifestSource } from './manifest-source.ts'
import { renderSettings } from './render-settings.ts'
import { repositoryManifests } from './repository-manifests.ts'

const scratch = scratchFolder()
const table = kindTable(readData)
const cm = (name: string, data: string): string =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}}\ndata: {${data}}\n`
let git: GitRepositories
let source: ManifestSource
let repository: ScratchRepository
let values: ScratchRepository
const asked: string[] = []
let settings = renderSettings()

const chartYaml = 'apiVersion: v2\nname: web\nversion: 1.2.0\n'
const template =
  'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}, namespace: {{ .Release.Namespace }}}\ndata: {a: {{ .Values.a | quote }}}\n'
const archive = writeTarGz([
  { name: 'web/Chart.yaml', data: new TextEncoder().encode(chartYaml) },
  { name: 'web/values.yaml', data: new TextEncoder().encode('a: packed\n') },
  { name: 'web/extra.yaml', data: new TextEncoder().encode('a: extra\n') },
  { name: 'web/templates/cm.yaml', data: new TextEncoder().encode(template) },
])
const http: Http = async ({ url }) => {
  asked.push(url)
  const index =
    'entries:\n  web:\n  - {name: web, version: 1.2.0, urls: [web-1.2.0.tgz]}\n  - {name: web, version: 2.0.0, urls: [no.tgz]}\n'
  const body = url.endsWith('index.yaml') ? new TextEncoder().encode(index) : url.endsWith('.tgz') ? archive : undefined
  const file = url.endsWith('/cm.yaml') ? new TextEncoder().encode(cm('remote-file', '')) : undefined
  return { status: body || file ? 200 : 404, headers: new Map(), body: body ?? file ?? new Uint8Array() }
}

beforeAll(() => {
  repository = scratchRepository(join(scratch.path, 'apps'))
  values = scratchRepository(join(scratch.path, 'values'))
  git = gitRepositories({
    folder: join(scratch.path, 'state'),
    path: process.env['PATH'] ?? '',
    clock: systemClock,
    ids: seededIds(),
    log: silentLog,
  })
  const cache = memoryChartCache()
  source = repositoryManifests({
    git,
    chartCache: cache,
    http,
    charts: charts({
      clock: movableClock(),
      cache,
      http: () => http,
      pollMs: 1000,
      repository: () => succeed({ type: 'git', isOci: false, plainHttp: false, enableLfs: false, access: {} }),
    }),
    ports: { clock: movableClock(), ids: seededIds(), certificates: certificateMaker },
    table: () => table,
    settings: () => settings,
  })
  repository.commit({
    'plain/a.yaml': cm('a', 'x: "1"'),
    'plain/list.yaml':
      'apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: ConfigMap, metadata: {name: in-list}}\n',
    'other/b.yaml': cm('b', ''),
    'kust/kustomization.yaml': 'resources: [../base]\nnamePrefix: k-\n',
    'base/kustomization.yaml': 'resources: [cm.yaml]\n',
    'base/cm.yaml': cm('c', ''),
    'chart/Chart.yaml': chartYaml,
    'chart/values.yaml': 'a: default\n',
    'chart/templates/cm.yaml': template,
    'chart/.argocd-source-special.yaml': 'helm: {parameters: [{name: a, value: overridden}]}\npath: elsewhere\n',
    'umbrella/Chart.yaml':
      'apiVersion: v2\nname: umbrella\nversion: 0.1.0\ndependencies:\n- {name: web, version: 1.x, repository: "file://../chart"}\n',
    'remote-umbrella/Chart.yaml':
      'apiVersion: v2\nname: umbrella\nversion: 0.1.0\ndependencies:\n- {name: web, version: ~1.2, repository: "https://charts.example.com"}\n',
    'inflate/kustomization.yaml':
      'helmCharts: [{name: web, repo: "https://charts.example.com", version: 1.2.0, releaseName: r}]\n',
    'far/kustomization.yaml': `resources: ["file://${values.path}//base?ref=main", "https://files.example.com/cm.yaml"]\n`,
    'plugin/a.jsonnet': '{}',
    'broken/a.yaml': 'kind: ConfigMap\nmetadata: {name: x}\n',
    'out/link.yaml': { link: '../../../etc/hostname' },
  })
  values.commit({
    'prod.yaml': 'a: from-ref\n',
    'base/kustomization.yaml': 'resources: [cm.yaml]\n',
    'base/cm.yaml': cm('far', ''),
  })
})
afterAll(() => {
  git.close()
  scratch.remove()
})

const app = { name: 'shop', namespace: 'argocd', project: 'default' }
const request = (...sources: readonly ApplicationSource[]): ManifestRequest => ({
  app,
  sources: sources.map((each) => ({ repoURL: repository.url, targetRevision: 'main', ...each })),
  destinationNamespace: 'prod',
})
const names = (result: Result<Manifests>): unknown =>
  result.ok ? result.value.manifests.map(({ metadata }) => metadata.name) : result.error.map(({ code }) => code)
const data = (result: Result<Manifests>): unknown =>
  result.ok ? result.value.manifests.map((each) => each['data']) : result.error
const value = <T>(result: Result<T>): T => {
  if (!result.ok) throw new Error(JSON.stringify(result.error))
  return result.value
}

describe('sources of one repository', () => {
  test.each<[string, ApplicationSource, string, readonly string[]]>([
    ['a folder, lists taken apart', { path: 'plain' }, 'Directory', ['a', 'in-list']],
    ['a kustomization with a base beside it', { path: 'kust' }, 'Kustomize', ['k-c']],
    ['kustomize options', { path: 'base', kustomize: { nameSuffix: '-s' } }, 'Kustomize', ['c-s']],
    ['a chart, released under the name of the application', { path: 'chart' }, 'Helm', ['shop']],
    ['an umbrella chart whose dependency lies in the repository', { path: 'umbrella' }, 'Helm', ['shop']],
    ['an umbrella chart whose dependency is fetched', { path: 'remote-umbrella' }, 'Helm', ['shop']],
    ['remote bases and files', { path: 'far' }, 'Kustomize', ['far', 'remote-file']],
    [
      'a chart of a repository',
      { repoURL: 'https://charts.example.com', chart: 'web', targetRevision: '1.*' },
      'Helm',
      ['shop'],
    ],
    ['a dot at the front of the path', { path: './plain/' }, 'Directory', ['a', 'in-list']],
  ])('%s', async (_name, each, type, want) => {
    const made = value(await source.manifests(request(each)))
    expect(made.manifests.map(({ metadata }) => metadata.name)).toEqual(want)
    expect(made.sourceTypes).toEqual([type])
    expect(made.origins).toHaveLength(want.length)
  })

  test.each<[string, ApplicationSource, string]>([
    ['a folder that is not there', { path: 'none' }, 'source-path-missing'],
    ['an absolute path', { path: '/plain' }, 'source-path-outside'],
    ['a path that leaves the repository', { path: '../x' }, 'source-path-outside'],
    ['no path', {}, 'source-path-missing'],
    ['a branch that is not there', { path: 'plain', targetRevision: 'none' }, 'git-revision-unknown'],
    ['Jsonnet', { path: 'plugin' }, 'source-unsupported'],
    ['a plugin', { path: 'plain', plugin: { name: 'x' } }, 'source-unsupported'],
    ['an object without apiVersion', { path: 'broken' }, 'manifest-invalid'],
    ['a link that leads out', { path: 'out' }, 'git-link-outside'],
    ['an artifact', { repoURL: 'oci://registry.example.com/x', path: '.' }, 'source-unsupported'],
    ['a chart that is not offered', { repoURL: 'https://charts.example.com', chart: 'none' }, 'chart-not-found'],
  ])('%s is a problem', async (_name, each, code) => {
    expect(names(await source.manifests(request(each)))).toEqual([code])
  })

  test('charts in kustomizations are fetched when the settings allow charts', async () => {
    expect((await source.manifests(request({ path: 'inflate' }))).ok).toBe(false)
    settings = renderSettings({ 'kustomize.buildOptions': '--enable-helm --load-restrictor LoadRestrictionsNone' })
    expect(names(await source.manifests(request({ path: 'inflate' })))).toEqual(['r'])
    settings = renderSettings({ 'helm.enable': 'false' })
    const plain = await source.manifests(request({ path: 'chart' }))
    expect(names(plain)).toEqual(['manifest-invalid'])
    settings = renderSettings()
  })

  test('override files beside the manifests change how, not where', async () => {
    const special = { ...request({ path: 'chart' }), app: { ...app, name: 'special' } }
    expect(data(await source.manifests(special))).toEqual([{ a: 'overridden' }])
    expect(data(await source.manifests(request({ path: 'chart' })))).toEqual([{ a: 'default' }])
  })

  test('build variables are filled in', async () => {
    const sha = repository.git('rev-parse', 'HEAD')
    const helm = {
      parameters: [{ name: 'a', value: '$ARGOCD_APP_NAME/$ARGOCD_APP_REVISION_SHORT/$ARGOCD_APP_NAMESPACE' }],
    }
    const there = { ...request({ path: 'chart', helm }), app: { ...app, instanceName: 'team_shop' } }
    expect(data(await source.manifests(there))).toEqual([{ a: `team_shop/${sha.slice(0, 7)}/prod` }])
  })
})

describe('several sources', () => {
  test('values come from the source that is referred to', async () => {
    const made = await source.manifests(
      request(
        {
          repoURL: 'https://charts.example.com',
          chart: 'web',
          targetRevision: '1.2.0',
          helm: { valueFiles: ['$v/prod.yaml'] },
        },
        { repoURL: values.url, ref: 'v' },
        { path: 'other' },
      ),
    )
    expect(data(made)).toEqual([{ a: 'from-ref' }, {}])
    expect(value(made).revisions).toEqual([
      '1.2.0',
      values.git('rev-parse', 'HEAD'),
      repository.git('rev-parse', 'HEAD'),
    ])
  })

  test('value files of the chart itself are found', async () => {
    const each = {
      repoURL: 'https://charts.example.com',
      chart: 'web',
      targetRevision: '1.2.0',
      helm: { valueFiles: ['extra.yaml'] },
    }
    expect(data(await source.manifests(request(each)))).toEqual([{ a: 'extra' }])
  })

  test('patterns of value files stand for files in order, in the repository and in others', async () => {
    repository.commit({
      'chart/envs/a.yaml': 'a: a\n',
      'chart/envs/deep/z.yaml': 'a: z\n',
      'chart/envs/b.yaml': 'a: b\n',
    })
    values.commit({ 'many/1.yaml': 'a: one\n', 'many/2.yaml': 'a: two\n' })
    const each = async (...valueFiles: readonly string[]): Promise<unknown> =>
      data(
        await source.manifests({
          ...request({ path: 'chart', helm: { valueFiles } }, { repoURL: values.url, ref: 'v' }),
          refresh: 'normal',
        }),
      )
    expect(await each('envs/*.yaml')).toEqual([{ a: 'b' }])
    expect(await each('envs/**/*.yaml')).toEqual([{ a: 'z' }])
    expect(await each('envs/**/*.yaml', 'envs/a.yaml')).toEqual([{ a: 'a' }])
    expect(await each('$v/many/*.yaml')).toEqual([{ a: 'two' }])
    expect(await each('none/*.yaml')).toMatchObject([{ code: 'file-not-found' }])
  })

  test('one that fails fails all, and says which it was', async () => {
    const made = await source.manifests(request({ path: 'other' }, { path: 'none' }))
    expect(made).toMatchObject({ ok: false, error: [{ at: 'spec.sources[1]: path' }] })
  })
})

describe('what is kept', () => {
  test('a commit that touches nothing that was read gives the same objects again', async () => {
    const wanted = request({ path: 'kust' })
    const before = value(await source.manifests(wanted))
    repository.commit({ 'other/b.yaml': cm('b', 'changed: "1"') })
    const after = value(await source.manifests({ ...wanted, refresh: 'normal' }))
    expect(after.revisions).not.toEqual(before.revisions)
    expect(after.manifests[0]).toBe(before.manifests[0])
    expect(after.digest).toBe(before.digest)
    repository.commit({ 'base/cm.yaml': cm('c', 'changed: "1"') })
    const changed = value(await source.manifests({ ...wanted, refresh: 'normal' }))
    expect(changed.digest).not.toBe(before.digest)
    expect(changed.manifests[0]).toMatchObject({ data: { changed: '1' } })
  })

  test('a new file in a folder that was listed is seen, and a hard refresh renders again', async () => {
    const wanted = request({ path: 'other' })
    const before = value(await source.manifests(wanted))
    repository.commit({ 'other/c.yaml': cm('c', '') })
    expect(names(await source.manifests({ ...wanted, refresh: 'normal' }))).toEqual(['b', 'c'])
    repository.commit({ 'other/c.yaml': undefined })
    const again = value(await source.manifests({ ...wanted, refresh: 'normal' }))
    expect(again.manifests[0]).toBe(before.manifests[0])
    expect(value(await source.manifests({ ...wanted, refresh: 'hard' })).manifests[0]).not.toBe(before.manifests[0])
  })

  test('a changed setting renders again what refers to settings, and nothing else', async () => {
    const refers = request({ path: 'refers' })
    const plain = request({ path: 'plain' })
    repository.commit({ 'refers/a.yaml': cm('refers', 'host: "a.${idp.dns.suffix}"') })
    const fresh = async (wanted: ManifestRequest): Promise<Result<Manifests>> =>
      source.manifests({ ...wanted, refresh: 'normal' })
    expect(data(await fresh(refers))).toEqual([{ host: 'a.${idp.dns.suffix}' }])
    repository.commit({ 'idp.yaml': 'dns: { suffix: one.test }\n' })
    const before = value(await fresh(plain))
    const first = value(await fresh(refers))
    expect(first.manifests[0]).toMatchObject({ data: { host: 'a.one.test' } })
    expect(first.origins[0]?.settings).toEqual([{ field: 'data.host', settings: ['dns.suffix'] }])
    repository.commit({ 'idp.yaml': 'dns: { suffix: two.test }\n' })
    const second = value(await fresh(refers))
    expect(second.manifests[0]).toMatchObject({ data: { host: 'a.two.test' } })
    expect(second.digest).not.toBe(first.digest)
    expect(value(await fresh(plain)).manifests[0]).toBe(before.manifests[0])
    repository.commit({ 'idp.yaml': 'dns: { sufix: two.test }\n' })
    expect(await fresh(refers)).toMatchObject({ ok: false, error: [{ code: 'settings-invalid' }] })
    // A rollback takes the settings of its time.
    const old = repository.git('rev-parse', 'HEAD~2')
    expect(data(await source.manifests({ ...refers, revisions: [old] }))).toEqual([{ host: 'a.one.test' }])
  })

  test('what the cluster serves counts only where a chart asks for it', async () => {
    repository.commit({
      'asking/Chart.yaml': chartYaml,
      'asking/templates/cm.yaml':
        'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {v: {{ .Capabilities.KubeVersion.Version }}, has: {{ .Capabilities.APIVersions.Has "a/v1" | quote }}}\n',
    })
    const render = (path: string, kubeVersion: string, apiVersions: readonly string[]): Promise<Result<Manifests>> =>
      source.manifests({ ...request({ path }), kubeVersion, apiVersions, refresh: 'normal' })
    const chart = value(await render('chart', 'v1.30.0', [])).manifests[0]
    expect(value(await render('chart', 'v1.31.0', ['a/v1'])).manifests[0]).toBe(chart)
    expect(data(await render('asking', 'v1.30.0', []))).toEqual([{ v: 'v1.30.0', has: 'false' }])
    expect(data(await render('asking', 'v1.31.0', ['a/v1']))).toEqual([{ v: 'v1.31.0', has: 'true' }])
  })

  test('values of another repository count', async () => {
    const wanted = request({ path: 'chart', helm: { valueFiles: ['$v/prod.yaml'] } }, { repoURL: values.url, ref: 'v' })
    expect(data(await source.manifests(wanted))).toEqual([{ a: 'from-ref' }])
    values.commit({ 'prod.yaml': 'a: newer\n' })
    expect(data(await source.manifests({ ...wanted, refresh: 'normal' }))).toEqual([{ a: 'newer' }])
  })

  test('a chart is fetched once', async () => {
    const wanted = request({ repoURL: 'https://charts.example.com', chart: 'web', targetRevision: '1.2.0' })
    const before = value(await source.manifests(wanted))
    const count = asked.length
    expect(value(await source.manifests(wanted)).manifests[0]).toBe(before.manifests[0])
    expect(asked).toHaveLength(count)
  })

  test('a rollback renders the old commit', async () => {
    const first = repository.git('rev-list', '--max-parents=0', 'HEAD')
    const made = value(await source.manifests({ ...request({ path: 'other' }), revisions: [first] }))
    expect(made.revisions).toEqual([first])
    expect(made.manifests[0]).toMatchObject({ data: {} })
    expect(value(await source.metadata(app, { repoURL: repository.url }, first))).toMatchObject({
      author: 'Ada <ada@example.com>',
    })
  })
})
