import type { RequestOptions } from '../request.ts'

type Query = ReadonlyMap<string, readonly string[]>

/** The parameters of a query string; malformed escapes are taken literally. */
export function parseQuery(text: string): Query {
  const found = new Map<string, string[]>()
  if (text === '') return found
  for (const [key, value] of new URLSearchParams(text)) {
    const values = found.get(key)
    if (values) values.push(value)
    else found.set(key, [value])
  }
  return found
}

const first = (query: Query, name: string): string | undefined => query.get(name)?.[0]

/** Booleans are true unless they say that they are not: `?watch`, `?watch=1`, `?watch=true`. */
export function flagOf(query: Query, name: string): boolean | undefined {
  const value = first(query, name)
  return value === undefined ? undefined : !/^(0|f|F|false|FALSE|False)$/.test(value)
}

/** The options of a request, or the parameter that cannot be read. */
export type ParsedOptions =
  | { readonly ok: true; readonly options: RequestOptions; readonly isWatch: boolean }
  | { readonly ok: false; readonly message: string }

/** Reads the options that stand in a query string. */
export function optionsOf(query: Query): ParsedOptions {
  if (query.size === 0) return { ok: true, options: {}, isWatch: false }
  const problems: string[] = []
  const number = (name: string): number | undefined => {
    const value = first(query, name)
    if (value === undefined || value === '') return undefined
    if (/^-?\d{1,15}$/.test(value)) return Number(value)
    problems.push(`${name}: ${JSON.stringify(value)} is not an integer`)
    return undefined
  }
  const fieldValidation = first(query, 'fieldValidation')
  if (fieldValidation && !['Strict', 'Warn', 'Ignore'].includes(fieldValidation)) {
    problems.push(
      `fieldValidation: Unsupported value: ${JSON.stringify(fieldValidation)}: supported values: "Ignore", "Warn", "Strict"`,
    )
  }
  const dryRun = query.get('dryRun')?.filter((value) => value !== '')
  if (dryRun?.some((value) => value !== 'All')) {
    problems.push(`dryRun: Unsupported value: ${JSON.stringify(dryRun)}: supported values: "All"`)
  }
  const fieldManager = first(query, 'fieldManager')
  if (fieldManager !== undefined && (fieldManager.length > 128 || !/^[\P{C}]*$/u.test(fieldManager))) {
    problems.push('fieldManager: must be at most 128 printable characters')
  }
  const options = defined({
    labelSelector: first(query, 'labelSelector'),
    fieldSelector: first(query, 'fieldSelector'),
    limit: number('limit'),
    continue: first(query, 'continue'),
    resourceVersion: first(query, 'resourceVersion'),
    resourceVersionMatch: first(query, 'resourceVersionMatch'),
    allowWatchBookmarks: flagOf(query, 'allowWatchBookmarks'),
    sendInitialEvents: flagOf(query, 'sendInitialEvents'),
    timeoutSeconds: number('timeoutSeconds'),
    dryRun: dryRun && dryRun.length > 0 ? true : undefined,
    fieldManager,
    fieldValidation: fieldValidation || undefined,
    force: flagOf(query, 'force'),
    gracePeriodSeconds: number('gracePeriodSeconds'),
    propagationPolicy: first(query, 'propagationPolicy'),
    orphanDependents: flagOf(query, 'orphanDependents'),
  }) as RequestOptions // Each value was read by its own type above.
  if (problems.length > 0) return { ok: false, message: problems.join('; ') }
  return { ok: true, options, isWatch: flagOf(query, 'watch') ?? false }
}

function defined(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))
}
