import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { describeError, type Log } from '../../lib/log.ts'
import { type GitProgram, startGit } from '../git/git-process.ts'
import { turns } from '../git/turns.ts'

/** A repository that is served, and who may use it. */
export interface GitServerOptions {
  /** The folder of the repository: a working tree or a bare one. */
  readonly repository: string
  /** The name under which it is served: `/<name>.git`. */
  readonly name: string
  /** The password of whoever may read and write; the user's name does not matter. */
  readonly token: string
  readonly program: GitProgram
  readonly log: Log
}

const AT_ONCE = 8
/** The largest push that is taken. */
const LARGEST_PACK = 256 * 1024 * 1024

type Service = 'git-upload-pack' | 'git-receive-pack'

const isService = (text: string | null): text is Service => text === 'git-upload-pack' || text === 'git-receive-pack'

/** Serves a repository over git's smart HTTP: clone, fetch and push, behind a token. */
export function gitServer(options: GitServerOptions): (request: IncomingMessage, response: ServerResponse) => void {
  const { repository, name, token, program, log } = options
  const atOnce = turns(AT_ONCE)
  const wanted = digest(token)
  return (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://git')
    if (!isAllowed(request, wanted)) {
      answer(response, 401, 'a token is needed: give it as the password\n', { 'www-authenticate': 'Basic realm="git"' })
      return
    }
    const base = `/${name}.git`
    if (request.method === 'GET' && pathname === `${base}/info/refs`) {
      const service = searchParams.get('service')
      if (isService(service)) run(request, response, service, true)
      else answer(response, 403, 'only git over smart HTTP is served here\n')
      return
    }
    const service = pathname.startsWith(`${base}/`) ? pathname.slice(base.length + 1) : null
    if (request.method === 'POST' && isService(service)) run(request, response, service, false)
    else answer(response, 404, `there is no such repository: try ${base}\n`)
  }

  function run(request: IncomingMessage, response: ServerResponse, service: Service, isAdvertised: boolean): void {
    const gone = new AbortController()
    response.once('close', () => gone.abort(new Error('the client went away')))
    atOnce
      .take(() => serve(request, response, service, isAdvertised), gone.signal)
      .catch((error: unknown) => {
        if (gone.signal.aborted) return
        log.warn('a git request failed', { service, because: describeError(error) })
        if (response.headersSent) response.destroy()
        else answer(response, 500, 'git could not be run: see the log\n')
      })
  }

  function serve(
    request: IncomingMessage,
    response: ServerResponse,
    service: Service,
    isAdvertised: boolean,
  ): Promise<void> {
    const version = request.headers['git-protocol']
    const isWrite = service === 'git-receive-pack'
    const child = startGit(program, {
      args: [
        ...(isWrite
          ? ['-c', `receive.maxInputSize=${LARGEST_PACK}`, '-c', 'receive.denyCurrentBranch=updateInstead']
          : []),
        '-c',
        `safe.directory=${repository}`,
        service.slice('git-'.length),
        '--stateless-rpc',
        ...(isAdvertised ? ['--advertise-refs'] : []),
        repository,
      ],
      // What comes in over HTTP may ask for the newer protocol.
      env: typeof version === 'string' && /^[\w=:.-]{1,100}$/.test(version) ? { GIT_PROTOCOL: version } : {},
    })
    return new Promise((resolve, reject) => {
      let said = ''
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        if (said.length < 4_096) said += text
      })
      child.once('error', reject)
      child.once('close', (code) => {
        if (code !== 0 && code !== null) log.info('git ended a request', { service, code, because: said.trim() })
        resolve()
      })
      response.once('close', () => child.kill())
      response.writeHead(200, {
        'content-type': `application/x-${service}-${isAdvertised ? 'advertisement' : 'result'}`,
        'cache-control': 'no-cache, max-age=0, must-revalidate',
      })
      // A version 2 conversation begins without the line that names the service.
      if (isAdvertised && !(typeof version === 'string' && version.includes('version=2') && !isWrite)) {
        response.write(`${packetLine(`# service=${service}\n`)}0000`)
      }
      pipeline(child.stdout, response, () => {})
      child.stdin.on('error', () => {})
      if (isAdvertised) child.stdin.end()
      else if (request.headers['content-encoding'] === 'gzip')
        pipeline(request, createGunzip(), child.stdin, (error) => error && child.kill())
      else pipeline(request, child.stdin, (error) => error && child.kill())
    })
  }
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest()

function isAllowed(request: IncomingMessage, wanted: Buffer): boolean {
  const [, encoded] = /^Basic ([A-Za-z0-9+/=]{1,4096})$/.exec(request.headers.authorization ?? '') ?? []
  if (encoded === undefined) return false
  const given = Buffer.from(encoded, 'base64').toString()
  return timingSafeEqual(digest(given.slice(given.indexOf(':') + 1)), wanted)
}

function packetLine(text: string): string {
  return (text.length + 4).toString(16).padStart(4, '0') + text
}

function answer(
  response: ServerResponse,
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'content-type': 'text/plain', ...headers }).end(text)
}
