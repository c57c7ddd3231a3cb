import { spawn } from 'node:child_process'

/** A load of HTTP/2 requests over one connection, made by a process of its own. */
export interface Load {
  readonly url: string
  /** The folder with ca.crt, admin.crt and admin.key. */
  readonly pki: string
  readonly method: 'GET' | 'POST'
  /** `#` in path and body becomes the number of the request. */
  readonly path: string
  readonly body?: string
  readonly clients: number
  readonly ms: number
}

/** What the other process runs: plain JavaScript, so that nothing needs to be built for it. */
const program = `
import { readFileSync } from 'node:fs'
import { connect } from 'node:http2'
const { url, pki, method, path, body, clients, ms } = JSON.parse(process.argv[1])
const pem = (name) => readFileSync(pki + '/' + name, 'utf8')
const session = connect(url, { ca: pem('ca.crt'), cert: pem('admin.crt'), key: pem('admin.key') })
await new Promise((resolve) => session.once('connect', resolve))
let asked = 0
const ask = () => new Promise((resolve, reject) => {
  const turn = String(process.pid) + '-' + asked++
  const headers = { ':path': path.replaceAll('#', turn), ':method': method, ...(body ? { 'content-type': 'application/json' } : {}) }
  const stream = session.request(headers, { endStream: !body })
  if (body) stream.end(body.replaceAll('#', turn))
  stream.on('response', (answer) => { if (answer[':status'] >= 300) reject(new Error('status ' + answer[':status'])) })
  stream.on('error', reject)
  stream.on('end', resolve)
  stream.resume()
})
const run = async (until) => { while (performance.now() < until) await ask() }
const all = (time) => { const until = performance.now() + time; return Promise.all(Array.from({ length: clients }, () => run(until))) }
await all(ms / 4)
asked = 1e6
const began = performance.now()
await all(ms)
console.log((asked - 1e6) * 1000 / (performance.now() - began))
session.close()
`

/** Runs a load and answers requests per second. */
export function h2Load(load: Load): Promise<number> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', program, JSON.stringify(load)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()))
  return new Promise((resolve, reject) => {
    child.on('exit', (code) => (code === 0 ? resolve(Number(said)) : reject(new Error(`the load ended with ${code}`))))
  })
}
