import type { Target } from '../../../src/kube/client.ts'
import type { ChainsawTest } from './chainsaw-test.ts'
import { type Bindings, bound } from './expressions.ts'
import { type Difference, type Pace, perform, type Scene } from './operations.ts'
import type { World } from './world.ts'

export interface TestPlace {
  readonly world: World
  readonly pace: Pace
  readonly kubectl: string | undefined
  /** Tells the tests of a run apart. */
  readonly number: number
}

const namespaces = { group: '', version: 'v1', plural: 'namespaces' }

/** Runs a test in a namespace of its own and removes what it made; answers the first difference. */
export async function runTest(test: ChainsawTest, place: TestPlace): Promise<Difference> {
  const { world, pace, kubectl, number } = place
  const namespace = test.namespace ?? `chainsaw-${number}`
  const made: Target[] = []
  const { client } = world
  if (test.namespace === undefined) {
    await client.create(
      { resource: namespaces },
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } },
    )
  }
  const outer: Bindings = new Map<string, unknown>([
    ['namespace', namespace],
    ['test', test.source],
    ['client', null],
    ['config', null],
  ])
  const scene: Scene = {
    world,
    namespace,
    folder: test.folder,
    bindings: bound(outer, test.bindings),
    pace,
    kubectl,
    created: (target) => made.push(target),
  }
  try {
    return await runSteps(test, scene)
  } finally {
    await cleanUp(world, made, test.namespace === undefined ? namespace : undefined)
  }
}

async function runSteps(test: ChainsawTest, outer: Scene): Promise<Difference> {
  for (const [index, step] of test.steps.entries()) {
    const scene = { ...outer, bindings: bound(outer.bindings, step.bindings) }
    let difference: Difference
    for (const operation of step.attempt) {
      difference = await perform(operation, scene)
      if (difference !== undefined) break
    }
    for (const operation of step.finally) await perform(operation, scene)
    if (difference !== undefined) return `step ${index + 1} (${step.name}): ${difference}`
  }
  return undefined
}

const CLEANUP_MS = 3_000

/** Removes what was made, the newest first, and waits until it is gone. */
async function cleanUp(world: World, made: readonly Target[], namespace: string | undefined): Promise<void> {
  const { client } = world
  const targets = [...made].toReversed()
  if (namespace !== undefined) targets.push({ resource: namespaces, name: namespace })
  for (const target of targets) await client.delete(target, { propagationPolicy: 'Background' })
  const end = Date.now() + CLEANUP_MS
  let left = targets
  while (left.length > 0 && Date.now() < end) {
    const gone = await Promise.all(left.map(async (target) => !(await client.get(target)).ok))
    left = left.filter((_, at) => !gone[at])
    if (left.length > 0) await new Promise((resolve) => setTimeout(resolve, 25))
  }
  await removePolicies(world)
  for (const { resource, ...target } of left) {
    await client.patch({ resource, ...target }, { type: 'merge', body: { metadata: { finalizers: null } } })
  }
}

const kyverno = [
  'clusterpolicies',
  'policies',
  'clustercleanuppolicies',
  'cleanuppolicies',
  'policyexceptions',
  'updaterequests',
]
const inCel = ['validating', 'mutating', 'generating', 'deleting'].flatMap((kind) => [
  `${kind}policies`,
  `namespaced${kind}policies`,
])

/** Policies that a script made would judge the next test. */
async function removePolicies({ client }: World): Promise<void> {
  const collections = [
    ...kyverno.map((plural) => ({
      group: 'kyverno.io',
      version: /cleanup|exceptions|requests/.test(plural) ? 'v2' : 'v1',
      plural,
    })),
    ...[...inCel, 'policyexceptions'].map((plural) => ({
      group: 'policies.kyverno.io',
      version: 'v1beta1',
      plural,
    })),
  ]
  await Promise.all(
    collections.map(async (resource) => {
      const listed = await client.list({ resource })
      for (const { metadata } of listed.ok ? listed.value.items : []) {
        const place = metadata.namespace === undefined ? {} : { namespace: metadata.namespace }
        await client.delete({ resource, ...place, name: metadata.name ?? '' })
      }
    }),
  )
}
