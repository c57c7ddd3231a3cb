import { isObject, type Json, setOwn } from '../../lib/json.ts'

/** What stands in the place of a secret. */
export const REDACTED = '(redacted)'

const DEEPEST = 60
const LONGEST_TEXT = 8_192

const secretName =
  /pass(word|wd|phrase)|secret|token|api[-_]?key|access[-_]?key|private[-_]?key|authorization|credential|cookie|signature|dockerconfigjson/i
/** Names of things that lead to a secret, or count it, and are none. */
const harmlessEnd = /(name|names|namespace|ref|refs|path|type|kind|store|mount|enabled|url|count|id|ttl|policy|class)$/i
const bearer = /\b(Bearer|Basic|token)\s+[\w~+/.=-]{6,}/g
const credentialsInUrl = /(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@:]*:[^\s/@]+@/gi
const knownTokens =
  /\b(gh[pousr]_\w{20,}|github_pat_\w{20,}|xox[abposr]-[\w-]{10,}|glpat-[\w-]{10,}|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*)/g

/** Tells whether what is kept under a name is likely to be secret. */
export const isSecretName = (name: string): boolean => secretName.test(name) && !harmlessEnd.test(name)

/** A text without what looks like a credential in it, and not longer than anybody reads. */
export function redactText(text: string): string {
  const cut = text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}...` : text
  return cut
    .replace(credentialsInUrl, `$1${REDACTED}@`)
    .replace(bearer, `$1 ${REDACTED}`)
    .replace(knownTokens, REDACTED)
}

/**
 * A document without its secrets: the data of Secrets, what is kept under names such as `password` or `Authorization`, the values of
 * environment variables so named, and what looks like a credential anywhere.
 */
export function redact(value: unknown): Json {
  return clean(value, 0)
}

function clean(value: unknown, depth: number): Json {
  if (typeof value === 'string') return redactText(value)
  if (typeof value === 'number') return Number.isFinite(value) ? value : null
  if (typeof value === 'boolean') return value
  if (depth > DEEPEST) return '...'
  if (Array.isArray(value)) return value.map((item) => clean(item, depth + 1))
  if (!isObject(value)) return null
  const isSecret = value['kind'] === 'Secret' && value['apiVersion'] === 'v1'
  const isNamedSecret = typeof value['name'] === 'string' && isSecretName(value['name'])
  const made: Record<string, Json> = {}
  for (const [key, item] of Object.entries(value)) {
    const isHidden = isSecretName(key) || (isNamedSecret && key === 'value')
    const hides = isHidden || (isSecret && (key === 'data' || key === 'stringData'))
    setOwn(made, key, hides ? hidden(item, depth + 1) : clean(item, depth + 1))
  }
  return made
}

/** The form of a value whose leaves are secret; references to Secrets stay readable. */
function hidden(value: unknown, depth: number): Json {
  if (value === null || value === undefined || value === '' || typeof value === 'boolean') return clean(value, depth)
  if (isObject(value) && depth <= DEEPEST) {
    const isReference =
      typeof value['name'] === 'string' &&
      Object.keys(value).every((key) => ['name', 'key', 'optional', 'namespace'].includes(key))
    if (isReference) return clean(value, depth)
    const made: Record<string, Json> = {}
    for (const [key, item] of Object.entries(value)) setOwn(made, key, hidden(item, depth + 1))
    return made
  }
  return REDACTED
}
