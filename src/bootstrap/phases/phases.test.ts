import { expect, test } from 'vitest'
import { testServer } from '../../apiserver/apiserver.testkit.ts'
import { certificateMaker } from '../../lib/certificates.ts'
import { systemClock } from '../../lib/clock.ts'
import { readData } from '../../lib/data-file.ts'
import { memoryTree } from '../../lib/file-tree.ts'
import { systemIds } from '../../lib/ids.ts'
import { kindTable } from '../../render/kustomize/build-kustomization.ts'
import { usualSettings } from '../../render/settings/read-settings.ts'
import type { BootstrapStep, Phase } from './phase.ts'
import { readinessOf, wavesOf } from './plan.ts'
import { readPhases } from './read-phases.ts'
import { checkPhases, type PhaseWork, runPhases } from './run-phases.ts'

const ports = {
  ports: { clock: systemClock, ids: systemIds, certificates: certificateMaker },
  kustomize: { table: kindTable(readData) },
}
const settings = { ...usualSettings(), dns: { suffix: 'lab.localhost' } }

const namespace = (name: string, wave: number): string => `apiVersion: v1
kind: Namespace
metadata: { name: ${name}, annotations: { argocd.argoproj.io/sync-wave: "${wave}" } }
`
const configMap = (value: string): string => `apiVersion: v1
kind: ConfigMap
metadata: { name: settings, namespace: team }
data: { host: "${value}" }
`

const read = (files: Readonly<Record<string, string>>): readonly Phase[] => {
  const phases = readPhases(memoryTree(files), settings, ports)
  if (!phases.ok) throw new Error(phases.error[0]?.message)
  return phases.value
}

const repository = {
  'IT/README.md': 'not a phase',
  'IT/1-foundation/namespaces.yaml': namespace('team', -1),
  'IT/10-late/kustomization.yaml': 'resources: [late.yaml]',
  'IT/10-late/late.yaml': namespace('late', 0),
  'IT/10-late/ignored.yaml': 'anything: else',
  'IT/2-settings/below/settings.yaml': configMap('demo.${idp.dns.suffix}'),
}

test('phases are the numbered folders, in the order of their numbers, with the settings put in', () => {
  const phases = read(repository)
  expect(phases.map(({ name, objects }) => [name, objects.map(({ object }) => object.metadata.name)])).toEqual([
    ['1-foundation', ['team']],
    ['2-settings', ['settings']],
    ['10-late', ['late']],
  ])
  expect(phases[1]?.objects[0]?.object['data']).toEqual({ host: 'demo.lab.localhost' })
})

test.each([
  { name: 'a repository without phases', files: { 'K8s/x.yaml': 'a: 1' }, code: 'bootstrap-no-phases' },
  {
    name: 'a reference to a setting that is not there',
    files: { 'IT/1-a/x.yaml': configMap('${idp.dns.sufix}') },
    code: 'settings-reference-unknown',
  },
  {
    name: 'a manifest without a name',
    files: { 'IT/1-a/x.yaml': 'apiVersion: v1\nkind: Namespace\nmetadata: {}' },
    code: 'bootstrap-no-manifest',
  },
])('$name is refused before anything is applied', ({ files, code }) => {
  const phases = readPhases(memoryTree(files), settings, ports)
  expect(phases.ok ? [] : phases.error.map((problem) => problem.code)).toContain(code)
})

test('waves come by number, and in each namespaces come before what lives in them', () => {
  const phases = read({
    'IT/1-a/a.yaml': configMap('x'),
    'IT/1-a/b.yaml': namespace('team', 0),
    'IT/1-a/c.yaml': namespace('first', -5),
  })
  const waves = phases.flatMap(wavesOf)
  expect(waves.map(({ wave, objects }) => [wave, objects.map(({ object }) => object.kind)])).toEqual([
    [-5, ['Namespace']],
    [0, ['Namespace', 'ConfigMap']],
  ])
})

const options = (client: Parameters<typeof runPhases>[1]['client'], more: { readonly gateMs?: number } = {}) => {
  const steps: BootstrapStep[] = []
  const signal = new AbortController().signal
  return {
    steps,
    ports: {
      client,
      clock: systemClock,
      tell: (step: BootstrapStep) => void steps.push(step),
      signal,
      gateMs: 5_000,
      ...more,
    },
  }
}

test('a bootstrap applies all, does the work of its phases, and changes nothing when it is repeated', async () => {
  const { client } = await testServer()
  const did: string[] = []
  const seed: PhaseWork = async (_signal, tell) => {
    did.push('seed')
    tell('one credential', 'it was missing')
    return { ok: true, value: true }
  }
  const first = options(client)
  expect(await runPhases(read(repository), { ...first.ports, work: { settings: seed } })).toEqual({
    ok: true,
    value: { changed: 3 },
  })
  expect(first.steps.filter(({ step }) => step === 'phase-done')).toHaveLength(3)
  expect(did).toEqual(['seed'])
  const again = options(client)
  expect(await runPhases(read(repository), again.ports)).toEqual({ ok: true, value: { changed: 0 } })
  expect(await checkPhases(read(repository), again.ports)).toEqual({ ok: true, value: [] })

  const changed = {
    ...repository,
    'IT/2-settings/below/settings.yaml': configMap('other'),
    'IT/1-foundation/more.yaml': namespace('more', 0),
  }
  const found = await checkPhases(read(changed), again.ports)
  expect(found.ok ? found.value : found.error).toEqual([
    { phase: '1-foundation', what: 'Namespace more', file: 'IT/1-foundation/more.yaml:1', change: 'missing' },
    {
      phase: '2-settings',
      what: 'ConfigMap team/settings',
      file: 'IT/2-settings/below/settings.yaml:1',
      change: ['data.host'],
    },
  ])
})

test('what is refused, or not served, is said with its file; what was done stays done', async () => {
  const { client } = await testServer()
  const bad = {
    ...repository,
    'IT/2-settings/below/settings.yaml': 'apiVersion: example.com/v1\nkind: Nothing\nmetadata: { name: x }',
  }
  const { ports: given } = options(client, { gateMs: 200 })
  const outcome = await runPhases(read(bad), given)
  expect(outcome.ok ? undefined : outcome.error[0]).toMatchObject({
    code: 'bootstrap-refused',
    at: 'IT/2-settings/below/settings.yaml:1',
    message: 'Nothing x was not applied: the cluster does not serve Nothing of example.com/v1',
  })
  expect((await client.get({ resource: { group: '', version: 'v1', plural: 'namespaces' }, name: 'team' })).ok).toBe(
    true,
  )
})

test('a gate that does not open says what it waited for and what to do', async () => {
  const { client } = await testServer()
  const deployment = `apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: team }
spec:
  selector: { matchLabels: { app: web } }
  template: { metadata: { labels: { app: web } }, spec: { containers: [{ name: web, image: web }] } }
`
  const { ports: given } = options(client, { gateMs: 200 })
  const outcome = await runPhases(read({ ...repository, 'IT/2-settings/below/web.yaml': deployment }), given)
  expect(outcome.ok ? undefined : outcome.error[0]).toMatchObject({
    code: 'bootstrap-gate',
    at: 'IT/2-settings/below/web.yaml:1',
    cure: 'kubectl describe deployment says more',
  })
})

test.each([
  { name: 'a kind that nobody judges', object: { apiVersion: 'v1', kind: 'ConfigMap' }, isReady: true },
  {
    name: 'a Gateway that nobody has taken',
    object: { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'Gateway' },
    isReady: false,
  },
  {
    name: 'an Application that is still on its way',
    object: { apiVersion: 'argoproj.io/v1alpha1', kind: 'Application', status: { health: { status: 'Progressing' } } },
    isReady: true,
  },
])('$name: ready $isReady', ({ object, isReady }) => {
  expect(readinessOf({ metadata: { name: 'x' }, ...object }).isReady).toBe(isReady)
})
