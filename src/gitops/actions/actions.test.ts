import { expect, test } from 'vitest'
import type { KubeObject } from '../../kube/object.ts'
import { compileActions } from './actions.ts'

const nowMs = Date.parse('2026-11-21T08:05:00Z')
const object = (apiVersion: string, kind: string, more: object = {}): KubeObject => ({
  apiVersion,
  kind,
  metadata: { name: 'x', namespace: 'n', uid: 'u' },
  ...more,
})
const run = (name: string, subject: KubeObject, params: Readonly<Record<string, string>> = {}) =>
  compileActions([]).run(name, { object: subject, params, nowMs })
const names = (subject: KubeObject): readonly string[] => {
  const found = compileActions([]).discover(subject)
  return found.ok ? found.value.map(({ name, disabled }) => (disabled ? `(${name})` : name)) : []
}

const web = object('apps/v1', 'Deployment', { spec: { template: { metadata: { labels: { a: 'b' } } } } })

test.each([
  [web, ['restart', 'pause', '(resume)', 'scale']],
  [{ ...web, spec: { paused: true } }, ['restart', '(pause)', 'resume', 'scale']],
  [object('batch/v1', 'CronJob', { spec: { suspend: true } }), ['create-job', 'resume']],
  [object('batch/v1', 'Job', { spec: {}, status: {} }), ['suspend', 'terminate']],
  [object('batch/v1', 'Job', { spec: {}, status: { conditions: [{ type: 'Complete', status: 'True' }] } }), []],
  [object('external-secrets.io/v1', 'ExternalSecret', { spec: { refreshInterval: '0s' } }), ['(refresh)']],
  [object('v1', 'ConfigMap'), []],
])('what can be done depends on the object: %#', (subject, want) => {
  expect(names(subject)).toEqual(want)
})

test('a restart marks the template', () => {
  expect(run('restart', web)).toMatchObject({
    ok: true,
    value: [
      {
        operation: 'patch',
        object: {
          spec: {
            template: {
              metadata: {
                labels: { a: 'b' },
                annotations: { 'kubectl.kubernetes.io/restartedAt': '2026-11-21T08:05:00Z' },
              },
            },
          },
        },
      },
    ],
  })
})

test('scaling takes a number and nothing else', () => {
  expect(run('scale', web, { replicas: '3' })).toMatchObject({
    ok: true,
    value: [{ object: { spec: { replicas: 3 } } }],
  })
  for (const replicas of ['', 'many', '-1', '1.5']) {
    expect(run('scale', web, { replicas })).toMatchObject({ ok: false, error: [{ code: 'action-failed' }] })
  }
})

test('a CronJob makes a Job that it owns', () => {
  const cron = object('batch/v1', 'CronJob', { spec: { jobTemplate: { spec: { template: {} } } } })
  expect(run('create-job', cron)).toMatchObject({
    ok: true,
    value: [
      {
        operation: 'create',
        object: {
          kind: 'Job',
          metadata: {
            name: 'x-2611210805',
            namespace: 'n',
            ownerReferences: [{ kind: 'CronJob', uid: 'u', controller: true }],
          },
          spec: { template: {} },
        },
      },
    ],
  })
})

const custom = `
mergeBuiltinActions: true
discovery.lua: |
  return {hello = {disabled = obj.spec.paused == true, displayName = "Say hello", params = {{name = "to"}}}}
definitions:
- name: hello
  action.lua: |
    obj.metadata.annotations = obj.metadata.annotations or {}
    obj.metadata.annotations["hello"] = actionParams["to"]
    return obj
`

test('users add actions in Lua', () => {
  const actions = compileActions([{ group: 'apps', kind: 'Deployment', actions: custom }])
  const found = actions.discover(web)
  expect(found.ok && found.value.map(({ name }) => name)).toEqual(['hello', 'restart', 'pause', 'resume', 'scale'])
  const given = { ...web, spec: { selector: {} } }
  expect(actions.run('hello', { object: given, params: { to: 'you' }, nowMs })).toEqual({
    ok: true,
    value: [{ operation: 'patch', object: { ...given, metadata: { ...web.metadata, annotations: { hello: 'you' } } } }],
  })
})

test('a script that does not end is stopped, and one that returns nothing is refused', () => {
  const action = (lua: string) =>
    compileActions([{ group: 'apps', kind: 'Deployment', actions: `definitions: [{name: a, action.lua: "${lua}"}]` }])
  const options = { object: web, params: {}, nowMs }
  expect(action('while true do end').run('a', options)).toMatchObject({ error: [{ code: 'lua-budget-exceeded' }] })
  expect(action('return 1').run('a', options)).toMatchObject({ error: [{ code: 'action-failed' }] })
  expect(action('return 1').run('b', options)).toMatchObject({ error: [{ code: 'action-unknown' }] })
})
