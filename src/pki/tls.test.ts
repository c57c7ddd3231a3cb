import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, createServer, type Server } from 'node:tls'
import { afterEach, expect, test } from 'vitest'
import { certificates, issuers, secrets } from './objects.ts'
import { has } from './openssl.testkit.ts'
import { certificate, type PkiWorld, pkiWorld, textOf, withAuthority } from './pki.testkit.ts'

let world: PkiWorld | undefined
let server: Server | undefined
const folder = mkdtempSync(join(tmpdir(), 'pki-tls-'))
afterEach(async () => {
  await world?.stop()
  server?.close()
  rmSync(folder, { recursive: true, force: true })
})

const said = (args: readonly string[]): Promise<string> =>
  new Promise((resolve) => {
    const child = execFile('openssl', args, (_error, out, err) => resolve(`${out}${err}`))
    child.stdin?.end('Q\n')
  })

test.runIf(has('openssl'))(
  'TLS clients accept the chain of an intermediate authority, and only for its names',
  async () => {
    // They look at the real clock.
    const here = (world = await pkiWorld({ startMs: Date.now() - 60_000 }))
    const root = await withAuthority(here)
    await here.create(
      certificates,
      certificate('middle', { isCA: true, commonName: 'middle', dnsNames: [], privateKey: { algorithm: 'RSA' } }),
    )
    await here.ready('middle')
    await here.create(issuers, {
      metadata: { name: 'below', namespace: 'default' },
      spec: { ca: { secretName: 'middle-tls' } },
    })
    await here.create(
      certificates,
      certificate('web', {
        issuerRef: { name: 'below' },
        dnsNames: ['web.test'],
        usages: ['server auth', 'digital signature'],
      }),
    )
    await here.ready('web')
    const secret = await here.get(secrets, 'web-tls', 'default')
    server = createServer({ cert: textOf(secret, 'tls.crt'), key: textOf(secret, 'tls.key'), minVersion: 'TLSv1.2' })
    server.on('tlsClientError', () => {})
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const ca = join(folder, 'ca.pem')
    writeFileSync(ca, root)
    const check = (name: string, ...more: readonly string[]) =>
      said([
        's_client',
        '-connect',
        `127.0.0.1:${port}`,
        '-servername',
        name,
        '-verify_hostname',
        name,
        '-CAfile',
        ca,
        '-verify_return_error',
        '-x509_strict',
        ...more,
      ])
    expect(await check('web.test', '-tls1_3')).toContain('Verify return code: 0 (ok)')
    expect(await check('web.test', '-tls1_2')).toContain('Verify return code: 0 (ok)')
    expect(await check('other.test')).toContain('hostname mismatch')
    const socket = connect({ port, host: '127.0.0.1', servername: 'web.test', ca: root })
    await once(socket, 'secureConnect')
    expect(socket.authorized).toBe(true)
    socket.destroy()
  },
)
