import { compileJmesPath } from '../../lang/jmespath/jmespath.ts'
import type { JmesPathPorts } from '../../lang/jmespath/run.ts'
import { apiVersionOf } from '../../kube/gvk.ts'
import type { KubeObject } from '../../kube/object.ts'
import type { Json } from '../../lib/json.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import { globalContextKind } from '../catalog/policy-kinds.ts'
import type { PolicySource } from '../catalog/policy-source.ts'
import { type GlobalEntry, readEntry } from './entry.ts'

interface Projected {
  readonly of: unknown
  readonly value: Result<Json>
}

const unknown = (message: string): Result<Json> => fail({ code: 'global-context-unknown', message })

const noData = (name: string): Result<Json> =>
  fail({ code: 'policy-fact-unavailable', message: `the GlobalContextEntry ${name} has no data yet` })

/** The data that policies share. Objects of the cluster are read as they are now; what calls answered is kept. */
export class GlobalContext {
  readonly #source: PolicySource
  readonly #ports: JmesPathPorts
  readonly #answers = new Map<string, Result<Json>>()
  readonly #projected = new Map<string, Projected>()
  #seen: readonly KubeObject[] = []
  #entries = new Map<string, GlobalEntry>()

  constructor(source: PolicySource, ports: JmesPathPorts) {
    this.#source = source
    this.#ports = ports
  }

  /** The data of an entry, or of one of its projections. */
  get(name: string, projection: string | undefined): Result<Json> {
    const entry = this.entry(name)
    if (!entry)
      return unknown(`failed to fetch entry key=${name}: there is no GlobalContextEntry ${JSON.stringify(name)}`)
    const data = this.#dataOf(entry)
    if (!data.ok || projection === undefined || projection === '') return data
    const wanted = entry.projections.find((one) => one.name === projection)
    if (!wanted) {
      const message = `the GlobalContextEntry ${name} has no projection ${JSON.stringify(projection)}`
      return fail({ code: 'policy-fact-unavailable', message })
    }
    return this.#project(`${name} ${projection}`, wanted.expression, data.value)
  }

  /** The entry of a name, as it is now. */
  entry(name: string): GlobalEntry | undefined {
    const objects = this.#source.list(globalContextKind.group, globalContextKind.plural)
    if (objects !== this.#seen) {
      this.#seen = objects
      this.#entries = new Map()
      this.#projected.clear()
      for (const object of objects) {
        const read = readEntry(object)
        if (read) this.#entries.set(read.name, read)
      }
      for (const known of this.#answers.keys()) if (!this.#entries.has(known)) this.#answers.delete(known)
    }
    return this.#entries.get(name)
  }

  /** Keeps what a call answered; an answer that was good stays when a later call fails. */
  keep(name: string, answer: Result<Json>): void {
    if (answer.ok || !this.#answers.get(name)?.ok) this.#answers.set(name, answer)
  }

  #dataOf({ name, from }: GlobalEntry): Result<Json> {
    if (from.kind === 'call') return this.#answers.get(name) ?? noData(name)
    const { group, version, plural, namespace } = from
    const objects = this.#source.list(group, plural, namespace)
    const known = this.#projected.get(name)
    if (known?.of === objects) return known.value
    // Objects of the cluster are JSON as they are.
    const value = succeed(
      objects.map((object) => ({ ...object, apiVersion: apiVersionOf({ group, version }) })) as unknown as Json,
    )
    this.#projected.set(name, { of: objects, value })
    return value
  }

  #project(key: string, expression: string, data: Json): Result<Json> {
    const known = this.#projected.get(key)
    if (known?.of === data) return known.value
    const compiled = compileJmesPath(expression)
    // What an expression makes of JSON is JSON.
    const value = compiled.ok ? (compiled.value.search(data, this.#ports) as Result<Json>) : compiled
    this.#projected.set(key, { of: data, value })
    return value
  }
}
