import { expect, test } from 'vitest'
import { deepFreeze } from '../../lib/json.ts'
import { usualSettings } from './read-settings.ts'
import { settingValues, substituteSettings } from './substitute-settings.ts'

const usual = usualSettings()
const values = settingValues({ ...usual, values: { retention: '7d', replicas: 2, isDemo: true } })
const substituted = (object: object): ReturnType<typeof substituteSettings<object>> =>
  substituteSettings(deepFreeze(object), values, 'K8s/web.yaml:1')

test.each([
  {
    name: 'a value that is a reference becomes what the setting is',
    from: { spec: { port: '${idp.gateway.httpsPort}', on: '${idp.values.isDemo}', suffix: '${idp.dns.suffix}' } },
    want: { spec: { port: 18_443, on: true, suffix: 'idp.localhost' } },
  },
  {
    name: 'within a text it is written out',
    from: { url: 'https://demo.${idp.dns.suffix}:${idp.gateway.httpsPort}/' },
    want: { url: 'https://demo.idp.localhost:18443/' },
  },
  {
    name: 'where only text can be, it stays text',
    from: {
      kind: 'ConfigMap',
      metadata: { labels: { n: '${idp.values.replicas}' }, annotations: { on: '${idp.values.isDemo}' } },
      data: { port: '${idp.gateway.httpPort}' },
      env: [{ name: 'PORT', value: '${idp.gateway.httpPort}' }],
      args: ['${idp.gateway.httpPort}'],
      selector: { on: '${idp.values.isDemo}' },
      matchExpressions: [{ key: 'on', values: ['${idp.values.isDemo}'] }],
    },
    want: {
      kind: 'ConfigMap',
      metadata: { labels: { n: '2' }, annotations: { on: 'true' } },
      data: { port: '18080' },
      env: [{ name: 'PORT', value: '18080' }],
      args: ['18080'],
      selector: { on: 'true' },
      matchExpressions: [{ key: 'on', values: ['true'] }],
    },
  },
  {
    name: 'data of other kinds keep their type',
    from: { kind: 'Widget', data: { port: '${idp.gateway.httpPort}' } },
    want: { kind: 'Widget', data: { port: 18_080 } },
  },
  {
    name: 'a second dollar sign stands for the text itself',
    from: { a: '$${idp.dns.suffix}', b: 'x $${idp.whatever', c: '$$${idp.dns.suffix}' },
    want: { a: '${idp.dns.suffix}', b: 'x ${idp.whatever', c: '$${idp.dns.suffix}' },
  },
  {
    name: 'other variables are left alone',
    from: { a: '${HOME} $idp.x ${idpx.y} {{idp.dns.suffix}} $${VAR}' },
    want: { a: '${HOME} $idp.x ${idpx.y} {{idp.dns.suffix}} $${VAR}' },
  },
])('$name', ({ from, want }) => {
  const result = substituted(from)
  expect(result.ok ? result.value.object : result.error).toEqual(want)
})

test('what was put where is told, and what has no reference is the same object', () => {
  const from = { a: [{ 'b/c': '${idp.dns.suffix} ${idp.dns.suffix} ${idp.cluster.name}' }], d: { e: 1 } }
  const result = substituted(from)
  expect(result.ok && result.value.substitutions).toEqual([
    { field: 'a[0]["b/c"]', settings: ['dns.suffix', 'cluster.name'] },
  ])
  expect(result.ok && (result.value.object as typeof from).d).toBe(from.d)
  const plain = { a: '${VAR}' }
  const same = substituted(plain)
  expect(same.ok && same.value.object).toBe(plain)
})

test.each([
  {
    name: 'a misspelt setting names its field and what was meant',
    from: { spec: { hosts: ['a.${idp.dns.sufix}'] } },
    code: 'settings-reference-unknown',
    message: 'the field spec.hosts[0] refers to "${idp.dns.sufix}", which idp.yaml does not set',
    cure: 'did you mean ${idp.dns.suffix}?',
  },
  {
    name: 'a setting without a value is not there',
    from: { a: '${idp.repository.url}' },
    code: 'settings-reference-unknown',
    cure: 'set repository.url in idp.yaml',
  },
  {
    name: 'a section is no value',
    from: { a: '${idp.gateway}' },
    code: 'settings-reference-invalid',
    cure: 'name one of its keys: gateway.host, gateway.httpPort, gateway.httpsPort',
  },
  {
    name: 'nodes are no values',
    from: { a: '${idp.nodes}' },
    code: 'settings-reference-unknown',
  },
  {
    name: 'prototype names are not there',
    from: { a: '${idp.constructor}' },
    code: 'settings-reference-unknown',
  },
  {
    name: 'a reference that does not end is refused',
    from: { a: 'x ${idp.dns.suffix' },
    code: 'settings-reference-invalid',
    cure: 'write ${idp.SECTION.KEY}, or $${idp. for the text itself',
  },
  {
    name: 'a reference with something else in it is refused',
    from: { a: '${idp.dns.suffix | upper}' },
    code: 'settings-reference-invalid',
  },
  {
    name: 'keys are not for references',
    from: { data: { '${idp.dns.suffix}': 'x' } },
    code: 'settings-reference-invalid',
    message: 'the field data["${idp.dns.suffix}"] has a reference in its key',
  },
])('$name', ({ from, name: _name, ...want }) => {
  const result = substituted(from)
  expect(result.ok ? [] : result.error).toEqual([expect.objectContaining({ ...want, at: 'K8s/web.yaml:1' })])
})

test('what becomes too large is refused', () => {
  const long = settingValues({ ...usual, values: { long: 'x'.repeat(4_000) } })
  const result = substituteSettings({ a: '${idp.values.long}'.repeat(10_000) }, long, 'x')
  expect(result.ok ? [] : result.error.map(({ code }) => code)).toEqual(['settings-too-large'])
})

test('what nests too deep is refused, and many problems are cut short', () => {
  let deep: object = { a: '${idp.dns.suffix}' }
  for (let depth = 0; depth < 100_000; depth++) deep = { a: deep }
  const result = substituteSettings(deep, values, 'x')
  expect(result.ok ? [] : result.error.map(({ code }) => code)).toEqual(['settings-reference-invalid'])
  const many = substituted({ a: Array.from({ length: 1_000 }, () => '${idp.no.where}') })
  expect(many.ok ? 0 : many.error.length).toBe(20)
})
