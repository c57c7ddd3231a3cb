import type { Command } from 'commander'
import {
  type AppProject,
  AppProjectKind,
  parseAppProject,
  type SyncWindow,
} from '../../../gitops/project/app-project.ts'
import { windowState } from '../../../gitops/project/sync-windows.ts'
import { validateProject } from '../../../gitops/project/validate-project.ts'
import { formatTime } from '../../../kube/time.ts'
import { systemClock } from '../../../lib/clock.ts'
import {
  addClusterOptions,
  type ClusterFlags,
  columns,
  outputFormat,
  printAs,
  withCluster,
} from '../../cluster-client.ts'
import type { Io } from '../../command.ts'

interface Flags extends ClusterFlags {
  readonly output: string
  readonly namespace: string
}

/** `idp project get NAME`: rules, windows with their state, roles with their tokens. */
export function defineGet(parent: Command, io: Io): Command {
  const command = parent
    .command('get')
    .argument('<name>', 'the AppProject')
    .description('show an AppProject: its rules, windows and roles, and what is wrong with it')
    .option('-n, --namespace <name>', 'where it is', 'argocd')
    .option('-o, --output <format>', 'text, json or yaml', 'text')
  return addClusterOptions(command).action(async (name: string, flags: Flags) => {
    const format = outputFormat('idp project get', flags.output, io)
    if (!format) return
    await withCluster('idp project get', flags, io, async (client) => {
      const target = { resource: AppProjectKind, namespace: flags.namespace, name }
      const found = await client.get(target, { signal: io.signal })
      if (!found.ok) {
        io.err(`idp project get: ${found.error.message}\n`)
        return 1
      }
      printAs(format, found.value, () => textFor(parseAppProject(found.value)), io)
      return 0
    })
  })
}

const list = (title: string, items: readonly string[]): string =>
  items.length === 0 ? '' : `${title}\n${items.map((item) => `  ${item}\n`).join('')}`

function textFor(project: AppProject): string {
  const kinds = (
    items: readonly { readonly group: string; readonly kind: string; readonly name?: string }[],
  ): readonly string[] =>
    items.map(
      ({ group, kind, name = '' }) => `${group === '' ? 'core' : group}/${kind}${name === '' ? '' : ` ${name}`}`,
    )
  const nowMs = systemClock.now()
  const windows = project.syncWindows.map((window) => windowRow(window, nowMs))
  const { namespaceResourceWhitelist: allowed } = project
  return [
    `Name: ${project.name}\n`,
    list('Sources:', project.sourceRepos),
    list('Source namespaces:', project.sourceNamespaces),
    list(
      'Destinations:',
      project.destinations.map((rule) => `${rule.server || rule.name}, namespace ${rule.namespace}`),
    ),
    list('Cluster resources allowed:', kinds(project.clusterResourceWhitelist)),
    list('Cluster resources refused:', kinds(project.clusterResourceBlacklist)),
    allowed ? list('Namespaced resources allowed:', allowed.length === 0 ? ['none'] : kinds(allowed)) : '',
    list('Namespaced resources refused:', kinds(project.namespaceResourceBlacklist)),
    list(
      'Acts as:',
      project.destinationServiceAccounts.map(
        (rule) => `${rule.defaultServiceAccount} in ${rule.server}, namespace ${rule.namespace}`,
      ),
    ),
    windows.length === 0 ? '' : columns(['WINDOW', 'SCHEDULE', 'FOR', 'ZONE', 'MANUAL', 'STATE'], windows),
    ...project.roles.map((role) =>
      [
        `Role ${role.name}\n`,
        list('  Groups:', role.groups),
        list('  Policies:', role.policies),
        list(
          '  Tokens:',
          role.tokens.map(
            (token) =>
              `${token.id}, issued ${formatTime(token.issuedAt * 1_000)}${token.expiresAt === undefined ? '' : `, expires ${formatTime(token.expiresAt * 1_000)}`}`,
          ),
        ),
      ].join(''),
    ),
    list('Not supported:', project.unsupported),
    list(
      'Wrong:',
      validateProject(project).map(({ at = '', message }) => `${at}: ${message}`),
    ),
  ].join('')
}

function windowRow(window: SyncWindow, nowMs: number): readonly string[] {
  const state = windowState(window, nowMs)
  const shown = !state.ok
    ? 'cannot be read'
    : `${state.value.isActive ? 'open' : 'closed'}${state.value.changesAtMs === undefined ? '' : ` until ${formatTime(state.value.changesAtMs)}`}`
  return [
    window.kind,
    window.schedule,
    window.duration,
    window.timeZone || 'UTC',
    window.manualSync ? 'yes' : 'no',
    shown,
  ]
}
