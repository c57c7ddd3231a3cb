import { GoInt, INTS } from '../../../../lang/gotemplate/value.ts'
import { own } from '../../../../lib/json.ts'
import { compilePattern, type Pattern } from '../../../../lib/re2.ts'
import { type Result, succeed } from '../../../../lib/result.ts'
import { objectsOf, textOf, textsOf } from '../../../fields.ts'
import { type Fields, type Generator, withValues, wrap } from '../generator.ts'
import { sanitizeName } from '../names.ts'
import type { Outcome } from '../need.ts'
import { type Params, paramsFrom } from '../params.ts'
import { giteaService } from '../scm/gitea.ts'
import { githubService } from '../scm/github.ts'
import { gitlabService } from '../scm/gitlab.ts'
import { providerOf } from '../scm/provider.ts'
import type { Repository, ScmService } from '../scm/service.ts'

const serviceOf = { github: githubService, gitlab: gitlabService, gitea: giteaService }

/** The repositories of an organisation, one set of parameters a branch. */
export const scmProvider: Generator = (spec, context) => {
  const provider = providerOf(spec, context, 'SCM')
  if (!provider.ok) return provider
  const service = serviceOf[provider.value.name](provider.value.spec, context)
  const listed = listRepositories(service, spec)
  if (!listed?.ok) return listed && wrap(listed, 'error listing repos')
  const made: Params[] = []
  for (const repository of listed.value) {
    const params = withValues(paramsOf(repository), spec, context)
    if (!params.ok) return wrap(params, 'failed to append templated values')
    made.push(params.value)
  }
  return succeed(made)
}

const paramsOf = (repository: Repository): Params =>
  paramsFrom([
    ['organization', repository.organization],
    ['repository', repository.repository],
    ['repository_id', wholeNumber(repository.id)],
    ['url', repository.url],
    ['branch', repository.branch],
    ['sha', repository.sha],
    ['short_sha', repository.sha.slice(0, 8)],
    ['short_sha_7', repository.sha.slice(0, 7)],
    ['labels', repository.labels.join(',')],
    ['branchNormalized', sanitizeName(repository.branch)],
  ])

/** Ids are Go integers, which templates print without an exponent. */
const wholeNumber = (id: unknown): unknown =>
  typeof id === 'number' && Number.isSafeInteger(id) ? new GoInt(INTS.int64, BigInt(id)) : id

interface Filter {
  readonly isAboutBranches: boolean
  readonly accepts: (repository: Repository) => Outcome<boolean>
}

/** Repositories that some filter accepts, then their branches that some filter accepts. */
function listRepositories(service: ScmService, spec: Fields): Outcome<readonly Repository[]> {
  const filters = compileFilters(objectsOf(spec, 'filters') ?? [], service)
  if (!filters.ok) return filters
  const all = service.repositories(textOf(spec, 'cloneProtocol'))
  if (!all?.ok) return all
  const wanted = keep(
    all.value,
    filters.value.filter((filter) => !filter.isAboutBranches),
  )
  if (!wanted?.ok) return wanted
  const branches: Repository[] = []
  let isComplete = true
  for (const repository of wanted.value) {
    const found = service.branches(repository)
    if (!found) isComplete = false
    else if (!found.ok) return found
    else branches.push(...found.value)
  }
  if (!isComplete) return undefined
  return keep(
    branches,
    filters.value.filter((filter) => filter.isAboutBranches),
  )
}

function keep(repositories: readonly Repository[], filters: readonly Filter[]): Outcome<readonly Repository[]> {
  if (filters.length === 0) return succeed(repositories)
  const kept: Repository[] = []
  let isComplete = true
  for (const repository of repositories) {
    const verdict = anyAccepts(repository, filters)
    if (!verdict) isComplete = false
    else if (!verdict.ok) return verdict
    else if (verdict.value) kept.push(repository)
  }
  return isComplete ? succeed(kept) : undefined
}

function anyAccepts(repository: Repository, filters: readonly Filter[]): Outcome<boolean> {
  for (const filter of filters) {
    const accepted = filter.accepts(repository)
    if (!accepted?.ok || accepted.value) return accepted
  }
  return succeed(false)
}

/** A filter that says nothing belongs to neither kind, and so counts for nothing. */
function compileFilters(filters: readonly Fields[], service: ScmService): Result<readonly Filter[]> {
  const compiled: Filter[] = []
  for (const filter of filters) {
    const patterns = patternsOf(filter)
    if (!patterns.ok) return patterns
    const has = (field: string): boolean => Array.isArray(own(filter, field))
    const isAboutBranches = has('pathsExist') || has('pathsDoNotExist') || patterns.value.has('branchMatch')
    if (!isAboutBranches && patterns.value.size === 0) continue
    compiled.push({ isAboutBranches, accepts: (repository) => judge(repository, filter, patterns.value, service) })
  }
  return succeed(compiled)
}

type Patterns = ReadonlyMap<string, Pattern>

function patternsOf(filter: Fields): Result<Patterns> {
  const patterns = new Map<string, Pattern>()
  for (const [field, words] of [
    ['repositoryMatch', 'RepositoryMatch'],
    ['labelMatch', 'LabelMatch'],
    ['branchMatch', 'BranchMatch'],
  ] as const) {
    const source = own(filter, field)
    if (typeof source !== 'string') continue
    const pattern = compilePattern(source)
    if (!pattern.ok) return wrap(pattern, `error compiling ${words} regexp ${JSON.stringify(source)}`)
    patterns.set(field, pattern.value)
  }
  return succeed(patterns)
}

function judge(repository: Repository, filter: Fields, patterns: Patterns, service: ScmService): Outcome<boolean> {
  const fails = (field: string, texts: readonly string[]): boolean => {
    const pattern = patterns.get(field)
    return pattern !== undefined && !texts.some((text) => pattern.matcher(text).find())
  }
  if (fails('repositoryMatch', [repository.repository]) || fails('branchMatch', [repository.branch])) {
    return succeed(false)
  }
  if (fails('labelMatch', repository.labels)) return succeed(false)
  for (const [field, wanted] of [
    ['pathsExist', true],
    ['pathsDoNotExist', false],
  ] as const) {
    for (const path of textsOf(filter, field) ?? []) {
      const has = service.hasPath(repository, withoutEndSlashes(path))
      if (!has?.ok) return has
      if (has.value !== wanted) return succeed(false)
    }
  }
  return succeed(true)
}

function withoutEndSlashes(path: string): string {
  let end = path.length
  while (path[end - 1] === '/') end--
  return path.slice(0, end)
}
