import { stringList } from '../../../../lang/gotemplate/value.ts'
import { own } from '../../../../lib/json.ts'
import { compilePattern, type Pattern } from '../../../../lib/re2.ts'
import { type Result, succeed } from '../../../../lib/result.ts'
import { isSet, objectsOf } from '../../../fields.ts'
import { type Fields, type Generator, refuse, withValues, wrap } from '../generator.ts'
import { slugOf } from '../names.ts'
import { type Params, paramsFrom } from '../params.ts'
import { giteaPulls } from '../scm/gitea.ts'
import { githubPulls } from '../scm/github.ts'
import { gitlabPulls } from '../scm/gitlab.ts'
import { providerOf } from '../scm/provider.ts'
import type { PullRequest } from '../scm/service.ts'

const pullsOf = { github: githubPulls, gitlab: gitlabPulls, gitea: giteaPulls }

/** The requests to merge of a repository that are open. */
export const pullRequest: Generator = (spec, context) => {
  const provider = providerOf(spec, context, 'Pull Request')
  if (!provider.ok) return provider
  const filters = compileFilters(objectsOf(spec, 'filters') ?? [])
  if (!filters.ok) return wrap(filters, 'error listing repos')
  const listed = pullsOf[provider.value.name](provider.value.spec, context)
  if (!listed?.ok) return listed && wrap(listed, 'error listing repos')
  if (!listed.value.found) {
    return isSet(spec, 'continueOnRepoNotFoundError')
      ? succeed([])
      : refuse('error listing repos: repository not found')
  }
  const made: Params[] = []
  for (const pull of listed.value.pulls) {
    if (filters.value.length > 0 && !filters.value.some((filter) => filter(pull))) continue
    const params = withValues(paramsOf(pull, context.dialect.goTemplate), spec, context)
    if (!params.ok) return wrap(params, 'failed to append templated values')
    made.push(params.value)
  }
  return succeed(made)
}

const slug = (branch: string): string => slugOf(branch, { longest: 50, cutsAtWords: true, underscoresAreDashes: true })

function paramsOf(pull: PullRequest, isGoTemplate: boolean): Params {
  return paramsFrom([
    ['number', String(pull.number)],
    ['title', pull.title],
    ['branch', pull.branch],
    ['branch_slug', slug(pull.branch)],
    ['target_branch', pull.targetBranch],
    ['target_branch_slug', slug(pull.targetBranch)],
    ['head_sha', pull.headSha],
    ['head_short_sha', pull.headSha.slice(0, 8)],
    ['head_short_sha_7', pull.headSha.slice(0, 7)],
    ['author', pull.author],
    ...(isGoTemplate ? [['labels', stringList(pull.labels)] as const] : []),
  ])
}

type PullFilter = (pull: PullRequest) => boolean

const SUBJECTS = [
  ['branchMatch', 'BranchMatch', (pull: PullRequest): string => pull.branch],
  ['targetBranchMatch', 'TargetBranchMatch', (pull: PullRequest): string => pull.targetBranch],
  ['titleMatch', 'TitleMatch', (pull: PullRequest): string => pull.title],
] as const

function compileFilters(filters: readonly Fields[]): Result<readonly PullFilter[]> {
  const compiled: PullFilter[] = []
  for (const filter of filters) {
    const checks: PullFilter[] = []
    for (const [field, words, subject] of SUBJECTS) {
      const source = own(filter, field)
      if (typeof source !== 'string') continue
      const pattern = compilePattern(source)
      if (!pattern.ok) return wrap(pattern, `error compiling ${words} regexp ${JSON.stringify(source)}`)
      checks.push((pull) => finds(pattern.value, subject(pull)))
    }
    compiled.push((pull) => checks.every((check) => check(pull)))
  }
  return succeed(compiled)
}

const finds = (pattern: Pattern, text: string): boolean => pattern.matcher(text).find()
