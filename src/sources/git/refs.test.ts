import { expect, test } from 'vitest'
import { meaningOf, movedRefs, parseRefs } from './refs.ts'

const sha = (digit: string): string => digit.repeat(40)
const refs = parseRefs(
  [
    `${sha('a')}\tHEAD`,
    `${sha('a')}\trefs/heads/main`,
    `${sha('b')}\trefs/heads/1.x`,
    `${sha('c')}\trefs/heads/feature/x`,
    `${sha('1')}\trefs/tags/v1.0.0`,
    `${sha('2')}\trefs/tags/v1.0.0^{}`,
    `${sha('3')}\trefs/tags/v1.2.0`,
    `${sha('4')}\trefs/tags/v2.0.0-rc1`,
    `${sha('5')}\trefs/tags/release`,
    `${sha('6')}\trefs/pull/7/head`,
    'warning: something else',
    '',
  ].join('\n'),
)

test.each([
  ['', sha('a'), 'HEAD'],
  ['HEAD', sha('a'), 'HEAD'],
  ['main', sha('a'), 'refs/heads/main'],
  ['refs/heads/main', sha('a'), 'refs/heads/main'],
  ['feature/x', sha('c'), 'refs/heads/feature/x'],
  ['v1.0.0', sha('2'), 'refs/tags/v1.0.0'],
  ['release', sha('5'), 'refs/tags/release'],
  ['v1.*', sha('3'), 'refs/tags/v1.2.0'],
  ['>=1.0.0', sha('3'), 'refs/tags/v1.2.0'],
  ['>=2.0.0-0', sha('4'), 'refs/tags/v2.0.0-rc1'],
  ['^1.1', sha('3'), 'refs/tags/v1.2.0'],
  ['1.x', sha('3'), 'refs/tags/v1.2.0'],
  ['pull/7/head', sha('6'), 'refs/pull/7/head'],
  [sha('F'), sha('f'), undefined],
])('%j means a commit', (revision, commit, ref) => {
  expect(meaningOf(revision, refs)).toEqual({ is: 'commit', sha: commit, ref })
})

test('the beginning of a SHA is known as such, and other names are unknown', () => {
  expect(meaningOf('AAAAAAA', refs)).toEqual({ is: 'short', prefix: 'aaaaaaa' })
  expect(meaningOf('aaa', refs)).toEqual({ is: 'unknown' })
  expect(meaningOf('^3', refs)).toEqual({ is: 'unknown' })
  expect(meaningOf('--upload-pack=x', refs)).toEqual({ is: 'unknown' })
})

test('with a prefix, only tags that begin with it are versions', () => {
  const more = new Map([...refs, ['refs/tags/web/v0.1.0', sha('7')], ['refs/tags/web/v0.2.0', sha('8')]])
  expect(meaningOf('v0.1.*', more, 'web/')).toMatchObject({ sha: sha('7') })
  expect(meaningOf('>=0.1', more, 'web/')).toMatchObject({ sha: sha('8') })
  expect(meaningOf('v0.2.0', more, 'web/')).toMatchObject({ ref: 'refs/tags/web/v0.2.0' })
  expect(meaningOf('>=1', more, 'web/')).toEqual({ is: 'unknown' })
})

test('refs that moved, came or went are told', () => {
  const after = new Map(refs)
  after.set('refs/heads/main', sha('9'))
  after.set('refs/heads/new', sha('9'))
  after.delete('refs/pull/7/head')
  expect(movedRefs(refs, after)).toEqual(['refs/heads/main', 'refs/heads/new', 'refs/pull/7/head'])
})
