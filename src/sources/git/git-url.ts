import { fail, type Result, succeed } from '../../lib/result.ts'

/** How a repository is reached, with what its URL said about who asks taken out of it. */
export type GitRemote =
  | {
      readonly transport: 'http'
      readonly url: string
      readonly username: string | undefined
      readonly password: string | undefined
    }
  | { readonly transport: 'ssh'; readonly url: string }
  | { readonly transport: 'local'; readonly path: string }

const SSH = /^(?:ssh:\/\/)?([^/:]*?)@[^@]+$/
const LONGEST = 4096

const refuse = (repoURL: string, because: string, cure?: string): Result<never> =>
  fail({
    code: 'git-url-invalid',
    at: 'repoURL',
    message: `cannot use the repository URL ${JSON.stringify(withoutUser(repoURL).slice(0, 200))}: ${because}`,
    ...(cure === undefined ? {} : { cure }),
  })

/** A URL as messages may show it: without what stands before the host. */
export function withoutUser(repoURL: string): string {
  return repoURL.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/@]*@/i, '$1')
}

/**
 * Two URLs with the same text name the same repository. Case, a `.git` at the end, and how SSH is written make no difference
 * (Argo CD 3.x, util/git/git.go). Text that is no URL is its own name.
 */
export function normalGitUrl(repoURL: string): string {
  let text = repoURL.trim().toLowerCase()
  if (SSH.test(text) && !text.startsWith('ssh://')) text = `ssh://${text.replace(':', '/')}`
  text = text.replace(/\.git$/, '')
  return text.startsWith('ssh://') ? text.slice('ssh://'.length) : text
}

/** Tells from a URL how to reach the repository. Helper programs, options and other surprises are refused. */
export function parseGitUrl(repoURL: string): Result<GitRemote> {
  const text = repoURL.trim()
  if (text === '') return refuse(repoURL, 'it is empty', 'set spec.source.repoURL')
  if (text.length > LONGEST) return refuse(repoURL, `it has more than ${LONGEST} characters`)
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(text)) return refuse(repoURL, 'it holds control characters')
  if (text.startsWith('-')) return refuse(repoURL, 'it begins with a dash')
  if (/^https?:\/\//i.test(text)) return parseHttp(text)
  if (text.startsWith('file://')) return parseFile(text)
  if (text.startsWith('/')) return succeed({ transport: 'local', path: text })
  if (/^ssh:\/\//i.test(text) || (SSH.test(text) && !text.includes('::') && !text.includes('://')))
    return parseSsh(text)
  return refuse(repoURL, 'it is neither https, ssh nor a local repository', 'write https://HOST/PATH or git@HOST:PATH')
}

function parseHttp(text: string): Result<GitRemote> {
  if (!URL.canParse(text)) return refuse(text, 'it is no URL')
  const url = new URL(text)
  const { username, password } = url
  url.username = ''
  url.password = ''
  url.hash = ''
  const part = (value: string): string | undefined => (value === '' ? undefined : decode(value))
  return succeed({ transport: 'http', url: url.href, username: part(username), password: part(password) })
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    // A stray percent sign stands for itself.
    return text
  }
}

function parseFile(text: string): Result<GitRemote> {
  if (!URL.canParse(text)) return refuse(text, 'it is no URL')
  const url = new URL(text)
  if (url.host !== '' && url.host !== 'localhost') return refuse(text, 'a file URL has no host')
  const path = decode(url.pathname)
  return path.includes('\0') ? refuse(text, 'it holds control characters') : succeed({ transport: 'local', path })
}

function parseSsh(text: string): Result<GitRemote> {
  const host = /^ssh:\/\//i.test(text)
    ? /^ssh:\/\/(?:[^/@]*@)?([^/:]*)/i.exec(text)?.[1]
    : /^[^@]*@([^:/]*)[:/]/.exec(text)?.[1]
  if (!host) return refuse(text, 'it has no host')
  // A host or user that begins with a dash would be an option of ssh.
  if (host.startsWith('-') || /^(?:ssh:\/\/)?-/.test(text)) return refuse(text, 'its host or user begins with a dash')
  return succeed({ transport: 'ssh', url: text })
}
