import { compilePattern } from '../../lib/re2.ts'
import type { AppProject, ProjectRole } from './app-project.ts'
import { covers } from './match-rule.ts'

/** One line of a role: who may do what to which objects. */
export interface PolicyLine {
  readonly subject: string
  readonly resource: string
  readonly action: string
  readonly object: string
  readonly effect: string
}

/** What somebody wants to do, as RBAC sees it: `applications`, `sync`, `project/name`. */
export interface AccessRequest {
  readonly resource: string
  readonly action: string
  readonly object: string
}

export interface AccessVerdict {
  readonly allowed: boolean
  readonly because: string
}

/** Reads `p, sub, res, act, obj, eft`; undefined where the text is none. */
export function parsePolicyLine(text: string): PolicyLine | undefined {
  const parts = text.split(',').map((part) => part.trim())
  const [kind, subject, resource, action, object, effect] = parts
  if (parts.length !== 6 || kind !== 'p') return undefined
  return {
    subject: subject ?? '',
    resource: resource ?? '',
    action: action ?? '',
    object: object ?? '',
    effect: effect ?? '',
  }
}

/** How patterns of policies match: globs, or with `policy.matchMode: regex` regular expressions. */
export type MatchMode = 'glob' | 'regex'

/**
 * Whether a role may do something: one line must allow it and none may deny it. Every role may read its own project.
 */
export function mayRole(
  project: AppProject,
  role: ProjectRole,
  request: AccessRequest,
  mode: MatchMode = 'glob',
): AccessVerdict {
  const subject = `proj:${project.name}:${role.name}`
  const own = `p, ${subject}, projects, get, ${project.name}, allow`
  let allowedBy: string | undefined
  for (const text of [own, ...role.policies]) {
    const line = parsePolicyLine(text)
    if (!line || line.subject !== subject || !applies(line, request, mode)) continue
    if (line.effect === 'deny') return { allowed: false, because: `denied by the policy "${text}"` }
    if (line.effect === 'allow') allowedBy ??= text
  }
  return allowedBy === undefined
    ? { allowed: false, because: `no policy of the role ${role.name} allows it` }
    : { allowed: true, because: `allowed by the policy "${allowedBy}"` }
}

/** The roles of a project that members of groups hold. */
export function rolesOfGroups(project: AppProject, groups: readonly string[]): readonly ProjectRole[] {
  const held = new Set(groups)
  return project.roles.filter((role) => role.groups.some((group) => held.has(bare(group))))
}

const bare = (group: string): string => (/^".+"$/s.test(group) ? group.slice(1, -1) : group)

const applies = (line: PolicyLine, request: AccessRequest, mode: MatchMode): boolean =>
  matches(line.resource, request.resource, mode) &&
  matches(line.action, request.action, mode) &&
  matches(line.object, request.object, mode)

function matches(pattern: string, text: string, mode: MatchMode): boolean {
  if (mode === 'glob') return covers(pattern, text)
  const compiled = compilePattern(pattern)
  return compiled.ok && compiled.value.matcher(text).find()
}
