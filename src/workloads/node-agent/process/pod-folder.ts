import { randomUUID } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve, sep } from 'node:path'
import type { Container } from '../../../kube/pod.ts'
import { expand } from './environment.ts'
import type { Mount } from './sandbox.ts'
import type { VolumeContent } from './volume-files.ts'

interface VolumeMount {
  readonly name: string
  readonly mountPath: string
  readonly subPath?: string
  readonly subPathExpr?: string
  readonly readOnly?: boolean
}

/** A path below a folder; a way out of it is refused. */
function below(folder: string, path: string): string {
  const found = resolve(folder, `./${path}`)
  if (found !== folder && !found.startsWith(folder + sep))
    throw new Error(`${JSON.stringify(path)} leads out of its volume`)
  return found
}

/** Where a Pod's files lie on this machine. */
export class PodFolder {
  readonly path: string
  readonly #claims: string
  readonly #namespace: string

  constructor(path: string, claims: string, namespace: string) {
    this.path = path
    this.#claims = claims
    this.#namespace = namespace
    mkdirSync(path, { recursive: true, mode: 0o700 })
  }

  logOf(container: string, run: number): string {
    return join(this.path, 'logs', `${container}.${run}.log`)
  }

  /** An empty file for what a run says at its end. */
  terminationLog(container: string, run: number): string {
    const path = join(this.path, 'termination', `${container}.${run}`)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, '')
    return path
  }

  /** The folder that stands for `/` where there is no sandbox: volumes are linked into it. */
  rootOf(container: string, mounts: readonly Mount[]): string {
    const root = join(this.path, 'roots', container)
    rmSync(root, { recursive: true, force: true })
    mkdirSync(root, { recursive: true })
    for (const { from, to } of mounts) {
      const place = below(root, to)
      mkdirSync(dirname(place), { recursive: true })
      if (!existsSync(place)) symlinkSync(from, place)
    }
    return root
  }

  /** Writes what volumes hold, whole files at a time. */
  fill(volumes: ReadonlyMap<string, VolumeContent>): void {
    for (const [name, volume] of volumes) {
      const folder = this.#volume(name, volume)
      if (volume.is !== 'files') continue
      for (const { path, content, mode } of volume.files) this.write(join(folder, path), folder, content, mode)
    }
  }

  /** Writes a file of a volume so that nobody reads half of it. */
  write(path: string, folder: string, content: string | Buffer, mode: number): void {
    const to = below(folder, path.slice(folder.length))
    mkdirSync(dirname(to), { recursive: true })
    const made = `${to}.${randomUUID()}`
    writeFileSync(made, content, { mode: 0o600 })
    chmodSync(made, mode)
    renameSync(made, to)
  }

  volumeFolder(name: string): string {
    return join(this.path, 'volumes', name)
  }

  /** What of its Pod's volumes a container sees. */
  mountsOf(
    container: Container,
    volumes: ReadonlyMap<string, VolumeContent>,
    env: ReadonlyMap<string, string>,
  ): readonly Mount[] {
    return ((container.volumeMounts ?? []) as readonly VolumeMount[]).flatMap((mount) => {
      const volume = volumes.get(mount.name)
      if (!volume || volume.is === 'unsupported') return []
      const folder = this.#volume(mount.name, volume)
      const path = mount.subPathExpr === undefined ? (mount.subPath ?? '') : expand(mount.subPathExpr, env)
      const from = below(folder, path)
      if (!existsSync(from)) mkdirSync(from, { recursive: true })
      return [{ from, to: mount.mountPath, isReadOnly: mount.readOnly === true || volume.is === 'files' }]
    })
  }

  #volume(name: string, volume: VolumeContent): string {
    if (volume.is === 'host') {
      if (!existsSync(volume.path)) mkdirSync(volume.path, { recursive: true })
      return statSync(volume.path).isDirectory() ? volume.path : dirname(volume.path)
    }
    const folder = volume.is === 'claim' ? join(this.#claims, this.#namespace, volume.claim) : this.volumeFolder(name)
    mkdirSync(folder, { recursive: true })
    return folder
  }
}
