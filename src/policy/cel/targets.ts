import { apiVersionOf } from '../../kube/gvk.ts'
import type { KubeObject } from '../../kube/object.ts'
import { compileSelector, formatLabelSelector } from '../../kube/selector.ts'
import type { Program } from '../../lang/cel/program.ts'
import { tryRenderJson } from '../../lang/cel/wire/render.ts'
import { isObject } from '../../lib/json.ts'
import { explain } from '../../lib/result.ts'
import type { FactNeed } from '../engine/fact.ts'
import type { Evaluated, Evaluation } from './evaluation.ts'
import type { Asker } from './libraries/outside.ts'
import type { MatchResources } from './match.ts'

/** `spec.targetMatchConstraints`: which existing objects are changed, by constraints or by an expression. */
export interface TargetConstraints extends MatchResources {
  readonly expression?: string
}

/** An existing object that a policy may change. */
export interface Target {
  readonly object: KubeObject
  readonly subresource?: string
  readonly namespaceLabels?: Readonly<Record<string, string>>
}

interface Search {
  readonly constraints: MatchResources | undefined
  readonly program: Program | undefined
  /** Where a policy of a namespace looks. */
  readonly namespace: string | undefined
}

const isKubeObject = (value: unknown): value is KubeObject =>
  isObject(value) &&
  typeof value['apiVersion'] === 'string' &&
  typeof value['kind'] === 'string' &&
  isObject(value['metadata'])

/** The objects that an expression answers, or that the constraints' resource rules name. */
export function targetsOf(search: Search, evaluation: Evaluation, asker: Asker): Evaluated<readonly Target[]> {
  if (search.program) return fromExpression(search.program, evaluation)
  const { constraints, namespace } = search
  const targets: Target[] = []
  for (const { apiVersion, plural, subresource } of collectionsOf(constraints)) {
    const selector = compileSelector(constraints?.objectSelector ?? {})
    const need: FactNeed = {
      what: 'resources',
      apiVersion,
      plural,
      ...(namespace === undefined ? {} : { namespace }),
      ...(selector.ok && selector.value.length > 0 ? { selector: formatLabelSelector(selector.value) } : {}),
    }
    const listed = asker.needs.lookUp(asker.world.facts, need)
    if (!listed) continue
    if (!listed.ok) return { ok: false, because: listed.error.map(explain).join('; ') }
    for (const object of itemsOf(listed.value)) targets.push({ object, ...(subresource === '' ? {} : { subresource }) })
  }
  return { ok: true, value: withNamespaces(targets, constraints, asker) }
}

/** The labels of the targets' namespaces, where constraints ask for them. */
function withNamespaces(
  targets: readonly Target[],
  constraints: MatchResources | undefined,
  asker: Asker,
): readonly Target[] {
  const { matchLabels, matchExpressions = [] } = constraints?.namespaceSelector ?? {}
  if (Object.keys(matchLabels ?? {}).length === 0 && matchExpressions.length === 0) return targets
  return targets.flatMap((target) => {
    const { namespace } = target.object.metadata
    if (namespace === undefined) return [target]
    const need = { what: 'resource', apiVersion: 'v1', plural: 'namespaces', name: namespace } as const
    const found = asker.needs.lookUp(asker.world.facts, need)
    if (!found?.ok || !isKubeObject(found.value)) return []
    return [{ ...target, namespaceLabels: found.value.metadata.labels ?? {} }]
  })
}

interface Collection {
  readonly apiVersion: string
  readonly plural: string
  readonly subresource: string
}

/** The collections that rules name; one with a wildcard names none. */
function collectionsOf(constraints: MatchResources | undefined): readonly Collection[] {
  const found = new Map<string, Collection>()
  for (const { apiGroups = [], apiVersions = [], resources = [] } of constraints?.resourceRules ?? []) {
    const versions = apiGroups.flatMap((group) => apiVersions.map((version) => ({ group, version })))
    for (const { group, version } of versions) {
      for (const pattern of resources) {
        const [plural = '', subresource = ''] = pattern.split('/')
        if ([group, version, plural].includes('*')) continue
        const apiVersion = apiVersionOf({ group, version })
        found.set(`${apiVersion} ${pattern}`, { apiVersion, plural, subresource })
      }
    }
  }
  return [...found.values()]
}

const itemsOf = (list: unknown): readonly KubeObject[] =>
  isObject(list) && Array.isArray(list['items']) ? list['items'].filter(isKubeObject) : []

function fromExpression(program: Program, evaluation: Evaluation): Evaluated<readonly Target[]> {
  const result = evaluation.evaluate(program)
  if (!result.ok) return result
  const json = tryRenderJson(result.value)
  if (!json.ok) return { ok: false, because: json.error.map(explain).join('; ') }
  const { value } = json
  const objects = isObject(value) && Array.isArray(value['items']) ? itemsOf(value) : isKubeObject(value) ? [value] : []
  return { ok: true, value: objects.map((object) => ({ object })) }
}
