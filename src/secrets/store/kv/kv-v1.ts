import { secondsOf } from '../fields.ts'
import {
  type Backend,
  badRequest,
  listReply,
  type MountRequest,
  nothing,
  type Outcome,
  reply,
  unsupportedOperation,
} from '../logical.ts'

/** Told after something below the mount became another, with the path of the secret. */
export type OnChange = (mount: string, path: string) => void

/** Key-value version 1: one value a path, the whole body of the request. Cubbyholes are the same, one for each token. */
export class KvV1 implements Backend {
  readonly #onChange: OnChange
  /** Says for how long an answer may be used, as version 1 does and cubbyholes do not. */
  readonly #hasTtl: boolean

  constructor(onChange: OnChange, hasTtl = true) {
    this.#onChange = onChange
    this.#hasTtl = hasTtl
  }

  exists({ view, path }: MountRequest): boolean {
    return view.get(path) !== undefined
  }

  async handle({ operation, path, view, fields, mount }: MountRequest): Promise<Outcome> {
    switch (operation) {
      case 'read': {
        const data = path === '' ? undefined : (view.get(path) as Readonly<Record<string, unknown>> | undefined)
        if (!data) return nothing
        const hint = data['ttl'] ?? data['lease']
        const leaseSeconds = (hint === undefined ? undefined : secondsOf(hint)) ?? mount.defaultTtlSeconds
        return reply({ data, ...(this.#hasTtl ? { leaseSeconds } : {}) })
      }
      case 'list':
        return listReply(view.list(path === '' || path.endsWith('/') ? path : `${path}/`))
      case 'create':
      case 'update':
        if (path === '') return badRequest('missing path')
        if (fields.size === 0) return badRequest('missing data fields')
        await view.put(path, Object.fromEntries(fields))
        this.#onChange(mount.path, path)
        return nothing
      case 'delete':
        await view.delete(path)
        this.#onChange(mount.path, path)
        return nothing
      default:
        return unsupportedOperation()
    }
  }
}
