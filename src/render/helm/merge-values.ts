import { isObject } from '../../lib/json.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import { mergeMaps } from './coalesce.ts'
import { dialects, type HelmDialect } from './dialect.ts'
import { parseValues } from './load-chart.ts'
import { readSet, type SetForm, type Values } from './strvals.ts'

/** Where values come from: a file, or the argument of one of the `--set` flags. */
export type ValueSource =
  | { readonly from: 'file'; readonly file: string; readonly text: string }
  | { readonly from: 'set'; readonly form: SetForm; readonly line: string }
  | { readonly from: 'object'; readonly values: Values }

/** Puts values together in their order: files and objects are merged deeply, `--set` changes single places. */
export function mergeValues(
  sources: readonly ValueSource[],
  dialect: HelmDialect = 3,
  readFile?: (path: string) => Result<string>,
): Result<Values> {
  let values: Values = {}
  for (const source of sources) {
    if (source.from === 'object') {
      values = mergeMaps(values, source.values)
      continue
    }
    if (source.from === 'file') {
      const read = parseValues(source.text, source.file, dialect)
      if (!read.ok) {
        return fail(
          ...read.error.map((problem) => ({
            ...problem,
            message: `failed to parse ${source.file}: ${problem.message}`,
          })),
        )
      }
      values = mergeMaps(values, read.value)
      continue
    }
    const line = source.line.trim()
    if (source.form === 'set-json' && dialects[dialect].setJsonObjects && line.startsWith('{')) {
      const object = jsonObject(line)
      if (!object)
        return fail({ code: 'values-invalid', message: `failed parsing --set-json data JSON: ${source.line}` })
      values = mergeMaps(values, object)
      continue
    }
    const set = readSet(values, source.line, source.form, readFile)
    if (!set.ok) return set
  }
  return succeed(values)
}

function jsonObject(text: string): Values | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    // Not JSON: the caller says so.
    return undefined
  }
}
