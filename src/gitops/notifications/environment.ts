import { fn } from '../../lang/gotemplate/function.ts'
import { failWith, type GoFunction } from '../../lang/gotemplate/value.ts'
import { duration, time, timeFrom } from '../../lang/exprlang/time.ts'
import { ExprError, ExprFunction } from '../../lang/exprlang/value.ts'
import type { Environment } from '../../lang/exprlang/exprlang.ts'
import { parseUrl, urlText } from '../../lib/go-url.ts'

/** What is known of the commit that an Application runs. */
export interface CommitFacts {
  readonly sha: string
  readonly Message: string
  readonly Author: string
  readonly Date: string
  readonly Tags: readonly string[]
}

/** What triggers and templates see of an Application. */
export interface NotificationFacts {
  readonly app: unknown
  readonly appProject: unknown
  readonly context: Readonly<Record<string, string>>
  readonly nowMs: number
  readonly commit?: CommitFacts
}

const withoutGit = (path: string): string => path.replace(/\.git\/?$/, '')

/** `git@host:org/repo` as a URL. */
function repositoryUrl(text: string): ReturnType<typeof parseUrl> {
  const scp = /^([^@/:]+@)?([^/:]+):(?!\/\/)(.+)$/.exec(text)
  return parseUrl(scp && !text.includes('://') ? `ssh://${scp[1] ?? ''}${scp[2] ?? ''}/${scp[3] ?? ''}` : text)
}

/** `org/repo` of a repository's URL. */
export function fullName(url: string): string {
  const parsed = repositoryUrl(url)
  if (typeof parsed === 'string') return url
  const parts = withoutGit(parsed.path)
    .split('/')
    .filter((part) => part !== '')
  return parts.length >= 2 ? parts.slice(0, 2).join('/') : withoutGit(parsed.path)
}

/** The URL under which people open a repository. */
export function httpsUrl(url: string): string {
  const parsed = repositoryUrl(url)
  if (typeof parsed === 'string') return url
  const path = withoutGit(parsed.path)
  return urlText({ scheme: 'https', opaque: '', userinfo: undefined, host: parsed.host, path, query: '', fragment: '' })
}

const queryEscape = (text: string): string => encodeURIComponent(text).replaceAll('%20', '+')

type Plain = (...args: readonly string[]) => unknown

/** Functions of texts that both languages offer under the same names. */
function plainFunctions(commit: CommitFacts | undefined): Readonly<Record<string, Readonly<Record<string, Plain>>>> {
  return {
    strings: {
      ReplaceAll: (text = '', from = '', to = '') => text.replaceAll(from, to),
      ToUpper: (text = '') => text.toUpperCase(),
      ToLower: (text = '') => text.toLowerCase(),
    },
    repo: {
      FullNameByRepoURL: (url = '') => fullName(url),
      RepoURLToHTTPS: (url = '') => httpsUrl(url),
      QueryEscape: (text = '') => queryEscape(text),
      GetCommitMetadata: (sha = '') => {
        if (commit?.sha !== sha) throw new ExprError(`nothing is known of the commit ${sha}`)
        return { Message: commit.Message, Author: commit.Author, Date: commit.Date, Tags: commit.Tags, SHA: sha }
      },
    },
  }
}

const mapped = <T>(
  groups: ReturnType<typeof plainFunctions>,
  make: (act: Plain) => T,
): Record<string, Record<string, T>> =>
  Object.fromEntries(
    Object.entries(groups).map(([group, functions]) => [
      group,
      Object.fromEntries(Object.entries(functions).map(([name, act]) => [name, make(act)])),
    ]),
  )

const SPANS: Readonly<Record<string, bigint>> = {
  Nanosecond: 1n,
  Microsecond: 1_000n,
  Millisecond: 1_000_000n,
  Second: 1_000_000_000n,
  Minute: 60_000_000_000n,
  Hour: 3_600_000_000_000n,
}
const RFC3339 = '2006-01-02T15:04:05Z07:00'
const LAYOUTS: Readonly<Record<string, string>> = {
  ANSIC: 'Mon Jan _2 15:04:05 2006',
  RFC822: '02 Jan 06 15:04 MST',
  RFC1123: 'Mon, 02 Jan 2006 15:04:05 MST',
  RFC3339,
  RFC3339Nano: '2006-01-02T15:04:05.999999999Z07:00',
  Kitchen: '3:04PM',
  Stamp: 'Jan _2 15:04:05',
}

/** What the conditions of triggers see. */
export function triggerEnvironment({ app, appProject, context, nowMs, commit }: NotificationFacts): Environment {
  const spans = Object.entries(SPANS).map(([name, span]) => [name, duration(span)] as const)
  const call = (act: Plain): ExprFunction => new ExprFunction((...args) => act(...args.map(String)))
  return {
    app,
    appProject,
    context,
    ...mapped(plainFunctions(commit), call),
    time: {
      Now: new ExprFunction(() => time(nowMs)),
      Parse: new ExprFunction((text) => timeFrom(String(text), RFC3339)),
      ...Object.fromEntries(spans),
      ...LAYOUTS,
    },
  }
}

/** What templates see: `{{ call .repo.FullNameByRepoURL .app.spec.source.repoURL }}`. */
export function templateEnvironment(facts: NotificationFacts): Readonly<Record<string, unknown>> {
  const guarded =
    (act: Plain): Plain =>
    (...args) => {
      try {
        return act(...args)
      } catch (error) {
        if (error instanceof ExprError) return failWith(error.message)
        throw error
      }
    }
  const call = (act: Plain): GoFunction => fn(['...string'], 'any', (...args) => guarded(act)(...args))
  const { app, appProject, context, commit } = facts
  return { app, appProject, context, ...mapped(plainFunctions(commit), call), time: LAYOUTS }
}
