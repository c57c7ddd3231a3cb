import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import type { Clock } from '../../lib/clock.ts'

/** An object of a repository as git stores it. */
export interface RawObject {
  readonly oid: string
  readonly type: string
  readonly data: Uint8Array
}

/** What came of asking for an object. */
export type Answer =
  | { readonly is: 'object'; readonly object: RawObject }
  | { readonly is: 'missing' }
  | { readonly is: 'ambiguous' }
  | { readonly is: 'too-large'; readonly bytes: number }

interface Question {
  readonly name: string
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: Error) => void
  tries: number
}

interface Body {
  readonly oid: string
  readonly type: string
  readonly chunks: Buffer[]
  /** How many bytes are still to come, with the line feed at the end. */
  left: number
}

const NAME = /^[0-9a-f]{4,64}(?:\^\{(?:commit|tree)\})?$/
const MOST_TRIES = 2
const LONGEST_HEADER = 1024

/** One `git cat-file --batch`, started with the first question and ended when none came for a while. */
export class CatFile {
  readonly #start: () => ChildProcessWithoutNullStreams
  readonly #clock: Clock
  readonly #maxBytes: number
  readonly #idleMs: number
  #child: ChildProcessWithoutNullStreams | undefined
  #asked: Question[] = []
  #header = Buffer.alloc(0)
  #body: Body | undefined
  #cancelIdle: (() => void) | undefined
  #complaint = ''

  constructor(options: {
    readonly start: () => ChildProcessWithoutNullStreams
    readonly clock: Clock
    readonly maxBytes: number
    readonly idleMs?: number
  }) {
    this.#start = options.start
    this.#clock = options.clock
    this.#maxBytes = options.maxBytes
    this.#idleMs = options.idleMs ?? 60_000
  }

  /** Asks for an object by its SHA or the beginning of one, `^{commit}` or `^{tree}` behind it or not. */
  ask(name: string): Promise<Answer> {
    if (!NAME.test(name)) return Promise.resolve({ is: 'missing' })
    return new Promise((resolve, reject) => this.#send({ name, resolve, reject, tries: 0 }))
  }

  /** Ends the program; whoever still waits is told. */
  close(): void {
    const waiting = this.#asked
    this.#asked = []
    this.#stop()
    for (const question of waiting) question.reject(new Error('cannot read the repository: it was closed'))
  }

  #send(question: Question): void {
    question.tries += 1
    this.#asked.push(question)
    this.#cancelIdle?.()
    this.#cancelIdle = undefined
    this.#child ??= this.#begin()
    this.#child.stdin.write(`${question.name}\n`)
  }

  #begin(): ChildProcessWithoutNullStreams {
    const child = this.#start()
    this.#header = Buffer.alloc(0)
    this.#body = undefined
    this.#complaint = ''
    child.stdin.on('error', () => {})
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (this.#child === child && this.#complaint.length < LONGEST_HEADER) this.#complaint += text
    })
    child.stdout.on('data', (chunk: Buffer) => {
      if (this.#child === child) this.#take(chunk)
    })
    child.on('error', (cause) => this.#ended(child, cause))
    child.on('close', () => this.#ended(child, undefined))
    return child
  }

  #stop(): void {
    this.#cancelIdle?.()
    this.#cancelIdle = undefined
    const child = this.#child
    this.#child = undefined
    child?.kill('SIGKILL')
  }

  /** Questions that a dead program did not answer are asked once more. */
  #ended(child: ChildProcessWithoutNullStreams, cause: Error | undefined): void {
    if (this.#child !== child) return
    this.#child = undefined
    const waiting = this.#asked
    this.#asked = []
    for (const question of waiting) {
      if (question.tries < MOST_TRIES && !cause) this.#send(question)
      else question.reject(new Error(`cannot read the repository: git ended: ${this.#complaint.trim()}`, { cause }))
    }
  }

  #take(chunk: Buffer): void {
    let rest = chunk
    while (rest.length > 0 && this.#child) {
      if (this.#body) rest = this.#takeBody(this.#body, rest)
      else {
        const end = rest.indexOf(0x0a)
        if (end < 0) {
          this.#header = Buffer.concat([this.#header, rest])
          if (this.#header.length > LONGEST_HEADER) this.#child.kill('SIGKILL')
          return
        }
        const line = Buffer.concat([this.#header, rest.subarray(0, end)]).toString('utf8')
        this.#header = Buffer.alloc(0)
        rest = rest.subarray(end + 1)
        this.#takeHeader(line)
      }
    }
  }

  #takeHeader(line: string): void {
    const found = /^([0-9a-f]+) ([a-z]+) (\d+)$/.exec(line)
    if (!found) return this.#answer({ is: line.endsWith(' ambiguous') ? 'ambiguous' : 'missing' })
    const [, oid = '', type = '', digits = ''] = found
    const bytes = Number(digits)
    if (bytes <= this.#maxBytes) {
      this.#body = { oid, type, chunks: [], left: bytes + 1 }
      return
    }
    // What is too large is not read to its end: the rest is asked of a new program.
    const [, ...others] = this.#asked
    this.#answer({ is: 'too-large', bytes })
    this.#stop()
    this.#asked = []
    for (const question of others) this.#send({ ...question, tries: 0 })
  }

  #takeBody(body: Body, chunk: Buffer): Buffer {
    const part = chunk.subarray(0, body.left)
    body.chunks.push(part)
    body.left -= part.length
    if (body.left === 0) {
      const whole = body.chunks.length === 1 ? part : Buffer.concat(body.chunks)
      this.#body = undefined
      // A copy, because parts of a shared chunk would keep all of it alive.
      const data = new Uint8Array(whole.subarray(0, whole.length - 1))
      this.#answer({ is: 'object', object: { oid: body.oid, type: body.type, data } })
    }
    return chunk.subarray(part.length)
  }

  #answer(answer: Answer): void {
    this.#asked.shift()?.resolve(answer)
    if (this.#asked.length === 0 && this.#child) {
      this.#cancelIdle?.()
      this.#cancelIdle = this.#clock.after(this.#idleMs, () => this.#stop())
    }
  }
}
