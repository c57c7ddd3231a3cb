import { describe, expect, test } from 'vitest'
import { normalGitUrl, parseGitUrl, withoutUser } from './git-url.ts'

describe('what a URL reaches', () => {
  test.each<[string, object]>([
    ['https://example.com/org/repo.git', { transport: 'http', url: 'https://example.com/org/repo.git' }],
    [
      'http://u:p%40x@example.com/r',
      { transport: 'http', url: 'http://example.com/r', username: 'u', password: 'p@x' },
    ],
    ['git@example.com:org/repo.git', { transport: 'ssh', url: 'git@example.com:org/repo.git' }],
    ['ssh://git@example.com:2222/repo', { transport: 'ssh', url: 'ssh://git@example.com:2222/repo' }],
    ['file:///srv/a%20b', { transport: 'local', path: '/srv/a b' }],
    ['/srv/repo', { transport: 'local', path: '/srv/repo' }],
  ])('%s is understood', (text, want) => {
    expect(parseGitUrl(text)).toMatchObject({ ok: true, value: want })
  })

  test.each([
    '',
    'ext::sh -c touch% /tmp/x',
    '--upload-pack=touch /tmp/x',
    '-oProxyCommand=x@host:path',
    'ssh://-oProxyCommand=x/path',
    'git@-oProxyCommand=x:path',
    'fd::17',
    'git://example.com/repo',
    'file://elsewhere/path',
    'https://example.com/a\nb',
    'relative/path',
    'http://[',
  ])('%j is refused', (text) => {
    expect(parseGitUrl(text)).toMatchObject({ ok: false, error: [{ code: 'git-url-invalid' }] })
  })

  test('a refusal does not show what the URL says before the host', () => {
    const refused = parseGitUrl('gopher://me:secret@example.com/x')
    expect(JSON.stringify(refused)).not.toContain('secret')
    expect(withoutUser('https://me:secret@example.com/x')).toBe('https://example.com/x')
  })
})

test.each([
  ['https://GitHub.com/Org/Repo.git', 'https://github.com/org/repo'],
  ['git@github.com:org/repo.git', 'git@github.com/org/repo'],
  ['ssh://git@github.com/org/repo', 'git@github.com/org/repo'],
  [' https://github.com/org/repo ', 'https://github.com/org/repo'],
])('%s is the same repository as %s', (text, same) => {
  expect(normalGitUrl(text)).toBe(same)
})
