import type { Client, ResourceInfo } from '../kube/client.ts'
import { parseApiVersion } from '../kube/gvk.ts'

/** Which collection holds a kind: discovery, remembered until something is asked for that was not there. */
export class ServedKinds {
  readonly #client: Client
  #served: Promise<readonly ResourceInfo[]> | undefined
  /** What was looked for in vain, so that a wrong kind does not ask again and again. */
  readonly #missing = new Map<string, number>()
  readonly #now: () => number

  constructor(client: Client, now: () => number) {
    this.#client = client
    this.#now = now
  }

  /** Everything that is served now. */
  async all(isFresh: boolean = false): Promise<readonly ResourceInfo[]> {
    if (isFresh) this.#served = undefined
    this.#served ??= this.#client.discover().then((answer) => {
      if (answer.ok) return answer.value
      this.#served = undefined
      return []
    })
    return this.#served
  }

  /** The collection of a kind; undefined when the cluster does not serve it. */
  async find(apiVersion: string, kind: string): Promise<ResourceInfo | undefined> {
    const { group, version } = parseApiVersion(apiVersion)
    const search = (infos: readonly ResourceInfo[]): ResourceInfo | undefined =>
      infos.find(
        (info) =>
          info.kind === kind && info.group === group && info.version === version && info.subresource === undefined,
      )
    const known = search(await this.all())
    if (known) return known
    const key = `${apiVersion}/${kind}`
    const missedMs = this.#missing.get(key)
    if (missedMs !== undefined && this.#now() - missedMs < MISSING_MS) return undefined
    const found = search(await this.all(true))
    if (found) this.#missing.delete(key)
    else this.#missing.set(key, this.#now())
    if (this.#missing.size > MOST_MISSING) this.#missing.clear()
    return found
  }
}

const MISSING_MS = 1_000
const MOST_MISSING = 1_000
