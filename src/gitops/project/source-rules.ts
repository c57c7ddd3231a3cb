import type { AppProject } from './app-project.ts'
import { accepts, isDenial, normalRepoUrl } from './match-rule.ts'
import { deny, permit, type Verdict } from './verdict.ts'

/** Whether a project takes sources from a repository: one rule must accept it, and no denial may cover it. */
export function checkSource(project: AppProject, repoUrl: string): Verdict {
  const url = normalRepoUrl(repoUrl)
  let accepted: { readonly rule: string; readonly at: string } | undefined
  for (const [index, rule] of project.sourceRepos.entries()) {
    const at = `spec.sourceRepos[${index}]`
    const normal = isDenial(rule) ? `!${normalRepoUrl(rule.slice(1))}` : normalRepoUrl(rule)
    if (accepts(normal, url, 'gobwas-path')) accepted ??= { rule, at }
    else if (isDenial(normal)) {
      return deny(at, `the rule "${rule}" excludes "${repoUrl}"`, `remove "${rule}" from ${at}, or make it narrower`)
    }
  }
  if (accepted) return permit(accepted.at, `the rule "${accepted.rule}" accepts "${repoUrl}"`)
  const because =
    project.sourceRepos.length === 0 ? 'no repository is allowed' : `no rule accepts "${repoUrl}": ${listed(project)}`
  return deny('spec.sourceRepos', because, `add "${repoUrl}" to spec.sourceRepos`)
}

const listed = (project: AppProject): string => project.sourceRepos.map((rule) => `"${rule}"`).join(', ')
