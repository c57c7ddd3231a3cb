import { isEqual, isObject, own, setOwn } from '../../lib/json.ts'
import type { Result } from '../../lib/result.ts'
import { parseIndex, pointerTokens } from './json-pointer.ts'
import { attempt, Refusal, refuseDeep } from './refusal.ts'

/** What one JSON patch may cost; the defaults are those of the Kubernetes API server. */
export interface JsonPatchLimits {
  readonly maxOperations?: number
  /** How many bytes of JSON all copy operations together may add. */
  readonly maxCopyBytes?: number
}

/**
 * Applies an RFC 6902 patch as the Kubernetes API server does (evanphx/json-patch 4.12): `replace` of a missing key adds
 * it, `test` against null passes where nothing is, an index may be negative, `-` appends, a missing value is null, and
 * nothing but `replace` and `test` may name the whole document. Untouched parts keep their identity.
 */
export function applyJsonPatch(document: unknown, patch: unknown, limits: JsonPatchLimits = {}): Result<unknown> {
  return attempt(() => {
    const operations = decodePatch(patch, limits.maxOperations ?? 10_000)
    refuseDeep(document)
    refuseDeep(patch)
    const draft = new Draft(document, limits.maxCopyBytes ?? 3 * 1024 * 1024)
    for (const [index, operation] of operations.entries()) draft.perform(operation, index)
    refuseDeep(draft.root)
    return draft.root
  })
}

type Operation = Readonly<Record<string, unknown>>
type Container = Record<string, unknown> | unknown[]

function decodePatch(patch: unknown, maxOperations: number): readonly Operation[] {
  if (!Array.isArray(patch)) return malformed('', 'a JSON patch must be a list of operations')
  if (patch.length > maxOperations) {
    throw new Refusal({
      code: 'json-patch-too-large',
      message: `the patch has ${patch.length} operations; the limit is ${maxOperations}`,
      cure: 'send several patches, or replace a whole part',
    })
  }
  return patch.map((operation, index) =>
    isObject(operation) ? operation : malformed(`[${index}]`, 'an operation must be an object'),
  )
}

function malformed(at: string, message: string): never {
  throw new Refusal({ code: 'json-patch-invalid', at, message })
}

/** A document being patched: containers are cloned when first written, and later writes go to the clone. */
class Draft {
  root: unknown
  readonly #maxCopyBytes: number
  readonly #mine = new WeakSet<object>()
  #copied = 0
  #at = ''

  constructor(root: unknown, maxCopyBytes: number) {
    this.root = root
    this.#maxCopyBytes = maxCopyBytes
    if (!isContainer(root)) malformed('', 'a JSON patch applies to an object or a list')
  }

  perform(operation: Operation, index: number): void {
    this.#at = `[${index}]`
    const kind = own(operation, 'op')
    const path = this.#text(operation, 'path')
    const value = own(operation, 'value')
    switch (kind) {
      case 'add':
        return this.#add(path, value ?? null, kind)
      case 'remove':
        this.#remove(path, kind)
        return undefined
      case 'replace':
        return this.#replace(path, value)
      case 'move': {
        const from = this.#text(operation, 'from')
        const moved = this.#remove(from, kind)
        return this.#add(path, moved, kind)
      }
      case 'copy':
        return this.#copy(this.#text(operation, 'from'), path)
      case 'test':
        return this.#test(path, value)
      default:
        return malformed(this.#at, `${JSON.stringify(kind) ?? 'a missing op'} is not an operation of JSON patch`)
    }
  }

  #text(operation: Operation, field: 'path' | 'from'): string {
    const text = own(operation, field)
    return typeof text === 'string' ? text : malformed(`${this.#at}.${field}`, `${field} must be a string`)
  }

  #missing(kind: string, path: string): never {
    throw new Refusal({
      code: 'json-patch-path-missing',
      at: this.#at,
      message: `cannot ${kind} ${JSON.stringify(path)}: the document has no such path`,
    })
  }

  #badIndex(kind: string, path: string): never {
    throw new Refusal({
      code: 'json-patch-index-invalid',
      at: this.#at,
      message: `cannot ${kind} ${JSON.stringify(path)}: the last part is not an index of the list`,
    })
  }

  /** The container a path ends in, without the right to write it. */
  #peek(path: string, kind: string): { readonly container: Container; readonly key: string } {
    const tokens = pointerTokens(path)
    const key = tokens.pop()
    if (key === undefined) return this.#missing(kind, path)
    let here = this.root
    for (const token of tokens) here = isContainer(here) ? childOf(here, token) : undefined
    return isContainer(here) ? { container: here, key } : this.#missing(kind, path)
  }

  /** The container a path ends in, cloned with all above it, so that it may be written. */
  #open(path: string, kind: string): { readonly container: Container; readonly key: string } {
    const { key } = this.#peek(path, kind)
    let here = this.#own(this.root)
    this.root = here
    for (const token of pointerTokens(path).slice(0, -1)) {
      const below = this.#own(childOf(here, token))
      if (Array.isArray(here)) here[indexIn(here, token)] = below
      else setOwn(here, token, below)
      here = below
    }
    return { container: here, key }
  }

  #own(value: unknown): Container {
    if (!isContainer(value)) throw new Error('a path was opened that leads through a scalar')
    if (this.#mine.has(value)) return value
    const clone: Container = Array.isArray(value) ? value.slice() : { ...value }
    this.#mine.add(clone)
    return clone
  }

  #add(path: string, value: unknown, kind: string): void {
    const { container, key } = this.#open(path, kind)
    if (!Array.isArray(container)) {
      setOwn(container, key, value)
    } else if (key === '-') {
      container.push(value)
    } else {
      const index = parseIndex(key) ?? Number.NaN
      const at = index < 0 ? index + container.length + 1 : index
      if (!(at >= 0 && at <= container.length)) this.#badIndex(kind, path)
      container.splice(at, 0, value)
    }
  }

  #remove(path: string, kind: string): unknown {
    this.#get(path, kind)
    const { container, key } = this.#open(path, kind)
    if (Array.isArray(container)) return container.splice(indexIn(container, key), 1)[0]
    if (!Object.hasOwn(container, key)) return this.#missing(kind, path)
    const value = container[key]
    delete container[key]
    return value
  }

  #replace(path: string, value: unknown): void {
    if (path === '') {
      if (!isContainer(value)) malformed(this.#at, 'the whole document can be replaced only by an object or a list')
      this.root = value
      return
    }
    this.#get(path, 'replace')
    const { container, key } = this.#open(path, 'replace')
    if (Array.isArray(container)) container[indexIn(container, key)] = value ?? null
    else setOwn(container, key, value ?? null)
  }

  #copy(from: string, path: string): void {
    const value = this.#get(from, 'copy')
    const budget = { left: this.#maxCopyBytes - this.#copied }
    const copy = copyWithin(value ?? null, budget)
    if (budget.left < 0) {
      throw new Refusal({
        code: 'json-patch-too-large',
        at: this.#at,
        message: `the copy operations add more than ${this.#maxCopyBytes} bytes`,
      })
    }
    this.#copied = this.#maxCopyBytes - budget.left
    this.#add(path, copy, 'copy')
  }

  #test(path: string, value: unknown): void {
    const seen = path === '' ? this.root : this.#get(path, 'test')
    if (isEqual(seen ?? null, value ?? null)) return
    throw new Refusal({
      code: 'json-patch-test-failed',
      at: this.#at,
      message: `the test of ${JSON.stringify(path)} failed: the document holds another value`,
    })
  }

  /** The value at a path; undefined where an object lacks the last key. */
  #get(path: string, kind: string): unknown {
    const { container, key } = this.#peek(path, kind)
    if (!Array.isArray(container)) return own(container, key)
    const index = indexIn(container, key)
    return index >= 0 ? container[index] : this.#badIndex(kind, path)
  }
}

function isContainer(value: unknown): value is Container {
  return typeof value === 'object' && value !== null
}

/** The index an existing element has, or -1. Negative numbers count from the end. */
function indexIn(list: readonly unknown[], token: string): number {
  const index = parseIndex(token)
  if (index === undefined || index >= list.length || index < -list.length) return -1
  return index < 0 ? index + list.length : index
}

function childOf(container: Container, token: string): unknown {
  return Array.isArray(container) ? container[indexIn(container, token)] : own(container, token)
}

/** A deep copy that stops when the JSON text of what it copied exceeds the budget. */
function copyWithin(value: unknown, budget: { left: number }): unknown {
  if (budget.left < 0) return null
  if (typeof value === 'string') {
    budget.left -= Buffer.byteLength(value) + 2
    return value
  }
  if (!isContainer(value)) {
    budget.left -= String(value).length
    return value
  }
  budget.left -= 2
  if (Array.isArray(value)) {
    return value.map((item) => {
      budget.left -= 1
      return copyWithin(item, budget)
    })
  }
  const copy: Record<string, unknown> = {}
  for (const key of Object.keys(value)) {
    budget.left -= Buffer.byteLength(key) + 4
    if (budget.left < 0) break
    setOwn(copy, key, copyWithin(value[key], budget))
  }
  return copy
}
