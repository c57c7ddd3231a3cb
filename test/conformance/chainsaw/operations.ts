import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Target } from '../../../src/kube/client.ts'
import { millisecondsOf, parseDuration } from '../../../src/lib/duration.ts'
import { documentsOf, type Fields, type Operation, wordOf } from './chainsaw-test.ts'
import { type Bindings, differenceFrom, template, textOf, withReference } from './expressions.ts'
import { runProgram } from './programs.ts'
import type { World } from './world.ts'

/** How the times of a test are shortened. */
export interface Pace {
  /** What a sleep is multiplied with, and the longest it may then be. */
  readonly sleepFactor: number
  readonly longestSleepMs: number
  /** Sleeps that are so long are not shortened. */
  readonly unscaledMs: number
  /** How long something that is waited for may take. */
  readonly patienceMs: number
}

/** What an operation works with. */
export interface Scene {
  readonly world: World
  readonly namespace: string
  readonly folder: string
  readonly bindings: Bindings
  readonly pace: Pace
  readonly kubectl: string | undefined
  /** Remembers what was created, to be removed when the test has ended. */
  readonly created: (target: Target) => void
}

/** Undefined when all is well; otherwise the first difference. */
export type Difference = string | undefined

type Run = (operation: Operation, scene: Scene) => Promise<Difference>

const POLL_MS = 25
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Everything that a step can do. */
const operations: Readonly<Record<string, Run>> = {
  apply: (operation, scene) => write(operation, scene, 'apply'),
  create: (operation, scene) => write(operation, scene, 'create'),
  update: (operation, scene) => write(operation, scene, 'update'),
  patch: (operation, scene) => write(operation, scene, 'patch'),
  assert: assertion,
  error: absence,
  delete: deletion,
  script,
  command: script,
  wait,
  sleep: async ({ with: { duration } }, { pace }) => {
    const parsed = parseDuration(String(duration))
    const ms = parsed.ok ? millisecondsOf(parsed.value) : 0
    // What waits for long waits for a time that is written in its objects.
    await pause(ms >= pace.unscaledMs ? ms : Math.min(ms * pace.sleepFactor, pace.longestSleepMs))
    return undefined
  },
  events: () => Promise.resolve(undefined),
  describe: () => Promise.resolve(undefined),
  podLogs: () => Promise.resolve(undefined),
  get: () => Promise.resolve(undefined),
}

/** Does what an operation says; a broken world is a difference like any other. */
export async function perform(operation: Operation, scene: Scene): Promise<Difference> {
  const run = operations[operation.name]
  if (!run) return `the operation ${operation.name} is not known to this runner`
  try {
    return await run(operation, scene)
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** The resources that an operation names by a file or holds. */
function resourcesOf(operation: Operation, { folder, bindings }: Scene): readonly Fields[] {
  const { resource, file } = operation.with
  if (typeof resource === 'object' && resource !== null) return [resource as Fields]
  const path = join(folder, textOf(file, bindings))
  if (!existsSync(path)) throw new Error(`there is no file ${textOf(file, bindings)}`)
  const documents = documentsOf(path)
  return documents.flatMap((document) =>
    wordOf(document['kind']).endsWith('List') && Array.isArray(document['items'])
      ? (document['items'] as Fields[])
      : [document],
  )
}

/** Asks again until the answer is good or the time is up. */
async function until(limitMs: number, ask: () => Promise<Difference>): Promise<Difference> {
  const end = Date.now() + limitMs
  for (;;) {
    const difference = await ask()
    if (difference === undefined || Date.now() >= end) return difference
    await pause(POLL_MS)
  }
}

const describeTarget = (resource: Fields): string =>
  `${String(resource['kind'])} ${wordOf(((resource['metadata'] ?? {}) as Fields)['name'])}`

async function write(
  operation: Operation,
  scene: Scene,
  how: 'apply' | 'create' | 'update' | 'patch',
): Promise<Difference> {
  const isTemplated = operation.with['template'] !== false
  for (const written of resourcesOf(operation, scene)) {
    const given = isTemplated ? (template(written, scene.bindings) as Fields) : written
    const { resource, target } = await scene.world.placed(given, scene.namespace)
    const expectations = Array.isArray(operation.with['expect']) ? (operation.with['expect'] as readonly Fields[]) : []
    // A refusal that nobody expects may be over soon: a policy that is still being removed, a definition that is new.
    const difference = await until(expectations.length > 0 ? 500 : scene.pace.patienceMs / 2, async () => {
      const refusal = await send(resource, target, scene, how)
      return judge(expectations, resource, refusal, scene)
    })
    if (difference !== undefined) return `${how} ${describeTarget(resource)}: ${difference}`
  }
  return undefined
}

async function send(
  resource: Fields,
  target: Target,
  { world: { client }, created }: Scene,
  how: 'apply' | 'create' | 'update' | 'patch',
): Promise<string | undefined> {
  const { name, ...collection } = target
  const options = { fieldManager: 'chainsaw' }
  const isThere = name !== '' && how !== 'create' && (await client.get(target)).ok
  if (how === 'apply' ? isThere : how !== 'create') {
    const answer =
      how === 'update'
        ? await client.update(target, resource, options)
        : await client.patch(target, { type: 'merge', body: resource as never }, options)
    return answer.ok ? undefined : answer.error.message
  }
  const answer = await client.create(collection, resource, options)
  if (answer.ok) created({ ...target, name: answer.value.metadata.name ?? name })
  return answer.ok ? undefined : answer.error.message
}

/** Holds the outcome of a write against what the test expects of it. */
function judge(
  expectations: readonly Fields[],
  resource: Fields,
  refusal: string | undefined,
  scene: Scene,
): Difference {
  const bindings = new Map(scene.bindings).set('error', refusal ?? null)
  let isMatched = false
  for (const { match, check } of expectations) {
    if (match !== undefined && differenceFrom(match, resource, scene.bindings) !== undefined) continue
    isMatched = true
    const difference = differenceFrom(check, resource, bindings)
    if (difference !== undefined) return `${difference} (the outcome was: ${refusal ?? 'accepted'})`
  }
  return isMatched ? undefined : refusal
}

async function assertion(operation: Operation, scene: Scene): Promise<Difference> {
  for (const written of resourcesOf(operation, scene)) {
    const referring = withReference(written, scene.bindings)
    const difference = await until(scene.pace.patienceMs, async () => {
      if (referring['kind'] === undefined) return differenceFrom(referring, null, scene.bindings)
      const { resource, target } = await scene.world.placed(referring, scene.namespace)
      const found = await scene.world.candidates(resource, target)
      if (!found.ok) return found.error.message
      if (found.value.length === 0) return 'it is not there'
      const differences = found.value.map((candidate) => differenceFrom(resource, candidate, scene.bindings))
      return differences.includes(undefined) ? undefined : differences.slice(0, 3).join(' | ')
    })
    if (difference !== undefined) return `assert ${describeTarget(referring)}: ${difference}`
  }
  return undefined
}

async function absence(operation: Operation, scene: Scene): Promise<Difference> {
  for (const written of resourcesOf(operation, scene)) {
    const referring = withReference(written, scene.bindings)
    const difference = await until(scene.pace.patienceMs, async () => {
      if (referring['kind'] === undefined) {
        return differenceFrom(referring, null, scene.bindings) === undefined ? 'the expectation holds' : undefined
      }
      const { resource, target } = await scene.world.placed(referring, scene.namespace)
      const found = await scene.world.candidates(resource, target)
      if (!found.ok) return found.error.message
      const isThere = found.value.some((candidate) => differenceFrom(resource, candidate, scene.bindings) === undefined)
      return isThere ? 'it is there and should not be' : undefined
    })
    if (difference !== undefined) return `error ${describeTarget(referring)}: ${difference}`
  }
  return undefined
}

async function deletion(operation: Operation, scene: Scene): Promise<Difference> {
  const { ref, file, expect } = operation.with
  const references = ref === undefined && file !== undefined ? resourcesOf(operation, scene) : [ref as Fields]
  const expectations = Array.isArray(expect) ? (expect as readonly Fields[]) : []
  for (const reference of references) {
    const { apiVersion, kind, name, namespace, labels, metadata } = template(reference, scene.bindings) as Fields
    const given = { apiVersion, kind, metadata: metadata ?? { name, namespace: namespace ?? undefined, labels } }
    const difference = await deleteAll(JSON.parse(JSON.stringify(given)) as Fields, expectations, scene)
    if (difference !== undefined) return `delete ${describeTarget(given)}: ${difference}`
  }
  return undefined
}

async function deleteAll(reference: Fields, expectations: readonly Fields[], scene: Scene): Promise<Difference> {
  const { world, namespace, pace } = scene
  const { resource, target } = await world.placed(reference, namespace)
  const found = await world.candidates(resource, target)
  if (!found.ok) return found.error.message
  for (const object of found.value) {
    const one = { ...target, name: object.metadata.name ?? '' }
    const answer = await world.client.delete(one, { propagationPolicy: 'Background' })
    const refusal = answer.ok || answer.error.reason === 'NotFound' ? undefined : answer.error.message
    const difference = judge(expectations, resource, refusal, scene)
    if (difference !== undefined) return difference
    if (refusal !== undefined) continue
    const remains = await until(pace.patienceMs, async () => {
      const still = await world.client.get(one)
      return still.ok && still.value.metadata.uid === object.metadata.uid ? 'it does not go away' : undefined
    })
    if (remains !== undefined) return remains
  }
  return undefined
}

async function script(operation: Operation, scene: Scene): Promise<Difference> {
  const { content, entrypoint, args, env, check, outputs } = operation.with
  if (scene.kubectl === undefined) return 'kubectl is not on the PATH, nor named by IDP_KUBECTL'
  const given = Array.isArray(env) ? (env as readonly Fields[]) : []
  const finished = await runProgram({
    command: content === undefined ? String(entrypoint) : 'sh',
    args:
      content === undefined
        ? (Array.isArray(args) ? args : []).map((arg) => textOf(arg, scene.bindings))
        : ['-c', wordOf(content)],
    cwd: scene.folder,
    kubectl: scene.kubectl,
    kubeconfig: scene.world.kubeconfig,
    env: {
      NAMESPACE: scene.namespace,
      ...Object.fromEntries(given.map(({ name, value }) => [String(name), textOf(value, scene.bindings)])),
    },
    limitMs: 60_000,
  })
  const error = finished.code === 0 ? null : `exit status ${finished.code}`
  const bindings = new Map(scene.bindings)
    .set('stdout', finished.stdout)
    .set('stderr', finished.stderr)
    .set('error', error)
  const said = `${finished.stdout.trim()} ${finished.stderr.trim()}`.slice(0, 600)
  const shown = wordOf(content ?? `${wordOf(entrypoint)} ${wordOf(args)}`)
    .trim()
    .slice(0, 120)
  const difference = check === undefined ? (error ?? undefined) : differenceFrom(check, null, bindings)
  if (difference !== undefined) return `script ${JSON.stringify(shown)}: ${difference} (it said: ${said})`
  return outputs === undefined ? undefined : 'outputs are not supported by this runner'
}

/** `wait` of chainsaw is `kubectl wait`. */
async function wait(operation: Operation, scene: Scene): Promise<Difference> {
  const { kind, apiVersion, name, namespace, for: condition } = template(operation.with, scene.bindings) as Fields
  const wanted = (condition ?? {}) as Fields
  const { name: type, value = 'True' } = (wanted['condition'] ?? {}) as Fields
  const reference = { apiVersion, kind, metadata: { name, ...(namespace === undefined ? {} : { namespace }) } }
  return until(scene.pace.patienceMs, async () => {
    const { resource, target } = await scene.world.placed(reference, scene.namespace)
    const found = await scene.world.candidates(resource, target)
    if (!found.ok) return found.error.message
    if (wanted['deletion'] !== undefined) return found.value.length === 0 ? undefined : 'it is still there'
    const holds = found.value.some(({ status }) => {
      const { conditions } = (status ?? {}) as { readonly conditions?: readonly Fields[] }
      return conditions?.some((one) => one['type'] === type && one['status'] === value)
    })
    return holds ? undefined : `the condition ${String(type)} is not ${String(value)}`
  })
}
