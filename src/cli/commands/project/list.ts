import type { Command } from 'commander'
import { AppProjectKind, parseAppProject } from '../../../gitops/project/app-project.ts'
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

/** `idp project list`: every AppProject in a line. */
export function defineList(parent: Command, io: Io): Command {
  const command = parent
    .command('list')
    .description('list AppProjects with what they reach')
    .option('-n, --namespace <name>', 'where they are', 'argocd')
    .option('-o, --output <format>', 'text, json or yaml', 'text')
  return addClusterOptions(command).action(async (flags: Flags) => {
    const format = outputFormat('idp project list', flags.output, io)
    if (!format) return
    await withCluster('idp project list', flags, io, async (client) => {
      const place = { resource: AppProjectKind, namespace: flags.namespace }
      const listed = await client.list(place, { signal: io.signal })
      if (!listed.ok) {
        io.err(`idp project list: ${listed.error.message}\n`)
        return 1
      }
      const projects = listed.value.items.map(parseAppProject)
      const rows = projects.map((project) => ({
        name: project.name,
        sources: project.sourceRepos,
        destinations: project.destinations.map((rule) => `${rule.server || rule.name} ${rule.namespace}`.trim()),
        windows: project.syncWindows.length,
        roles: project.roles.map((role) => role.name),
      }))
      const text = (): string =>
        rows.length === 0
          ? 'No AppProjects.\n'
          : columns(
              ['NAME', 'SOURCES', 'DESTINATIONS', 'WINDOWS', 'ROLES'],
              rows.map((row) => [
                row.name,
                few(row.sources),
                few(row.destinations),
                String(row.windows),
                few(row.roles),
              ]),
            )
      printAs(format, rows, text, io)
      return 0
    })
  })
}

function few(items: readonly string[]): string {
  if (items.length === 0) return '-'
  return items.length > 2 ? `${items.slice(0, 2).join(', ')} and ${items.length - 2} more` : items.join(', ')
}
