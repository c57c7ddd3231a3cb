import type { ResourceInfo } from '../client.ts'
import type { GroupVersionKind } from '../gvk.ts'
import { packedDefinitions } from './notation.ts'
import type { Schema } from './schema.ts'

/** A resource or subresource that a Kubernetes API server has without any CRD. */
export interface BuiltinResource extends ResourceInfo {
  /** The kind that the endpoint speaks, which for a subresource may belong to another group (`Scale` of `autoscaling/v1`). */
  readonly speaks: GroupVersionKind
}

/** What is known about the built-in kinds: their types and their resources. Types are read when they are first asked for. */
export interface BuiltinSchemas {
  schemaOf(gvk: GroupVersionKind): Schema | undefined
  /** A node by the name of its OpenAPI definition, such as `io.k8s.api.core.v1.PodSpec`. */
  definition(name: string): Schema | undefined
  /** Every definition that documents of the group need, its own package only. */
  definitionNames(pack: string): readonly string[]
  /** The name of the definition that describes a kind. */
  definitionOf(gvk: GroupVersionKind): string | undefined
  /** Every kind that has a definition, without those that exist in every group. */
  kinds(): readonly (GroupVersionKind & { readonly definition: string })[]
  /** Resources and subresources, sorted by group, version and plural. */
  resources(): readonly BuiltinResource[]
}

const decoder = new TextDecoder()

interface Index {
  readonly kinds: ReadonlyMap<string, GroupVersionKind & { readonly definition: string }>
  /** Kinds such as DeleteOptions, which every group and version has. */
  readonly everywhere: ReadonlyMap<string, string>
  readonly resources: readonly BuiltinResource[]
}

/** The built-in kinds from packed files (`builtin/<pack>` and `builtin/index`), which the caller knows how to read. */
export function builtinSchemas(readData: (name: string) => Uint8Array): BuiltinSchemas {
  const definitions = packedDefinitions((pack) => decoder.decode(readData(`builtin/${pack}`)))
  let read: Index | undefined
  const index = (): Index => (read ??= parseIndex(decoder.decode(readData('builtin/index'))))
  const definitionOf = (gvk: GroupVersionKind): string | undefined =>
    index().kinds.get(keyOf(gvk))?.definition ?? index().everywhere.get(gvk.kind)
  return {
    definitionOf,
    definition: (name) => definitions.node(name),
    definitionNames: (pack) => definitions.names(pack),
    schemaOf(gvk) {
      const name = definitionOf(gvk)
      return name === undefined ? undefined : definitions.node(name)
    },
    kinds: () => [...index().kinds.values()],
    resources: () => index().resources,
  }
}

const keyOf = ({ group, version, kind }: GroupVersionKind): string => `${group}/${version} ${kind}`

function groupVersion(text: string): { readonly group: string; readonly version: string } {
  const slash = text.indexOf('/')
  return { group: text.slice(0, slash), version: text.slice(slash + 1) }
}

/** The index has two parts: `group/version Kind definition` lines, an empty line, and resource lines. */
function parseIndex(text: string): Index {
  const [kindLines = '', resourceLines = ''] = text.split('\n\n')
  const kinds = new Map<string, GroupVersionKind & { readonly definition: string }>()
  const everywhere = new Map<string, string>()
  for (const line of kindLines.split('\n')) {
    const [place = '', kind = '', definition = ''] = line.split(' ')
    if (place === '*') everywhere.set(kind, definition)
    else kinds.set(`${place} ${kind}`, { ...groupVersion(place), kind, definition })
  }
  const resources = resourceLines
    .split('\n')
    .filter((line) => line !== '')
    .map(parseResource)
  return { kinds, everywhere, resources }
}

/** `apps/v1 deployments/scale Scale@autoscaling/v1 N get,patch,update - -` */
function parseResource(line: string): BuiltinResource {
  const [place = '', path = '', speaks = '', scope, verbs = '', shortNames = '-', categories = '-'] = line.split(' ')
  const [plural = '', subresource] = path.split('/')
  const [kind = '', foreign] = speaks.split('@')
  const here = groupVersion(place)
  return {
    ...here,
    plural,
    kind,
    speaks: { ...(foreign ? groupVersion(foreign) : here), kind },
    singular: subresource ? '' : kind.toLowerCase(),
    namespaced: scope === 'N',
    verbs: verbs.split(','),
    shortNames: namesOf(shortNames),
    categories: namesOf(categories),
    ...(subresource ? { subresource } : {}),
  }
}

const namesOf = (text: string): readonly string[] => (text === '-' ? [] : text.split(','))
