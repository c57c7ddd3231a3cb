import { expect, test } from 'vitest'
import { memoryTree } from '../../lib/file-tree.ts'
import { seededIds } from '../../lib/ids.ts'
import { type AskStore, seedStore } from './seed-store.ts'
import { makeValue, readStoreSeed } from './store-seed.ts'

const seedText = `
mounts: [{ path: secret, type: kv, version: 2 }]
policies: [{ name: teams, file: rules/teams.hcl }]
roles:
  - name: teams
    serviceAccounts: [{ namespace: eso, name: reader }]
    policies: [teams]
credentials:
  - path: secret/teams/demo
    keys:
      user: { value: admin }
      password: { generate: password, length: 24 }
      id: { generate: uuid }
`
const treeOf = (text: string) =>
  memoryTree({ 'IT/3-secrets/seed.yaml': text, 'IT/3-secrets/rules/teams.hcl': 'path "x" {}' })

/** A store that remembers what it was told, as Vault would show it. */
function recordedStore(): { readonly ask: AskStore; readonly writes: string[]; readonly kept: Map<string, unknown> } {
  const kept = new Map<string, unknown>([
    ['sys/mounts', {}],
    ['sys/auth', {}],
  ])
  const writes: string[] = []
  return {
    kept,
    writes,
    ask: ({ method, path, body = '{}' }) => {
      const listed = /^(sys\/(?:mounts|auth))\/(.+)$/.exec(path)
      if (method === 'GET') {
        const found = kept.get(path)
        return Promise.resolve({
          status: found ? 200 : 404,
          body: JSON.stringify(found ? { data: found } : { errors: [] }),
        })
      }
      writes.push(path)
      const value = JSON.parse(body) as { readonly data?: unknown }
      if (listed)
        kept.set(listed[1] ?? '', { ...(kept.get(listed[1] ?? '') as object), [`${listed[2] ?? ''}/`]: value })
      else kept.set(path, path.includes('/data/') ? { data: value.data } : value)
      return Promise.resolve({ status: 204, body: '' })
    },
  }
}

test('a store gets its mounts, rules, roles and credentials once; what is there already stays', async () => {
  const seed = readStoreSeed(treeOf(seedText), 'IT/3-secrets')
  if (!seed.ok || !seed.value) throw new Error('the seed should be read')
  const store = recordedStore()
  const told: string[] = []
  const tell = (what: string, because: string): void => void told.push(`${what}: ${because}`)
  expect(await seedStore(seed.value, store.ask, seededIds(), tell)).toEqual({ ok: true, value: true })
  expect(store.writes).toEqual([
    'sys/mounts/secret',
    'sys/policies/acl/teams',
    'sys/auth/kubernetes',
    'auth/kubernetes/config',
    'auth/kubernetes/role/teams',
    'secret/data/teams/demo',
  ])
  const { data } = store.kept.get('secret/data/teams/demo') as { readonly data: Readonly<Record<string, string>> }
  expect(data['user']).toBe('admin')
  expect(data['password']).toMatch(/^[A-Za-z0-9]{24}$/)
  expect(told.join('\n')).not.toContain(data['password'])
  store.writes.splice(0)
  expect(await seedStore(seed.value, store.ask, seededIds(2), tell)).toEqual({ ok: true, value: true })
  expect(store.writes).toEqual([])
})

test('what the store refuses is said, without what was to be written', async () => {
  const seed = readStoreSeed(treeOf(seedText), 'IT/3-secrets')
  if (!seed.ok || !seed.value) throw new Error('the seed should be read')
  const sealed: AskStore = () => Promise.resolve({ status: 503, body: '{"errors":["Vault is sealed"]}' })
  expect(await seedStore(seed.value, sealed, seededIds(), () => {})).toMatchObject({
    ok: false,
    error: [{ code: 'store-seed-refused', message: 'the secret store refused sys/mounts: HTTP 503: Vault is sealed' }],
  })
})

test.each([
  { name: 'a section that nobody knows', text: 'secrets: []', at: 'secrets' },
  { name: 'a mount without a path', text: 'mounts: [{ type: kv }]', at: 'mounts[0]' },
  { name: 'rules in a file that is not there', text: 'policies: [{ name: a, file: b }]', at: 'policies[0].file' },
  { name: 'a role for nobody', text: 'roles: [{ name: a, policies: [a] }]', at: 'roles[0]' },
  {
    name: 'a path that leaves its mount',
    text: 'credentials: [{ path: secret/../sys/x, keys: {} }]',
    at: 'credentials[0]',
  },
  {
    name: 'a generator that nobody knows',
    text: 'credentials: [{ path: secret/a, keys: { b: { generate: words } } }]',
    at: 'credentials[0].keys.b',
  },
  {
    name: 'a password that is too short',
    text: 'credentials: [{ path: secret/a, keys: { b: { generate: password, length: 3 } } }]',
    at: 'credentials[0].keys.b',
  },
])('a seed with $name is refused', ({ text, at }) => {
  expect(readStoreSeed(treeOf(text), 'IT/3-secrets')).toMatchObject({
    ok: false,
    error: [{ code: 'store-seed-invalid', at: `IT/3-secrets/seed.yaml: ${at}` }],
  })
})

test('a phase without a seed has nothing to do', () => {
  expect(readStoreSeed(memoryTree({}), 'IT/3-secrets')).toEqual({ ok: true, value: undefined })
})

test.each([
  { source: { generate: 'password', length: 200 } as const, like: /^[A-HJ-NP-Za-km-z2-9]{200}$/ },
  { source: { generate: 'token', length: 64 } as const, like: /^[\w-]{64}$/ },
  { source: { generate: 'hex', length: 40 } as const, like: /^[0-9a-f]{40}$/ },
  { source: { generate: 'uuid' } as const, like: /^[0-9a-f-]{36}$/ },
])('$source.generate makes what it says', ({ source, like }) => {
  const made = makeValue(source, seededIds())
  expect(made).toMatch(like)
  expect(makeValue(source, seededIds(99))).not.toBe(made)
})
