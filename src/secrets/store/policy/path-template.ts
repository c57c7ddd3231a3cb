/** Who asks, as templated paths see it. */
export interface TemplateEntity {
  readonly id: string
  readonly name: string
  readonly metadata: ReadonlyMap<string, string>
  /** By the accessor of the mount that they logged in at. */
  readonly aliases: ReadonlyMap<string, TemplateAlias>
}

export interface TemplateAlias {
  readonly id: string
  readonly name: string
  readonly metadata: ReadonlyMap<string, string>
}

const OPENING = '{{'
const CLOSING = '}}'

export const isTemplate = (path: string): boolean => path.includes(OPENING)

/** What is wrong with the templates of a path, if something is. */
export function checkTemplate(path: string): string | undefined {
  const parts = split(path)
  if (!parts) return 'a template is not closed'
  const odd = parts.find(
    ({ expression }) => expression !== undefined && !/^identity\.(entity|groups)\./.test(expression),
  )
  return odd ? 'a template may only name identity.entity or identity.groups' : undefined
}

/** The path for somebody; nothing when a template has no value for them, or one that would itself be a pattern. */
export function fillTemplate(path: string, entity: TemplateEntity | undefined): string | undefined {
  const parts = split(path)
  if (!parts) return undefined
  let filled = ''
  for (const { text, expression } of parts) {
    filled += text
    if (expression === undefined) continue
    const value = entity ? valueOf(expression, entity) : undefined
    if (value === undefined || value === '' || /[*+/]/.test(value)) return undefined
    filled += value
  }
  return filled
}

interface Part {
  readonly text: string
  readonly expression?: string
}

function split(path: string): readonly Part[] | undefined {
  const parts: Part[] = []
  let at = 0
  for (;;) {
    const start = path.indexOf(OPENING, at)
    if (start < 0) {
      const text = path.slice(at)
      if (text.includes(CLOSING)) return undefined
      parts.push({ text })
      return parts
    }
    const end = path.indexOf(CLOSING, start)
    if (end < 0) return undefined
    parts.push({ text: path.slice(at, start), expression: path.slice(start + OPENING.length, end).trim() })
    at = end + CLOSING.length
  }
}

const PREFIX = 'identity.entity.'

function valueOf(expression: string, entity: TemplateEntity): string | undefined {
  // There are no groups, so whatever names one has no value.
  if (!expression.startsWith(PREFIX)) return undefined
  const rest = expression.slice(PREFIX.length)
  if (rest === 'id') return entity.id
  if (rest === 'name') return entity.name
  if (rest.startsWith('metadata.')) return entity.metadata.get(rest.slice('metadata.'.length))
  const [, accessor = '', field = ''] = /^aliases\.([^.]+)\.(.+)$/.exec(rest) ?? []
  const alias = entity.aliases.get(accessor)
  if (!alias) return undefined
  if (field === 'id') return alias.id
  if (field === 'name') return alias.name
  return field.startsWith('metadata.') ? alias.metadata.get(field.slice('metadata.'.length)) : undefined
}
