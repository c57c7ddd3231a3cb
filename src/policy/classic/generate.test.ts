import { expect, test } from 'vitest'
import { autogenRules } from './autogen/autogen.ts'
import { creating, objectFrom, policyFrom, said, worldWith } from './classic.testkit.ts'
import { compileCleanup } from './cleanup.ts'

const namespace = objectFrom('{apiVersion: v1, kind: Namespace, metadata: {name: new, labels: {team: a}}}')
const rule = (generate: string): string =>
  `  - name: r\n    match: {any: [{resources: {kinds: [Namespace]}}]}\n    generate: ${generate}`

test('data is made where the rule says', () => {
  const policy = policyFrom(
    rule(
      '{apiVersion: v1, kind: ConfigMap, name: "c-{{ request.object.metadata.labels.team }}", namespace: "{{ request.object.metadata.name }}", synchronize: true, data: {data: {k: v}}}',
    ),
  )
  const [response] = policy.evaluate('generate', creating(namespace), worldWith()).rules
  expect(response?.generated).toEqual([
    {
      resource: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c-a', namespace: 'new' }, data: { k: 'v' } },
      synchronize: true,
      orphanDownstreamOnPolicyDelete: false,
      useServerSideApply: false,
    },
  ])
})

test('a clone is what its source holds, without what the server wrote', () => {
  const policy = policyFrom(
    rule(
      '{apiVersion: v1, kind: Secret, name: s, namespace: "{{ request.object.metadata.name }}", clone: {name: s, namespace: default}}',
    ),
  )
  const need = { what: 'object', apiVersion: 'v1', kind: 'Secret', namespace: 'default', name: 's' } as const
  expect(policy.evaluate('generate', creating(namespace), worldWith()).needs).toEqual([need])
  const source = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 's', namespace: 'default', uid: 'u', resourceVersion: '5', labels: { a: 'b' } },
    data: { k: 'dg==' },
  }
  const [response] = policy.evaluate('generate', creating(namespace), worldWith([[need, source]])).rules
  expect(response?.generated?.[0]?.resource).toEqual({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 's', namespace: 'new', labels: { a: 'b' } },
    data: { k: 'dg==' },
  })
  expect(said(policy.evaluate('generate', creating(namespace), worldWith([[need, null]])))[0]).toMatch(/does not exist/)
})

test('loops make one for each item', () => {
  const policy = policyFrom(
    rule(
      '{foreach: [{list: "[\'a\', \'b\']", apiVersion: v1, kind: ConfigMap, name: "{{ element }}-{{ elementIndex }}", namespace: x, data: {}}]}',
    ),
  )
  const [response] = policy.evaluate('generate', creating(namespace), worldWith()).rules
  expect(response?.generated?.map(({ resource }) => resource.metadata.name)).toEqual(['a-0', 'b-1'])
})

test('Pod rules are made for controllers: patterns move, paths move, names tell', () => {
  const policy = objectFrom(`
apiVersion: kyverno.io/v1
kind: ClusterPolicy
metadata: {name: p, annotations: {pod-policies.kyverno.io/autogen-controllers: "Deployment,CronJob"}}
spec:
  rules:
  - name: r
    match: {any: [{resources: {kinds: [Pod]}}]}
    preconditions: {all: [{key: "{{ request.object.spec.a }}", operator: Equals, value: "{{ request.object.metadata.b }}"}]}
    validate: {message: refused, pattern: {spec: {x: z}}}
`)
  expect(autogenRules(policy)).toEqual([
    {
      name: 'autogen-r',
      match: { any: [{ resources: { kinds: ['apps/v1/Deployment'] } }] },
      preconditions: {
        all: [
          {
            key: '{{ request.object.spec.template.spec.a }}',
            operator: 'Equals',
            value: '{{ request.object.spec.template.metadata.b }}',
          },
        ],
      },
      validate: { message: 'refused', pattern: { spec: { template: { spec: { x: 'z' } } } } },
    },
    {
      name: 'autogen-cronjob-r',
      match: { any: [{ resources: { kinds: ['batch/v1/CronJob'] } }] },
      preconditions: {
        all: [
          {
            key: '{{ request.object.spec.jobTemplate.spec.template.spec.a }}',
            operator: 'Equals',
            value: '{{ request.object.spec.jobTemplate.spec.template.metadata.b }}',
          },
        ],
      },
      validate: {
        message: 'refused',
        pattern: { spec: { jobTemplate: { spec: { template: { spec: { x: 'z' } } } } } },
      },
    },
  ])
})

test.each([
  ['names of Pods', '{kinds: [Pod], names: [a]}', ''],
  ['labels of Pods', '{kinds: [Pod], selector: {matchLabels: {a: b}}}', ''],
  ['other kinds as well', '{kinds: [Pod, Service]}', ''],
  ['no Pods', '{kinds: [Service]}', ''],
  [
    'Pods, and controllers are not wanted',
    '{kinds: [Pod]}',
    'annotations: {pod-policies.kyverno.io/autogen-controllers: none}',
  ],
])('nothing is made for rules about %s', (_, resources, metadata) => {
  const text = `{apiVersion: kyverno.io/v1, kind: ClusterPolicy, metadata: {name: p, ${metadata}}, spec: {rules: [{name: r, match: {any: [{resources: ${resources}}]}, validate: {deny: {}}}]}}`
  expect(autogenRules(objectFrom(text))).toEqual([])
})

test('a cleanup policy says which objects go', () => {
  const policy = compileCleanup(
    objectFrom(
      '{apiVersion: kyverno.io/v2, kind: ClusterCleanupPolicy, metadata: {name: c}, spec: {schedule: "* * * * *", match: {any: [{resources: {kinds: [Namespace]}}]}, conditions: {all: [{key: "{{ target.metadata.labels.team }}", operator: Equals, value: a}]}}}',
    ),
  )
  expect(said(policy.evaluate('delete', creating(namespace, { source: 'background' }), worldWith()))).toEqual([
    'c pass: the object is to be deleted',
  ])
  const other = objectFrom('{apiVersion: v1, kind: Namespace, metadata: {name: old, labels: {team: b}}}')
  expect(said(policy.evaluate('delete', creating(other), worldWith()))).toEqual(['c skip: conditions not met'])
})
