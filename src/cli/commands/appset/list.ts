import type { Command } from 'commander'
import { ApplicationSetKind } from '../../../gitops/applicationset/application-set.ts'
import { fieldsOf, objectsOf, textOf } from '../../../gitops/fields.ts'
import type { KubeObject } from '../../../kube/object.ts'
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
  readonly namespace?: string
}

/** `idp appset list`: every ApplicationSet with its health and what stands in its way. */
export function defineList(parent: Command, io: Io): Command {
  const command = parent
    .command('list')
    .description('list ApplicationSets with their health')
    .option('-n, --namespace <name>', 'only those of a namespace')
    .option('-o, --output <format>', 'text, json or yaml', 'text')
  return addClusterOptions(command).action(async (flags: Flags) => {
    const format = outputFormat('idp appset list', flags.output, io)
    if (!format) return
    await withCluster('idp appset list', flags, io, async (client) => {
      const place = flags.namespace === undefined ? {} : { namespace: flags.namespace }
      const listed = await client.list({ resource: ApplicationSetKind, ...place }, { signal: io.signal })
      if (!listed.ok) {
        io.err(`idp appset list: ${listed.error.message}\n`)
        return 1
      }
      const rows = listed.value.items.map(rowOf)
      const text = (): string =>
        rows.length === 0
          ? 'No ApplicationSets.\n'
          : columns(
              ['NAME', 'NAMESPACE', 'APPLICATIONS', 'HEALTH', 'MESSAGE'],
              rows.map((row) => [row.name, row.namespace, String(row.applications), row.health, row.message]),
            )
      printAs(format, rows, text, io)
      return 0
    })
  })
}

interface Row {
  readonly name: string
  readonly namespace: string
  readonly applications: number
  readonly health: string
  readonly message: string
}

function rowOf(object: KubeObject): Row {
  const status = fieldsOf(object, 'status')
  const health = fieldsOf(status, 'health')
  return {
    name: object.metadata.name ?? '',
    namespace: object.metadata.namespace ?? '',
    applications: Number(status['resourcesCount'] ?? objectsOf(status, 'resources')?.length ?? 0),
    health: textOf(health, 'status') || 'Unknown',
    message: textOf(health, 'message'),
  }
}
