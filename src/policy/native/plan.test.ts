import { expect, test } from 'vitest'
import type { KubeObject } from '../../kube/object.ts'
import { planNative } from './plan.ts'

const made = (spec: object, more: object = {}): KubeObject => ({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'ValidatingAdmissionPolicy',
  metadata: {
    name: 'vpol-a',
    labels: { 'app.kubernetes.io/managed-by': 'kyverno' },
    ownerReferences: [{ apiVersion: 'a/v1', kind: 'B', name: 'c', uid: 'd' }],
    ...more,
  },
  spec,
})

test.each<[string, KubeObject | undefined, KubeObject | undefined, string]>([
  ['makes what is missing', made({ a: 1 }), undefined, 'create'],
  ['has nothing to do where neither is', undefined, undefined, 'nothing'],
  [
    'leaves alone what is right, with defaults',
    made({ a: [{ b: 1 }] }),
    made({ a: [{ b: 1, scope: '*' }], failurePolicy: 'Fail' }),
    'nothing',
  ],
  ['takes away what is not said any more', made({ a: 1 }), made({ a: 1, variables: [1] }), 'update'],
  ['corrects what differs', made({ a: [1] }), made({ a: [1, 2] }), 'update'],
  ['corrects the owner', made({ a: 1 }), made({ a: 1 }, { ownerReferences: [] }), 'update'],
  ['takes away what is not wanted any more', undefined, made({ a: 1 }), 'delete'],
  ["leaves alone what is somebody else's", made({ a: 1 }), made({ a: 2 }, { labels: {} }), 'nothing'],
  ["does not delete what is somebody else's", undefined, made({ a: 2 }, { labels: {} }), 'nothing'],
])('%s', (_name, wanted, live, want) => expect(planNative(wanted, live).do).toBe(want))
