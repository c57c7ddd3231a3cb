import { replacePattern } from '../../../lang/gotemplate/sprig/regexes.ts'
import type { Json } from '../../../lib/json.ts'
import { compilePattern } from '../../../lib/re2.ts'
import { succeed } from '../../../lib/result.ts'
import type { SecretData } from './decode.ts'
import { dataAsJson, readJson, valueText } from './json-value.ts'
import { failed, type Fetched, within } from './trouble.ts'

/** One step that gives keys other names, or takes values apart. */
export type Rewrite =
  | { readonly by: 'regexp'; readonly source: string; readonly target: string }
  | { readonly by: 'transform'; readonly template: string }
  | {
      readonly by: 'merge'
      readonly into: string
      readonly priority: readonly string[]
      readonly strategy: string
      readonly conflictPolicy: string
      readonly priorityPolicy: string
    }

/** Names a key by a template in which `.value` is the key. */
export type RenderName = (template: string, key: string) => Fetched<string>

/** Data after every step, in their order. Where two keys become one, the one that sorts last stays. */
export function rewrite(steps: readonly Rewrite[], data: SecretData, renderName: RenderName): Fetched<SecretData> {
  let current = data
  for (const [index, step] of steps.entries()) {
    const made = rewriteOnce(step, current, renderName)
    if (!made.ok) return within(`failed rewrite operation[${index}]`, made.error)
    current = made.value
  }
  return succeed(current)
}

function rewriteOnce(step: Rewrite, data: SecretData, renderName: RenderName): Fetched<SecretData> {
  if (step.by === 'merge') return merge(step, data)
  if (step.by === 'transform') return renamed(data, (key) => renderName(step.template, key))
  const pattern = compilePattern(step.source)
  if (!pattern.ok) return failed(pattern.error[0]?.message ?? 'the pattern cannot be compiled')
  return renamed(data, (key) => succeed(replacePattern(pattern.value, key, step.target)))
}

function renamed(data: SecretData, name: (key: string) => Fetched<string>): Fetched<SecretData> {
  const made = new Map<string, string>()
  for (const key of [...data.keys()].toSorted()) {
    const named = name(key)
    if (!named.ok) return within(`cannot rename the key ${JSON.stringify(key)}`, named.error)
    made.set(named.value, data.get(key) ?? '')
  }
  return succeed(made)
}

type Merge = Extract<Rewrite, { readonly by: 'merge' }>

/** Takes the JSON objects under all keys together; keys with priority come last and win, the last of them most. */
function merge(step: Merge, data: SecretData): Fetched<SecretData> {
  const usual = [...data.keys()].filter((key) => !step.priority.includes(key)).toSorted()
  const merged = new Map<string, Json>()
  const conflicts: string[] = []
  for (const key of [...usual, ...step.priority]) {
    const value = data.get(key)
    if (value === undefined) {
      if (step.priorityPolicy === 'IgnoreNotFound') continue
      return failed(`merge failed with key ${JSON.stringify(key)} not found in input map`)
    }
    const object = readJson(value)
    if (typeof object !== 'object' || Array.isArray(object)) {
      return failed(`merge failed: the value of the key ${JSON.stringify(key)} is not a JSON object`)
    }
    for (const [name, item] of Object.entries(object ?? {})) {
      if (merged.has(name)) conflicts.push(name)
      merged.set(name, item as Json)
    }
  }
  if (step.conflictPolicy !== 'Ignore' && conflicts.length > 0) {
    return failed(`merge failed with conflicts: ${conflicts.join(', ')}`)
  }
  if (step.strategy !== 'JSON') return succeed(new Map([...merged].map(([name, item]) => [name, valueText(item)])))
  if (step.into === '') return failed("merge failed with missing 'into' field")
  return succeed(new Map([...data, [step.into, dataAsJson(merged)]]))
}
