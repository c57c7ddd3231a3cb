import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { Command } from 'commander'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { define } from '../policy.ts'

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'idp-policy-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function files(contents: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(contents)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
}

async function run(
  ...args: readonly string[]
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  let code = 0
  let out = ''
  let err = ''
  const command = new Command('policy').exitOverride()
  define(command, {
    stdin: Readable.from([]),
    out: (text) => (out += text),
    err: (text) => (err += text),
    env: {},
    cwd: folder,
    signal: new AbortController().signal,
    exit: (value) => (code = value),
  })
  await command.parseAsync([...args], { from: 'user' })
  return { code, out, err }
}

const policy = `
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: tags}
spec:
  rules:
  - name: no-latest
    match: {any: [{resources: {kinds: [Pod]}}]}
    validate:
      failureAction: Audit
      message: Use a tag
      pattern: {spec: {containers: [{image: "!*:latest"}]}}
  - name: labels
    match: {any: [{resources: {kinds: [Pod]}}]}
    mutate: {patchStrategicMerge: {metadata: {labels: {seen: "true"}}}}
`
const pods = `
apiVersion: v1
kind: Pod
metadata: {name: good}
spec: {containers: [{name: a, image: "nginx:1"}]}
---
apiVersion: v1
kind: Pod
metadata: {name: bad}
spec: {containers: [{name: a, image: "nginx:latest"}]}
`
const testFile = (result: string): string => `
apiVersion: cli.kyverno.io/v1alpha1
kind: Test
metadata: {name: t}
policies: [policy.yaml]
resources: [pods.yaml]
results:
- {policy: tags, rule: no-latest, kind: Pod, resources: [good], result: pass}
- {policy: tags, rule: no-latest, kind: Pod, resources: [bad], result: ${result}}
- {policy: tags, rule: labels, kind: Pod, resources: [good], result: pass, patchedResources: patched.yaml}
`
const patched =
  'apiVersion: v1\nkind: Pod\nmetadata: {name: good, labels: {seen: "true"}}\nspec: {containers: [{name: a, image: "nginx:1"}]}\n'

test('a test passes when every verdict and every patched object is as expected', async () => {
  files({ 'policy.yaml': policy, 'pods.yaml': pods, 'patched.yaml': patched, 'kyverno-test.yaml': testFile('fail') })
  const { code, out } = await run('test', folder)
  expect(out).toContain('Test Summary: 3 tests passed and 0 tests failed')
  expect(code).toBe(0)
})

test('a wrong verdict, a wrong patch, a rule that there is not and a missing file are told', async () => {
  files({
    'policy.yaml': policy,
    'pods.yaml': pods,
    'patched.yaml': patched.replace('seen', 'other'),
    'kyverno-test.yaml': testFile('pass').replace(
      'rule: no-latest, kind: Pod, resources: [good]',
      'rule: nope, kind: Pod, resources: [good]',
    ),
  })
  files({ 'other/kyverno-test.yaml': 'policies: [gone.yaml]\nresources: []\nresults: []\n' })
  const { code, out } = await run('test', folder, '-o', 'json')
  const rows = JSON.parse(out) as readonly { readonly RESULT: string; readonly REASON: string }[]
  expect(rows.map(({ RESULT, REASON }) => `${RESULT}: ${REASON}`)).toEqual([
    'Fail: Not found',
    'Fail: Want pass, got fail',
    'Fail: Resource diff',
    'Fail: Test error',
  ])
  expect(code).toBe(1)
})

test('policies are applied to files: what changes, what fails, and an exit code', async () => {
  files({ 'policy.yaml': policy, 'pods.yaml': pods })
  const { code, out } = await run('apply', 'policy.yaml', '--resource', 'pods.yaml')
  expect(out).toContain(
    'policy tags -> resource default/Pod/bad failed:\n1 - no-latest validation error: Use a tag. rule no-latest failed at path /spec/containers/0/image/',
  )
  expect(out).toContain('pass: 3, fail: 1, warn: 0, error: 0, skip: 0')
  expect(code).toBe(1)
  const warned = await run('apply', 'policy.yaml', '-r', 'pods.yaml', '--audit-warn', '-o', 'json')
  expect(JSON.parse(warned.out)).toMatchObject({
    summary: { pass: 3, fail: 0, warn: 1 },
    objects: [{ metadata: { name: 'good', labels: { seen: 'true' } } }, {}],
  })
  expect(warned.code).toBe(0)
})

test('a policy is linted before a cluster refuses it, and explained', async () => {
  files({ 'policy.yaml': policy, 'bad.yaml': policy.replace('Use a tag', '"{{ nobody.knows }}"'), 'pods.yaml': pods })
  expect(await run('lint', 'policy.yaml')).toMatchObject({ code: 0, out: '1 policies, 0 problems, 0 warnings\n' })
  const { code, out } = await run('lint', 'bad.yaml')
  expect(code).toBe(1)
  expect(out).toContain('ClusterPolicy tags: spec.rules[0].validate.message: the variable nobody.knows is not defined')
  const explained = await run('explain', 'policy.yaml', '--resource', 'pods.yaml')
  expect(explained.out).toContain('autogen-cronjob-no-latest: validates (Audit) by pattern; about batch/CronJob')
  expect(explained.out).toContain('no-latest fail at /spec/containers/0/image/')
})
