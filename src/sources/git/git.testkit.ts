import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/** A repository for tests: real git in a folder of its own. */
export interface ScratchRepository {
  readonly path: string
  readonly url: string
  git(...args: readonly string[]): string
  /** Writes files (undefined removes one, `{ link }` makes a link) and commits them; answers the SHA. */
  commit(
    files: Readonly<Record<string, string | Uint8Array | { readonly link: string } | undefined>>,
    message?: string,
  ): string
}

/** A folder that goes away with `remove`. */
export function scratchFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'idp-git-'))
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) }
}

/** Makes a repository with the branch `main` and no commit. */
export function scratchRepository(path: string): ScratchRepository {
  mkdirSync(path, { recursive: true })
  const env = {
    PATH: process.env['PATH'],
    HOME: path,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_AUTHOR_NAME: 'Ada',
    GIT_AUTHOR_EMAIL: 'ada@example.com',
    GIT_COMMITTER_NAME: 'Ada',
    GIT_COMMITTER_EMAIL: 'ada@example.com',
    GIT_AUTHOR_DATE: '2026-01-02T03:04:05Z',
    GIT_COMMITTER_DATE: '2026-01-02T03:04:05Z',
  }
  const git = (...args: readonly string[]): string =>
    execFileSync('git', [...args], { cwd: path, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim()
  git('init', '--quiet', '--initial-branch=main')
  return {
    path,
    url: `file://${path}`,
    git,
    commit(files, message = 'change') {
      for (const [name, content] of Object.entries(files)) {
        const file = join(path, name)
        mkdirSync(dirname(file), { recursive: true })
        rmSync(file, { force: true, recursive: true })
        if (content === undefined) continue
        if (typeof content === 'object' && 'link' in content) symlinkSync(content.link, file)
        else writeFileSync(file, content)
      }
      git('add', '--all')
      git('commit', '--quiet', '--allow-empty', '--message', message)
      return git('rev-parse', 'HEAD')
    },
  }
}

/** A Git server over smart HTTP that may ask for a user and a password. */
export interface GitServer {
  readonly url: string
  /** Every Authorization header and path that came, in order. */
  readonly seen: readonly { readonly path: string; readonly authorization: string | undefined }[]
  close(): Promise<void>
}

/** Serves the repositories below a folder with git's own backend. */
export async function gitServer(root: string, authorization?: string): Promise<GitServer> {
  const seen: { path: string; authorization: string | undefined }[] = []
  const server: Server = createServer((request, response) => {
    seen.push({ path: request.url ?? '', authorization: request.headers.authorization })
    if (authorization !== undefined && request.headers.authorization !== authorization) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="git"' }).end()
      return
    }
    serve(root, request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}

function serve(root: string, request: IncomingMessage, response: ServerResponse): void {
  const { pathname, search } = new URL(request.url ?? '/', 'http://x')
  const child = spawn('git', ['http-backend'], {
    env: {
      PATH: process.env['PATH'],
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: '1',
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'safe.directory',
      GIT_CONFIG_VALUE_0: '*',
      PATH_INFO: pathname,
      QUERY_STRING: search.slice(1),
      REQUEST_METHOD: request.method ?? 'GET',
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
      REMOTE_ADDR: '127.0.0.1',
    },
  })
  request.pipe(child.stdin)
  child.stdin.on('error', () => {})
  const chunks: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  child.on('close', () => {
    const all = Buffer.concat(chunks)
    const end = all.indexOf('\r\n\r\n')
    let status = 200
    for (const line of all.subarray(0, Math.max(end, 0)).toString().split('\r\n')) {
      const [name = '', value = ''] = line.split(': ')
      if (name.toLowerCase() === 'status') status = Number(value.split(' ')[0])
      else if (name !== '') response.setHeader(name, value)
    }
    response.writeHead(end < 0 ? 500 : status).end(all.subarray(end + 4))
  })
}
