import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readData } from '../../lib/data-file.ts'
import { gvkOf } from '../../kube/gvk.ts'
import type { KubeObject } from '../../kube/object.ts'
import { builtinSchemas } from '../../kube/schema/builtin.ts'
import { readStructural } from '../../kube/schema/structural.ts'
import type { IgnoreDifference } from '../application/application.ts'
import { type DiffFacts, type DiffOptions, type DiffOutcome, diffObjects } from './diff.ts'
import { compileIgnoreRules } from './ignore.ts'
import { asKept, asRead, type KindFactsOf } from './normal-form.ts'
import { usualTracking } from './tracking.ts'

const builtin = builtinSchemas(readData)

const widget = readStructural({
  type: 'object',
  properties: {
    spec: {
      type: 'object',
      properties: {
        size: { type: 'integer', default: 3 },
        note: { type: 'string' },
        parts: {
          type: 'array',
          items: {
            type: 'object',
            properties: { name: { type: 'string' }, grade: { type: 'string', default: 'fine' } },
          },
        },
      },
    },
  },
})

const kinds: KindFactsOf = (gvk) => {
  if (gvk.kind === 'Widget') return { schema: widget, isBuiltin: false }
  const schema = builtin.schemaOf(gvk)
  return schema ? { schema, isBuiltin: true } : undefined
}

const options = (more: Partial<DiffOptions> = {}, ignore: readonly IgnoreDifference[] = []): DiffOptions => {
  const rules = compileIgnoreRules([{ group: '*', kind: '*', jsonPointers: ['/status'] }, ...ignore])
  return {
    kinds,
    tracking: usualTracking,
    ignored: (object) => rules.for(object),
    knownTypes: [],
    isServerSide: false,
    includesMutations: false,
    ...more,
  }
}

const object = (apiVersion: string, kind: string, more: object = {}, metadata: object = {}): KubeObject => ({
  apiVersion,
  kind,
  metadata: { name: 'x', namespace: 'y', ...metadata },
  ...more,
})

const deployment = (spec: object, container: object = {}): KubeObject =>
  object('apps/v1', 'Deployment', {
    spec: {
      selector: { matchLabels: { app: 'x' } },
      template: {
        metadata: { labels: { app: 'x' } },
        spec: { containers: [{ name: 'main', image: 'nginx', ...container }] },
      },
      ...spec,
    },
  })

/** What a cluster makes of a manifest. */
const kept = (target: KubeObject, more: object = {}): KubeObject => {
  const facts = kinds(gvkOf(target))
  const whole = asKept(asRead(target, facts), facts)
  return { ...whole, metadata: { ...whole.metadata, uid: 'u', resourceVersion: '5', generation: 1, ...more } }
}

const edited = (live: KubeObject, edit: (spec: Record<string, unknown>) => void): KubeObject => {
  const copy = structuredClone(live) as unknown as { spec: Record<string, unknown> }
  edit(copy.spec)
  return copy as unknown as KubeObject
}

interface Row {
  readonly name: string
  readonly target: KubeObject
  readonly live?: KubeObject
  readonly modified: boolean
  readonly ignore?: readonly IgnoreDifference[]
  readonly more?: Partial<DiffOptions>
  readonly facts?: DiffFacts
}

const mutated = kept(deployment({ replicas: 2 }, { image: 'mirror.local/nginx' }))

const rows: readonly Row[] = [
  { name: 'defaults are no difference', target: deployment({}), modified: false },
  {
    name: 'a field that Git leaves open is nobody’s difference: an autoscaler may set it',
    target: deployment({}),
    live: edited(kept(deployment({})), (spec) => (spec['replicas'] = 7)),
    modified: false,
  },
  {
    name: 'a field that Git sets is one',
    target: deployment({ replicas: 2 }),
    live: edited(kept(deployment({ replicas: 2 })), (spec) => (spec['replicas'] = 7)),
    modified: true,
  },
  {
    name: 'quantities may be written in any way',
    target: deployment({}, { resources: { requests: { cpu: '1000m', memory: '1024Mi' } } }),
    live: kept(deployment({}, { resources: { requests: { cpu: '1', memory: '1Gi' } } })),
    modified: false,
  },
  {
    name: 'zeroes that a cluster does not keep are no difference',
    target: deployment({ paused: false }, { tty: false, env: [{ name: 'A', value: '' }] }),
    live: kept(deployment({}, { env: [{ name: 'A' }] })),
    modified: false,
  },
  {
    name: 'a zero that means something is one',
    target: deployment({ replicas: 0 }),
    live: kept(deployment({ replicas: 1 })),
    modified: true,
  },
  {
    name: 'nulls, empty lists and empty maps are nothing',
    target: {
      ...deployment({}, { command: [], resources: {} }),
      metadata: { name: 'x', labels: {}, annotations: null },
    } as unknown as KubeObject,
    live: kept(deployment({})),
    modified: false,
  },
  {
    name: 'fields that the kind does not have are dropped by the cluster, so they are no difference',
    target: deployment({ flavour: 'mint' }),
    live: kept(deployment({})),
    modified: false,
  },
  {
    name: 'what the last manifest had and this one has not is to go',
    target: deployment({}),
    live: kept(deployment({ minReadySeconds: 5 }), {
      annotations: {
        'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify(deployment({ minReadySeconds: 5 })),
      },
    }),
    modified: true,
  },
  {
    name: 'what somebody else added is left alone',
    target: object('v1', 'ConfigMap', { data: { a: '1' } }),
    live: object('v1', 'ConfigMap', { data: { a: '1', b: '2' } }),
    modified: false,
  },
  {
    name: 'stringData is data',
    target: object('v1', 'Secret', { stringData: { password: 'geheim' } }),
    live: object('v1', 'Secret', { data: { password: 'Z2VoZWlt' }, type: 'Opaque' }),
    modified: false,
  },
  {
    name: 'another secret is a difference',
    target: object('v1', 'Secret', { stringData: { password: 'neu' } }),
    live: object('v1', 'Secret', { data: { password: 'Z2VoZWlt' }, type: 'Opaque' }),
    modified: true,
  },
  {
    name: 'the rules of an aggregated role are written by the cluster',
    target: object('rbac.authorization.k8s.io/v1', 'ClusterRole', {
      aggregationRule: { clusterRoleSelectors: [{ matchLabels: { a: 'b' } }] },
      rules: [],
    }),
    live: object('rbac.authorization.k8s.io/v1', 'ClusterRole', {
      aggregationRule: { clusterRoleSelectors: [{ matchLabels: { a: 'b' } }] },
      rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }],
    }),
    modified: false,
  },
  {
    name: 'a bundle that is injected is no difference',
    target: object('admissionregistration.k8s.io/v1', 'ValidatingWebhookConfiguration', {
      webhooks: [
        {
          name: 'a.b.c',
          clientConfig: { caBundle: 'Cg==', service: { name: 's', namespace: 'n' } },
          sideEffects: 'None',
          admissionReviewVersions: ['v1'],
        },
      ],
    }),
    live: kept(
      object('admissionregistration.k8s.io/v1', 'ValidatingWebhookConfiguration', {
        webhooks: [
          {
            name: 'a.b.c',
            clientConfig: { caBundle: 'QUJD', service: { name: 's', namespace: 'n' } },
            sideEffects: 'None',
            admissionReviewVersions: ['v1'],
          },
        ],
      }),
    ),
    modified: false,
  },
  {
    name: 'defaults of a definition are no difference',
    target: object('a.b/v1', 'Widget', { spec: { parts: [{ name: 'p' }] } }),
    modified: false,
  },
  {
    name: 'a change in a list of a custom resource is one',
    target: object('a.b/v1', 'Widget', { spec: { parts: [{ name: 'p' }, { name: 'q', grade: 'poor' }] } }),
    live: kept(object('a.b/v1', 'Widget', { spec: { parts: [{ name: 'p' }, { name: 'q' }] } })),
    modified: true,
  },
  {
    name: 'without a definition, fields that Git does not have are left alone, also in lists',
    target: object('a.b/v1', 'Gadget', { spec: { parts: [{ name: 'p' }] } }),
    live: object('a.b/v1', 'Gadget', { spec: { parts: [{ name: 'p', grade: 'fine' }], size: 3 } }),
    modified: false,
  },
  {
    name: 'status in Git is not looked at',
    target: object('a.b/v1', 'Gadget', { spec: {}, status: { ready: true } }),
    live: object('a.b/v1', 'Gadget', { spec: {}, status: { ready: false } }),
    modified: false,
  },
  {
    name: 'a pointer hides a difference',
    target: deployment({ replicas: 2 }),
    live: edited(kept(deployment({})), (spec) => (spec['replicas'] = 7)),
    ignore: [{ group: 'apps', kind: 'Deployment', jsonPointers: ['/spec/replicas'] }],
    modified: false,
  },
  {
    name: 'a rule for another name does not',
    target: deployment({ replicas: 2 }),
    live: edited(kept(deployment({})), (spec) => (spec['replicas'] = 7)),
    ignore: [{ group: 'apps', kind: 'Deployment', name: 'z', jsonPointers: ['/spec/replicas'] }],
    modified: true,
  },
  {
    name: 'a jq path hides a difference in every container that it finds',
    target: deployment({}, { image: 'nginx:1' }),
    live: kept(deployment({}, { image: 'nginx:2' })),
    ignore: [
      {
        group: '*',
        kind: '*',
        jqPathExpressions: ['.spec.template.spec.containers[] | select(.name == "main") | .image'],
      },
    ],
    modified: false,
  },
  {
    name: 'a trusted manager wins',
    target: deployment({ replicas: 2 }),
    live: {
      ...edited(kept(deployment({})), (spec) => (spec['replicas'] = 7)),
      metadata: {
        name: 'x',
        namespace: 'y',
        managedFields: [
          {
            manager: 'scaler',
            operation: 'Update',
            apiVersion: 'apps/v1',
            fieldsType: 'FieldsV1',
            fieldsV1: { 'f:spec': { 'f:replicas': {} } },
          },
        ],
      },
    },
    ignore: [{ group: 'apps', kind: 'Deployment', managedFieldsManagers: ['scaler'] }],
    modified: false,
  },
  {
    name: 'a server-side apply takes away what its manager applied before',
    target: object('v1', 'ConfigMap', { data: { a: '1' } }),
    live: object(
      'v1',
      'ConfigMap',
      { data: { a: '1', b: '2' } },
      {
        managedFields: [
          {
            manager: 'argocd-controller',
            operation: 'Apply',
            apiVersion: 'v1',
            fieldsType: 'FieldsV1',
            fieldsV1: { 'f:data': { 'f:a': {}, 'f:b': {} } },
          },
        ],
      },
    ),
    more: { isServerSide: true },
    modified: true,
  },
  {
    name: 'and leaves what others applied',
    target: object('v1', 'ConfigMap', { data: { a: '1' } }),
    live: object(
      'v1',
      'ConfigMap',
      { data: { a: '1', b: '2' } },
      {
        managedFields: [
          {
            manager: 'argocd-controller',
            operation: 'Apply',
            apiVersion: 'v1',
            fieldsType: 'FieldsV1',
            fieldsV1: { 'f:data': { 'f:a': {} } },
          },
        ],
      },
    ),
    more: { isServerSide: true },
    modified: false,
  },
  {
    name: 'what a policy makes of the target differs',
    target: deployment({ replicas: 2 }),
    live: mutated,
    modified: true,
  },
  {
    name: 'unless the API server says that it would make the same of it again',
    target: deployment({ replicas: 2 }),
    live: mutated,
    facts: { admitted: { ...mutated, metadata: { ...mutated.metadata, resourceVersion: '6' } } },
    modified: false,
  },
  {
    name: 'what the API server predicts decides, without what others would add',
    target: object('v1', 'ConfigMap', { data: { a: '1' } }),
    live: object('v1', 'ConfigMap', { data: { a: '1' } }),
    facts: {
      predicted: object(
        'v1',
        'ConfigMap',
        { data: { a: '1', added: 'by a webhook' } },
        {
          managedFields: [
            {
              manager: 'argocd-controller',
              operation: 'Apply',
              apiVersion: 'v1',
              fieldsType: 'FieldsV1',
              fieldsV1: { 'f:data': { 'f:a': {} } },
            },
          ],
        },
      ),
    },
    modified: false,
  },
]

test.each(rows)('$name', ({ target, live, modified, ignore, more, facts }) => {
  const found = diffObjects(target, live ?? kept(target), options(more, ignore), facts)
  expect({
    modified: found.modified,
    problems: found.problems,
    because: modified ? '' : shownDifference(found),
  }).toEqual({
    modified,
    problems: [],
    because: modified ? '' : '',
  })
})

const shownDifference = ({ modified, normalizedLive, predictedLive }: DiffOutcome): string =>
  modified ? JSON.stringify([normalizedLive, predictedLive]) : ''

test('what admission changed is named', () => {
  const found = diffObjects(deployment({ replicas: 2 }), mutated, options(), { admitted: mutated })
  expect(found.admittedPaths).toEqual(['spec.template.spec.containers[0].image'])
})

const scalar = fc.oneof(fc.string({ maxLength: 3 }), fc.integer({ min: 0, max: 3 }), fc.boolean(), fc.constant(null))
const tree = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    scalar,
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('a', 'b', '__proto__', 'spec'), tie('value'), { maxKeys: 3 }),
  ),
})).value
const gadget = fc
  .dictionary(fc.constantFrom('a', 'b', 'c'), tree, { maxKeys: 3 })
  .map((spec) => object('a.b/v1', 'Gadget', { spec }))

test('an object never differs from itself', () => {
  fc.assert(fc.property(gadget, (one) => !diffObjects(one, { ...one }, options()).modified))
})

test('ignoring a path never makes a difference where there was none', () => {
  const pointer = fc.constantFrom('/spec', '/spec/a', '/spec/a/b', '/spec/b/0', '/metadata/name', '/spec/c/a/spec')
  fc.assert(
    fc.property(gadget, gadget, pointer, (target, live, path) => {
      const before = diffObjects(target, live, options()).modified
      const after = diffObjects(target, live, options({}, [{ group: '*', kind: '*', jsonPointers: [path] }])).modified
      return before || !after
    }),
  )
})

test('what cannot be read as its kind is compared all the same', () => {
  const target = deployment({ replicas: 'many' })
  expect(diffObjects(target, kept(deployment({ replicas: 1 })), options()).modified).toBe(true)
})
