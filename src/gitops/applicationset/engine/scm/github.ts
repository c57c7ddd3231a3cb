import { succeed } from '../../../../lib/result.ts'
import { parseUrl, urlText } from '../../../../lib/go-url.ts'
import { fieldsOf, isSet, objectsOf, textOf, textsOf } from '../../../fields.ts'
import { type Fields, type GeneratorContext, refuse, wrap } from '../generator.ts'
import type { Outcome } from '../need.ts'
import { pathText, refusedBy, type Rest, restOf, segment } from './rest.ts'
import type { PullRequests, Repository, ScmService } from './service.ts'

const PAGE = 'per_page=100'

/** Where the API of GitHub is: github.com, or an enterprise server by its base URL (go-github WithEnterpriseURLs). */
export function githubApi(base: string): string {
  if (base === '') return 'https://api.github.com/'
  const url = parseUrl(base.endsWith('/') ? base : `${base}/`)
  if (typeof url === 'string') return base
  const isApi = url.path.endsWith('/api/v3/') || url.host.startsWith('api.') || url.host.includes('.api.')
  return isApi ? urlText(url) : `${urlText(url)}api/v3/`
}

const restFor = (spec: Fields, context: GeneratorContext): Rest =>
  restOf('github', githubApi(textOf(spec, 'api')), spec, context)

/** GitHub for the SCM provider generator. */
export function githubService(spec: Fields, context: GeneratorContext): ScmService {
  const rest = restFor(spec, context)
  const organization = textOf(spec, 'organization')
  const nameOf = (repository: Repository): string =>
    `repos/${segment(repository.organization)}/${segment(repository.repository)}`
  return {
    repositories(cloneProtocol) {
      const listed = rest.all(`orgs/${segment(organization)}/repos?${PAGE}`)
      if (!listed?.ok) return listed
      const failure = `error listing repositories for ${organization}`
      if (!listed.value.found) return wrap(refusedBy('GitHub', listed.value.status), failure)
      const urlField = cloneProtocol === 'https' ? 'clone_url' : 'ssh_url'
      if (!['', 'ssh', 'https'].includes(cloneProtocol)) {
        return refuse(`unknown clone protocol for GitHub ${cloneProtocol}`)
      }
      const wanted = listed.value.items.filter(
        (item) => !isSet(spec, 'excludeArchivedRepos') || !isSet(item, 'archived'),
      )
      return succeed(
        wanted.map((item) => ({
          organization: textOf(fieldsOf(item, 'owner'), 'login'),
          repository: textOf(item, 'name'),
          url: textOf(item, urlField),
          branch: textOf(item, 'default_branch'),
          sha: '',
          labels: textsOf(item, 'topics') ?? [],
          id: item['id'] ?? null,
        })),
      )
    },
    branches(repository) {
      const found = branchesOf(rest, nameOf(repository), repository, isSet(spec, 'allBranches'))
      if (!found?.ok) {
        const shown = `${repository.organization}/${repository.repository}`
        return found && wrap(found, `error listing branches for ${shown}`)
      }
      return succeed(
        found.value.map((branch) => ({
          ...repository,
          branch: textOf(branch, 'name'),
          sha: textOf(fieldsOf(branch, 'commit'), 'sha'),
        })),
      )
    },
    hasPath(repository, path) {
      const ref = segment(repository.branch)
      const answer = rest.get(`${nameOf(repository)}/contents/${pathText(path)}?ref=${ref}`)
      if (!answer?.ok) return answer
      if (answer.value.status === 404) return succeed(false)
      return answer.value.status >= 400 ? refusedBy('GitHub', answer.value.status) : succeed(true)
    },
  }
}

function branchesOf(rest: Rest, name: string, repository: Repository, isAll: boolean): Outcome<readonly Fields[]> {
  if (isAll) {
    const listed = rest.all(`${name}/branches?${PAGE}`)
    if (!listed?.ok) return listed
    return listed.value.found ? succeed(listed.value.items) : refusedBy('GitHub', listed.value.status)
  }
  const answer = rest.get(`${name}/branches/${segment(repository.branch)}`)
  if (!answer?.ok) return answer
  if (answer.value.status === 404) return succeed([])
  return answer.value.status >= 400 ? refusedBy('GitHub', answer.value.status) : succeed([answer.value.body as Fields]) // one branch, which GitHub answers as an object
}

/** Whether every wanted label is there. */
export const hasLabels = (wanted: readonly string[] | undefined, labels: readonly string[]): boolean =>
  (wanted ?? []).every((label) => labels.includes(label))

/** The open pull requests of a repository on GitHub. */
export function githubPulls(spec: Fields, context: GeneratorContext): Outcome<PullRequests> {
  const [owner, repo] = [textOf(spec, 'owner'), textOf(spec, 'repo')]
  const listed = restFor(spec, context).all(`repos/${segment(owner)}/${segment(repo)}/pulls?${PAGE}`)
  if (!listed?.ok) return listed
  if (!listed.value.found) {
    if (listed.value.status === 404) return succeed({ found: false })
    return wrap(refusedBy('GitHub', listed.value.status), `error listing pull requests for ${owner}/${repo}`)
  }
  const pulls = listed.value.items.map((item) => ({
    number: Number(item['number'] ?? 0),
    title: textOf(item, 'title'),
    branch: textOf(fieldsOf(item, 'head'), 'ref'),
    targetBranch: textOf(fieldsOf(item, 'base'), 'ref'),
    headSha: textOf(fieldsOf(item, 'head'), 'sha'),
    labels: (objectsOf(item, 'labels') ?? []).map((label) => textOf(label, 'name')),
    author: textOf(fieldsOf(item, 'user'), 'login'),
  }))
  return succeed({ found: true, pulls: pulls.filter((pull) => hasLabels(textsOf(spec, 'labels'), pull.labels)) })
}
