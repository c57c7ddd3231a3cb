import type { Command } from 'commander'
import type { RemoteClient } from '../../../client/remote-client.ts'
import { isObject } from '../../../lib/json.ts'
import { explain, type Result, succeed } from '../../../lib/result.ts'
import { addClusterOptions, type ClusterFlags, outputFormat, printAs, withCluster } from '../../cluster-client.ts'
import type { Io } from '../../command.ts'
import { askStore, findPlace } from './ask-store.ts'

interface Flags extends ClusterFlags {
  readonly output: string
}

const NAME = 'idp secret list'

/** `idp secret list [PATH]`: the mounts, or the names below a path. */
export function defineList(parent: Command, io: Io): Command {
  const command = parent
    .command('list')
    .argument('[path]', 'a mount or a folder, such as secret/team')
    .description('list the mounts of the secret store, or the names below a path')
    .option('-o, --output <format>', 'text, json or yaml', 'text')
  return addClusterOptions(command).action(async (path: string | undefined, flags: Flags) => {
    const format = outputFormat(NAME, flags.output, io)
    if (!format) return
    await withCluster(NAME, flags, io, async (client) => {
      const names = path === undefined ? await mounts(client) : await below(client, path)
      if (!names.ok) {
        io.err(`${NAME}: ${names.error.map(explain).join('; ')}\n`)
        return 1
      }
      printAs(format, names.value, () => names.value.map((name) => `${name}\n`).join(''), io)
      return 0
    })
  })
}

async function mounts(client: RemoteClient): Promise<Result<readonly string[]>> {
  const listed = await askStore(client, 'GET', 'sys/mounts')
  if (!listed.ok) return listed
  const all = Object.entries(listed.value.data ?? {})
  return succeed(all.flatMap(([path, mount]) => (isObject(mount) && mount['type'] === 'kv' ? [path] : [])))
}

async function below(client: RemoteClient, written: string): Promise<Result<readonly string[]>> {
  const place = await findPlace(client, written)
  if (!place.ok) return place
  const { mount, version, path } = place.value
  const listed = await askStore(client, 'GET', `${mount}${version === 'v2' ? 'metadata/' : ''}${path}?list=true`)
  if (!listed.ok) return listed
  const keys = listed.value.data?.['keys']
  return succeed(Array.isArray(keys) ? keys.map(String) : [])
}
