import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../../src/lib/clock.ts'
import { type RunningApi, startApi } from './api-server.ts'
import { idp, type Ran, runProgram } from './idp.ts'

const hasKubectl = spawnSync('kubectl', ['version', '--client']).status === 0
const hasGit = spawnSync('git', ['--version']).status === 0

const folder = mkdtempSync(join(tmpdir(), 'idp-sets-'))
const repository = join(folder, 'repository')
const git = (...args: string[]): void => {
  const who = ['-c', 'user.name=ann', '-c', 'user.email=ann@my.org', '-c', 'commit.gpgsign=false']
  const ran = spawnSync('git', ['-C', repository, ...who, ...args], { encoding: 'utf8' })
  if (ran.status !== 0) throw new Error(ran.stderr)
}

function writeApp(name: string, greeting: string): void {
  mkdirSync(join(repository, 'apps', name), { recursive: true })
  const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data: { greeting } }
  writeFileSync(join(repository, 'apps', name, 'map.json'), JSON.stringify(map))
}

const applicationSet = {
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'ApplicationSet',
  metadata: { name: 'shop', namespace: 'argocd' },
  spec: {
    goTemplate: true,
    goTemplateOptions: ['missingkey=error'],
    generators: [{ git: { repoURL: repository, revision: 'HEAD', directories: [{ path: 'apps/*' }] } }],
    template: {
      metadata: { name: '{{ .path.basename }}' },
      spec: {
        project: 'default',
        source: { repoURL: repository, targetRevision: 'HEAD', path: '{{ .path.path }}' },
        destination: { server: 'https://kubernetes.default.svc', namespace: '{{ .path.basename }}' },
        syncPolicy: { automated: { prune: true }, syncOptions: ['CreateNamespace=true'] },
      },
    },
  },
}

const notifications = (url: string) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'argocd-notifications-cm', namespace: 'argocd' },
  data: {
    'service.webhook.hook': JSON.stringify({ url }),
    'trigger.on-healthy': JSON.stringify([
      {
        when: `app.status?.operationState?.phase in ['Succeeded'] and app.status.health.status == 'Healthy'`,
        oncePer: 'app.status.sync.revision',
        send: ['told'],
      },
    ]),
    'template.told': JSON.stringify({ webhook: { hook: { method: 'POST', body: '{{ .app.metadata.name }}' } } }),
    subscriptions: JSON.stringify([{ recipients: ['hook'], triggers: ['on-healthy'] }]),
  },
})

const told: string[] = []
const receiver = createServer((request, response) => {
  let body = ''
  request.on('data', (chunk: Buffer) => (body += chunk.toString()))
  request.on('end', () => {
    told.push(body)
    response.end()
  })
})

describe.runIf(hasKubectl && hasGit)('an ApplicationSet over the folders of a repository', () => {
  let api: RunningApi
  const kubectl = (args: string, input?: object): Promise<Ran> =>
    runProgram('kubectl', args.split(' '), {
      env: { KUBECONFIG: api.kubeconfig },
      ...(input ? { input: JSON.stringify(input) } : {}),
    })
  const until = async (args: string, want: string | RegExp): Promise<void> => {
    const limit = AbortSignal.timeout(30_000)
    for (;;) {
      const { stdout, stderr } = await kubectl(args)
      const text = `${stdout}${stderr}`.trim()
      if (typeof want === 'string' ? text === want : want.test(text)) return
      if (limit.aborted) throw new Error(`kubectl ${args} says ${JSON.stringify(text)}, not ${String(want)}`)
      await systemClock.sleep(50)
    }
  }

  beforeAll(async () => {
    mkdirSync(repository, { recursive: true })
    git('init', '-q', '-b', 'main')
    writeApp('basket', 'hello')
    writeApp('till', 'hello')
    git('add', '-A')
    git('commit', '-q', '-m', 'two apps')
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
    api = await startApi({ controllers: 'all' })
  })
  afterAll(async () => {
    await api.remove()
    receiver.close()
    rmSync(folder, { recursive: true, force: true })
  })

  test('makes Applications, keeps them while the repository is away, tells of them and counts them', async () => {
    const { port } = receiver.address() as AddressInfo // it listens on a port
    await kubectl('create namespace argocd')
    expect((await kubectl('create -f -', notifications(`http://127.0.0.1:${port}/`))).stderr).toBe('')
    expect((await kubectl('create -f -', applicationSet)).stderr).toBe('')

    const health = '-n argocd get applications -o jsonpath={.items[*].status.health.status}'
    await until(health, 'Healthy Healthy')
    await until('-n basket get configmap basket -o jsonpath={.data.greeting}', 'hello')

    const names = '-n argocd get applications -o jsonpath={.items[*].metadata.name}'
    const away = join(folder, 'away')
    renameSync(repository, away)
    const refresh = 'argocd.argoproj.io/application-set-refresh=true'
    await kubectl(`-n argocd annotate applicationset shop ${refresh}`)
    const failed = '{.status.conditions[?(@.type=="ErrorOccurred")].status}'
    await until(`-n argocd get applicationset shop -o jsonpath=${failed}`, 'True')
    await until(names, 'basket till')

    renameSync(away, repository)
    writeApp('desk', 'hello')
    git('add', '-A')
    git('commit', '-q', '-m', 'a third app')
    await kubectl(`-n argocd annotate --overwrite applicationset shop ${refresh}`)
    await until(names, 'basket desk till')
    await until(health, 'Healthy Healthy Healthy')
    await until(`-n argocd get applicationset shop -o jsonpath=${failed}`, 'False')

    const listed = await idp(['appset', 'list', '--kubeconfig', api.kubeconfig, '-o', 'json'])
    expect(JSON.parse(listed.stdout)).toMatchObject([{ name: 'shop' }])
    const limit = AbortSignal.timeout(20_000)
    while (new Set(told).size < 3 && !limit.aborted) await systemClock.sleep(50)
    expect(new Set(told)).toEqual(new Set(['basket', 'desk', 'till']))
    await until('get --raw /metrics', /argocd_app_info\{[^}]*name="desk"[^}]*\} 1/)
  }, 90_000)
})
