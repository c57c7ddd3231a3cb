import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RemoteClient } from '../../src/client/remote-client.ts'
import { type Application, ApplicationKind } from '../../src/gitops/application/application.ts'
import type { KubeObject } from '../../src/kube/object.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { silentLog } from '../../src/lib/log.ts'
import { Informer } from '../../src/runtime/informer.ts'
import type { Area, Figure } from '../figure.ts'
import { cpuSecondsOf, memoryOf } from '../process-use.ts'
import { clientOf } from '../../test/stories/client-of.ts'

const APPLICATIONS = Number(process.env['BENCH_APPLICATIONS'] ?? 1_000)
const IDLE_MS = Number(process.env['BENCH_IDLE_MS'] ?? 60_000)
const NAMESPACES = 50
const LIMIT_MS = 600_000
const COMMITS = 5
const root = join(import.meta.dirname, '..', '..')

type Report = (figure: Figure) => void

/** A thousand Applications from one repository: until all are synced, at rest, and after a commit. */
export const gitops: Area = {
  name: 'gitops',
  async run(report) {
    const folder = mkdtempSync(join(tmpdir(), 'idp-bench-gitops-'))
    const repo = join(folder, 'repo')
    writeRepository(repo)
    const kubeconfig = join(folder, 'kubeconfig')
    const args = [
      'apiserver',
      '--listen',
      '127.0.0.1:0',
      '--state',
      join(folder, 'state'),
      '--kubeconfig-out',
      kubeconfig,
    ]
    const child = spawn(process.execPath, [join(root, 'dist', 'idp.js'), ...args, '--no-audit'], {
      cwd: repo,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const stop = new AbortController()
    try {
      await new Promise<void>((resolve, reject) => {
        child.stdout.once('data', () => resolve())
        child.once('exit', (code) => reject(new Error(`the server has ended with ${code}`)))
      })
      const client = clientOf(kubeconfig)
      const apps = new Informer<KubeObject>({
        client,
        clock: systemClock,
        log: silentLog,
        collection: { resource: ApplicationKind },
      })
      void apps.run(stop.signal)
      await measure({ client, apps, repo, pid: child.pid ?? 0 }, report)
    } finally {
      stop.abort(new Error('the bench has ended'))
      child.kill('SIGTERM')
      await new Promise<void>((resolve) => child.once('exit', () => resolve()))
      rmSync(folder, { recursive: true, force: true })
    }
  },
}

interface World {
  readonly client: RemoteClient
  readonly apps: Informer
  readonly repo: string
  readonly pid: number
}

async function measure(world: World, report: Report): Promise<void> {
  const { client, apps, repo, pid } = world
  const core = (plural: string) => ({ resource: { group: '', version: 'v1', plural } })
  for (const name of ['argocd', ...Array.from({ length: NAMESPACES }, (_, at) => `team-${at}`)]) {
    await client.create(core('namespaces'), { apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
  }
  const cpuBefore = cpuSecondsOf(pid)
  const began = performance.now()
  const where = { resource: ApplicationKind, namespace: 'argocd' }
  for (let at = 0; at < APPLICATIONS; at += 50) {
    const some = Array.from({ length: Math.min(50, APPLICATIONS - at) }, (_, index) =>
      client.create(where, applicationAt(at + index, repo)),
    )
    for (const made of await Promise.all(some)) if (!made.ok) throw new Error(made.error.message)
  }
  await until(apps, (list) => list.length === APPLICATIONS && list.every(isSynced))
  const took = (performance.now() - began) / 1_000
  report({ name: `first sync of ${APPLICATIONS} Applications x 10 objects`, value: took, unit: 's', budget: '60 s' })
  report({ name: 'CPU of the first sync', value: cpuSecondsOf(pid) - cpuBefore, unit: 's' })
  report({ name: 'RSS after the first sync', value: memoryOf(pid).resident, unit: 'MB', budget: '600 MB' })
  const latencies: number[] = []
  const quiet: number[] = []
  for (let at = 0; at < COMMITS; at++) {
    const latency = await commitOne(world, at)
    latencies.push(latency)
    const before = performance.now()
    const head = git(repo, 'rev-parse', 'HEAD').trim()
    await until(apps, (list) =>
      list.every((app) => (app as Application).status?.sync?.revision === head && isSynced(app)),
    )
    quiet.push((performance.now() - before + latency) / 1_000)
  }
  const middle = (values: readonly number[]): number =>
    values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
  report({ name: 'one-file commit to live', value: middle(latencies) / 1_000, unit: 's', budget: '1 s' })
  report({ name: 'one-file commit until every Application tells the revision', value: middle(quiet), unit: 's' })
  await systemClock.sleep(5_000)
  const idleBefore = cpuSecondsOf(pid)
  await systemClock.sleep(IDLE_MS)
  const share = ((cpuSecondsOf(pid) - idleBefore) / (IDLE_MS / 1_000)) * 100
  report({ name: `idle over ${IDLE_MS / 1_000} s`, value: share, unit: '% of a core', budget: '2 %' })
  report({ name: 'RSS at rest', value: memoryOf(pid).resident, unit: 'MB', budget: '600 MB' })
  report({ name: 'RSS at most', value: memoryOf(pid).peak, unit: 'MB' })
}

/** Changes one file, and waits until the cluster has it. */
async function commitOne({ client, repo }: World, at: number): Promise<number> {
  const index = Math.floor(((at + 0.5) * APPLICATIONS) / COMMITS)
  const path = join(repo, 'apps', `app-${index}`, 'objects.yaml')
  writeFileSync(path, readFileSync(path, 'utf8').replace(/value: .*/, `value: "changed ${at}"`))
  const where = {
    resource: { group: '', version: 'v1', plural: 'configmaps' },
    namespace: `team-${index % NAMESPACES}`,
    name: `app-${index}-0`,
  }
  git(repo, 'commit', '-qam', `change ${at}`)
  const began = performance.now()
  for (;;) {
    const found = await client.get(where)
    const { value } = ((found.ok ? found.value['data'] : undefined) ?? {}) as { readonly value?: string }
    if (value === `changed ${at}`) return performance.now() - began
    if (performance.now() - began > LIMIT_MS) throw new Error('the commit never came')
    await systemClock.sleep(5)
  }
}

const isSynced = (object: KubeObject): boolean => {
  const { status } = object as Application
  return status?.sync?.status === 'Synced' && status.operationState?.phase === 'Succeeded'
}

async function until(apps: Informer, isThere: (list: readonly KubeObject[]) => boolean): Promise<void> {
  const began = performance.now()
  while (!isThere(apps.cache.list())) {
    if (performance.now() - began > LIMIT_MS) {
      const left = apps.cache.list().filter((app) => !isSynced(app))
      throw new Error(`${left.length} are not synced: ${JSON.stringify(left[0]?.['status'])}`)
    }
    await systemClock.sleep(20)
  }
}

const git = (cwd: string, ...args: readonly string[]): string => {
  const ran = spawnSync('git', ['-c', 'user.name=bench', '-c', 'user.email=bench@example.com', ...args], {
    cwd,
    encoding: 'utf8',
  })
  if (ran.status !== 0) throw new Error(`git ${args.join(' ')}: ${ran.stderr}`)
  return ran.stdout
}

function writeRepository(repo: string): void {
  for (let at = 0; at < APPLICATIONS; at++) {
    const folder = join(repo, 'apps', `app-${at}`)
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'objects.yaml'), objectsAt(at))
  }
  git(repo, 'init', '-q', '-b', 'main')
  git(repo, 'add', '-A')
  git(repo, 'commit', '-qm', 'all')
}

/** Seven ConfigMaps, a Secret, a ServiceAccount and a Service. */
function objectsAt(at: number): string {
  const name = `app-${at}`
  const maps = Array.from(
    { length: 7 },
    (_, index) => `apiVersion: v1
kind: ConfigMap
metadata:
  name: ${name}-${index}
  labels: { app: ${name} }
data:
  value: "first"
  text: |
    This is what the application number ${at} is told in its file number ${index}.
`,
  )
  return [
    ...maps,
    `apiVersion: v1\nkind: Secret\nmetadata:\n  name: ${name}\nstringData: { password: "number ${at}" }\n`,
    `apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: ${name}\n`,
    `apiVersion: v1\nkind: Service\nmetadata:\n  name: ${name}\nspec:\n  selector: { app: ${name} }\n  ports: [{ port: 80, targetPort: 8080 }]\n`,
  ].join('---\n')
}

const applicationAt = (at: number, repo: string): KubeObject => ({
  apiVersion: 'argoproj.io/v1alpha1',
  kind: 'Application',
  metadata: { name: `app-${at}`, namespace: 'argocd' },
  spec: {
    project: 'default',
    source: { repoURL: `file://${repo}`, path: `apps/app-${at}`, targetRevision: 'main' },
    destination: { server: 'https://kubernetes.default.svc', namespace: `team-${at % NAMESPACES}` },
    syncPolicy: { automated: { prune: true, selfHeal: true } },
  },
})
