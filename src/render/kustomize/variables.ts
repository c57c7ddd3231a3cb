import { isObject, own, setOwn } from '../../lib/json.ts'
import { editField, type FieldSpec } from './field-spec.ts'
import { lookUpField } from './field-path.ts'
import type { VariableEntry } from './kustomization.ts'
import { refuse } from './refusal.ts'
import { groupVersion, resourceId, sameGvk, sameId } from './resource-id.ts'
import type { Resources } from './resources.ts'

/** Variables by name. */
export type Variables = ReadonlyMap<string, VariableEntry>

/** Adds variables that must be new, and marks the resources whose fields they name. */
export function addVariables(
  known: Map<string, VariableEntry>,
  entries: readonly VariableEntry[],
  resources: Resources,
): void {
  for (const entry of entries) {
    const { objref } = entry
    const gv = objref.apiVersion
      ? groupVersion(objref.apiVersion)
      : { group: objref.group ?? '', version: objref.version ?? '' }
    const id = resourceId({ ...gv, kind: objref.kind ?? '' }, objref.name ?? '', objref.namespace ?? '')
    const matched = resources.byAnyId((other) =>
      id.namespace === '' ? id.name === other.name && sameGvk(id, other) : sameId(id, other),
    )
    if (matched.length > 1) {
      refuse(`found ${matched.length} resId matches for var ${JSON.stringify(entry)} (unable to disambiguate)`)
    }
    matched[0]?.variables.push(entry.name)
  }
  mergeVariables(known, entries)
}

/** Adds variables; none may come twice. */
export function mergeVariables(known: Map<string, VariableEntry>, entries: Iterable<VariableEntry>): void {
  for (const entry of entries) {
    if (known.has(entry.name)) refuse(`var '${entry.name}' already encountered`)
    known.set(entry.name, entry)
  }
}

type Value = string | number | bigint | boolean

function valueOf(entry: VariableEntry, resources: Resources): unknown {
  const resource = resources.list.find(({ variables }) => variables.includes(entry.name))
  if (!resource) return refuse(`var '${entry.name}' cannot be mapped to a field in the set of known resources`)
  const path = entry.fieldref?.fieldPath || 'metadata.name'
  const found = lookUpField(resource.manifest, path)
  if (found === undefined) {
    refuse(`field specified in var '${entry.name}' not found in corresponding resource (${path})`)
  }
  return found
}

/** Replaces every `$(NAME)` in the fields of the specs; answers the names that nothing used. */
export function resolveVariables(
  resources: Resources,
  variables: Variables,
  specs: readonly FieldSpec[],
): readonly string[] {
  if (variables.size === 0) return []
  const values = new Map([...variables.values()].map((entry) => [entry.name, valueOf(entry, resources)]))
  const used = new Set<string>()
  const expander = (text: string): unknown => expand(text, values, used)
  for (const resource of resources.list) {
    for (const spec of specs) {
      resource.manifest = editField(resource.manifest, spec, { set: (value) => replaced(value, expander) })
    }
  }
  return [...values.keys()].filter((name) => !used.has(name)).toSorted()
}

function replaced(value: unknown, expander: (text: string) => unknown): unknown {
  if (typeof value === 'string') return value.includes('$') ? expander(value) : value
  if (Array.isArray(value)) {
    return value.map((item: unknown) => {
      if (typeof item !== 'string') return refuse('invalid value type expect a string')
      return expander(item)
    })
  }
  if (!isObject(value)) return value
  const copy: Record<string, unknown> = {}
  for (const key of Object.keys(value)) {
    const item = own(value, key)
    setOwn(copy, key, typeof item === 'string' ? expander(item) : item)
  }
  return copy
}

const isPlain = (value: unknown): value is Value => ['string', 'number', 'bigint', 'boolean'].includes(typeof value)

/** `$$` is one dollar; a name nobody knows stays as it is written; a text that is one variable takes its type. */
function expand(text: string, values: ReadonlyMap<string, unknown>, used: Set<string>): unknown {
  let out = ''
  let from = 0
  for (let at = 0; at < text.length; at++) {
    if (text[at] !== '$' || at + 1 >= text.length) continue
    out += text.slice(from, at)
    const next = text[at + 1]
    const close = next === '(' ? text.indexOf(')', at + 2) : -1
    if (next === '$') out += '$'
    else if (close < 0) out += `$${next}`
    else {
      const name = text.slice(at + 2, close)
      const value = values.get(name)
      const isKnown = isPlain(value)
      if (isKnown) used.add(name)
      if (text === `$(${name})` && isKnown) return value
      out += isKnown ? String(value) : `$(${name})`
      at = close - 1
    }
    at++
    from = at + 1
  }
  return out + text.slice(from)
}
