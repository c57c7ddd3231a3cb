import { createHmac } from 'node:crypto'
import type { Clock } from '../../lib/clock.ts'
import type { Ids } from '../../lib/ids.ts'
import type { Log } from '../../lib/log.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import { KeyedLock } from '../store/keyed-lock.ts'
import { SealedError, type View } from '../store/barrier.ts'
import { type AuditDevice, type AuditSink, openSink } from './audit-sink.ts'
import { type AuditEvent, auditLine, type Hash } from './audit-line.ts'

interface KeptDevice extends AuditDevice {
  readonly salt: string
}

interface OpenDevice {
  readonly kept: KeptDevice
  readonly hash: Hash
  readonly sink: AuditSink
}

interface AuditLogParts {
  readonly core: View
  readonly ids: Ids
  readonly clock: Pick<Clock, 'now'>
  readonly log: Log
  /** The only folder that audit files may lie in; without it there are none. */
  readonly folder?: string
}

const KEY = 'audit'

/**
 * Who asked for what, and what they were told: one line each, before the answer. Values are there as keyed hashes, so that
 * whoever knows one can look for it. Where devices are enabled and none of them can be written, requests are refused.
 */
export class AuditLog {
  readonly #parts: AuditLogParts
  readonly #devices = new Map<string, OpenDevice>()
  readonly #changes = new KeyedLock()
  #closed = false

  private constructor(parts: AuditLogParts) {
    this.#parts = parts
  }

  static async open(parts: AuditLogParts): Promise<AuditLog> {
    const audit = new AuditLog(parts)
    const kept = (parts.core.get(KEY) as readonly KeptDevice[] | undefined) ?? [] // what #write wrote
    for (const device of kept) {
      const sink = await openSink(device, parts.folder)
      // A device that cannot be written still counts: without it nothing may be answered.
      audit.#devices.set(device.path, { kept: device, hash: hashBy(device.salt), sink: sink.ok ? sink.value : broken })
      if (!sink.ok) parts.log.warn('an audit device cannot be written', { device: device.path })
    }
    return audit
  }

  get isOn(): boolean {
    return this.#devices.size > 0
  }

  devices(): readonly AuditDevice[] {
    return this.#kept().map(({ path, type, description, options, local }) => ({
      path,
      type,
      description,
      options,
      local,
    }))
  }

  enable(device: AuditDevice): Promise<Result<void>> {
    return this.#changes.run('', () => this.#enable(device))
  }

  async #enable(device: AuditDevice): Promise<Result<void>> {
    if (this.#devices.has(device.path)) return refuse('path already in use')
    const sink = await openSink(device, this.#parts.folder)
    if (!sink.ok) return sink
    const salt = Buffer.from(this.#parts.ids.bytes(32)).toString('base64')
    const kept: KeptDevice = { ...device, salt }
    await this.#write([...this.#kept(), kept])
    this.#devices.set(device.path, { kept, hash: hashBy(salt), sink: sink.value })
    return succeed(undefined)
  }

  disable(path: string): Promise<void> {
    return this.#changes.run('', () => this.#disable(path))
  }

  async #disable(path: string): Promise<void> {
    const device = this.#devices.get(path)
    if (!device) return
    await this.#write(this.#kept().filter((kept) => kept.path !== path))
    this.#devices.delete(path)
    await device.sink.close()
  }

  /** What a value is called in the log of a device. */
  hash(path: string, value: string): string | undefined {
    return this.#devices.get(path)?.hash(value)
  }

  /** Writes what happened to every device; tells whether at least one has it, or there are none. */
  async tell(event: AuditEvent): Promise<boolean> {
    // What is still under way when the store is sealed is not answered without its line.
    if (this.#closed) throw new SealedError()
    if (this.#devices.size === 0) return true
    const atMs = this.#parts.clock.now()
    const written = await Promise.all(
      [...this.#devices.values()].map(async ({ kept, hash, sink }) => {
        try {
          await sink.write(`${JSON.stringify(auditLine(event, hash, atMs))}\n`)
          return true
        } catch (error) {
          this.#parts.log.error('an audit device could not be written', error, { device: kept.path })
          return false
        }
      }),
    )
    return written.includes(true)
  }

  async close(): Promise<void> {
    this.#closed = true
    const devices = [...this.#devices.values()]
    this.#devices.clear()
    await Promise.all(devices.map(({ sink }) => sink.close()))
  }

  #kept(): readonly KeptDevice[] {
    return [...this.#devices.values()].map(({ kept }) => kept)
  }

  #write(devices: readonly KeptDevice[]): Promise<void> {
    return this.#parts.core.put(KEY, devices)
  }
}

const refuse = (message: string): ReturnType<typeof fail> => fail({ code: 'secret-audit-refused', message })

function hashBy(salt: string): Hash {
  const key = Buffer.from(salt, 'base64')
  return (text) => `hmac-sha256:${createHmac('sha256', key).update(text).digest('hex')}`
}

const broken: AuditSink = {
  write: () => Promise.reject(new Error('the device could not be opened')),
  close: () => Promise.resolve(),
}
