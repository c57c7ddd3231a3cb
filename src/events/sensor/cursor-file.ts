import { type BusRecord, type CursorRecord, gone, keys } from '../bus/record.ts'
import type { Store } from '../../store/store.ts'

/** Where the cursor of one trigger lies. */
export interface CursorPlace {
  readonly namespace: string
  readonly sensor: string
  readonly trigger: string
}

/** The cursor of one trigger on disk. Saves that come while one is being written are written as one. */
export class CursorFile {
  readonly #store: Store<BusRecord>
  readonly #key: string
  #wanted: CursorRecord | undefined
  #writing: Promise<void> | undefined

  constructor(store: Store<BusRecord>, { namespace, sensor, trigger }: CursorPlace) {
    this.#store = store
    this.#key = keys.cursor(namespace, sensor, trigger)
  }

  read(): CursorRecord | undefined {
    const value = this.#store.get(this.#key)?.value
    return value?.is === 'cursor' ? value : undefined
  }

  /** Resolves when this, or something newer, is on disk. */
  save(record: CursorRecord): Promise<void> {
    this.#wanted = record
    // Whoever is writing looks for more before it ends, without a turn between.
    this.#writing ??= this.#write()
    return this.#writing
  }

  async #write(): Promise<void> {
    try {
      while (this.#wanted) {
        const record = this.#wanted
        this.#wanted = undefined
        await this.#store.put(this.#key, () => record, 'any')
      }
    } finally {
      this.#writing = undefined
    }
  }
}

/** Forgets the cursors of a Sensor that is gone, or of triggers that it does not have any more. */
export async function forgetCursors(
  store: Store<BusRecord>,
  { namespace, sensor }: Omit<CursorPlace, 'trigger'>,
  isKept: (key: string, cursor: CursorRecord) => boolean,
): Promise<void> {
  const found = store.range(keys.sensor(namespace, sensor))
  if (!found.ok) return
  await Promise.all(
    found.entries
      .filter(({ key, value }) => value.is === 'cursor' && !isKept(key, value))
      .map(({ key }) => store.delete(key, () => gone, 'any')),
  )
}
