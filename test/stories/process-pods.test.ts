import { spawn, spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../../src/lib/clock.ts'
import { type RunningApi, startApi } from './api-server.ts'
import { type Ran, runProgram } from './idp.ts'

const hasKubectl = spawnSync('kubectl', ['version', '--client']).status === 0

const isSandboxed = spawnSync('bwrap', ['--unshare-pid', '--ro-bind', '/', '/', 'true']).status === 0

let api: RunningApi
beforeAll(async () => {
  api = await startApi({ controllers: 'all,-gitops,-policies' })
}, 30_000)
afterAll(() => api.remove())

const kubectl = (args: readonly string[], input?: string): Promise<Ran> =>
  runProgram('kubectl', args, { env: { KUBECONFIG: api.kubeconfig }, ...(input === undefined ? {} : { input }) })

async function said(line: string, input?: string): Promise<string> {
  const ran = await kubectl(line.split(' '), input)
  if (ran.code !== 0) throw new Error(`kubectl ${line}: ${ran.stderr}`)
  return ran.stdout.trim()
}

/** Asks again until the answer is the wanted one. */
async function until(line: string, want: RegExp): Promise<string> {
  const limit = AbortSignal.timeout(40_000)
  for (;;) {
    const { stdout, stderr } = await kubectl(line.split(' '))
    const text = `${stdout}${stderr}`.trim()
    if (want.test(text)) return text
    if (limit.aborted) throw new Error(`kubectl ${line} says ${JSON.stringify(text)}, not ${String(want)}`)
    await systemClock.sleep(100)
  }
}

const server =
  "require('http').createServer((q, r) => r.end(process.env.WORD + ' from ' + process.env.HOSTNAME)).listen(8080, process.env.POD_IP, () => console.log('listening'))"
const container = {
  name: 'app',
  image: 'none',
  command: ['node', '-e', server],
  env: [{ name: 'WORD', value: 'one' }],
  ports: [{ containerPort: 8080 }],
  readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1, timeoutSeconds: 5 },
}
const podSpec = { runtimeClassName: 'process', terminationGracePeriodSeconds: 2, containers: [container] }
const labels = { app: 'web' }
const objects = {
  apiVersion: 'v1',
  kind: 'List',
  items: [
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web' },
      spec: { replicas: 2, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: podSpec } },
    },
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web' },
      spec: { selector: labels, ports: [{ port: 18_080, targetPort: 8080 }] },
    },
  ],
}

/** Forwards a port with kubectl and asks what answers behind it. */
async function askThrough(target: string, remote = 8080): Promise<string> {
  const child = spawn('kubectl', ['port-forward', target, `:${remote}`], {
    env: { ...process.env, KUBECONFIG: api.kubeconfig },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    for await (const text of child.stdout) {
      const port = /127\.0\.0\.1:(\d+)/.exec(String(text))?.[1]
      if (port !== undefined) return await (await fetch(`http://127.0.0.1:${port}/`)).text()
    }
    throw new Error('kubectl port-forward ended')
  } finally {
    child.kill()
  }
}

// One after the other: each step goes on from where the one before ended.
describe.runIf(hasKubectl)('Pods that really run, by kubectl', () => {
  test('come up, and answer through port-forward', async () => {
    await said('apply -f -', JSON.stringify(objects))
    expect(await said('rollout status deployment/web --timeout=40s')).toContain('successfully rolled out')
    expect(await askThrough('deployment/web')).toMatch(/^one from web-/)
    expect(await askThrough('service/web', 18_080)).toMatch(/^one from web-/)
  })

  test('logs, also those of all Pods of a label', async () => {
    expect(await said('logs deployment/web --tail=1')).toBe('listening')
    expect((await said('logs -l app=web --prefix')).split('\n')).toHaveLength(2)
    expect((await kubectl(['logs', 'deployment/web', '-p'])).stderr).toContain('previous terminated container')
  })

  test('exec gives input, output and the exit code', async () => {
    const ran = await kubectl(['exec', 'deployment/web', '-i', '--', 'sh', '-c', 'echo $WORD; cat; exit 5'], 'input')
    expect(ran).toMatchObject({ code: 5, stdout: 'one\ninput' })
    expect((await kubectl(['exec', 'deployment/web', '-c', 'nobody', '--', 'true'])).stderr).toContain('nobody')
  })

  // Without a sandbox nobody can be given names of hosts.
  test.runIf(isSandboxed)('a Service leads to all of them', async () => {
    const call =
      'i=0; while [ $i -lt 4 ]; do node -e "fetch(process.argv[1]).then(async (r) => console.log(await r.text()))" http://web.default.svc:18080/; i=$((i+1)); done'
    const { stdout } = await kubectl(['exec', 'deployment/web', '--', 'sh', '-c', call])
    expect(new Set(stdout.trim().split('\n')).size).toBe(2)
  })

  test('a new revision is rolled out, told of, and taken back', async () => {
    await said('set env deployment/web WORD=two')
    expect(await said('rollout status deployment/web --timeout=40s')).toContain('successfully rolled out')
    expect(await askThrough('deployment/web')).toMatch(/^two/)
    expect((await said('rollout history deployment/web')).split('\n')).toHaveLength(4)
    await said('rollout undo deployment/web')
    await said('rollout status deployment/web --timeout=40s')
    expect(await askThrough('deployment/web')).toMatch(/^one/)
    await said('rollout restart deployment/web')
    expect(await said('rollout status deployment/web --timeout=40s')).toContain('successfully rolled out')
  })

  test('a node is drained, and its Pods run elsewhere', async () => {
    const node = await said('get pods -l app=web -o jsonpath={.items[0].spec.nodeName}')
    expect(await said(`drain ${node} --ignore-daemonsets --delete-emptydir-data --force --timeout=40s`)).toContain(
      `node/${node} drained`,
    )
    await said('rollout status deployment/web --timeout=40s')
    expect(await said('get pods -l app=web -o jsonpath={.items[*].spec.nodeName}')).not.toContain(node)
    await said(`uncordon ${node}`)
  })

  test('a container that hogs memory is ended and says why', async () => {
    const hog = 'const all = []; setInterval(() => all.push(Buffer.alloc(3e7, 1)), 20)'
    const limits = { memory: '200Mi' }
    const spec = {
      runtimeClassName: 'process',
      restartPolicy: 'Never',
      containers: [{ name: 'c', image: 'none', command: ['node', '-e', hog], resources: { limits } }],
    }
    await said('create -f -', JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'hog' }, spec }))
    const path = '{.status.containerStatuses[0].state.terminated.reason}'
    expect(await until(`get pod hog -o jsonpath=${path}`, /OOMKilled/)).toBe('OOMKilled')
  })

  test('after SIGKILL nothing is left running, and the next start goes on', async () => {
    const processes = join(api.folder, 'state', 'nodes', 'processes')
    const before = readdirSync(processes)
    expect(before).toHaveLength(2)
    process.kill(api.pid, 'SIGKILL')
    await api.stop()
    api = await startApi({ controllers: 'all,-gitops,-policies', folder: api.folder })
    const limit = AbortSignal.timeout(10_000)
    const isGone = (pid: string): boolean => spawnSync('kill', ['-0', pid]).status !== 0
    while (!before.every(isGone) && !limit.aborted) await systemClock.sleep(50)
    expect(before.every(isGone)).toBe(true)
    await until('get pods -l app=web -o jsonpath={.items[*].status.containerStatuses[0].restartCount}', /^1 1$/)
    await said('rollout status deployment/web --timeout=40s')
    expect(await askThrough('deployment/web')).toMatch(/^one from web-/)
  })

  test('a simulated Pod says why there is nothing to see', async () => {
    await said('run pretended --image=nginx')
    expect((await kubectl(['logs', 'pretended'])).stderr).toMatch(
      /only pretends to run it; give it runtimeClassName: process/,
    )
  })

  test('what is deleted ends', async () => {
    await said('delete deployment web')
    await until('get pods -l app=web', /No resources found/)
    expect(readdirSync(join(api.folder, 'state', 'nodes', 'processes'))).toEqual([])
  })
})
