import { gzipSync } from 'node:zlib'
import { packTar } from 'modern-tar'
import { expect, test } from 'vitest'
import { readTar, readTarGz, writeTarGz } from './tar.ts'

const pack = async (files: Readonly<Record<string, string>>): Promise<Uint8Array> =>
  packTar(
    Object.entries(files).map(([name, body]) => ({
      header: { name, size: Buffer.byteLength(body), type: 'file' as const },
      body,
    })),
  )

const namesOf = (read: ReturnType<typeof readTar>): unknown =>
  read.ok ? read.value.map(({ name, data }) => [name, Buffer.from(data).toString()]) : read.error[0]?.message

test('reads files, long names and names beyond ASCII', async () => {
  const long = `${'folder/'.repeat(30)}file.yaml`
  const archive = await pack({ 'a/b.txt': 'hello', [long]: 'x'.repeat(1_000), 'a/ünicode.txt': 'ü' })
  expect(namesOf(readTarGz(gzipSync(archive)))).toEqual([
    ['a/b.txt', 'hello'],
    [long, 'x'.repeat(1_000)],
    ['a/ünicode.txt', 'ü'],
  ])
})

test('refuses links, damage, bombs and what is no archive', async () => {
  const link = await packTar([
    { header: { name: 'a/l', size: 0, type: 'symlink' as const, linkname: '/etc/passwd' }, body: '' },
  ])
  expect(namesOf(readTar(link))).toMatch(/"a\/l" is not a regular file/)
  const archive = await pack({ 'a/b': 'c' })
  const damaged = archive.slice()
  damaged[0] = 0x7a
  expect(namesOf(readTar(damaged))).toMatch(/a header is damaged/)
  expect(namesOf(readTar(archive.slice(0, 600)))).toEqual([['a/b', 'c']])
  expect(namesOf(readTar(archive.slice(0, 512)))).toMatch(/ends too early/)
  const bomb = gzipSync(Buffer.alloc(1_000_000))
  expect(namesOf(readTarGz(bomb, { maxBytes: 10_000, maxFiles: 10 }))).toMatch(/unpacks to more than 10000 bytes/)
  expect(namesOf(readTarGz(Buffer.from('plain')))).toMatch(/not gzipped/)
  const many = await pack(Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`f${at}`, ''])))
  expect(namesOf(readTar(many, { maxBytes: 1e6, maxFiles: 10 }))).toMatch(/more than 10 files/)
})

test('what is packed reads back, and the same files give the same bytes', () => {
  const files = [
    { name: 'c/Chart.yaml', data: Buffer.from('name: c\n') },
    { name: `c/${'long/'.repeat(40)}é.txt`, data: Buffer.alloc(1_000, 'x') },
    { name: 'c/empty', data: Buffer.alloc(0) },
  ]
  expect(namesOf(readTarGz(writeTarGz(files)))).toEqual(files.map(({ name, data }) => [name, data.toString()]))
  expect(writeTarGz(files)).toEqual(writeTarGz(files))
})
