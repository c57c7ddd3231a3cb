import { compileGlob } from '../../lib/glob.ts'
import type { Problem } from '../../lib/result.ts'
import type { AppProject, ProjectRole, SyncWindow } from './app-project.ts'
import { ACCOUNT_DISALLOWED } from './impersonation.ts'
import { parsePolicyLine } from './role-policies.ts'
import { windowState } from './sync-windows.ts'

const problem = (at: string, message: string): Problem => ({ code: 'project-invalid', at, message })

/** What is wrong with a project in itself (Argo CD 3.x, app_project_types.go ValidateProject): all of it, in order of the fields. */
export function validateProject(project: AppProject): readonly Problem[] {
  return [
    ...destinationProblems(project),
    ...twice(project.sourceNamespaces, 'spec.sourceNamespaces', (name) => `source namespace '${name}' already added`),
    ...project.sourceRepos.flatMap((rule, index) =>
      rule === '!*' ? [problem(`spec.sourceRepos[${index}]`, "source repository has an invalid format, '!*'")] : [],
    ),
    ...twice(project.sourceRepos, 'spec.sourceRepos', (rule) => `source repository '${rule}' already added`),
    ...twice(
      project.roles.map((role) => role.name),
      'spec.roles',
      (name) => `role '${name}' already exists`,
    ),
    ...project.roles.flatMap((role, index) => roleProblems(project, role, `spec.roles[${index}]`)),
    ...windowProblems(project.syncWindows),
    ...accountProblems(project),
  ]
}

function twice(names: readonly string[], at: string, say: (name: string) => string): readonly Problem[] {
  const seen = new Set<string>()
  return names.flatMap((name, index) => {
    if (seen.has(name)) return [problem(`${at}[${index}]`, say(name))]
    seen.add(name)
    return []
  })
}

function destinationProblems(project: AppProject): readonly Problem[] {
  const problems = project.destinations.flatMap((rule, index) =>
    (['name', 'server', 'namespace'] as const)
      .filter((part) => rule[part] === '!*')
      .map((part) => problem(`spec.destinations[${index}].${part}`, `${part} has an invalid format, '!*'`)),
  )
  const keys = project.destinations.map((rule) => `${rule.server || rule.name}/${rule.namespace}`)
  return [...problems, ...twice(keys, 'spec.destinations', (key) => `destination '${key}' already added`)]
}

const ROLE_NAME = /^[a-zA-Z0-9]([-_a-zA-Z0-9]*[a-zA-Z0-9])?$/
const RESOURCES = new Set(['applications', 'applicationsets', 'logs', 'exec', 'clusters', 'repositories'])
const ACTION = /^(get|create|update|delete|sync|override|rollback|\*)$|action\/|update\/|delete\//

function roleProblems(project: AppProject, role: ProjectRole, at: string): readonly Problem[] {
  const name = ROLE_NAME.test(role.name)
    ? []
    : [
        problem(
          `${at}.name`,
          `invalid role name '${role.name}'. Must consist of alphanumeric characters, '-' or '_', and must start and end with an alphanumeric character`,
        ),
      ]
  return [
    ...name,
    ...twice(role.policies, `${at}.policies`, (text) => `policy '${text}' already exists for role '${role.name}'`),
    ...role.policies.flatMap((text, index) => {
      const because = policyFault(project.name, role.name, text)
      return because ? [problem(`${at}.policies[${index}]`, `invalid policy rule '${text}': ${because}`)] : []
    }),
    ...twice(role.groups, `${at}.groups`, (group) => `group '${group}' already exists for role '${role.name}'`),
    ...role.groups.flatMap((group, index) => {
      const because = groupFault(group)
      return because ? [problem(`${at}.groups[${index}]`, `group '${group.trim()}' ${because}`)] : []
    }),
  ]
}

const quoted = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')

function policyFault(project: string, role: string, text: string): string | undefined {
  const line = parsePolicyLine(text)
  if (!line) return "must be of the form: 'p, sub, res, act, obj, eft'"
  const subject = `proj:${project}:${role}`
  if (line.subject !== subject) return `policy subject must be: '${subject}', not '${line.subject}'`
  if (!RESOURCES.has(line.resource)) {
    return `project resource must be: 'applications', 'applicationsets', 'repositories', 'exec', 'logs' or 'clusters', not '${line.resource}'`
  }
  if (!ACTION.test(line.action)) return `invalid action '${line.action}'`
  if (!new RegExp(`^${quoted(project)}(/[*\\w.-]+)?/[*\\w.-]+$`).test(line.object)) {
    return `object must be of form '${project}/*', '${project}[/<NAMESPACE>]/<APPNAME>' or '${project}/<APPNAME>', not '${line.object}'`
  }
  return line.effect === 'allow' || line.effect === 'deny' ? undefined : "effect must be: 'allow' or 'deny'"
}

function groupFault(group: string): string | undefined {
  const trimmed = group.trim()
  const isQuoted = trimmed.length > 1 && trimmed.startsWith('"') && trimmed.endsWith('"')
  const name = isQuoted ? trimmed.slice(1, -1) : trimmed
  if (!isQuoted && name.includes(',')) return 'must be quoted'
  if (name === '') return 'is empty'
  if (/["\n\r\t]/.test(name)) return 'contains invalid characters'
  if (group.length > 1 && /^\s/.test(group)) return 'contains a leading space'
  return group.length > 1 && /\s$/.test(group) ? 'contains a trailing space' : undefined
}

function windowProblems(windows: readonly SyncWindow[]): readonly Problem[] {
  const identity = (window: SyncWindow): string =>
    JSON.stringify([
      window.kind,
      window.schedule,
      window.duration,
      window.applications,
      window.namespaces,
      window.clusters,
      window.timeZone || 'UTC',
      window.andOperator,
    ])
  const duplicates = twice(
    windows.map(identity),
    'spec.syncWindows',
    () => 'a sync window of the same kind, schedule, duration and scope already exists',
  )
  return [...windows.flatMap((window, index) => windowFaults(window, `spec.syncWindows[${index}]`)), ...duplicates]
}

function windowFaults(window: SyncWindow, at: string): readonly Problem[] {
  if (window.kind !== 'allow' && window.kind !== 'deny') {
    return [problem(`${at}.kind`, `kind '${window.kind}' mismatch: can only be allow or deny`)]
  }
  const state = windowState(window, 0)
  if (!state.ok) return state.error.map((fault) => problem(at, fault.message))
  if (window.description.length > 255) {
    return [problem(`${at}.description`, 'description must not exceed 255 characters')]
  }
  const isScoped = window.applications.length + window.namespaces.length + window.clusters.length > 0
  const shown = `'${window.kind}':'${window.schedule}':'${window.duration}'`
  return isScoped ? [] : [problem(at, `window ${shown} requires one of application, cluster or namespace`)]
}

function accountProblems(project: AppProject): readonly Problem[] {
  const accounts = project.destinationServiceAccounts
  const problems = accounts.flatMap((rule, index) => {
    const at = `spec.destinationServiceAccounts[${index}]`
    for (const part of ['server', 'namespace'] as const) {
      if (rule[part].includes('!') || !compileGlob(rule[part], 'gobwas').ok) {
        return [problem(`${at}.${part}`, `${part} has an invalid format, '${rule[part]}'`)]
      }
    }
    const account = rule.defaultServiceAccount
    return account.trim() === '' || ACCOUNT_DISALLOWED.test(account)
      ? [problem(`${at}.defaultServiceAccount`, `defaultServiceAccount has an invalid format, '${account}'`)]
      : []
  })
  const keys = accounts.map((rule) => `${rule.server}/${rule.namespace}`)
  const say = (key: string): string => `destinationServiceAccount '${key}' already added`
  return [...problems, ...twice(keys, 'spec.destinationServiceAccounts', say)]
}
