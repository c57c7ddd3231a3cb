import { spawn } from 'node:child_process'

/** A load of HTTP/1.1 requests over connections that stay, made by a process of its own. */
export interface HttpLoad {
  readonly port: number
  readonly host: string
  readonly clients: number
  readonly ms: number
  /** `GET /bench` unless told otherwise. */
  readonly method?: string
  readonly path?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** What came of a load. */
export interface HttpLoadResult {
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** What the other process runs: sockets by hand, so that the client is no slower than it has to be. */
const program = `
import { connect } from 'node:net'
const { port, host, clients, ms, method = 'GET', path = '/bench', headers = {}, body = '' } = JSON.parse(process.argv[1])
const sent = body === '' ? headers : { ...headers, 'content-length': Buffer.byteLength(body) }
const lines = Object.entries({ host, ...sent }).map(([name, value]) => name + ': ' + value + '\\r\\n').join('')
const ask = Buffer.from(method + ' ' + path + ' HTTP/1.1\\r\\n' + lines + '\\r\\n' + body)
const until = performance.now() + ms * 1.25
const from = until - ms
const took = []
const client = () => new Promise((resolve, reject) => {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  let seen = ''
  let began = 0
  const send = () => { began = performance.now(); socket.write(ask) }
  socket.on('connect', send)
  socket.on('error', reject)
  socket.on('data', (chunk) => {
    seen += chunk.latin1Slice()
    const head = seen.indexOf('\\r\\n\\r\\n')
    if (head < 0) return
    const length = /\\r\\ncontent-length: (\\d+)/i.exec(seen)
    if (!length || !seen.startsWith('HTTP/1.1 200')) return reject(new Error(seen.slice(0, 200)))
    if (seen.length < head + 4 + Number(length[1])) return
    seen = ''
    const now = performance.now()
    if (began >= from) took.push(now - began)
    if (now < until) send()
    else { socket.destroy(); resolve() }
  })
})
await Promise.all(Array.from({ length: clients }, client))
took.sort((a, b) => a - b)
const at = (share) => took[Math.floor((took.length - 1) * share)]
console.log(JSON.stringify({ perSecond: took.length * 1000 / ms, p50Ms: at(0.5), p99Ms: at(0.99) }))
`

/** Runs a load. */
export function httpLoad(load: HttpLoad): Promise<HttpLoadResult> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', program, JSON.stringify(load)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()))
  return new Promise((resolve, reject) => {
    child.on('exit', (code) =>
      code === 0 ? resolve(JSON.parse(said) as HttpLoadResult) : reject(new Error(`the load ended with ${code}`)),
    )
  })
}
