import { expect, test } from 'vitest'
import { parsePolicy } from './policy-document.ts'

const paths = (text: string): unknown => {
  const parsed = parsePolicy(text)
  if (!parsed.ok) return `${parsed.error[0]?.at}: ${parsed.error[0]?.message}`
  return parsed.value.rules.map(({ path, permissions }) => [path, [...permissions.capabilities]])
}

test.each([
  ['an empty document', '', []],
  ['a block', 'path "a/*" {\n  capabilities = ["read", "list"]\n}', [['a/*', ['read', 'list']]]],
  ['comments', '# one\n// two\n/* three\n */ path "a" { capabilities = ["read"] # four\n }', [['a', ['read']]]],
  ['a comma at the end of a list', 'path "a" { capabilities = ["read",] }', [['a', ['read']]]],
  ['the older words', 'path "a" { policy = "write" }', [['a', ['create', 'read', 'update', 'delete', 'list']]]],
  ['a name, which changes nothing', 'name = "x"\npath "a" { capabilities = ["sudo"] }', [['a', ['sudo']]]],
  [
    'JSON',
    '{"path": {"a": {"capabilities": ["read"]}, "b": {"policy": "deny"}}}',
    [
      ['a', ['read']],
      ['b', ['deny']],
    ],
  ],
  [
    'JSON with lists',
    '{"path": [{"a": {"capabilities": ["read"]}}, {"b": {"policy": "deny"}}]}',
    [
      ['a', ['read']],
      ['b', ['deny']],
    ],
  ],
  ['paths as an object', 'path = { "a" = { capabilities = ["read"] } }', [['a', ['read']]]],
  ['deny, which is all', 'path "a" { capabilities = ["read", "deny"] }', [['a', ['deny']]]],
  ['no capabilities', 'path "a" {}', [['a', []]]],
  ['escapes in paths', String.raw`path "a\u0062\"c" { policy = "read" }`, [['ab"c', ['read', 'list']]]],
  ['names that objects have', 'path "__proto__" { policy = "read" }', [['__proto__', ['read', 'list']]]],
])('%s is read', (_, text, want) => {
  expect(paths(text)).toEqual(want)
})

test.each([
  ['an unknown key', 'paths "a" {}', 'line 1: failed to parse policy: invalid key "paths"'],
  [
    'an unknown key of a path',
    '\npath "a" {\n  cap = []\n}',
    'line 3: failed to parse policy: path "a": invalid key "cap"',
  ],
  ['an unknown capability', 'path "a" { capabilities = ["write"] }', 'invalid capability "write"'],
  ['an unknown word', 'path "a" { policy = "all" }', 'invalid policy "all"'],
  ['a plus before a star', 'path "a/+*" { policy = "read" }', "'+*' is forbidden"],
  ['a brace that is not closed', 'path "a" {', 'a brace is not closed'],
  ['a string that is not closed', 'path "a {}', 'a string is not closed'],
  ['a comment that is not closed', '/* path', 'a comment is not closed'],
  ['a value that is missing', 'path "a" { capabilities = }', 'a value was expected'],
  ['text behind the end', '{"path": {}} x', 'more behind the end'],
  ['a template that is not closed', 'path "a/{{identity.entity.id" {}', 'a template is not closed'],
  ['a template of something else', 'path "a/{{foo.bar}}" {}', 'may only name identity'],
  [
    'wrapping times the wrong way round',
    'path "a" { min_wrapping_ttl = 60 max_wrapping_ttl = "10s" }',
    'cannot be less',
  ],
  ['a key that is set twice', 'path "a" { policy = "read" policy = "deny" }', 'was set before'],
  ['capabilities that are no list', 'path "a" { capabilities = 3 }', 'a list of strings'],
])('%s is refused', (_, text, message) => {
  expect(paths(text)).toContain(message)
})

test.each([
  ['blocks', 'a {'.repeat(100_000)],
  ['lists', `a = ${'['.repeat(100_000)}`],
  ['labels', `path ${'"a" '.repeat(100_000)}`],
])('a policy with 100,000 nested %s is refused', (_, text) => {
  expect(paths(text)).toMatch(/^line \d+: cannot read the policy: /)
})
