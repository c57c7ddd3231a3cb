import type { Problem } from '../../lib/result.ts'
import type { GitOutput } from './git-process.ts'
import { withoutUser } from './git-url.ts'

/** What git says when it was not let in. */
const DENIED =
  /authentication failed|could not read (?:username|password)|permission denied|access denied|HTTP 40[13]|returned error: 40[13]|invalid credentials|Host key verification failed/i
const NOT_FOUND =
  /repository .*not found|returned error: 404|does not appear to be a git repository|project you were looking for/i
const TLS = /certificate|SSL|TLS/i
const NO_REVISION = /couldn't find remote ref|not our ref|unadvertised object|no such remote ref/i

/** The line of git's complaint that says why, without what could be a credential. */
function because(err: string): string {
  const lines = err
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('hint:'))
  const line = lines.find((each) => /^(?:fatal|error|remote|ssh):/i.test(each)) ?? lines.at(-1) ?? 'git gave no reason'
  return line
    .replace(/^(?:fatal|error):\s*/i, '')
    .replace(/([a-z][a-z0-9+.-]*:\/\/)[^/@\s']*@/gi, '$1')
    .replace(/[^\x20-\x7e]/g, ' ')
    .slice(0, 300)
}

/** Why a repository could not be reached, from what git said. */
export function problemOf(repoURL: string, output: GitOutput, timeoutMs: number): Problem {
  const at = withoutUser(repoURL)
  const cannot = (why: string): string => `cannot reach the repository ${at}: ${why}`
  if (output.ended === 'timeout') {
    return { code: 'git-unreachable', at, message: cannot(`it took longer than ${timeoutMs / 1000} seconds`) }
  }
  if (output.ended === 'output')
    return { code: 'git-too-large', at, message: cannot('it has too many branches and tags') }
  const reason = because(output.err)
  if (NO_REVISION.test(output.err)) return { code: 'git-revision-unknown', at, message: cannot(reason) }
  if (DENIED.test(output.err)) {
    return {
      code: 'git-access-denied',
      at,
      message: cannot(reason),
      cure: 'check the Secret labelled argocd.argoproj.io/secret-type: repository (or repo-creds) whose url fits this one',
    }
  }
  if (NOT_FOUND.test(output.err)) {
    return {
      code: 'git-unreachable',
      at,
      message: cannot(`repository not found (${reason})`),
      cure: 'check the URL; private repositories also answer so when no credentials are given',
    }
  }
  const cure = TLS.test(output.err)
    ? 'put the certificate of its authority into the ConfigMap argocd-tls-certs-cm under the host name'
    : undefined
  return { code: 'git-unreachable', at, message: cannot(reason), ...(cure === undefined ? {} : { cure }) }
}
