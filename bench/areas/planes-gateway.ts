import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GatewayProxy } from '../../src/gateway/proxy/gateway-proxy.ts'
import { proxyFigures } from '../../src/gateway/proxy/proxy-figures.ts'
import { Upstreams } from '../../src/gateway/proxy/upstreams.ts'
import { evenChances } from '../../src/gateway/proxy/world.ts'
import { noFilters } from '../../src/gateway/table/route.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { silentLog } from '../../src/lib/log.ts'
import { metricsRegistry } from '../../src/lib/metrics.ts'
import type { Figure } from '../figure.ts'
import { httpLoad, type HttpLoadResult } from './http-load.ts'

const CLIENTS = 50
const MS = 4_000
const HOST = 'bench.localhost'

/** A backend in a process of its own that answers a little text. */
const backendProgram = `
const server = require('node:http').createServer((request, response) => {
  response.writeHead(200, { 'content-type': 'text/plain', 'content-length': 12 }).end('hello, world')
})
server.keepAliveTimeout = 60000
server.listen(Number(process.argv[1]), '127.0.0.1')
`

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

async function answering(port: number): Promise<void> {
  for (let turn = 0; turn < 200; turn++) {
    const answer = await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } }).catch(() => undefined)
    await answer?.arrayBuffer()
    if (answer) return
    await systemClock.sleep(25)
  }
  throw new Error(`nothing answers at ${port}`)
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  child.kill('SIGTERM')
  await once(child, 'exit')
}

/** The gateway with a hundred routes, of which one is asked. */
async function ours(backend: number, port: number): Promise<{ close(): Promise<void> }> {
  const metrics = metricsRegistry()
  const proxy = new GatewayProxy({
    clock: systemClock,
    log: silentLog,
    upstreams: new Upstreams(systemClock),
    figures: proxyFigures(metrics),
    chance: evenChances(),
    reachedAt: (wanted) => wanted,
  })
  proxy.endpoints(new Map([['team/web:80', { endpoints: [{ address: '127.0.0.1', port: backend }] }]]))
  const route = (name: string, host: string) => ({
    namespace: 'team',
    name,
    createdMs: 0,
    hosts: [host],
    rules: ['', '/api', '/static'].map((path) => ({
      matches: [{ path: { by: 'prefix' as const, value: path }, headers: [], query: [] }],
      action: {
        route: `HTTPRoute/team/${name}`,
        rule: path,
        isGrpc: false,
        filters: noFilters,
        backends: [
          {
            weight: 1,
            target: { do: 'forward' as const, service: 'team/web:80', protocol: 'http1' as const },
            filters: noFilters,
          },
        ],
      },
    })),
  })
  const routes = [route('bench', HOST), ...Array.from({ length: 99 }, (_, at) => route(`r${at}`, `r${at}.localhost`))]
  const listener = {
    name: 'l',
    host: undefined,
    mode: 'http' as const,
    port: 80,
    routes,
    streams: [],
    certificates: [],
  }
  const problems = await proxy.apply([{ address: '127.0.0.1', port, listeners: [listener] }])
  for (const [place, because] of problems) throw new Error(`${place}: ${because}`)
  return proxy
}

const has = (program: string): boolean => spawnSync(program, ['-v'], { stdio: 'ignore' }).error === undefined

function caddy(folder: string, backend: number, port: number): ChildProcess {
  const file = join(folder, 'Caddyfile')
  writeFileSync(file, `{\n admin off\n auto_https off\n}\nhttp://:${port} {\n reverse_proxy 127.0.0.1:${backend}\n}\n`)
  const env = { ...process.env, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder }
  return spawn('caddy', ['run', '--config', file, '--adapter', 'caddyfile'], { stdio: 'ignore', env })
}

function nginx(folder: string, backend: number, port: number): ChildProcess {
  const file = join(folder, 'nginx.conf')
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  )
  writeFileSync(
    file,
    `daemon off; worker_processes auto; pid ${folder}/pid; error_log ${folder}/error.log;
events { worker_connections 1024; }
http { access_log off; ${paths.join(' ')}
upstream web { server 127.0.0.1:${backend}; keepalive 64; }
server { listen 127.0.0.1:${port}; keepalive_requests 1000000;
location / { proxy_pass http://web; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host; } } }`,
  )
  return spawn('nginx', ['-c', file, '-p', folder, '-e', join(folder, 'error.log')], { stdio: 'ignore' })
}

/** Requests through the gateway, next to Caddy and nginx where they are installed, and to no proxy at all. */
export async function planesGateway(report: (figure: Figure) => void): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'idp-bench-gateway-'))
  const backend = await freePort()
  const answerer = spawn(process.execPath, ['-e', backendProgram, String(backend)], { stdio: 'ignore' })
  const load = (port: number): Promise<HttpLoadResult> => httpLoad({ port, host: HOST, clients: CLIENTS, ms: MS })
  const results = new Map<string, HttpLoadResult>()
  try {
    await answering(backend)
    results.set('no proxy', await load(backend))
    for (const [name, start] of [
      ['caddy', caddy],
      ['nginx', nginx],
    ] as const) {
      if (!has(name)) {
        console.log(`${name} is not installed (apt-get install ${name}): no figure of it`)
        continue
      }
      const port = await freePort()
      const child = start(folder, backend, port)
      try {
        await answering(port)
        results.set(name, await load(port))
      } finally {
        await stop(child)
      }
    }
    const port = await freePort()
    const proxy = await ours(backend, port)
    const own = await load(port)
    await proxy.close()
    const peers = (of: (result: HttpLoadResult) => number): Record<string, number> =>
      Object.fromEntries([...results].map(([name, result]) => [name, of(result)]))
    const budget = 'half of caddy'
    report({
      name: 'gateway requests, 50 clients',
      value: own.perSecond,
      unit: '/s',
      peers: peers((one) => one.perSecond),
      budget,
    })
    report({ name: 'gateway p50', value: own.p50Ms, unit: 'ms', peers: peers((one) => one.p50Ms) })
    report({ name: 'gateway p99', value: own.p99Ms, unit: 'ms', peers: peers((one) => one.p99Ms) })
  } finally {
    await stop(answerer)
    rmSync(folder, { recursive: true, force: true })
  }
}
