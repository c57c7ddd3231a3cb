import { createHash } from 'node:crypto'
import type { KubeObject } from '../../kube/object.ts'
import { isObject, own } from '../../lib/json.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import type { ObjectOrigin, RenderedObject, RenderedSource } from '../../render/application/render-source.ts'
import type { SourceTypeName } from './manifest-source.ts'

/** The manifests of one source. */
export interface Rendered {
  readonly sourceType: SourceTypeName
  readonly manifests: readonly KubeObject[]
  readonly origins: readonly ObjectOrigin[]
  readonly warnings: readonly string[]
  readonly digest: string
}

const TYPES = { helm: 'Helm', kustomize: 'Kustomize', directory: 'Directory' } as const
const DEEPEST_LIST = 20

/** Makes API objects of what was rendered: lists are taken apart, and whatever is no object of the API is refused. */
export function asManifests(rendered: RenderedSource): Result<Rendered> {
  const manifests: KubeObject[] = []
  const origins: ObjectOrigin[] = []
  const add = ({ object, origin }: RenderedObject, depth: number): Result<undefined> => {
    const items = own(object, 'items')
    const kind = own(object, 'kind')
    if (typeof kind === 'string' && kind.endsWith('List') && (Array.isArray(items) || items === null)) {
      for (const item of items ?? []) {
        if (!isObject(item) || depth > DEEPEST_LIST)
          return fail(invalid(origin, 'holds a list of something else than objects'))
        const added = add({ object: item, origin }, depth + 1)
        if (!added.ok) return added
      }
      return succeed(undefined)
    }
    const wrong = wrongIn(object)
    if (wrong !== undefined) return fail(invalid(origin, wrong))
    // Checked just above: it has what every object of the API has.
    manifests.push((own(object, 'metadata') ? object : { ...object, metadata: {} }) as unknown as KubeObject)
    origins.push(origin)
    return succeed(undefined)
  }
  for (const each of rendered.objects) {
    if (Object.keys(each.object).length === 0) continue
    const added = add(each, 0)
    if (!added.ok) return added
  }
  return succeed({
    sourceType: TYPES[rendered.type],
    manifests,
    origins,
    warnings: rendered.warnings,
    digest: createHash('sha256').update(JSON.stringify(manifests)).digest('hex'),
  })
}

function wrongIn(object: Readonly<Record<string, unknown>>): string | undefined {
  for (const field of ['apiVersion', 'kind'] as const) {
    const text = own(object, field)
    if (typeof text !== 'string' || text === '') return `has no ${field}`
  }
  // Who has no name is told when it is applied, as upstream.
  return isObject(own(object, 'metadata') ?? {}) ? undefined : 'has metadata that are no mapping'
}

const invalid = (
  { file, line }: ObjectOrigin,
  because: string,
): { readonly code: string; readonly at: string; readonly message: string } => {
  const at = line === undefined ? file : `${file}:${line}`
  return { code: 'manifest-invalid', at, message: `cannot use the manifest at ${at}: it ${because}` }
}
