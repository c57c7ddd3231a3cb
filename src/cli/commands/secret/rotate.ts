import type { Command } from 'commander'
import { systemIds } from '../../../lib/ids.ts'
import { own, setOwn } from '../../../lib/json.ts'
import { explain } from '../../../lib/result.ts'
import { generatedValue } from '../../../secrets/generated-value.ts'
import { addClusterOptions, type ClusterFlags, withCluster } from '../../cluster-client.ts'
import type { Io } from '../../command.ts'
import { askStore, findPlace, readSecret, type StoreData } from './ask-store.ts'

interface Flags extends ClusterFlags {
  readonly length?: string
}

const NAME = 'idp secret rotate'
const [SHORTEST, USUAL, LONGEST] = [12, 24, 4_096]

/** `idp secret rotate PATH KEY...`: new values by chance, which nobody gets to see. */
export function defineRotate(parent: Command, io: Io): Command {
  const command = parent
    .command('rotate')
    .argument('<path>', 'the secret, such as secret/team/db')
    .argument('<key...>', 'the keys that get a new value; the others stay')
    .description('give keys of a secret new values by chance; what reads them through ExternalSecrets follows')
    .option('--length <number>', `how many characters, from ${SHORTEST}; without it as many as there were`)
  return addClusterOptions(command).action(async (path: string, keys: readonly string[], flags: Flags) => {
    const length = flags.length === undefined ? undefined : Number(flags.length)
    if (length !== undefined && !(Number.isInteger(length) && length >= SHORTEST && length <= LONGEST)) {
      io.err(`${NAME}: --length is a number from ${SHORTEST} to ${LONGEST}\n`)
      io.exit(2)
      return
    }
    await withCluster(NAME, flags, io, async (client) => {
      const place = await findPlace(client, path)
      const found = place.ok ? await readSecret(client, place.value) : place
      if (!place.ok || !found.ok) {
        io.err(`${NAME}: ${found.ok ? '' : found.error.map(explain).join('; ')}\n`)
        return 1
      }
      const missing = keys.find((key) => own(found.value?.values ?? {}, key) === undefined)
      if (!found.value || missing !== undefined) {
        io.err(`${NAME}: ${path} has no key ${JSON.stringify(missing ?? keys[0])}; write it with idp secret put\n`)
        return 1
      }
      const { values, metadata } = found.value
      const data = rotated(values, keys, length)
      const { mount, version, path: below } = place.value
      const put =
        version === 'v2'
          ? await askStore(client, 'POST', `${mount}data/${below}`, { data, options: { cas: metadata['version'] } })
          : await askStore(client, 'POST', mount + below, data)
      if (!put.ok) {
        io.err(`${NAME}: ${put.error.map(explain).join('; ')}\n`)
        return 1
      }
      const number = put.value.data?.['version']
      io.out(`rotated ${keys.join(', ')} of ${path}${typeof number === 'number' ? `, version ${number}` : ''}\n`)
      return 0
    })
  })
}

function rotated(values: StoreData, keys: readonly string[], length: number | undefined): StoreData {
  const data: Record<string, unknown> = { ...values }
  for (const key of keys) {
    const old = own(values, key)
    const text = typeof old === 'string' ? old : ''
    const wanted = length ?? (text.length >= SHORTEST && text.length <= LONGEST ? text.length : USUAL)
    setOwn(data, key, generatedValue(text, wanted, systemIds))
  }
  return data
}
