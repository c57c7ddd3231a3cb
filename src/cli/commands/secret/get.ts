import type { Command } from 'commander'
import { own } from '../../../lib/json.ts'
import { explain } from '../../../lib/result.ts'
import {
  addClusterOptions,
  type ClusterFlags,
  columns,
  outputFormat,
  printAs,
  withCluster,
} from '../../cluster-client.ts'
import type { Io } from '../../command.ts'
import { findPlace, readSecret, type StoreData } from './ask-store.ts'

interface Flags extends ClusterFlags {
  readonly output: string
  readonly show?: true
  readonly atVersion?: string
}

const NAME = 'idp secret get'
const HIDDEN = '(hidden)'

/** `idp secret get PATH [KEY]`: which keys a secret has; values only where they are asked for. */
export function defineGet(parent: Command, io: Io): Command {
  const command = parent
    .command('get')
    .argument('<path>', 'the secret, such as secret/team/db')
    .argument('[key]', 'print the value of this key, and nothing else')
    .description('show the keys of a secret, or the value of one')
    .option('--show', 'print values as well')
    .option('--at-version <number>', 'an earlier version')
    .option('-o, --output <format>', 'text, json or yaml', 'text')
  return addClusterOptions(command).action(async (path: string, key: string | undefined, flags: Flags) => {
    const format = outputFormat(NAME, flags.output, io)
    if (!format) return
    if (flags.atVersion !== undefined && !/^[1-9]\d*$/.test(flags.atVersion)) {
      io.err(`${NAME}: --at-version is a number from 1, not ${JSON.stringify(flags.atVersion)}\n`)
      io.exit(2)
      return
    }
    const version = flags.atVersion === undefined ? undefined : Number(flags.atVersion)
    await withCluster(NAME, flags, io, async (client) => {
      const place = await findPlace(client, path)
      const found = place.ok ? await readSecret(client, place.value, version) : place
      if (!found.ok) {
        io.err(`${NAME}: ${found.error.map(explain).join('; ')}\n`)
        return 1
      }
      if (!found.value) {
        io.err(`${NAME}: there is no secret at ${path}${version === undefined ? '' : ` with version ${version}`}\n`)
        return 1
      }
      const { values, metadata } = found.value
      if (key === undefined) {
        const shown = flags.show ? values : hidden(values)
        printAs(format, { values: shown, metadata }, () => textFor(shown, metadata), io)
        return 0
      }
      const value = own(values, key)
      if (value === undefined) {
        io.err(`${NAME}: ${path} has no key ${JSON.stringify(key)}\n`)
        return 1
      }
      io.out(typeof value === 'string' ? `${value}\n` : `${JSON.stringify(value)}\n`)
      return 0
    })
  })
}

const hidden = (values: StoreData): StoreData => Object.fromEntries(Object.keys(values).map((name) => [name, HIDDEN]))

function textFor(values: StoreData, metadata: StoreData): string {
  const rows = Object.entries(values).map(([name, value]) => [
    name,
    typeof value === 'string' ? value : JSON.stringify(value),
  ])
  const version = metadata['version']
  const head = typeof version === 'number' ? `Version ${version} of ${String(metadata['created_time'])}\n` : ''
  return head + columns(['KEY', 'VALUE'], rows)
}
