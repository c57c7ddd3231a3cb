import { expect, test } from 'vitest'
import type { KubeObject } from '../../kube/object.ts'
import { explain, type Result } from '../../lib/result.ts'
import { allowing, triggerOf, triggersWorld, type TriggersWorld } from './triggers-world.testkit.ts'

const told = (result: Result<unknown>): string => (result.ok ? 'fired' : result.error.map(explain).join('\n'))
const API = 'argoproj.io/v1alpha1'
const spec = {
  entrypoint: 'main',
  arguments: {
    parameters: [
      { name: 'app', value: 'none' },
      { name: 'tier', value: 'dev' },
    ],
  },
}
const workflow = (metadata: object, more: object = {}): object => ({
  resource: { apiVersion: API, kind: 'Workflow', metadata, spec, ...more },
})
const all = allowing(
  '{apiGroups: [argoproj.io], resources: ["*"], verbs: ["*"]}, {apiGroups: [""], resources: [pods], verbs: [delete]}',
)

async function world(objects: readonly object[] = [], rights: string = all): Promise<TriggersWorld> {
  const made = await triggersWorld(['argo-workflows'])
  await made.apply(rights)
  for (const object of objects) await made.apply(JSON.stringify(object))
  return made
}

const there = (status: object, more: object = {}): object => ({
  apiVersion: API,
  kind: 'Workflow',
  metadata: { name: 'build', namespace: 'events', labels: { 'workflows.argoproj.io/completed': 'true', team: 'blue' } },
  spec: { ...spec, shutdown: 'Stop' },
  status,
  ...more,
})
const named = { resource: { apiVersion: API, kind: 'Workflow', metadata: { name: 'build' } } }
const only = async (at: TriggersWorld): Promise<KubeObject | undefined> => at.get(API, 'workflows', 'build')

test('a Workflow is submitted once for a firing, with parameters of the event and of arguments', async () => {
  const at = await world()
  const argoWorkflow = {
    operation: 'submit',
    source: workflow({ generateName: 'build-' }),
    parameters: [{ src: { dependencyName: 'push', dataKey: 'app' }, dest: 'spec.arguments.parameters.0.value' }],
    args: ['-p', 'tier=prod', '--labels', 'a=b', '--serviceaccount=runner', '--priority', '5'],
  }
  expect(told(await at.fire({ argoWorkflow }, { app: 'web' }))).toBe('fired')
  expect(told(await at.fire({ argoWorkflow }, { app: 'web' }))).toBe('fired')
  const made = await at.list(API, 'workflows')
  expect(made).toHaveLength(1)
  expect(made[0]).toMatchObject({
    metadata: { labels: { a: 'b', 'events.argoproj.io/trigger': 'act' } },
    spec: {
      serviceAccountName: 'runner',
      priority: 5,
      arguments: {
        parameters: [
          { name: 'tier', value: 'prod' },
          { name: 'app', value: 'web' },
        ],
      },
    },
  })
})

test('a Workflow is made from a template, from one of the cluster and from a CronWorkflow', async () => {
  const cron = {
    apiVersion: API,
    kind: 'CronWorkflow',
    metadata: { name: 'nightly', namespace: 'events' },
    spec: { schedules: ['0 0 * * *'], workflowSpec: spec, workflowMetadata: { labels: { night: 'yes' } } },
  }
  const at = await world([cron])
  const from = (kind: string, name: string): Promise<Result<unknown>> =>
    at.fire(
      {
        argoWorkflow: {
          operation: 'submit-from',
          source: { resource: { apiVersion: API, kind, metadata: { name } } },
          args: ['-p', 'app=x'],
        },
      },
      {},
    )
  expect(told(await from('WorkflowTemplate', 'build'))).toBe('fired')
  expect(told(await from('ClusterWorkflowTemplate', 'audit'))).toBe('fired')
  expect(told(await from('CronWorkflow', 'nightly'))).toBe('fired')
  expect(told(await from('CronWorkflow', 'gone'))).toContain('cannot get cronworkflows.argoproj.io events/gone')
  const made = await at.list(API, 'workflows')
  const by = (prefix: string): KubeObject | undefined => made.find(({ metadata }) => metadata.name?.startsWith(prefix))
  expect(by('build-')).toMatchObject({
    metadata: { labels: { 'workflows.argoproj.io/workflow-template': 'build' } },
    spec: { workflowTemplateRef: { name: 'build' }, arguments: { parameters: [{ name: 'app', value: 'x' }] } },
  })
  expect(by('audit-')).toMatchObject({ spec: { workflowTemplateRef: { name: 'audit', clusterScope: true } } })
  expect(by('nightly-')).toMatchObject({
    metadata: {
      labels: { 'workflows.argoproj.io/cron-workflow': 'nightly', night: 'yes' },
      ownerReferences: [{ kind: 'CronWorkflow', name: 'nightly', controller: true }],
    },
    spec: { entrypoint: 'main' },
  })
})

test('a resubmitted Workflow carries the spec and the labels of users, and starts anew', async () => {
  const at = await world([there({ phase: 'Failed' })])
  expect(told(await at.fire({ argoWorkflow: { operation: 'resubmit', source: named } }, {}))).toBe('fired')
  const made = (await at.list(API, 'workflows')).find(({ metadata }) => metadata.name !== 'build')
  expect(made?.metadata.name).toMatch(/^build-/)
  expect(made?.metadata.labels).toMatchObject({
    team: 'blue',
    'workflows.argoproj.io/resubmitted-from-workflow': 'build',
  })
  expect(made?.metadata.labels).not.toHaveProperty('workflows.argoproj.io/completed')
  expect(made?.['spec']).toEqual(spec)
  expect(made?.['status']).toBeUndefined()
})

test.each<readonly [string, object, object]>([
  ['suspend', { phase: 'Running' }, { spec: { suspend: true } }],
  ['stop', { phase: 'Running' }, { spec: { shutdown: 'Stop' } }],
  ['terminate', { phase: 'Running' }, { spec: { shutdown: 'Terminate' } }],
  [
    'resume',
    {
      phase: 'Running',
      nodes: {
        a: { id: 'a', name: 'a', type: 'Suspend', phase: 'Running' },
        b: { id: 'b', name: 'b', type: 'Pod', phase: 'Running' },
      },
    },
    { status: { nodes: { a: { phase: 'Succeeded' }, b: { phase: 'Running' } } } },
  ],
])('%s', async (operation, status, want) => {
  const at = await world([there(status)])
  expect(told(await at.fire({ argoWorkflow: { operation, source: named } }, {}))).toBe('fired')
  expect(await only(at)).toMatchObject(want)
})

test('a retry keeps what succeeded, begins the groups again and forgets what failed, with its Pods', async () => {
  const nodes = {
    build: {
      id: 'build',
      name: 'build',
      type: 'DAG',
      phase: 'Failed',
      children: ['ok', 'bad'],
      finishedAt: '2026-01-01T00:00:00Z',
    },
    ok: { id: 'ok', name: 'build.ok', type: 'Pod', phase: 'Succeeded', templateName: 'main' },
    bad: { id: 'bad', name: 'build.bad', type: 'Pod', phase: 'Failed', templateName: 'main' },
    exit: { id: 'exit', name: 'build.onExit', type: 'Pod', phase: 'Succeeded', templateName: 'bye' },
  }
  const at = await world([
    there({ phase: 'Failed', message: 'bad failed', nodes }),
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: 'events' } },
    // The name that Argo Workflows gives to the Pod of build.bad.
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'build-main-1222824266', namespace: 'events' },
      spec: { containers: [{ name: 'main', image: 'x' }] },
    },
  ])
  expect(told(await at.fire({ argoWorkflow: { operation: 'retry', source: named } }, {}))).toBe('fired')
  const after = await only(at)
  expect(after).toMatchObject({
    status: { phase: '', nodes: { build: { phase: 'Running', children: ['ok'] }, ok: { phase: 'Succeeded' } } },
  })
  const { nodes: left } = (after?.['status'] ?? {}) as { readonly nodes?: object }
  expect(Object.keys(left ?? {})).toEqual(['build', 'ok'])
  expect(after?.metadata.labels).toEqual({ team: 'blue' })
  expect(after?.['spec']).not.toHaveProperty('shutdown')
  expect(await at.get('v1', 'pods', 'build-main-1222824266')).toBeUndefined()
})

test.each<readonly [string, object, string]>([
  ['suspend what has ended', { operation: 'suspend', source: named }, 'that has ended cannot be suspended'],
  ['terminate what has ended', { operation: 'terminate', source: named }, 'that has ended cannot be shut down'],
  ['retry what succeeded', { operation: 'retry', source: named }, 'this one is Succeeded'],
  [
    'resume what is not there',
    { operation: 'resume', source: { resource: { apiVersion: API, kind: 'Workflow', metadata: { name: 'x' } } } },
    'cannot get workflows.argoproj.io events/x',
  ],
  [
    'submit a template',
    { source: { resource: { apiVersion: API, kind: 'WorkflowTemplate', metadata: { name: 'x' } } } },
    'use the operation submit-from',
  ],
  ['submit what has no name', { source: workflow({}) }, 'neither a name nor a generateName'],
  ['an operation that there is not', { operation: 'delete', source: named }, 'there is no operation "delete"'],
  ['an argument that is not supported', { source: named, args: ['--watch'] }, '"--watch" is not supported here'],
  ['an argument without its value', { source: named, args: ['-p'] }, 'has no value'],
  ['a parameter without a value', { source: named, args: ['-p', 'x'] }, 'is not NAME=VALUE'],
])('%s: refused with the reason', async (_, argoWorkflow, message) => {
  const at = await world([there({ phase: 'Succeeded' })])
  expect(told(await at.fire({ argoWorkflow }, {}))).toContain(message)
})

test('a ServiceAccount without the right hears which rule it lacks', async () => {
  const at = await world([], allowing('{apiGroups: [""], resources: [pods], verbs: [get]}'))
  expect(told(await at.fire({ argoWorkflow: { source: workflow({ generateName: 'b-', namespace: 'ci' }) } }, {}))).toBe(
    'ServiceAccount events/operator may not create workflows.argoproj.io in namespace ci (add the rule {apiGroups: ["argoproj.io"], resources: ["workflows"], verbs: ["create"]} to a Role in ci that is bound to it) [trigger-forbidden]',
  )
})

test.each<readonly [string, object, readonly string[]]>([
  [
    'submit',
    { argoWorkflow: { source: workflow({ generateName: 'b-', namespace: 'ci' }) } },
    ['create workflows.argoproj.io ci'],
  ],
  [
    'retry',
    { argoWorkflow: { operation: 'retry', source: named } },
    ['get workflows.argoproj.io events build', 'update workflows.argoproj.io events build', 'delete pods. events'],
  ],
  [
    'a patch',
    { k8s: { operation: 'patch', source: named } },
    ['get workflows.argoproj.io events build', 'patch workflows.argoproj.io events build'],
  ],
  [
    'a patch of a name that an event says',
    {
      k8s: {
        operation: 'patch',
        source: named,
        parameters: [{ src: { dependencyName: 'push', dataKey: 'n' }, dest: 'metadata.name' }],
      },
    },
    ['get workflows.argoproj.io events', 'patch workflows.argoproj.io events'],
  ],
  [
    'a Namespace',
    { k8s: { source: { resource: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'x' } } } } },
    ['create namespaces.'],
  ],
  ['http', { http: { url: 'https://example.com' } }, []],
])('the rights of %s', async (_, template, want) => {
  const at = await world()
  const rights = await at.triggers.rightsOf(triggerOf(template))
  expect(
    rights.map(({ verb, resource, group, namespace, name }) =>
      [verb, `${resource}.${group}`, namespace, name].filter(Boolean).join(' '),
    ),
  ).toEqual(want)
})
