import { describe, expect, test } from 'vitest'
import type { OwnerReference } from '../../kube/object.ts'
import { type Node, nodeOf, OwnerGraph } from './graph.ts'
import { FOREGROUND, type Observed, ORPHAN, planGarbage } from './plan.ts'

const resource = { group: '', version: 'v1', plural: 'pods' }
const owner = (uid: string, blockOwnerDeletion?: boolean): OwnerReference => ({
  apiVersion: 'v1',
  kind: 'X',
  name: uid,
  uid,
  ...(blockOwnerDeletion === undefined ? {} : { blockOwnerDeletion }),
})
const node = (uid: string, more: Partial<Node> = {}): Node => ({
  uid,
  resource,
  namespace: 'team',
  name: uid,
  owners: [],
  finalizers: [],
  isDeleting: false,
  ...more,
})
const seen = (subject: Node, more: Partial<Observed> = {}): Observed => ({
  node: subject,
  owners: new Map(),
  dependents: [],
  ...more,
})
const leaving = (finalizer: string): Partial<Node> => ({ isDeleting: true, finalizers: [finalizer] })

describe('planGarbage', () => {
  const told = (observed: Observed): string[] =>
    planGarbage(observed).map((action) => {
      const detail =
        action.do === 'delete'
          ? action.propagation
          : action.do === 'remove-owners'
            ? action.uids.join('+')
            : action.do === 'remove-finalizer'
              ? action.finalizer
              : ''
      return `${action.do} ${action.node.uid} ${detail}`.trim()
    })
  const a = owner('a')
  const b = owner('b')

  test.each<[string, Observed, string[]]>([
    ['an object without owners stays', seen(node('x')), []],
    ['an object whose owner lives stays', seen(node('x', { owners: [a] }), { owners: new Map([['a', 'alive']]) }), []],
    [
      'an object whose owner is gone goes',
      seen(node('x', { owners: [a] }), { owners: new Map([['a', 'gone']]) }),
      ['delete x Background'],
    ],
    ['an owner that nobody knows is gone', seen(node('x', { owners: [a] })), ['delete x Background']],
    ['with two owners gone it goes once', seen(node('x', { owners: [a, b] })), ['delete x Background']],
    [
      'one living owner keeps it, and the others are forgotten',
      seen(node('x', { owners: [a, b] }), {
        owners: new Map([
          ['a', 'alive'],
          ['b', 'gone'],
        ]),
      }),
      ['remove-owners x b'],
    ],
    [
      'a waiting owner is forgotten while another lives',
      seen(node('x', { owners: [a, b] }), {
        owners: new Map([
          ['a', 'alive'],
          ['b', 'waiting'],
        ]),
      }),
      ['remove-owners x b'],
    ],
    [
      'a waiting owner takes it along',
      seen(node('x', { owners: [a] }), { owners: new Map([['a', 'waiting']]) }),
      ['delete x Background'],
    ],
    [
      'and what depends on it goes first',
      seen(node('x', { owners: [a] }), {
        owners: new Map([['a', 'waiting']]),
        dependents: [node('y', { owners: [owner('x')] })],
      }),
      ['delete x Foreground'],
    ],
    ['its own wish to orphan is kept', seen(node('x', { owners: [a], finalizers: [ORPHAN] })), ['delete x Orphan']],
    ['what is leaving already is left alone', seen(node('x', { owners: [a], isDeleting: true })), []],
    [
      'orphaning: dependents forget it first',
      seen(node('x', leaving(ORPHAN)), { dependents: [node('y', { owners: [owner('x'), b] })] }),
      ['remove-owners y x'],
    ],
    ['orphaning: then it may go', seen(node('x', leaving(ORPHAN))), ['remove-finalizer x orphan']],
    [
      'foreground: dependents that block it go first',
      seen(node('x', leaving(FOREGROUND)), {
        dependents: [node('y', { owners: [owner('x', true)] }), node('z', { owners: [owner('x', false)] })],
      }),
      ['delete y Foreground'],
    ],
    [
      'foreground: it waits for one that is leaving',
      seen(node('x', leaving(FOREGROUND)), {
        dependents: [node('y', { owners: [owner('x', true)], isDeleting: true })],
      }),
      [],
    ],
    [
      'foreground: a dependent that does not block is no reason to wait',
      seen(node('x', leaving(FOREGROUND)), { dependents: [node('z', { owners: [owner('x', false)] })] }),
      ['remove-finalizer x foregroundDeletion'],
    ],
    [
      'foreground: a dependent with another owner is not deleted',
      seen(node('x', leaving(FOREGROUND)), { dependents: [node('y', { owners: [owner('x', true), b] })] }),
      [],
    ],
    [
      'a circle is broken',
      seen(node('x', { owners: [a] }), {
        owners: new Map([['a', 'waiting']]),
        dependents: [node('a', { ...leaving(FOREGROUND), owners: [owner('x', true)] })],
      }),
      ['unblock-owners x', 'delete x Foreground'],
    ],
  ])('%s', (_name, observed, want) => {
    expect(told(observed)).toEqual(want)
  })
})

describe('the graph', () => {
  test('tells who has to be looked at when something changes', () => {
    const graph = new OwnerGraph()
    expect(graph.set(node('pod', { owners: [owner('set')] }))).toEqual(['pod', 'set'])
    expect(graph.set(node('set'))).toEqual(['set'])
    expect([...graph.dependentsOf('set')].map(({ uid }) => uid)).toEqual(['pod'])
    expect(graph.set(node('set', { isDeleting: true })), 'dependents hear of a deletion').toEqual(['set', 'pod'])
    expect(graph.remove('set')).toEqual(['pod'])
    expect(graph.remove('set')).toEqual([])
    expect(graph.size).toBe(1)
  })
  test('a changed owner is unlinked from the old one', () => {
    const graph = new OwnerGraph()
    graph.set(node('pod', { owners: [owner('a')] }))
    expect(graph.set(node('pod', { owners: [owner('b')] }))).toEqual(['pod', 'b', 'a'])
    expect([...graph.dependentsOf('a')]).toEqual([])
  })
  test('a node is read from an object', () => {
    const object = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { uid: 'u', name: 'p', namespace: 'n', deletionTimestamp: 'x', finalizers: ['f'] },
    }
    expect(nodeOf(resource, object)).toEqual({
      uid: 'u',
      resource,
      namespace: 'n',
      name: 'p',
      owners: [],
      finalizers: ['f'],
      isDeleting: true,
    })
  })
})
