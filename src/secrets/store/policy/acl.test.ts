import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Operation } from '../logical.ts'
import { type Acl, compileAcl, matchesText } from './acl.ts'
import type { TemplateEntity } from './path-template.ts'
import { parsePolicy, type PolicyDocument } from './policy-document.ts'

function policy(text: string): PolicyDocument {
  const parsed = parsePolicy(text)
  if (!parsed.ok) throw new Error(parsed.error[0]?.message)
  return parsed.value
}

const ask = (acl: Acl, operation: Operation, path: string, fields: object = {}, wrapSeconds = 0): boolean =>
  acl.allows({ operation, path, fields: new Map(Object.entries(fields)), wrapSeconds }).isAllowed

/** Each rule grants a capability that says which one it was. */
const rules = (paths: Readonly<Record<string, string>>): Acl =>
  compileAcl([
    policy(
      Object.entries(paths)
        .map(([path, capability]) => `path "${path}" { capabilities = ["${capability}"] }`)
        .join('\n'),
    ),
  ])

test.each([
  ['an exact path wins over a prefix', { 'secret/a': 'read', 'secret/*': 'list' }, 'secret/a', ['read']],
  ['the longest prefix wins', { 'secret/*': 'read', 'secret/team/*': 'list' }, 'secret/team/x', ['list']],
  ['a prefix ends anywhere', { 'secret/te*': 'read' }, 'secret/team', ['read']],
  ['a plus stands for one segment', { 'secret/+/db': 'read' }, 'secret/a/db', ['read']],
  ['a plus does not stand for two', { 'secret/+/db': 'read' }, 'secret/a/b/db', ['deny']],
  ['a later first wildcard wins', { 'secret/+/db': 'read', 'secret/a/+': 'list' }, 'secret/a/db', ['list']],
  ['a path without a star wins', { 'secret/+/d*': 'read', 'secret/+/db': 'list' }, 'secret/a/db', ['list']],
  ['fewer plus signs win', { 'secret/+/+/c': 'read', 'secret/+/b/c': 'list' }, 'secret/a/b/c', ['list']],
  ['a longer path wins', { 'secret/+/b*': 'read', 'secret/+/ba*': 'list' }, 'secret/a/bar', ['list']],
  ['plus wins over a star in the same place', { 'secret/*': 'read', 'secret/+': 'list' }, 'secret/a', ['list']],
  ['a prefix that begins later wins over a plus', { 'secret/a*': 'read', 'secret/+': 'list' }, 'secret/ab', ['read']],
  ['a leading slash is dropped', { '/secret/a': 'read' }, 'secret/a', ['read']],
  ['nothing else is granted', { 'secret/a': 'read' }, 'secret/b', ['deny']],
  ['a list needs no rule with a slash', { 'secret/metadata': 'list' }, 'secret/metadata/', ['list']],
  ['deny takes away', { 'secret/*': 'read', 'secret/x/*': 'deny' }, 'secret/x/y', ['deny']],
])('%s', (_, paths, path, want) => {
  expect(rules(paths).capabilities(path)).toEqual(want)
})

test('rules for the same path add up over policies, and a deny of one takes all away', () => {
  const one = policy('path "a" { capabilities = ["read"] }')
  const two = policy('path "a" { capabilities = ["list", "sudo"] }')
  const no = policy('path "a" { capabilities = ["deny", "read"] }')
  expect(compileAcl([one, two]).capabilities('a')).toEqual(['sudo', 'read', 'list'])
  expect(compileAcl([one, no, two]).capabilities('a')).toEqual(['deny'])
  expect(compileAcl([no, one]).capabilities('a')).toEqual(['deny'])
})

test.each([
  ['a required parameter is missing', 'required_parameters = ["owner"]', { a: 1 }, false],
  ['a required parameter is there', 'required_parameters = ["owner"]', { owner: 'x' }, true],
  ['a parameter is not among the allowed', 'allowed_parameters = { a = [] }', { b: 1 }, false],
  ['any value of an allowed parameter', 'allowed_parameters = { a = [] }', { a: 1 }, true],
  ['a value that is not allowed', 'allowed_parameters = { a = ["x", "y*"] }', { a: 'z' }, false],
  ['a value that fits a pattern', 'allowed_parameters = { a = ["x", "y*"] }', { a: 'yes' }, true],
  ['others where a star allows them', 'allowed_parameters = { a = ["x"], "*" = [] }', { b: 1 }, true],
  ['a wrong value beside a star', 'allowed_parameters = { a = ["x"], "*" = [] }', { a: 'q' }, false],
  ['a denied parameter', 'denied_parameters = { a = [] }', { a: 1 }, false],
  ['a denied value', 'denied_parameters = { a = ["x"] }', { a: 'x' }, false],
  ['another value of a denied parameter', 'denied_parameters = { a = ["x"] }', { a: 'y' }, true],
  ['all parameters are denied', 'denied_parameters = { "*" = [] }', { a: 'y' }, false],
  ['no parameters at all', 'denied_parameters = { "*" = [] }', {}, true],
  ['names are compared in lower case', 'denied_parameters = { Owner = [] }', { OWNER: 'y' }, false],
  ['a number that is allowed', 'allowed_parameters = { a = [3] }', { a: 3 }, true],
])('parameters: %s', (_, rule, fields, want) => {
  const acl = compileAcl([policy(`path "a" { capabilities = ["update"]\n ${rule} }`)])
  expect(ask(acl, 'update', 'a', fields)).toBe(want)
})

test.each([
  [0, false],
  [60, false],
  [120, true],
  [3_600, true],
  [3_601, false],
])('a wrapping of %d seconds, where two minutes to an hour are asked for', (seconds, want) => {
  const rule = 'capabilities = ["read"] min_wrapping_ttl = "2m" max_wrapping_ttl = "1h"'
  expect(ask(compileAcl([policy(`path "a" { ${rule} }`)]), 'read', 'a', {}, seconds)).toBe(want)
})

const entity: TemplateEntity = {
  id: 'e-1',
  name: 'web',
  metadata: new Map([['team', 'a']]),
  aliases: new Map([
    ['kube_1', { id: 'a-1', name: 'uid', metadata: new Map([['service_account_namespace', 'shop']]) }],
    ['odd', { id: 'a-2', name: '*', metadata: new Map() }],
  ]),
}

test.each([
  ['kv/{{identity.entity.aliases.kube_1.metadata.service_account_namespace}}/*', 'kv/shop/db', true],
  ['kv/{{identity.entity.aliases.kube_1.metadata.service_account_namespace}}/*', 'kv/other/db', false],
  ['kv/{{ identity.entity.name }}/{{identity.entity.metadata.team}}', 'kv/web/a', true],
  ['kv/{{identity.entity.id}}', 'kv/e-1', true],
  ['kv/{{identity.entity.aliases.none.name}}*', 'kv/', false],
  ['kv/{{identity.entity.aliases.odd.name}}', 'kv/anything', false],
  ['kv/{{identity.groups.names.ops.id}}*', 'kv/', false],
])('the template %s and the path %s', (template, path, want) => {
  const acl = compileAcl([policy(`path "${template}" { capabilities = ["read"] }`)], entity)
  expect(ask(acl, 'read', path)).toBe(want)
})

test('without an entity, templated paths grant nothing', () => {
  const acl = compileAcl([policy('path "kv/{{identity.entity.id}}*" { capabilities = ["read"] }')])
  expect(ask(acl, 'read', 'kv/')).toBe(false)
})

const segment = fc.constantFrom('a', 'b', '+')
const pattern = fc
  .tuple(fc.array(segment, { minLength: 1, maxLength: 4 }), fc.boolean())
  .map(([segments, isPrefix]) => segments.join('/') + (isPrefix && segments.at(-1) !== '+' ? '*' : ''))

test('a rule decides only for paths that it matches, and some rule decides where one matches', () => {
  const fits = (rule: string, path: string): boolean => {
    const source = rule
      .replaceAll('+', '[^/]*')
      .replace(/\*$/, (star, at: number) => (rule[at - 1] === '+' ? star : '.*'))
    return new RegExp(`^${source.replaceAll('[^/].*', '[^/]*')}$`).test(path)
  }
  fc.assert(
    fc.property(
      fc.array(pattern, { minLength: 1, maxLength: 6 }),
      fc.array(fc.constantFrom('a', 'b', 'ab'), { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/')),
      (patterns, path) => {
        const acl = compileAcl(patterns.map((one) => policy(`path "${one}" { capabilities = ["read"] }`)))
        expect(ask(acl, 'read', path)).toBe(patterns.some((one) => fits(one, path)))
      },
    ),
    { numRuns: 300 },
  )
})

test.each([
  ['*', 'anything', true],
  ['a*', 'abc', true],
  ['*c', 'abc', true],
  ['*b*', 'abc', true],
  ['b', 'abc', false],
  ['', '', true],
  ['', 'a', false],
])('the text pattern %s and %s', (one, text, want) => {
  expect(matchesText(one, text)).toBe(want)
})
