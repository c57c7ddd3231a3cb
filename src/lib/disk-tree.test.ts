import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { diskTree } from './disk-tree.ts'

const folder = mkdtempSync(join(tmpdir(), 'idp-disk-tree-'))
afterAll(() => rmSync(folder, { recursive: true }))
mkdirSync(join(folder, 'in/below'), { recursive: true })
writeFileSync(join(folder, 'in/a.txt'), 'a')
writeFileSync(join(folder, 'in/below/b.txt'), 'b')
writeFileSync(join(folder, 'secret.txt'), 'secret')
symlinkSync('below', join(folder, 'in/link'))
symlinkSync('../secret.txt', join(folder, 'in/out.txt'))
symlinkSync('loop', join(folder, 'in/loop'))

const text = (data: Uint8Array | undefined): string | undefined => data && Buffer.from(data).toString()

test('lists and reads what is there, through links that stay inside', () => {
  const tree = diskTree(join(folder, 'in'))
  expect(tree.list('')).toEqual(['a.txt', 'below/', 'link/'])
  expect(text(tree.read('link/b.txt'))).toBe('b')
  expect([tree.list('a.txt'), tree.list('none'), tree.read('below'), tree.read('none')]).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ])
})

test('a link or path that leads out is as if it were not there, unless the bounds are wider', () => {
  expect(diskTree(join(folder, 'in')).read('out.txt')).toBeUndefined()
  expect(diskTree(join(folder, 'in')).read('../secret.txt')).toBeUndefined()
  expect(text(diskTree(join(folder, 'in'), folder).read('out.txt'))).toBe('secret')
})
