/** The form of an answer that a client and we agree on. */
export interface Agreed {
  readonly format: 'json' | 'yaml'
  /** Another shape than the object itself, such as `Table`. */
  readonly as?: string
  readonly group?: string
  readonly version?: string
}

/** A shape that an answer can take besides its own. */
export interface Shape {
  readonly as: string
  readonly group: string
  readonly versions: readonly string[]
}

const formats: ReadonlyMap<string, Agreed['format']> = new Map([
  ['application/json', 'json'],
  ['application/*', 'json'],
  ['*/*', 'json'],
  ['text/plain', 'json'],
  ['application/yaml', 'yaml'],
])

const json: Agreed = { format: 'json' }

/** Picks the first acceptable form in the client's order of preference; undefined where there is none. */
export function negotiate(accept: string | undefined, shapes: readonly Shape[] = []): Agreed | undefined {
  if (accept === undefined || accept === '' || accept === '*/*' || accept === 'application/json') return json
  const clauses = accept.split(',').map(parseClause)
  clauses.sort((a, b) => b.quality - a.quality)
  for (const { type, parameters } of clauses) {
    const format = formats.get(type)
    if (!format) continue
    const as = parameters.get('as')
    if (as === undefined) return { format }
    const group = parameters.get('g') ?? ''
    const version = parameters.get('v') ?? ''
    if (shapes.some((shape) => shape.as === as && shape.group === group && shape.versions.includes(version))) {
      return { format, as, group, version }
    }
  }
  return undefined
}

interface Clause {
  readonly type: string
  readonly parameters: ReadonlyMap<string, string>
  readonly quality: number
}

function parseClause(text: string): Clause {
  const [type = '', ...rest] = text.split(';')
  const parameters = new Map(
    rest.map((part) => {
      const equals = part.indexOf('=')
      return [part.slice(0, equals).trim(), part.slice(equals + 1).trim()] as const
    }),
  )
  const quality = Number(parameters.get('q') ?? 1)
  return { type: type.trim().toLowerCase(), parameters, quality: Number.isFinite(quality) ? quality : 0 }
}

/** The shapes that objects and lists of every resource can take. */
export const objectShapes: readonly Shape[] = [
  { as: 'Table', group: 'meta.k8s.io', versions: ['v1', 'v1beta1'] },
  { as: 'PartialObjectMetadata', group: 'meta.k8s.io', versions: ['v1', 'v1beta1'] },
  { as: 'PartialObjectMetadataList', group: 'meta.k8s.io', versions: ['v1', 'v1beta1'] },
]

/** The shapes of the discovery pages. */
export const discoveryShapes: readonly Shape[] = [
  { as: 'APIGroupDiscoveryList', group: 'apidiscovery.k8s.io', versions: ['v2', 'v2beta1'] },
]

/** The media type of a body, without its parameters. */
export function mediaType(header: string | undefined): string {
  return (header ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
}
