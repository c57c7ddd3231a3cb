import { isObject, own } from '../../lib/json.ts'
import type { Problem } from '../../lib/result.ts'
import { textOf } from './chart.ts'
import { isTable } from './coalesce.ts'
import type { ChartNode } from './dependencies.ts'
import type { HelmDialect } from './dialect.ts'
import { jsonForm } from './json-form.ts'
import { type JsonSchema, validateJson, type Violation } from './json-schema.ts'
import type { Values } from './strvals.ts'

/** `(root)` or `a.b.0`, then what is wrong: how helm 3 lists violations. */
const lineOf3 = ({ path, words }: Violation): string =>
  `- ${path.length === 0 ? '(root)' : path.join('.')}: ${words[3]}\n`

const pointer = (path: readonly string[]): string =>
  path.map((part) => `/${part.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')

/** The same as helm 4 lists it, branches below the keyword that they belong to. */
function lineOf4({ path, words, below }: Violation, indent: string): string {
  // A condition is not listed itself, only what follows from it.
  if (words[4] === '') return below.map((violation) => lineOf4(violation, indent)).join('')
  const line = `${indent}- at '${pointer(path)}': ${words[4]}\n`
  return line + below.map((violation) => lineOf4(violation, `${indent}  `)).join('')
}

function listed(violations: readonly Violation[], dialect: HelmDialect): string {
  if (dialect === 3) return violations.flatMap(flatten).map(lineOf3).join('')
  return `${violations.map((violation) => lineOf4(violation, '')).join('')}`
}

const flatten = (violation: Violation): readonly Violation[] => {
  const best = violation.best.flatMap(flatten)
  return violation.words[3].includes('(allOf)') ? [...best, violation] : [violation, ...best]
}

/** Drafts whose formats are rules; later ones only note them. */
const isOldDraft = (schema: unknown): boolean => isObject(schema) && /draft-0[3-7]/.test(String(own(schema, '$schema')))

function violationsIn(node: ChartNode, values: unknown, dialect: HelmDialect): string {
  let text = ''
  const { schema } = node.chart
  if (schema) {
    let parsed: unknown
    try {
      parsed = JSON.parse(textOf(schema))
    } catch (cause) {
      return `${node.name}:\n${cause instanceof Error ? cause.message : String(cause)}`
    }
    const found = validateJson(parsed as JsonSchema, jsonForm(values), dialect === 3 || isOldDraft(parsed))
    if (found.length > 0) text += `${node.name}:\n${listed(found, dialect)}`
  }
  for (const below of node.dependencies) {
    text += violationsIn(below, isTable(values) ? own(values, below.name) : undefined, dialect)
  }
  return text
}

/** Checks values against values.schema.json of a chart and of those below it; every violation is listed. */
export function validateValues(root: ChartNode, values: Values, dialect: HelmDialect): Problem | undefined {
  const text = violationsIn(root, values, dialect)
  if (text === '') return undefined
  const prefix = "values don't meet the specifications of the schema(s) in the following chart(s):\n"
  return { code: 'values-schema', message: prefix + text }
}
