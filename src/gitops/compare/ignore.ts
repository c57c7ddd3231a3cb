import { compileGlob } from '../../lib/glob.ts'
import { isObject, type Json, own } from '../../lib/json.ts'
import type { Problem } from '../../lib/result.ts'
import { parseApiVersion } from '../../kube/gvk.ts'
import type { KubeObject } from '../../kube/object.ts'
import { parseIndex, pointerTokens } from '../../kube/patch/json-pointer.ts'
import { compileJq, type JqProgram } from '../../lang/jq/jq.ts'
import type { IgnoreDifference } from '../application/application.ts'

/** What is not looked at: fields by their places, and whatever some managers own. */
export interface Ignored {
  readonly pointers: readonly (readonly string[])[]
  readonly paths: readonly JqProgram[]
  readonly managers: ReadonlySet<string>
}

const NOTHING: Ignored = { pointers: [], paths: [], managers: new Set() }

interface Rule extends Ignored {
  readonly matches: (object: KubeObject) => boolean
}

/** Rules for what is ignored, compiled once. */
export interface IgnoreRules {
  /** What the rules say of an object. */
  for(object: KubeObject): Ignored
  readonly problems: readonly Problem[]
}

const globMatch = (pattern: string): ((text: string) => boolean) => {
  if (!/[*?[\\{]/.test(pattern)) return (text) => text === pattern
  const compiled = compileGlob(pattern, 'gobwas')
  return compiled.ok ? compiled.value : () => false
}

function matcherOf({ group = '', kind, name = '', namespace = '' }: IgnoreDifference): Rule['matches'] {
  const isGroup = globMatch(group)
  const isKind = globMatch(kind)
  return (object) =>
    isKind(object.kind) &&
    isGroup(parseApiVersion(object.apiVersion).group) &&
    (name === '' || name === object.metadata.name) &&
    (namespace === '' || namespace === object.metadata.namespace)
}

/** Compiles rules; one that cannot be read is reported and left out, so that it never hides a difference by accident. */
export function compileIgnoreRules(differences: readonly IgnoreDifference[]): IgnoreRules {
  const problems: Problem[] = []
  const rules = differences.map((difference): Rule => {
    const paths = (difference.jqPathExpressions ?? []).flatMap((source) => {
      const compiled = compileJq(source)
      if (compiled.ok) return [compiled.value]
      problems.push(...compiled.error)
      return []
    })
    return {
      matches: matcherOf(difference),
      pointers: (difference.jsonPointers ?? []).flatMap((pointer) =>
        pointer.startsWith('/') ? [pointerTokens(pointer)] : [],
      ),
      paths,
      managers: new Set(difference.managedFieldsManagers),
    }
  })
  return {
    problems,
    for(object) {
      const matching = rules.filter((rule) => rule.matches(object))
      if (matching.length === 0) return NOTHING
      return {
        pointers: matching.flatMap(({ pointers }) => pointers),
        paths: matching.flatMap(({ paths }) => paths),
        managers: new Set(matching.flatMap(({ managers }) => [...managers])),
      }
    },
  }
}

/** The object without what is ignored of it. The same reference when nothing of it is there. */
export function withoutIgnored<T extends KubeObject>(object: T, { pointers, paths }: Ignored): T {
  let result: unknown = object
  for (const pointer of pointers) result = without(result, pointer, 0)
  for (const program of paths) {
    const deleted = program.deletePaths(result as Json)
    // A path that leads nowhere in this object ignores nothing of it, as upstream.
    if (deleted.ok && isObject(deleted.value)) result = deleted.value
  }
  return result as T // ignored fields are never what makes it an object of a kind
}

function without(value: unknown, path: readonly string[], depth: number): unknown {
  const name = path[depth]
  if (name === undefined) return value
  const isLast = depth === path.length - 1
  if (Array.isArray(value)) {
    const index = parseIndex(name)
    if (index === undefined || index < 0 || index >= value.length) return value
    if (isLast) return value.toSpliced(index, 1)
    const below = without(value[index], path, depth + 1)
    return below === value[index] ? value : value.with(index, below)
  }
  if (!isObject(value) || !Object.hasOwn(value, name)) return value
  if (isLast) return Object.fromEntries(Object.entries(value).filter(([key]) => key !== name))
  const before = own(value, name)
  const below = without(before, path, depth + 1)
  return below === before
    ? value
    : Object.fromEntries(Object.entries(value).map(([key, item]) => [key, key === name ? below : item]))
}
