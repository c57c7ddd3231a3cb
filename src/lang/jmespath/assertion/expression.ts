/** What a key or a scalar of an assertion tree says (kyverno-json, pkg/core/expression). */
export interface Projection {
  /** `~.` or `~name.`: what is below holds for every item. */
  readonly isForeach: boolean
  readonly foreachName?: string
  /** `-> name`: what was found is kept as `$name`. */
  readonly binding?: string
  /** The language of a text in parentheses; undefined for plain text. */
  readonly language?: string
  readonly statement: string
}

const FOREACH = /^~(\w+)?\.([^]*)/
const BINDING = /^([^]*?)\s*->\s*(\w+)$/
const ESCAPE = /^\\([^]+)\\$/
const LANGUAGE = /^\((?:(\w+);)?([^]+)\)$/

/** The language of parentheses that name none. */
export const USUAL_LANGUAGE = 'default'

/** Splits `~name.(expression) -> binding` into its parts; `\text\` is text whatever it looks like. */
export function parseProjection(source: string): Projection {
  const foreach = FOREACH.exec(source)
  const afterForeach = foreach ? (foreach[2] ?? '') : source
  const bound = BINDING.exec(afterForeach)
  const text = bound ? (bound[1] ?? '') : afterForeach
  const escaped = ESCAPE.exec(text)
  const inLanguage = escaped ? null : LANGUAGE.exec(text)
  return {
    isForeach: foreach !== null,
    ...(foreach?.[1] === undefined ? {} : { foreachName: foreach[1] }),
    ...(bound ? { binding: bound[2] ?? '' } : {}),
    ...(inLanguage ? { language: inLanguage[1] ?? USUAL_LANGUAGE } : {}),
    statement: escaped?.[1] ?? inLanguage?.[2] ?? text,
  }
}
