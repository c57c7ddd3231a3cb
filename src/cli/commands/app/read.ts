import type { Command } from 'commander'
import { printAs } from '../../cluster-client.ts'
import type { Io } from '../../command.ts'
import { getApplication, listApplications, targetOf } from './applications.ts'
import { addAppCommand, type AppFlags, complain } from './flags.ts'
import { getText, historyText, listText } from './show.ts'

interface ListFlags extends AppFlags {
  readonly allNamespaces?: boolean
  readonly project?: string
  readonly sync?: string
  readonly health?: string
}

const name: readonly [string, string] = ['<name>', 'NAME, or NAMESPACE/NAME']

/** The commands that only look: list, get, history. */
export function addReaders(parent: Command, io: Io): void {
  addAppCommand<ListFlags>(
    parent,
    {
      name: 'list',
      summary: 'list Applications with their state',
      options: (command) =>
        void command
          .option('-A, --all-namespaces', 'those of every namespace')
          .option('--project <name>', 'only those of a project')
          .option('--sync <status>', 'only Synced, OutOfSync or Unknown ones')
          .option('--health <status>', 'only Healthy, Progressing, Degraded ... ones'),
      examples: ['idp app list', 'idp app list --sync OutOfSync -o json'],
      async run({ flags, format, client, io: out }) {
        const found = await listApplications(client, flags.allNamespaces ? undefined : flags.namespace)
        if (!found.ok) return complain('list', found.error, out)
        const apps = found.value.filter(
          ({ spec, status }) =>
            (flags.project === undefined || spec.project === flags.project) &&
            (flags.sync === undefined || status?.sync?.status === flags.sync) &&
            (flags.health === undefined || status?.health?.status === flags.health),
        )
        printAs(format, apps, () => (apps.length > 0 ? listText(apps) : 'no Applications\n'), out)
        return 0
      },
    },
    io,
  )
  addAppCommand<AppFlags>(
    parent,
    {
      name: 'get',
      summary: 'show an Application and its objects',
      arguments: [name],
      examples: ['idp app get shop', 'idp app get shop -o yaml'],
      async run({ words: [app = ''], flags, format, client, io: out }) {
        const found = await getApplication(client, targetOf(app, flags.namespace))
        if (!found.ok) return complain('get', found.error, out)
        printAs(format, found.value, () => getText(found.value), out)
        return 0
      },
    },
    io,
  )
  addAppCommand<AppFlags>(
    parent,
    {
      name: 'history',
      summary: 'list what was synced when; the ids are for rollback',
      arguments: [name],
      examples: ['idp app history shop'],
      async run({ words: [app = ''], flags, format, client, io: out }) {
        const found = await getApplication(client, targetOf(app, flags.namespace))
        if (!found.ok) return complain('history', found.error, out)
        printAs(format, found.value.status?.history ?? [], () => historyText(found.value), out)
        return 0
      },
    },
    io,
  )
}
