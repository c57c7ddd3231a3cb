import { createHash } from 'node:crypto'
import { type Condition, isTrue } from '../kube/condition.ts'
import type { Client } from '../kube/client.ts'
import type { KubeObject } from '../kube/object.ts'
import { type PackedProject, packedCrds } from '../kube/schema/packed-crds.ts'
import type { Clock } from '../lib/clock.ts'
import type { ReadData } from '../lib/data-file.ts'
import { fail, type Result, succeed } from '../lib/result.ts'

/** Marks a definition with the packed file that it came from, so that a start without change reads nothing else. */
const FROM = 'idp-blueprint.io/definitions'
const definitions = { resource: { group: 'apiextensions.k8s.io', version: 'v1', plural: 'customresourcedefinitions' } }
const ESTABLISHED_WITHIN_MS = 30_000
const AT_ONCE = 16

interface DefinitionPorts {
  readonly client: Client
  readonly clock: Clock
  readonly readData: ReadData
}

/** Installs the definitions of some projects and waits until they are served. What is up to date, or somebody else's, is left alone. */
export async function installDefinitions(
  projects: readonly PackedProject[],
  { client, clock, readData }: DefinitionPorts,
): Promise<Result<{ readonly written: readonly string[] }>> {
  const listed = await client.list(definitions)
  if (!listed.ok)
    return fail({ code: 'definitions-not-listed', at: '', message: `cannot list definitions: ${listed.error.message}` })
  const present = new Map(listed.value.items.map((item) => [item.metadata.name ?? '', item]))
  const wanted = projects.flatMap((project) => missingOf(project, present, readData))
  const written: string[] = []
  for (let at = 0; at < wanted.length; at += AT_ONCE) {
    const answers = await Promise.all(wanted.slice(at, at + AT_ONCE).map((definition) => write(client, definition)))
    for (const answer of answers) {
      if (!answer.ok) return answer
      written.push(answer.value)
    }
  }
  const late = await notServed(written, client, clock)
  return late.length === 0
    ? succeed({ written })
    : fail({
        code: 'definitions-not-established',
        at: late[0] ?? '',
        message: `definitions are not served after 30 s: ${late.join(', ')}`,
      })
}

/** The definitions of a project that have to be written. A stamp holds the packed file's hash and how many definitions are in it. */
function missingOf(
  project: PackedProject,
  present: ReadonlyMap<string, KubeObject>,
  readData: ReadData,
): readonly KubeObject[] {
  const packed = readData(`crds/${project}`)
  const mark = `${project}@${createHash('sha256').update(packed).digest('hex').slice(0, 16)}`
  const stamped = [...present.values()].flatMap((item) => item.metadata.annotations?.[FROM] ?? [])
  const here = stamped.filter((stamp) => stamp.startsWith(`${mark}/`))
  if (here.length > 0 && here[0] === `${mark}/${here.length}`) return []
  const all = packedCrds(() => packed, project)
  return all.flatMap((definition) => {
    const old = present.get(definition.metadata.name ?? '')
    const stamp = `${mark}/${all.length}`
    const isForeign = old !== undefined && old.metadata.annotations?.[FROM] === undefined
    if (isForeign || old?.metadata.annotations?.[FROM] === stamp) return []
    const { metadata } = definition
    return [
      {
        ...definition,
        metadata: {
          ...metadata,
          annotations: { ...metadata.annotations, [FROM]: stamp },
          ...(old?.metadata.resourceVersion ? { resourceVersion: old.metadata.resourceVersion } : {}),
        },
      },
    ]
  })
}

async function write(client: Client, definition: KubeObject): Promise<Result<string>> {
  const name = definition.metadata.name ?? ''
  const answer =
    definition.metadata.resourceVersion === undefined
      ? await client.create(definitions, definition)
      : await client.update({ ...definitions, name }, definition)
  if (answer.ok || answer.error.reason === 'AlreadyExists') return succeed(name)
  const message = `cannot install the definition ${name}: ${answer.error.message}`
  return fail({ code: 'definition-refused', at: name, message })
}

/** Which of some definitions are still not established when the time is up. */
async function notServed(names: readonly string[], client: Client, clock: Clock): Promise<readonly string[]> {
  const until = clock.now() + ESTABLISHED_WITHIN_MS
  let waiting = names
  for (;;) {
    const read = await Promise.all(waiting.map((name) => client.get({ ...definitions, name })))
    waiting = waiting.filter((_, index) => {
      const one = read[index]
      const { conditions } = ((one?.ok && one.value['status']) || {}) as { readonly conditions?: readonly Condition[] }
      return !isTrue(conditions, 'Established')
    })
    if (waiting.length === 0 || clock.now() >= until) return waiting
    await clock.sleep(20)
  }
}
