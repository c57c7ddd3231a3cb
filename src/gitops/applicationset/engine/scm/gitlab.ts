import { own } from '../../../../lib/json.ts'
import { succeed } from '../../../../lib/result.ts'
import { fieldsOf, isSet, textOf, textsOf } from '../../../fields.ts'
import { type Fields, type GeneratorContext, refuse, wrap } from '../generator.ts'
import type { Outcome } from '../need.ts'
import { refusedBy, type Rest, restOf, segment } from './rest.ts'
import type { PullRequests, Repository, ScmService } from './service.ts'

const PAGE = 'per_page=100'

/** Where the API of GitLab is (go-gitlab WithBaseURL). */
export function gitlabApi(base: string): string {
  if (base === '') return 'https://gitlab.com/api/v4/'
  const withSlash = base.endsWith('/') ? base : `${base}/`
  return withSlash.endsWith('api/v4/') ? withSlash : `${withSlash}api/v4/`
}

const restFor = (spec: Fields, context: GeneratorContext): Rest =>
  restOf('gitlab', gitlabApi(textOf(spec, 'api')), spec, context)

/** GitLab for the SCM provider generator. */
export function gitlabService(spec: Fields, context: GeneratorContext): ScmService {
  const rest = restFor(spec, context)
  const group = textOf(spec, 'group')
  const query = [
    PAGE,
    `include_subgroups=${isSet(spec, 'includeSubgroups')}`,
    `with_shared=${own(spec, 'includeSharedProjects') !== false}`,
    `topic=${segment(textOf(spec, 'topic'))}`,
    ...(isSet(spec, 'includeArchivedRepos') ? ['archived=true'] : []),
  ].join('&')
  return {
    repositories(cloneProtocol) {
      const listed = rest.all(`groups/${segment(group)}/projects?${query}`)
      if (!listed?.ok) return listed
      const failure = `error listing projects for ${group}`
      if (!listed.value.found) return wrap(refusedBy('GitLab', listed.value.status), failure)
      if (!['', 'ssh', 'https'].includes(cloneProtocol)) {
        return refuse(`unknown clone protocol for Gitlab ${cloneProtocol}`)
      }
      const urlField = cloneProtocol === 'https' ? 'http_url_to_repo' : 'ssh_url_to_repo'
      return succeed(
        listed.value.items.map((item) => {
          const topics = textsOf(item, 'topics') ?? []
          return {
            organization: textOf(fieldsOf(item, 'namespace'), 'full_path'),
            repository: textOf(item, 'path'),
            url: textOf(item, urlField),
            branch: textOf(item, 'default_branch'),
            sha: '',
            labels: topics.length > 0 ? topics : (textsOf(item, 'tag_list') ?? []),
            id: item['id'] ?? null,
          }
        }),
      )
    },
    branches(repository) {
      const found = branchesOf(rest, repository, isSet(spec, 'allBranches'))
      if (!found?.ok) {
        const shown = `${repository.organization}/${repository.repository}`
        return found && wrap(found, `error listing branches for ${shown}`)
      }
      return succeed(
        found.value.map((branch) => ({
          ...repository,
          branch: textOf(branch, 'name'),
          sha: textOf(fieldsOf(branch, 'commit'), 'id'),
        })),
      )
    },
    hasPath(repository, path) {
      const project = `projects/${segment(`${repository.organization}/${repository.repository}`)}/repository`
      const ref = segment(repository.branch)
      const file = rest.get(`${project}/files/${segment(path)}?ref=${ref}`)
      if (!file?.ok) return file
      if (file.value.status < 400) return succeed(true)
      if (file.value.status !== 404) return refusedBy('GitLab', file.value.status)
      const folder = rest.get(`${project}/tree?path=${segment(path)}&ref=${ref}`)
      if (!folder?.ok) return folder
      if (folder.value.status < 400) return succeed(true)
      return folder.value.status === 404 ? succeed(false) : refusedBy('GitLab', folder.value.status)
    },
  }
}

function branchesOf(rest: Rest, repository: Repository, isAll: boolean): Outcome<readonly Fields[]> {
  const project = `projects/${segment(String(repository.id))}/repository/branches`
  if (isAll) {
    const listed = rest.all(`${project}?${PAGE}`)
    if (!listed?.ok) return listed
    if (listed.value.found) return succeed(listed.value.items)
    return listed.value.status === 404 ? succeed([]) : refusedBy('GitLab', listed.value.status)
  }
  const answer = rest.get(`${project}/${segment(repository.branch)}`)
  if (!answer?.ok) return answer
  if (answer.value.status === 404) return succeed([])
  return answer.value.status >= 400 ? refusedBy('GitLab', answer.value.status) : succeed([answer.value.body as Fields]) // one branch, which GitLab answers as an object
}

/** The merge requests of a project on GitLab. */
export function gitlabPulls(spec: Fields, context: GeneratorContext): Outcome<PullRequests> {
  const project = textOf(spec, 'project')
  const labels = textsOf(spec, 'labels') ?? []
  const state = textOf(spec, 'pullRequestState')
  const query = [
    PAGE,
    ...(labels.length > 0 ? [`labels=${segment(labels.join(','))}`] : []),
    ...(state === '' ? [] : [`state=${segment(state)}`]),
  ].join('&')
  const listed = restFor(spec, context).all(`projects/${segment(project)}/merge_requests?${query}`)
  if (!listed?.ok) return listed
  if (!listed.value.found) {
    if (listed.value.status === 404) return succeed({ found: false })
    return wrap(refusedBy('GitLab', listed.value.status), `error listing merge requests for project '${project}'`)
  }
  const pulls = listed.value.items.map((item) => ({
    number: Number(item['iid'] ?? 0),
    title: textOf(item, 'title'),
    branch: textOf(item, 'source_branch'),
    targetBranch: textOf(item, 'target_branch'),
    headSha: textOf(item, 'sha'),
    labels: textsOf(item, 'labels') ?? [],
    author: textOf(fieldsOf(item, 'author'), 'username'),
  }))
  return succeed({ found: true, pulls })
}
