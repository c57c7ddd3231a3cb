import { isObject, setOwn } from '../../../lib/json.ts'
import { remembered } from '../../../lib/remembered.ts'
import { parseYaml } from '../../../lib/yaml.ts'
import { applyJsonPatch } from '../../../kube/patch/json-patch.ts'
import { pointerTokens } from '../../../kube/patch/json-pointer.ts'
import { RuleFailure } from '../evaluation.ts'
import { type Fields, fieldsOf, textOf } from '../read.ts'

const MOST_CACHED = 1_000
const LONGEST_CACHED = 20_000

const readKept = remembered(MOST_CACHED, read)

/** Reads `patchesJson6902`: a list of operations in YAML or JSON. */
export const readJsonPatches = (text: string): readonly unknown[] =>
  text.length <= LONGEST_CACHED ? readKept(text) : read(text)

function read(text: string): readonly unknown[] {
  const parsed = parseYaml(text)
  if (!parsed.ok) throw new RuleFailure('invalid', `patchesJson6902 is not YAML: ${parsed.error[0]?.message ?? ''}`)
  if (!Array.isArray(parsed.value)) throw new RuleFailure('invalid', 'patchesJson6902 must be a list of operations')
  return parsed.value
}

/**
 * Applies the operations as Kyverno does: `add` makes what is missing on the way, `remove` of what is not there does
 * nothing, `replace` needs something to replace.
 */
export function applyJsonPatches(document: unknown, operations: readonly unknown[]): unknown {
  let patched = document
  for (const item of operations) {
    const operation = fieldsOf(item)
    const path = textOf(operation['path'])
    if (operation['op'] === 'remove' && !isThere(patched, path)) continue
    if (operation['op'] === 'replace' && !isThere(patched, path)) {
      throw new RuleFailure('invalid', `cannot replace ${JSON.stringify(path)}: the object has no such path`)
    }
    if (operation['op'] === 'add') patched = withPath(patched, pointerTokens(path))
    patched = applied(patched, operation)
  }
  return patched
}

function applied(document: unknown, operation: Fields): unknown {
  const result = applyJsonPatch(document, [operation])
  if (result.ok) return result.value
  throw new RuleFailure('invalid', result.error.map(({ message }) => message).join('; '))
}

function isThere(document: unknown, path: string): boolean {
  let here = document
  for (const token of pointerTokens(path)) {
    if (Array.isArray(here)) {
      const index = Number(token)
      const found = index < 0 ? index + here.length : index
      if (!Number.isInteger(index) || found < 0 || found >= here.length) return false
      here = here[found]
    } else if (isObject(here) && Object.hasOwn(here, token)) {
      here = here[token]
    } else {
      return false
    }
  }
  return true
}

const isIndex = (token: string | undefined): boolean => token !== undefined && /^(-|\d+)$/.test(token)
const LONGEST_PADDING = 1_000

/** The document with objects and lists on the way to a path; the last part is left to the operation itself. */
function withPath(document: unknown, tokens: readonly string[]): unknown {
  const [token, ...rest] = tokens
  if (token === undefined || rest.length === 0) return padded(document, token)
  if (Array.isArray(document)) {
    const index = token === '-' ? document.length : Number(token)
    if (!Number.isInteger(index) || index < 0 || index > document.length + LONGEST_PADDING) return document
    const list = [...document]
    while (list.length < index) list.push(null)
    list[index] = withPath(list[index] ?? made(rest[0]), rest)
    return list
  }
  if (!isObject(document)) return document
  const fields: Record<string, unknown> = { ...document }
  setOwn(fields, token, withPath((Object.hasOwn(document, token) ? document[token] : undefined) ?? made(rest[0]), rest))
  return fields
}

const made = (next: string | undefined): unknown => (isIndex(next) ? [] : {})

/** A list that was made for an index further on is filled up with nulls; one that was there is left to be refused. */
function padded(document: unknown, token: string | undefined): unknown {
  if (!Array.isArray(document) || document.length > 0 || token === undefined || token === '-') return document
  const index = Number(token)
  return Number.isInteger(index) && index > 0 && index <= LONGEST_PADDING
    ? Array.from({ length: index }, () => null)
    : document
}
