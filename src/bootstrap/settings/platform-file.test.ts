import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readPlatform, readPlatformFile } from './platform-file.ts'

test('one file holds the settings and the nodes', () => {
  const read = readPlatform(
    'cluster: { name: lab }\nnodes: [{ name: a, count: 2 }]\nsimulation: { missingImages: [b] }',
  )
  expect(read).toMatchObject({
    ok: true,
    value: {
      settings: { cluster: { name: 'lab' }, dns: { suffix: 'idp.localhost' } },
      nodes: { nodes: [{ name: 'a-1' }, { name: 'a-2' }], missingImages: ['b'] },
    },
  })
})

test.each([
  { name: 'what the schema refuses is not read on', text: 'nodez: []', code: 'settings-invalid', at: 'x.yaml:1' },
  {
    name: 'what only the cluster can know is refused by it',
    text: 'nodes: [{ name: a }, { name: a }]',
    code: 'node-settings-invalid',
    at: 'x.yaml: nodes',
  },
])('$name', ({ text, code, at }) => {
  expect(readPlatform(text, 'x.yaml')).toMatchObject({ ok: false, error: [{ code, at }] })
})

test('a folder without the file has the usual settings, a named file has to be there', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'idp-settings-'))
  expect(await readPlatformFile(folder)).toMatchObject({ ok: true, value: { nodes: {} } })
  expect(await readPlatformFile(folder, 'x.yaml')).toMatchObject({
    ok: false,
    error: [{ code: 'settings-unreadable' }],
  })
  writeFileSync(join(folder, 'idp.yaml'), 'nodes: [{ name: a }]')
  expect(await readPlatformFile(folder)).toMatchObject({ ok: true, value: { nodes: { nodes: [{ name: 'a' }] } } })
})
