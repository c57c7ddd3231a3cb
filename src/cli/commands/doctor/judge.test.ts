import { expect, test } from 'vitest'
import { judgeMachine, type MachineFacts } from './judge.ts'

const well: MachineFacts = {
  node: 'v20.20.2',
  git: 'git version 2.39.5',
  stateFolder: '/home/ada/.idp',
  state: { is: 'there', mode: 0o40700, newestMs: 1_000, kubeconfigMode: 0o100600 },
  freeBytes: 5e9,
  nowMs: 2_000,
  ports: [{ name: 'API', port: 6443, use: 'free' }],
  settings: [],
  sandbox: true,
  suffix: { name: 'git.idp.localhost', isHere: true },
}

test('on a machine that has everything, everything is ok', () => {
  expect(judgeMachine(well).filter(({ verdict }) => verdict !== 'ok')).toEqual([])
})

test.each<{ name: string; facts: Partial<MachineFacts>; verdict: string; what: string }>([
  { name: 'an old Node', facts: { node: 'v18.19.0' }, verdict: 'failed', what: 'v18.19.0 is too old' },
  { name: 'no git', facts: { git: undefined }, verdict: 'failed', what: 'git is not found in PATH' },
  {
    name: 'an old git',
    facts: { git: 'git version 2.17.1' },
    verdict: 'failed',
    what: 'git version 2.17.1 is too old',
  },
  { name: 'a full disk', facts: { freeBytes: 1e6 }, verdict: 'failed', what: '0.0 GB free' },
  {
    name: 'a folder of somebody else',
    facts: { state: { is: 'unusable', because: 'EACCES' } },
    verdict: 'failed',
    what: '/home/ada/.idp: EACCES',
  },
  {
    name: 'a kubeconfig that all may read',
    facts: { state: { is: 'there', mode: 0o40700, newestMs: 0, kubeconfigMode: 0o100644 } },
    verdict: 'failed',
    what: "others may read the administrator's kubeconfig",
  },
  {
    name: 'a clock that went back',
    facts: { state: { is: 'there', mode: 0o40700, newestMs: 200_000 } },
    verdict: 'failed',
    what: 'the clock is 198 s behind what was written before',
  },
  {
    name: "another program on the gateway's port",
    facts: { ports: [{ name: 'gateway, HTTPS', port: 8443, use: 'taken' }] },
    verdict: 'failed',
    what: 'gateway, HTTPS: another program has it',
  },
  {
    name: "another program on the API's port",
    facts: { ports: [{ name: 'API', port: 6443, use: 'taken' }] },
    verdict: 'warning',
    what: 'API: another program has it',
  },
  {
    name: 'a setting that nobody knows',
    facts: { settings: ['idp.yaml:3: x'] },
    verdict: 'failed',
    what: 'idp.yaml:3: x',
  },
  { name: 'no sandbox', facts: { sandbox: false }, verdict: 'warning', what: 'bubblewrap is not there' },
])('$name is found, with its cure', ({ facts, verdict, what }) => {
  const found = judgeMachine({ ...well, ...facts }).filter((one) => one.verdict !== 'ok')
  expect(found).toHaveLength(1)
  expect(found[0]).toMatchObject({ verdict, cure: expect.any(String) as string })
  expect(found[0]?.what).toContain(what)
})
