import { describe, expect, test } from 'vitest'
import type { KubeObject } from '../../kube/object.ts'
import type { NodeView, Observed } from './observe.ts'
import { planDaemonSet } from './plan.ts'

/** A node by its Pods: `new ready`, `old`, `old going`; a name with `!` does not want the daemon, with `!!` does not bear it. */
type Told = Readonly<Record<string, readonly string[]>>

const pod = (node: string, words: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: `${node} ${words}`,
    labels: { 'controller-revision-hash': words.startsWith('new') ? 'new' : 'old' },
    ...(words.includes('going') ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}),
  },
  status: {
    phase: words.includes('failed') ? 'Failed' : 'Running',
    conditions: [{ type: 'Ready', status: words.includes('ready') ? 'True' : 'False' }],
  },
})
function plan(rollingUpdate: object | 'OnDelete', told: Told): string {
  const nodes = Object.entries(told).map(([name, pods]): NodeView => ({
    name,
    shouldRun: !name.includes('!'),
    mayStay: !name.includes('!!'),
    pods: pods.map((words) => pod(name, words)),
  }))
  const updateStrategy = rollingUpdate === 'OnDelete' ? { type: 'OnDelete' } : { type: 'RollingUpdate', rollingUpdate }
  const seen: Observed = {
    set: { apiVersion: 'apps/v1', kind: 'DaemonSet', metadata: { name: 'agent' }, spec: { updateStrategy } },
    claims: { own: [], adopt: [], release: [] },
    nodes,
    revisions: { hash: 'new', name: 'agent-new', kept: [], templateOf: () => undefined },
    nowMs: 0,
  }
  const { create, remove } = planDaemonSet(seen)
  return [...create.map((name) => `+${name}`), ...remove.map(({ metadata }) => `-${metadata.name}`)].join(', ')
}

describe('planDaemonSet', () => {
  test.each([
    { name: 'gives every node one', got: plan({}, { a: [], b: ['new ready'] }), want: '+a' },
    { name: 'gives none to a node that does not want it', got: plan({}, { 'a!': [] }), want: '' },
    { name: 'lets one stay there', got: plan({}, { 'a!': ['new ready'] }), want: '' },
    {
      name: 'takes one from a node that does not bear it',
      got: plan({}, { 'a!!': ['new ready'] }),
      want: '-a!! new ready',
    },
    { name: 'removes one that has ended', got: plan({}, { a: ['new failed'] }), want: '-a new failed' },
    { name: 'replaces one at a time', got: plan({}, { a: ['old ready'], b: ['old ready'] }), want: '-a old ready' },
    { name: 'waits for the one before', got: plan({}, { a: ['new'], b: ['old ready'] }), want: '' },
    { name: 'waits while one is going', got: plan({}, { a: ['old ready going'], b: ['old ready'] }), want: '' },
    {
      name: 'replaces broken ones at once, and a working one beside them',
      got: plan({}, { a: ['old'], b: ['old'], c: ['old ready'] }),
      want: '-a old, -b old, -c old ready',
    },
    {
      name: 'replaces half of them where that is allowed',
      got: plan({ maxUnavailable: '50%' }, { a: ['old ready'], b: ['old ready'], c: ['old ready'] }),
      want: '-a old ready, -b old ready',
    },
    {
      name: 'adds a new one before it takes the old one',
      got: plan({ maxSurge: 1, maxUnavailable: 0 }, { a: ['old ready'], b: ['old ready'] }),
      want: '+a',
    },
    {
      name: 'takes the old one when the new one serves',
      got: plan({ maxSurge: 1, maxUnavailable: 0 }, { a: ['old ready', 'new ready'], b: ['old ready'] }),
      want: '+b, -a old ready',
    },
    {
      name: 'adds no more while a new one does not serve',
      got: plan({ maxSurge: 1, maxUnavailable: 0 }, { a: ['old ready', 'new'], b: ['old ready'] }),
      want: '',
    },
    {
      name: 'adds beside broken ones in any case',
      got: plan({ maxSurge: 1, maxUnavailable: 0 }, { a: ['old ready', 'new'], b: ['old'] }),
      want: '+b',
    },
    { name: 'leaves old ones alone when told', got: plan('OnDelete', { a: ['old ready'] }), want: '' },
  ])('$name', ({ got, want }) => expect(got).toBe(want))
})
