import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterAll, expect, test } from 'vitest'
import type { Io } from '../../command.ts'
import { installRoot } from './install-root.ts'

const folder = mkdtempSync(join(tmpdir(), 'idp-trust-'))
afterAll(() => rmSync(folder, { recursive: true }))

const root = {
  name: 'my "root"',
  pem: 'PEM\n',
  fingerprint: 'AB:CD:EF:01:23',
  notAfterMs: 0,
  issuers: ['ClusterIssuer/ca'],
}
// Only programs of this folder are found: nothing of the machine is changed.
const ioWith = (env: Record<string, string>): Io => ({
  stdin: new PassThrough(),
  out: () => {},
  err: () => {},
  env,
  cwd: folder,
  signal: new AbortController().signal,
  exit: () => {},
})

test('a root is written to the home folder, given to the programs that are there, and the rest is said', async () => {
  const bin = join(folder, 'bin')
  mkdirSync(bin)
  const certutil = join(bin, 'certutil')
  writeFileSync(certutil, `#!/bin/sh\nprintf '%s\\n' "$*" >> ${folder}/said\n`)
  chmodSync(certutil, 0o755)
  const { done, left } = await installRoot(root, ioWith({ HOME: folder, PATH: bin }))
  const file = join(folder, '.config', 'idp', 'idp-my-root--abcdef01.crt')
  expect(readFileSync(file, 'utf8')).toBe('PEM\n')
  expect(done).toContain(`written to ${file}`)
  expect(done).toContain('Chromium trusts it')
  expect(readFileSync(join(folder, 'said'), 'utf8')).toContain(`-A -t C,, -n my "root" (idp) -i ${file}`)
  expect(statSync(join(folder, '.pki', 'nssdb')).mode & 0o777).toBe(0o700)
  expect(left.join('\n')).toContain(`NODE_EXTRA_CA_CERTS=${file}`)
})

test('a program that fails is told with what it said', async () => {
  const bin = join(folder, 'failing')
  mkdirSync(bin)
  writeFileSync(join(bin, 'certutil'), '#!/bin/sh\necho locked >&2\nexit 3\n')
  chmodSync(join(bin, 'certutil'), 0o755)
  const { left } = await installRoot(root, ioWith({ HOME: join(folder, 'other'), PATH: bin }))
  expect(left).toContain('Chromium: certutil failed: locked')
  expect(existsSync(join(folder, 'other', '.config', 'idp'))).toBe(true)
})
