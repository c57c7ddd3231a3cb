import { Ajv } from 'ajv'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkSettings } from './check-settings.ts'
import { readSettings, usualSettings } from './read-settings.ts'
import { settingsSchema } from './settings-schema.ts'

const usual = usualSettings()

test.each([
  { name: 'an empty file means the defaults', text: '', want: usual },
  { name: 'a file of comments means the defaults', text: '# nothing yet\n', want: usual },
  { name: 'an empty section means its defaults', text: 'dns:\nnodes:\n', want: usual },
  {
    name: 'what is said stands beside the defaults',
    text: 'cluster: { name: lab }\ngateway: { httpsPort: 443 }\nvalues: { retention: 7d, replicas: 2, isDemo: true }',
    want: {
      ...usual,
      cluster: { name: 'lab' },
      gateway: { ...usual.gateway, httpsPort: 443 },
      values: { retention: '7d', replicas: 2, isDemo: true },
    },
  },
  {
    name: 'a stack of one’s own is a stack',
    text: 'stacks: { data: true, security: false }',
    want: { ...usual, stacks: { ...usual.stacks, security: false, data: true } },
  },
])('$name', ({ text, want }) => expect(readSettings(text)).toEqual({ ok: true, value: want }))

test.each([
  {
    name: 'names the line of an unknown key, and what was meant',
    text: 'cluster:\n  name: lab\ndns:\n  sufix: a.b\n',
    at: 'idp.yaml:4',
    message: 'dns.sufix is not a setting',
    cure: 'did you mean dns.suffix?',
  },
  {
    name: 'lists what there is where nothing is near',
    text: 'dns: { color: red }',
    at: 'idp.yaml:1',
    message: 'dns.color is not a setting',
    cure: 'there are suffix',
  },
  {
    name: 'an unknown section is refused',
    text: '\n\ngatway: {}\n',
    at: 'idp.yaml:3',
    message: 'gatway is not a setting',
    cure: 'did you mean gateway?',
  },
  {
    name: 'prototype names are unknown keys',
    text: '"__proto__": { dns: {} }',
    at: 'idp.yaml:1',
    message: '__proto__ is not a setting',
  },
  {
    name: 'a domain of one label is refused, as no certificate is valid below it',
    text: 'dns: { suffix: localhost }',
    at: 'idp.yaml:1',
    message: expect.stringContaining('two labels'),
  },
  {
    name: 'a port is a number',
    text: 'gateway:\n  httpPort: "8080"',
    at: 'idp.yaml:2',
    message: 'gateway.httpPort must be a whole number',
  },
  {
    name: 'a port has its limits',
    text: 'gateway: { httpPort: 70000 }',
    at: 'idp.yaml:1',
    message: 'gateway.httpPort must be from 1 to 65535',
  },
  {
    name: 'a text that reads as a number goes in quotes',
    text: 'repository: { revision: 1.10 }',
    at: 'idp.yaml:1',
    message: 'repository.revision must be a text',
    cure: 'put it in quotes',
  },
  {
    name: 'an engine is one of two',
    text: 'engines: { gitops: upsteam }',
    at: 'idp.yaml:1',
    message: 'engines.gitops must be one of embedded, upstream',
    cure: 'did you mean upstream?',
  },
  {
    name: 'a pool is looked into',
    text: 'nodes:\n  - name: a\n  - name: b\n    cpus: 3\n',
    at: 'idp.yaml:4',
    message: 'nodes[1].cpus is not a setting',
  },
  { name: 'a list is no file', text: '- a\n', at: 'idp.yaml:1', message: 'the file must be a section' },
  {
    name: 'a value of one’s own is a scalar',
    text: 'values:\n  a: [1]\n',
    at: 'idp.yaml:2',
    message: 'values.a must be a text or a number or true or false',
  },
  { name: 'a key that is written twice is refused', text: 'dns: {}\ndns: {}\n', at: 'idp.yaml:2:1' },
  {
    name: 'depth has an end',
    text: 'values: '.concat('{ a: '.repeat(100_000)),
    at: expect.stringContaining('idp.yaml'),
  },
])('$name', ({ text, name: _name, ...want }) => {
  const read = readSettings(text)
  expect(read.ok ? [] : read.error).toEqual([expect.objectContaining(want)])
})

test('every problem is told at once, in the order in which they are written', () => {
  const read = readSettings('gateway: { httpPort: 0, hots: x }\ncluster: { name: A }\n')
  expect(read.ok ? [] : read.error.map(({ message }) => message.split(' ')[0])).toEqual([
    'gateway.httpPort',
    'gateway.hots',
    'cluster.name',
  ])
})

test('a file that is wrong all over is told of by its first problems', () => {
  const text = Array.from({ length: 20_000 }, (_, index) => `key${index}: 1\n`).join('')
  const read = readSettings(text)
  expect(read.ok ? [] : read.error.map(({ at }) => at)).toEqual(
    Array.from({ length: 20 }, (_, index) => `idp.yaml:${index + 1}`),
  )
})

test('aliases that expand to too much are refused', () => {
  const rows = Array.from({ length: 30 }, (_, index) => `  k${index}: &k${index} [${`*k${index - 1}, `.repeat(9)}1]\n`)
  const read = readSettings(`values:\n  k: &k-1 x\n${rows.join('')}`)
  expect(read.ok ? [] : read.error).toHaveLength(1)
})

test('the validator and the schema that editors read agree about any document', () => {
  const schema = new Ajv({ strict: false, allErrors: false }).compile(settingsSchema)
  const name = fc.constantFrom(
    'name',
    'suffix',
    'url',
    'httpPort',
    'gitops',
    'security',
    'x',
    'Ä',
    'pods',
    'effect',
    'key',
  )
  const scalar = fc.oneof(
    fc.constantFrom('embedded', 'a.b', 'main', 'git@a:b', 'https://a/b', 'NoSchedule', '', 'A', 'idp'),
    fc.integer({ min: -5, max: 70_000 }),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.constant(null),
  )
  const { any } = fc.letrec((tie) => ({
    any: fc.oneof(
      { maxDepth: 3 },
      scalar,
      fc.dictionary(name, tie('any'), { maxKeys: 3 }),
      fc.array(tie('any'), { maxLength: 2 }),
    ),
  }))
  const section = fc.constantFrom(...Object.keys(settingsSchema.properties ?? {}), 'other')
  fc.assert(
    fc.property(fc.oneof(any, fc.dictionary(section, any, { maxKeys: 3 })), (value) => {
      expect(checkSettings(value, settingsSchema).length === 0).toBe(schema(value))
    }),
    { numRuns: 3000 },
  )
})
