import { expect, test } from 'vitest'
import { compileGlob, type GlobDialect } from './glob.ts'

const matches = (glob: string, dialect: GlobDialect, path: string): boolean | string => {
  const compiled = compileGlob(glob, dialect)
  return compiled.ok ? compiled.value(path) : (compiled.error[0]?.code ?? '')
}

test.each<readonly [GlobDialect, string, readonly string[], readonly string[]]>([
  ['path', '*.yaml', ['a.yaml', '.yaml'], ['a/b.yaml', 'a.yml']],
  ['path', '**', ['ab'], ['a/b']],
  ['path', '[^a-c]?', ['dd'], ['ad', 'd/', '/d']],
  ['path', '{a,b}', ['{a,b}'], ['a']],
  ['path', 'a\\*', ['a*'], ['ab']],
  ['gobwas', '*.yaml', ['a.yaml', 'a/b.yaml'], ['a.yml']],
  ['gobwas', '{*.yaml,dir/**}', ['x/a.yaml', 'dir/b'], ['dirs']],
  ['gobwas-path', 'conf/*', ['conf/a'], ['conf/a/b', 'conf']],
  ['gobwas-path', 'conf/**', ['conf/a', 'conf/a/b', 'conf/'], ['conf']],
  ['gobwas-path', '**.txt', ['a.txt', 'b/c.txt'], ['a.md']],
  ['gobwas-path', '[!a]b', ['cb'], ['ab']],
  ['doublestar', 'a/**/b', ['a/b', 'a/x/b', 'a/x/y/b'], ['ab', 'a/xb']],
  ['doublestar', '**/*.yaml', ['a.yaml', 'x/y/a.yaml'], ['a.yml']],
  ['doublestar', '{a,b/{c,d}}/*', ['a/x', 'b/c/x', 'b/d/x'], ['b/x', 'a/x/y']],
])('%s %s', (dialect, glob, yes, no) => {
  for (const path of yes) expect([path, matches(glob, dialect, path)]).toEqual([path, true])
  for (const path of no) expect([path, matches(glob, dialect, path)]).toEqual([path, false])
})

test.each(['[', '[a', '{a', 'a\\', '[z-a]', '{'.repeat(20_000)])('%s is no glob', (glob) => {
  expect(matches(glob, 'doublestar', 'x')).toBe('glob-invalid')
})

test('a pattern of many stars takes linear time', () => {
  expect(matches('*a'.repeat(50), 'gobwas', 'a'.repeat(5_000) + 'b')).toBe(false)
})
