import type { Ids } from '../../../lib/ids.ts'
import type { View } from '../barrier.ts'
import { KeyedLock } from '../keyed-lock.ts'
import { type Backend, badRequest, type MountInfo, type Refusal } from '../logical.ts'
import { infoOf, isAuthMount, type Mount, type MountConfig, usualConfig } from './mount.ts'

/** A mount with what answers behind it. */
export interface Route {
  readonly mount: Mount
  readonly info: MountInfo
  readonly backend: Backend
  readonly view: View
}

/** Makes what answers behind a mount; nothing for a type that there is not. */
export type MakeBackend = (mount: Mount) => Backend | undefined

export interface NewMount {
  readonly path: string
  readonly type: string
  readonly description?: string
  readonly options?: Readonly<Record<string, string>>
  readonly config?: MountConfig
  readonly local?: boolean
  readonly sealWrap?: boolean
}

type Done = { readonly ok: true; readonly value: Mount } | { readonly ok: false; readonly error: Refusal }

interface MountTableParts {
  /** Holds the table itself. */
  readonly core: View
  /** Holds what mounts keep, each below its UUID. */
  readonly logical: View
  readonly ids: Ids
  readonly make: MakeBackend
}

/** What nobody may unmount, and below which nothing may be mounted. */
const FIXED: readonly NewMount[] = [
  { path: 'sys/', type: 'system', description: 'system endpoints used for control, policy and debugging' },
  { path: 'identity/', type: 'identity', description: 'identity store' },
  { path: 'cubbyhole/', type: 'cubbyhole', description: 'per-token private secret storage', local: true },
  { path: 'auth/token/', type: 'token', description: 'token based credentials' },
]
const KEY = 'mounts'
const SEGMENT = /^[\p{L}\p{N}_.@ ~:-]+$/u

/** Which path belongs to what. The table is one entry, so that a mount is there or not there. */
export class MountTable {
  readonly #parts: MountTableParts
  readonly #routes = new Map<string, Route>()
  readonly #lock = new KeyedLock()

  private constructor(parts: MountTableParts) {
    this.#parts = parts
  }

  static async open(parts: MountTableParts): Promise<MountTable> {
    const table = new MountTable(parts)
    const kept = parts.core.get(KEY) as readonly Mount[] | undefined
    const mounts = kept ?? FIXED.map((mount) => table.#complete(mount))
    if (!kept) await parts.core.put(KEY, mounts)
    for (const mount of mounts) table.#add(mount)
    // What a crash left of a mount that is no longer there.
    const known = new Set(mounts.map(({ uuid }) => `${uuid}/`))
    const left = parts.logical.list('').filter((name) => !known.has(name))
    for (const name of left) await clear(parts.logical.below(name))
    return table
  }

  mounts(): readonly Mount[] {
    return [...this.#routes.values()].map(({ mount }) => mount).toSorted((a, b) => (a.path < b.path ? -1 : 1))
  }

  at(path: string): Route | undefined {
    return this.#routes.get(path)
  }

  byAccessor(accessor: string): Mount | undefined {
    return this.mounts().find((mount) => mount.accessor === accessor)
  }

  /** The mount that a path belongs to. */
  route(path: string): Route | undefined {
    for (let slash = path.indexOf('/'); slash >= 0; slash = path.indexOf('/', slash + 1)) {
      const route = this.#routes.get(path.slice(0, slash + 1))
      if (route) return route
    }
    // A list or a write at the mount itself may leave the slash away.
    return this.#routes.get(`${path}/`)
  }

  mount(wanted: NewMount): Promise<Done> {
    return this.#lock.run('', async () => {
      const taken = this.#refusal(wanted.path)
      if (taken !== undefined) return badRequest(taken)
      const mount = this.#complete(wanted)
      if (!this.#parts.make(mount)) return badRequest(`plugin not found in the catalog: ${wanted.type}`)
      await this.#write([...this.mounts(), mount])
      this.#add(mount)
      return { ok: true, value: mount }
    })
  }

  /** Takes a mount away, then everything that it kept. A path that nothing is mounted at is as it should be. */
  unmount(path: string): Promise<Mount | undefined> {
    return this.#lock.run('', async () => {
      const route = this.#routes.get(path)
      if (!route || isFixed(path)) return undefined
      await this.#write(this.mounts().filter((mount) => mount.path !== path))
      this.#routes.delete(path)
      await clear(route.view)
      return route.mount
    })
  }

  change(path: string, by: Partial<Pick<Mount, 'config' | 'description' | 'path'>>): Promise<Done> {
    return this.#lock.run('', async () => {
      const route = this.#routes.get(path)
      if (!route) return badRequest(`no mount at ${JSON.stringify(path)}`)
      const to = by.path ?? path
      if (to !== path) {
        const refusal = isFixed(path) ? `cannot remount "${path}"` : this.#refusal(to, path)
        if (refusal !== undefined) return badRequest(refusal)
        if (isAuthMount({ path }) !== isAuthMount({ path: to })) {
          return badRequest('cannot move between secrets engines and auth methods')
        }
      }
      const mount: Mount = { ...route.mount, ...by }
      await this.#write(this.mounts().map((one) => (one.path === path ? mount : one)))
      this.#routes.delete(path)
      this.#routes.set(mount.path, { ...route, mount, info: infoOf(mount) })
      return { ok: true, value: mount }
    })
  }

  /** Why nothing can be mounted at a path. */
  #refusal(path: string, except?: string): string | undefined {
    const segments = path.replace(/\/$/, '').split('/')
    if (segments.length > 16 || path.length > 256)
      return `the path of a mount has at most 16 segments and 256 characters`
    if (!segments.every((segment) => SEGMENT.test(segment) && !/^\.+$/.test(segment))) {
      return `invalid mount path ${JSON.stringify(path)}`
    }
    if (segments[0] === 'auth' && segments.length === 1) return `cannot mount "auth/"`
    const inside = FIXED.find((mount) => path.startsWith(mount.path) || mount.path.startsWith(path))
    if (inside) return `cannot mount "${path}"`
    const taken = [...this.#routes.keys()].find(
      (known) => known !== except && (known.startsWith(path) || path.startsWith(known)),
    )
    return taken === undefined ? undefined : `path is already in use at ${taken}`
  }

  #complete({ path, type, description = '', options = {}, config = usualConfig, ...rest }: NewMount): Mount {
    const { ids } = this.#parts
    const uuid = ids.uid()
    const accessor = `${isAuthMount({ path }) ? 'auth_' : ''}${type}_${Buffer.from(ids.bytes(4)).toString('hex')}`
    const { local = false, sealWrap = false } = rest
    return { path, type, description, uuid, accessor, local, sealWrap, options, config }
  }

  #add(mount: Mount): void {
    const backend = this.#parts.make(mount)
    if (!backend) throw new Error(`there is nothing to mount at ${mount.path} for the type ${mount.type}`)
    this.#routes.set(mount.path, {
      mount,
      info: infoOf(mount),
      backend,
      view: this.#parts.logical.below(`${mount.uuid}/`),
    })
  }

  #write(mounts: readonly Mount[]): Promise<void> {
    return this.#parts.core.put(KEY, mounts)
  }
}

export const isFixed = (path: string): boolean => FIXED.some((mount) => mount.path === path)

async function clear(view: View): Promise<void> {
  await Promise.all(view.keysBelow('').map((key) => view.delete(key)))
}
