import { isObject } from '../../lib/json.ts'
import { compilePattern, type Pattern } from '../../lib/re2.ts'
import { matchesLabels, parseLabelSelector } from '../../kube/selector.ts'
import type { TargetPattern } from './kustomization.ts'
import { scalarText } from './scalar-text.ts'
import { demand } from './refusal.ts'
import type { Resource } from './resource.ts'
import type { Gvk, ResourceId } from './resource-id.ts'

/** A compiled part of a target: every text when undefined. */
type Part = Pattern | undefined

const partOf = (pattern: string | undefined): Part =>
  pattern === undefined || pattern === '' ? undefined : demand(compilePattern(`^(?:${pattern})$`))

const matches = (part: Part, text: string): boolean => part === undefined || part.matcher(text).find()

/** The parts of a target as patterns over whole texts. */
export interface CompiledTarget {
  matchesGvk(gvk: Gvk): boolean
  matchesName(name: string): boolean
  matchesNamespace(namespace: string): boolean
  matchesMarks(resource: Resource): boolean
}

const textsOf = (map: unknown): Readonly<Record<string, string>> =>
  isObject(map) ? Object.fromEntries(Object.entries(map).map(([key, value]) => [key, scalarText(value)])) : {}

/** Compiles a target once for many resources. */
export function compileTarget(target: TargetPattern): CompiledTarget {
  const parts = {
    group: partOf(target.group),
    version: partOf(target.version),
    kind: partOf(target.kind),
    name: partOf(target.name),
    namespace: partOf(target.namespace),
  }
  const labels = target.labelSelector ? demand(parseLabelSelector(target.labelSelector)) : undefined
  const annotations = target.annotationSelector ? demand(parseLabelSelector(target.annotationSelector)) : undefined
  return {
    matchesGvk: ({ group, version, kind }) =>
      matches(parts.group, group) && matches(parts.version, version) && matches(parts.kind, kind),
    matchesName: (name) => matches(parts.name, name),
    matchesNamespace: (namespace) => matches(parts.namespace, namespace),
    matchesMarks: (resource) =>
      (!labels || matchesLabels(labels, textsOf(resource.labels))) &&
      (!annotations || matchesLabels(annotations, textsOf(resource.annotations))),
  }
}

/** The resources that a target names, by what they are called now or were called at first. */
export function select(resources: readonly Resource[], target: TargetPattern): readonly Resource[] {
  const compiled = compileTarget(target)
  const eitherOf = (resource: Resource, test: (id: ResourceId) => boolean): boolean =>
    test(resource.originalId) || test(resource.id)
  return resources.filter(
    (resource) =>
      compiled.matchesGvk(resource.gvk) &&
      eitherOf(resource, ({ effective }) => compiled.matchesNamespace(effective)) &&
      eitherOf(resource, ({ name }) => compiled.matchesName(name)) &&
      compiled.matchesMarks(resource),
  )
}
