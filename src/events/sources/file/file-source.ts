import { watch } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../../../lib/clock.ts'
import { fieldsOf, textOf } from '../../../lib/fields.ts'
import { describeError, type Log } from '../../../lib/log.ts'
import { compilePattern } from '../../../lib/re2.ts'
import type { Result } from '../../../lib/result.ts'
import type { Dispatch } from '../dispatch.ts'
import { retryDelayMs } from '../retry-delay.ts'
import type { MakeSource, Source } from '../source.ts'
import { metadataPart } from '../webhook/payload.ts'
import { type FileChange, type Folder, folderChanges, operationBits } from './folder-changes.ts'
import { placeOf, readFolder } from './read-folder.ts'

export interface FilePorts {
  readonly clock: Clock
  readonly log: Log
  /** Below it lies, for every EventSource, what stands for the file system of its Pod. */
  readonly folder: string
}

/** How often a folder is looked at; a machine that tells of changes is listened to besides. */
const LOOK_MS = 1_000

/** Makes watches of files below a folder of their own; nothing outside it is looked at. */
export function fileSource(ports: FilePorts): MakeSource {
  return ({ entry, object, dispatch, onTrouble }) => {
    const { namespace = '', name = '' } = object.metadata
    const config = fieldsOf(entry.spec, 'watchPathConfig')
    return new FileWatch({
      clock: ports.clock,
      root: join(ports.folder, namespace, name),
      directory: textOf(config, 'directory'),
      wants: wantedFiles(config),
      operations: new Set(textOf(entry.spec, 'eventType').split('|')),
      metadata: metadataPart(entry.spec['metadata']) || ',"metadata":null',
      dispatch,
      onTrouble,
    })
  }
}

/** Which names are meant: one, or those that a pattern is found in. Upstream has a slash before them where the directory ends in none. */
export function wantedFiles(config: Readonly<Record<string, unknown>>): (name: string) => boolean {
  const [path, source] = [textOf(config, 'path'), textOf(config, 'pathRegexp')]
  if (path !== '') return (name) => name === path
  const pattern = compilePattern(source)
  const lead = textOf(config, 'directory').endsWith('/') ? '' : '/'
  return (name) => pattern.ok && (pattern.value.matcher(name).find() || pattern.value.matcher(lead + name).find())
}

interface FileParts {
  readonly clock: Clock
  readonly root: string
  readonly directory: string
  readonly wants: (name: string) => boolean
  readonly operations: ReadonlySet<string>
  readonly metadata: string
  readonly dispatch: Dispatch
  readonly onTrouble: () => void
}

class FileWatch implements Source {
  readonly #parts: FileParts
  #trouble: string | undefined
  /** What happens before the first look is not seen. */
  #hasLooked = false

  constructor(parts: FileParts) {
    this.#parts = parts
  }

  trouble(): string | undefined {
    return this.#trouble
  }

  isStarting(): boolean {
    return !this.#hasLooked
  }

  async run(signal: AbortSignal): Promise<void> {
    let before: Folder | undefined
    while (!signal.aborted) {
      const after = await this.#look()
      if (!this.#hasLooked) this.#parts.onTrouble()
      this.#hasLooked = true
      if (after) {
        if (before) await this.#tell(folderChanges(before, after), signal)
        before = after
      }
      await this.#untilNext(signal)
    }
  }

  async #look(): Promise<Folder | undefined> {
    const { root, directory } = this.#parts
    try {
      const place = await placeOf(root, directory)
      const read: Result<Folder> = place.ok ? await readFolder(place.value) : place
      this.#say(read.ok ? undefined : read.error.map(({ message }) => message).join('; '))
      return read.ok ? read.value : undefined
    } catch (error) {
      // A disk says no in its own ways, and may say yes the next time.
      this.#say(describeError(error))
      return undefined
    }
  }

  async #untilNext(signal: AbortSignal): Promise<void> {
    const { clock, root, directory } = this.#parts
    const woken = new AbortController()
    const place = await placeOf(root, directory).catch(() => undefined)
    const watcher = place?.ok ? watched(place.value, () => woken.abort()) : undefined
    await clock.sleep(LOOK_MS, { signal: AbortSignal.any([signal, woken.signal]) }).catch(() => {})
    watcher?.close()
  }

  async #tell(changes: readonly FileChange[], signal: AbortSignal): Promise<void> {
    const { clock, wants, operations, dispatch, directory, metadata } = this.#parts
    for (const { name, operation } of changes) {
      if (!operations.has(operation) || !wants(name)) continue
      const shown = `${directory.replace(/\/+$/, '')}/${name}`
      const data = `{"name":${JSON.stringify(shown)},"op":${operationBits[operation]}${metadata}}`
      for (let failures = 0; !signal.aborted; failures += 1) {
        const told = await dispatch({ data })
        this.#say(told.ok ? undefined : told.error.map(({ message }) => message).join('; '))
        if (told.ok) break
        await clock.sleep(retryDelayMs(failures), { signal }).catch(() => {})
      }
    }
  }

  #say(trouble: string | undefined): void {
    if (trouble === this.#trouble) return
    this.#trouble = trouble
    this.#parts.onTrouble()
  }
}

/** Listens to the machine where it tells; where it does not, looking from time to time is enough. */
function watched(place: string, onChange: () => void): { close(): void } | undefined {
  try {
    const watcher = watch(place, { persistent: false }, onChange)
    watcher.on('error', () => watcher.close())
    return watcher
  } catch {
    // Too many watches on this machine: the folder is looked at all the same.
    return undefined
  }
}
