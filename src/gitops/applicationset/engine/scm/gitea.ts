import { succeed } from '../../../../lib/result.ts'
import { fieldsOf, isSet, objectsOf, textOf, textsOf } from '../../../fields.ts'
import { type Fields, type GeneratorContext, refuse } from '../generator.ts'
import type { Outcome } from '../need.ts'
import { hasLabels } from './github.ts'
import { pathText, refusedBy, type Rest, restOf, segment } from './rest.ts'
import type { PullRequests, Repository, ScmService } from './service.ts'

const restFor = (spec: Fields, context: GeneratorContext): Rest => {
  const base = textOf(spec, 'api')
  return restOf('gitea', `${base.endsWith('/') ? base.slice(0, -1) : base}/api/v1/`, spec, context)
}

/** Gitea for the SCM provider generator. */
export function giteaService(spec: Fields, context: GeneratorContext): ScmService {
  const rest = restFor(spec, context)
  const owner = textOf(spec, 'owner')
  const nameOf = (repository: string): string => `repos/${segment(owner)}/${segment(repository)}`
  return {
    repositories(cloneProtocol) {
      const listed = rest.all(`orgs/${segment(owner)}/repos`)
      if (!listed?.ok) return listed
      if (!listed.value.found) return refusedBy('Gitea', listed.value.status)
      if (!['', 'ssh', 'https'].includes(cloneProtocol)) {
        return refuse(`unknown clone protocol for Gitea ${cloneProtocol}`)
      }
      const wanted = listed.value.items.filter(
        (item) => !isSet(spec, 'excludeArchivedRepos') || !isSet(item, 'archived'),
      )
      const made: Repository[] = []
      let isComplete = true
      for (const item of wanted) {
        const labels = rest.all(`${nameOf(textOf(item, 'name'))}/labels`)
        if (!labels) isComplete = false
        else if (!labels.ok) return labels
        else if (!labels.value.found) return refusedBy('Gitea', labels.value.status)
        else {
          made.push({
            organization: owner,
            repository: textOf(item, 'name'),
            url: textOf(item, cloneProtocol === 'https' ? 'html_url' : 'ssh_url'),
            branch: textOf(item, 'default_branch'),
            sha: '',
            labels: labels.value.items.map((label) => textOf(label, 'name')),
            id: item['id'] ?? null,
          })
        }
      }
      return isComplete ? succeed(made) : undefined
    },
    branches(repository) {
      const branches = `${nameOf(repository.repository)}/branches`
      const withBranch = (branch: Fields, name: string): Repository => ({
        ...repository,
        branch: name,
        sha: textOf(fieldsOf(branch, 'commit'), 'id'),
      })
      if (isSet(spec, 'allBranches')) {
        const listed = rest.all(branches)
        if (!listed?.ok) return listed
        if (!listed.value.found) return refusedBy('Gitea', listed.value.status)
        return succeed(listed.value.items.map((branch) => withBranch(branch, textOf(branch, 'name'))))
      }
      const answer = rest.get(`${branches}/${pathText(repository.branch)}`)
      if (!answer?.ok) return answer
      if (answer.value.status === 404) {
        return refuse(
          `got 404 while getting default branch ${JSON.stringify(repository.branch)} for repo ${JSON.stringify(repository.repository)} - check your repo config`,
        )
      }
      if (answer.value.status >= 400) return refusedBy('Gitea', answer.value.status)
      return succeed([withBranch(answer.value.body as Fields, repository.branch)]) // one branch is an object
    },
    hasPath(repository, path) {
      const ref = segment(repository.branch)
      const answer = rest.get(`${nameOf(repository.repository)}/contents/${pathText(path)}?ref=${ref}`)
      if (!answer?.ok) return answer
      if (answer.value.status === 404) return succeed(false)
      return answer.value.status >= 400 ? refusedBy('Gitea', answer.value.status) : succeed(true)
    },
  }
}

/** The open pull requests of a repository on Gitea. */
export function giteaPulls(spec: Fields, context: GeneratorContext): Outcome<PullRequests> {
  const path = `repos/${segment(textOf(spec, 'owner'))}/${segment(textOf(spec, 'repo'))}/pulls?state=open`
  const listed = restFor(spec, context).all(path)
  if (!listed?.ok) return listed
  if (!listed.value.found) {
    return listed.value.status === 404 ? succeed({ found: false }) : refusedBy('Gitea', listed.value.status)
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
