import { parseDocument } from 'yaml'
import { isObject } from '../../lib/json.ts'
import { parseYaml } from '../../lib/yaml.ts'
import { editAt, lookUp, type PathEdit } from './field-path.ts'
import { goJson } from '../../lib/go-json.ts'
import { Refusal } from './refusal.ts'
import type { Manifest } from './resource.ts'

/** Edits a field of a JSON or YAML text that stands in a field: `data.config\.json.server.port`. Undefined when there is no such text. */
export function editInText(manifest: Manifest, path: readonly string[], edit: PathEdit): Manifest | undefined {
  for (let length = 1; length < path.length; length++) {
    const text = attemptLookUp(manifest, path.slice(0, length))
    if (typeof text !== 'string') continue
    const read = parseYaml(text, { dialect: 'kyaml' })
    if (!read.ok) continue
    return editedText(manifest, text, read.value, { path, length, edit })
  }
  return undefined
}

function attemptLookUp(manifest: Manifest, path: readonly string[]): unknown {
  try {
    return lookUp(manifest, path)
  } catch (thrown) {
    if (thrown instanceof Refusal) return undefined
    throw thrown
  }
}

interface Place {
  readonly path: readonly string[]
  readonly length: number
  readonly edit: PathEdit
}

function editedText(manifest: Manifest, text: string, value: unknown, place: Place): Manifest | undefined {
  const { path, length, edit } = place
  if (typeof value !== 'object' || value === null) return undefined
  try {
    const edited = editAt(value, path.slice(length), edit)
    if (edited.count === 0) return undefined
    const written = writtenLike(text, value, edited.value)
    const whole = editAt(manifest, path.slice(0, length), { creates: undefined, set: () => written })
    return whole.value as Manifest
  } catch (thrown) {
    // What cannot be edited as data is edited, or refused, as a field.
    if (thrown instanceof Refusal) return undefined
    throw thrown
  }
}

function writtenLike(text: string, before: unknown, value: unknown): string {
  const first = text.trim().charAt(0)
  if (first === '{' || first === '[') {
    return text.includes('\n') && text.includes('  ') ? indented(value, '') : goJson(value)
  }
  const document = parseDocument(text, { version: '1.1' })
  applyChanges(before, value, [], (path, next) => document.setIn(path, next))
  return document.toString({ lineWidth: 0 }).trim()
}

/** Go's MarshalIndent with two spaces. */
function indented(value: unknown, pad: string): string {
  const deeper = `${pad}  `
  if (Array.isArray(value)) {
    if (value.length === 0) return '[]'
    return `[\n${value.map((item) => deeper + indented(item, deeper)).join(',\n')}\n${pad}]`
  }
  if (!isObject(value)) return goJson(value)
  const keys = Object.keys(value).toSorted()
  if (keys.length === 0) return '{}'
  return `{\n${keys.map((key) => `${deeper}${goJson(key)}: ${indented(value[key], deeper)}`).join(',\n')}\n${pad}}`
}

type Path = readonly (string | number)[]

/** Names every place in which two values differ. */
function applyChanges(before: unknown, after: unknown, path: Path, set: (path: Path, value: unknown) => void): void {
  if (before === after) return
  if (Array.isArray(before) && Array.isArray(after)) {
    for (const [index, item] of after.entries()) applyChanges(before[index], item, [...path, index], set)
  } else if (isObject(before) && isObject(after)) {
    for (const key of Object.keys(after)) applyChanges(before[key], after[key], [...path, key], set)
  } else set(path, after)
}
