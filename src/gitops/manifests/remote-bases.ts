import { type FileTree, memoryTree } from '../../lib/file-tree.ts'
import { describeError } from '../../lib/log.ts'
import { fail, type Problem, type Result } from '../../lib/result.ts'
import type { KustomizeOptions } from '../../render/kustomize/build-kustomization.ts'
import type { Http } from '../../sources/chart/http.ts'
import type { GitRepositories } from '../../sources/git/git-repositories.ts'
import type { GitTree } from '../../sources/git/git-tree.ts'
import type { Outside } from './outside.ts'

/** A folder of another repository, as a kustomization names it. */
export interface RemoteBase {
  readonly repoURL: string
  readonly path: string
  readonly revision: string
}

/** Hosts whose repositories are two folders deep, so that what follows is a path. */
const FORGE =
  /^((?:https?:\/\/|ssh:\/\/)?(?:[^@/]+@)?(?:github\.com|gitlab\.com|bitbucket\.org)[/:][^/]+\/[^/?]+)(.*)$/i

/** Reads `URL//path?ref=REVISION`, `URL.git/path?ref=` and, for well-known hosts, `host/owner/repository/path?ref=`. */
export function parseRemoteBase(text: string): RemoteBase | undefined {
  const [whole = '', query = ''] = text.replace(/^git::/, '').split('?', 2)
  const parameters = new URLSearchParams(query)
  const revision = parameters.get('ref') ?? parameters.get('version') ?? ''
  const base = (repoURL: string, path: string): RemoteBase => ({
    repoURL: withScheme(repoURL),
    path: path.replace(/^\/+|\/+$/g, ''),
    revision,
  })
  const schemeEnd = whole.indexOf('://')
  const split = whole.indexOf('//', schemeEnd < 0 ? 0 : schemeEnd + 3)
  if (split > 0) return base(whole.slice(0, split), whole.slice(split + 2))
  const dotGit = /^(.*?\.git)(?:\/(.*))?$/.exec(whole)
  if (dotGit) return base(dotGit[1] ?? '', dotGit[2] ?? '')
  const inAzure = /^(.*\/_git\/[^/]+)(?:\/(.*))?$/.exec(whole)
  if (inAzure) return base(inAzure[1] ?? '', inAzure[2] ?? '')
  const forge = FORGE.exec(whole)
  if (forge) return base(forge[1] ?? '', forge[2] ?? '')
  return schemeEnd < 0 ? undefined : base(whole, '')
}

function withScheme(repoURL: string): string {
  if (repoURL.startsWith('gh:')) return `https://github.com/${repoURL.slice(3)}`
  return /^[a-z]+:\/\//i.test(repoURL) || repoURL.includes('@') ? repoURL : `https://${repoURL}`
}

const MOST_FILES = 20_000
const MAX_FILE_BYTES = 16 * 1024 * 1024

/** All files of a tree in memory: bases refer to each other across folders. */
function copyOf(tree: GitTree): FileTree {
  const files: Record<string, Uint8Array> = {}
  const folders = ['']
  for (let at = 0; at < folders.length && folders.length < MOST_FILES; at++) {
    const folder = folders[at] ?? ''
    for (const name of tree.list(folder) ?? []) {
      const path = folder === '' ? name : `${folder}/${name}`
      if (name.endsWith('/')) folders.push(path.slice(0, -1))
      else {
        const data = tree.read(path)
        if (data) files[path] = data
      }
    }
  }
  return memoryTree(files)
}

/** Tells a repository of this machine's disk. */
export const isOnDisk = (repoURL: string): boolean => /^(?:file:|\/)/i.test(repoURL.trim())

/** What remote bases are fetched with. */
export interface RemoteBaseParts {
  readonly git: GitRepositories
  readonly http: Http
  readonly project: string
  /** Whether bases may be repositories on this machine's disk: only where the source itself is one. */
  readonly mayReadDisk: boolean
  readonly outside: Outside
  /** Where problems with what is outside are told: to the kustomization it just is not there. */
  readonly problems: Problem[]
  readonly signal?: AbortSignal
}

/** Where kustomizations get remote bases and files from. */
export function remoteBases({
  git,
  http,
  project,
  mayReadDisk,
  outside,
  problems,
  signal,
}: RemoteBaseParts): NonNullable<KustomizeOptions['remote']> {
  const wait = signal ? { signal } : {}
  const valueOf = <T>(result: Result<T> | undefined): T | undefined => {
    if (result && !result.ok) problems.push(...result.error)
    return result?.ok ? result.value : undefined
  }
  return {
    folder(url) {
      const base = parseRemoteBase(url)
      if (!base || (isOnDisk(base.repoURL) && !mayReadDisk)) return undefined
      const { repoURL, revision } = base
      const tree = valueOf(
        outside.get<FileTree>(`base ${repoURL} ${revision}`, async () => {
          const sha = await git.resolve({ repoURL, revision, project }, wait)
          if (!sha.ok) return sha
          return git.use({ repoURL, sha: sha.value, project }, { ahead: [''], work: copyOf, ...wait })
        }),
      )
      return tree && { tree, path: base.path }
    },
    file(url) {
      return valueOf(
        outside.get<Uint8Array>(`file ${url}`, async () => {
          try {
            const answer = await http({ url, maxBytes: MAX_FILE_BYTES, ...wait })
            if (answer.status === 200) return { ok: true, value: answer.body }
            return fail(unreachable(url, `the server answers ${answer.status}`))
          } catch (cause) {
            return fail(unreachable(url, describeError(cause)))
          }
        }),
      )
    },
  }
}

const unreachable = (url: string, because: string): Problem => ({
  code: 'remote-file-unreachable',
  at: url.split('?')[0] ?? url,
  message: `cannot fetch the remote file ${url.split('?')[0] ?? url}: ${because}`,
})
