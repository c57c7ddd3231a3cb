import type { Command } from 'commander'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { explain, fail, type Result, succeed } from '../../../lib/result.ts'
import { addClusterOptions, type ClusterFlags, withCluster } from '../../cluster-client.ts'
import type { Io } from '../../command.ts'
import { askStore, findPlace, readSecret } from './ask-store.ts'

interface Flags extends ClusterFlags {
  readonly replace?: true
}

const NAME = 'idp secret put'

/** `idp secret put PATH KEY=VALUE...`: writes keys of a secret; the others stay unless told otherwise. */
export function definePut(parent: Command, io: Io): Command {
  const command = parent
    .command('put')
    .argument('<path>', 'the secret, such as secret/team/db')
    .argument('<key=value...>', 'KEY=VALUE, KEY=@FILE for what a file holds, or KEY=- for the standard input')
    .description('write keys of a secret; keys that are not named stay')
    .option('--replace', 'the secret has the named keys only')
  return addClusterOptions(command).action(async (path: string, written: readonly string[], flags: Flags) => {
    const values = await readValues(written, io)
    if (!values.ok) {
      io.err(`${NAME}: ${values.error.map(explain).join('; ')}\n`)
      io.exit(2)
      return
    }
    await withCluster(NAME, flags, io, async (client) => {
      const place = await findPlace(client, path)
      const before = place.ok ? await readSecret(client, place.value) : place
      if (!place.ok || !before.ok) {
        io.err(`${NAME}: ${explainAll(before)}\n`)
        return 1
      }
      const known = flags.replace ? {} : (before.value?.values ?? {})
      const data = { ...known, ...Object.fromEntries(values.value) }
      const { mount, version, path: below } = place.value
      // What was merged is only right for the version that was read.
      const options = flags.replace || !before.value ? {} : { options: { cas: before.value.metadata['version'] } }
      const put =
        version === 'v2'
          ? await askStore(client, 'POST', `${mount}data/${below}`, { data, ...options })
          : await askStore(client, 'POST', mount + below, data)
      if (!put.ok) {
        io.err(`${NAME}: ${put.error.map(explain).join('; ')}\n`)
        return 1
      }
      const number = put.value.data?.['version']
      io.out(`wrote ${written.length} key${written.length === 1 ? '' : 's'} of ${path}${versionText(number)}\n`)
      return 0
    })
  })
}

const versionText = (number: unknown): string => (typeof number === 'number' ? `, version ${number}` : '')

const explainAll = (result: Result<unknown>): string => (result.ok ? '' : result.error.map(explain).join('; '))

async function readValues(written: readonly string[], io: Io): Promise<Result<ReadonlyMap<string, string>>> {
  const values = new Map<string, string>()
  let input: string | undefined
  for (const one of written) {
    const at = one.indexOf('=')
    if (at < 1)
      return fail({ code: 'secret-value-invalid', message: `${JSON.stringify(one.slice(0, 40))} is not KEY=VALUE` })
    const [key, text] = [one.slice(0, at), one.slice(at + 1)]
    if (text === '-') {
      input ??= await readAll(io.stdin)
      values.set(key, input)
    } else if (text.startsWith('@')) {
      const file = readText(resolve(io.cwd, text.slice(1)))
      if (!file.ok) return file
      values.set(key, file.value)
    } else {
      values.set(key, text)
    }
  }
  return succeed(values)
}

function readText(file: string): Result<string> {
  try {
    return succeed(readFileSync(file, 'utf8'))
  } catch (cause) {
    const because = (cause as NodeJS.ErrnoException).code ?? 'unknown reason'
    return fail({ code: 'file-unreadable', at: file, message: `cannot read ${file}: ${because}` })
  }
}

async function readAll(stream: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks).toString('utf8').replace(/\n$/, '')
}
