import { formatTime } from '../../kube/time.ts'
import type { AccessRecord } from './world.ts'

/** The last answers of the gateway, as many as fit. What a query holds may be secret, so it is never kept. */
export class AccessLog {
  readonly #records: (AccessRecord | undefined)[]
  #next = 0

  constructor(size: number = 1_000) {
    this.#records = Array.from({ length: size })
  }

  add(record: AccessRecord): void {
    this.#records[this.#next] = record
    this.#next = (this.#next + 1) % this.#records.length
  }

  /** One document of JSON a line, the oldest first; those of a route, or of a host, where one is asked for. */
  lines({ route, host }: { readonly route?: string | undefined; readonly host?: string | undefined } = {}): string {
    const lines: string[] = []
    for (let step = 0; step < this.#records.length; step++) {
      const record = this.#records[(this.#next + step) % this.#records.length]
      if (!record || (route !== undefined && record.route !== route)) continue
      if (host !== undefined && record.host !== host) continue
      const { atMs, path, ...rest } = record
      lines.push(JSON.stringify({ at: formatTime(atMs), ...rest, path: path.split('?', 1)[0] }))
    }
    return lines.length === 0 ? '' : `${lines.join('\n')}\n`
  }
}
