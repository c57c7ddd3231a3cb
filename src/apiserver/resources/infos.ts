import type { ResourceInfo } from '../../kube/client.ts'
import type { Registry } from './registry.ts'
import type { ServedResource } from './resource.ts'

/** What discovery says about everything served, subresources behind their resource. */
export function resourceInfos(registry: Registry): readonly ResourceInfo[] {
  return registry.resources.flatMap(infosOf)
}

function infosOf(resource: ServedResource): readonly ResourceInfo[] {
  const { group, version, plural, kind, singular, namespaced, verbs, shortNames, categories } = resource
  const own: ResourceInfo = { group, version, plural, kind, singular, namespaced, verbs, shortNames, categories }
  const below = [...resource.subresources.values()].map((sub): ResourceInfo => ({
    group,
    version,
    plural,
    kind: sub.kind,
    singular: '',
    namespaced,
    verbs: sub.verbs,
    shortNames: [],
    categories: [],
    subresource: sub.name,
  }))
  return [own, ...below]
}
