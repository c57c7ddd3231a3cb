import { EventEmitter, on } from 'node:events'
import { closeSync, createReadStream, existsSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { createInterface } from 'node:readline'

const LARGEST_FILE = 10 * 1024 * 1024
const LONGEST_LINE = 16 * 1024

export type LogStream = 'stdout' | 'stderr'

/** What one run of a container prints: lines with their time, in a file that is replaced when it gets large. */
export class ContainerLog {
  readonly path: string
  readonly #lines = new EventEmitter().setMaxListeners(0)
  readonly #rest: Record<LogStream, string> = { stdout: '', stderr: '' }
  readonly #now: () => number
  #file: number
  #size = 0
  isClosed = false

  constructor(path: string, now: () => number) {
    this.path = path
    this.#now = now
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    this.#file = openSync(path, 'a', 0o600)
  }

  append(stream: LogStream, text: string): void {
    const lines = (this.#rest[stream] + text).split('\n')
    this.#rest[stream] = lines.pop() ?? ''
    for (const line of lines) this.#line(stream, line)
    while (this.#rest[stream].length > LONGEST_LINE) {
      this.#line(stream, this.#rest[stream].slice(0, LONGEST_LINE), 'P')
      this.#rest[stream] = this.#rest[stream].slice(LONGEST_LINE)
    }
  }

  close(): void {
    if (this.isClosed) return
    for (const stream of ['stdout', 'stderr'] as const) {
      if (this.#rest[stream] !== '') this.#line(stream, this.#rest[stream], 'P')
      this.#rest[stream] = ''
    }
    this.isClosed = true
    closeSync(this.#file)
    this.#lines.emit('line', undefined)
  }

  /** The lines that are printed from now on, until the run has ended. */
  async *follow(signal: AbortSignal): AsyncGenerator<string> {
    if (this.isClosed) return
    try {
      for await (const [line] of on(this.#lines, 'line', { signal }) as AsyncIterable<[string | undefined]>) {
        if (line === undefined) return
        yield line
      }
    } catch (thrown) {
      if (!signal.aborted) throw thrown
    }
  }

  #line(stream: LogStream, text: string, tag: 'F' | 'P' = 'F'): void {
    const line = `${new Date(this.#now()).toISOString().replace('Z', '000000Z')} ${stream} ${tag} ${text}`
    const bytes = Buffer.from(`${line}\n`)
    if (this.#size + bytes.length > LARGEST_FILE) this.#rotate()
    this.#size += bytes.length
    writeSync(this.#file, bytes)
    this.#lines.emit('line', line)
  }

  #rotate(): void {
    closeSync(this.#file)
    renameSync(this.path, `${this.path}.1`)
    this.#file = openSync(this.path, 'a', 0o600)
    this.#size = 0
  }
}

/** What somebody wants to read of a log. */
export interface LogWish {
  readonly tailLines?: number
  readonly sinceMs?: number
  readonly limitBytes?: number
  readonly timestamps: boolean
  readonly stream?: LogStream
}

interface Line {
  readonly time: string
  readonly stream: string
  readonly isWhole: boolean
  readonly text: string
}

function lineIn(raw: string): Line | undefined {
  const found = /^(\S+) (stdout|stderr) ([FP]) (.*)$/s.exec(raw)
  if (!found) return undefined
  const [, time = '', stream = '', tag, text = ''] = found
  return { time, stream, isWhole: tag === 'F', text }
}

async function* storedLines(path: string): AsyncGenerator<string> {
  for (const file of [`${path}.1`, path]) {
    if (existsSync(file)) yield* createInterface({ input: createReadStream(file, 'utf8'), crlfDelay: Infinity })
  }
}

/** Reads a log, and then what is still printed if the run goes on and somebody follows. */
export async function* readLog(
  path: string,
  wish: LogWish,
  live?: { readonly log: ContainerLog; readonly signal: AbortSignal },
): AsyncGenerator<string> {
  let left = wish.limitBytes ?? Infinity
  const shown = (raw: string): string | undefined => {
    const line = lineIn(raw)
    if (!line || (wish.stream && line.stream !== wish.stream)) return undefined
    if (wish.sinceMs !== undefined && Date.parse(line.time) < wish.sinceMs) return undefined
    return `${wish.timestamps ? `${line.time} ` : ''}${line.text}${line.isWhole ? '\n' : ''}`
  }
  function* limited(text: string | undefined): Generator<string> {
    if (text === undefined || left <= 0) return
    const part = Buffer.byteLength(text) <= left ? text : Buffer.from(text).subarray(0, left).toString('utf8')
    left -= Buffer.byteLength(part)
    yield part
  }
  // Listening begins before the file is read, and lines that both have are told once.
  const following = live?.log.follow(live.signal)
  const first = following?.next()
  const tail: string[] = []
  let last = ''
  for await (const raw of storedLines(path)) {
    last = raw
    const text = shown(raw)
    if (text === undefined) continue
    if (wish.tailLines === undefined) yield* limited(text)
    else {
      tail.push(text)
      if (tail.length > wish.tailLines) tail.shift()
    }
  }
  for (const text of tail) yield* limited(text)
  if (!following || !first) return
  const time = last.split(' ', 1)[0] ?? ''
  for (let next = await first; !next.done && left > 0; next = await following.next()) {
    const isNew = next.value !== last && (next.value.split(' ', 1)[0] ?? '') >= time
    if (isNew) yield* limited(shown(next.value))
  }
}
