// The process that the secret store's story kills: secret-store-crash-writer FOLDER ROUND. Tells what was acknowledged, at once.
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemClock } from '../../src/lib/clock.ts'
import { systemIds } from '../../src/lib/ids.ts'
import { silentLog } from '../../src/lib/log.ts'
import { openSecretStore } from '../../src/secrets/store/secret-store.ts'
import { openLmdbStore } from '../../src/store/lmdb-store.ts'

const [folder = '', round = ''] = process.argv.slice(2)
const told = join(folder, 'told')
const tell = (line: string): void => appendFileSync(told, `${line}\n`)

const opened = await openLmdbStore<Uint8Array>({
  folder: join(folder, 'store'),
  codec: { encode: (value) => value, decode: (value) => value },
})
if (!opened.ok) throw new Error(opened.error[0]?.message)
const store = await openSecretStore({
  store: opened.value,
  keyFile: join(folder, 'store.key'),
  auditFolder: folder,
  clock: systemClock,
  ids: systemIds,
  log: silentLog,
})

async function ask(
  method: string,
  path: string,
  token: string,
  body?: unknown,
): Promise<Readonly<Record<string, unknown>>> {
  const answer = await store.handle({
    method,
    url: `/v1/${path}`,
    headers: { 'x-vault-token': token },
    body: Buffer.from(body === undefined ? '' : JSON.stringify(body)),
    remoteAddress: '127.0.0.1',
  })
  if (answer.status >= 400) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
  return answer.body ?? {}
}

if (!store.isInitialised) {
  const made = await store.init({ shares: 3, threshold: 2 })
  if (!made.ok) throw new Error(made.error[0]?.message)
  const keys = made.value.keys.map((key) => Buffer.from(key).toString('hex'))
  tell(`init ${made.value.rootToken} ${keys.join(',')}`)
}
const lines = existsSync(told) ? readFileSync(told, 'utf8').split('\n') : []
const known = lines.find((line) => line.startsWith('init '))?.split(' ')
let token = known?.[1] ?? ''
const keys = known?.[2]?.split(',') ?? []
// Killed between the end of init and the telling of it: who has the key file can still get in.
if (token === '') {
  const admin = await store.adminToken('story', 3_600)
  if (!admin.ok) throw new Error(admin.error[0]?.message)
  token = admin.value
}
const mounts = await ask('GET', 'sys/mounts', token)
if (!Object.hasOwn(mounts, 'kv/')) await ask('POST', 'sys/mounts/kv', token, { type: 'kv-v2' })
process.send?.('ready')

async function write(name: string): Promise<void> {
  for (let turn = 0; ; turn++) {
    const value = `${round}-${name}-${turn}`
    const written = await ask('POST', `kv/data/${name}`, token, { data: { value } })
    tell(`wrote ${name} ${String((written['data'] as { version: number }).version)} ${value}`)
    process.send?.('wrote')
    if (turn % 5 === 4) {
      const made = await ask('POST', 'auth/token/create', token, { policies: ['default'], ttl: '10h' })
      tell(`token ${String((made['auth'] as { client_token: string }).client_token)}`)
    }
  }
}

async function upset(): Promise<void> {
  for (let turn = 0; ; turn++) {
    await systemClock.sleep(7)
    await ask('PUT', 'sys/rotate', token)
    tell('rotated')
    if (turn % 4 === 3 && keys.length > 0) {
      await systemClock.sleep(3)
      await sealAndUnseal()
    }
  }
}

let sealing = Promise.resolve()
async function sealAndUnseal(): Promise<void> {
  sealing = (async () => {
    await store.seal()
    for (const key of keys.slice(0, 2)) await store.unseal(Buffer.from(key, 'hex'))
    tell('unsealed')
  })()
  await sealing
}

/** While it is sealed, writes are refused; they begin anew. */
async function forever(work: () => Promise<void>): Promise<never> {
  for (;;) {
    await work().catch((error: unknown) => {
      if (!String(error).includes('503')) throw error
    })
    await sealing
    await systemClock.sleep(1)
  }
}

await Promise.all([...['a', 'b', 'c', 'd'].map((name) => forever(() => write(name))), forever(upset)])
