import { tryRenderJson } from '../../lang/cel/wire/render.ts'
import type { Program } from '../../lang/cel/program.ts'
import { isObject, setOwn } from '../../lib/json.ts'
import { fail, type Problem, type Result, succeed } from '../../lib/result.ts'
import { parseYamlDocuments } from '../../lib/yaml.ts'
import type { Evaluated, Evaluation } from './evaluation.ts'
import type { Compilation } from './expression.ts'
import { scanPlaceholders, type Segment } from './placeholder.ts'

/** One part of a template: renders itself, or throws a Refusal. */
type Node = (evaluation: Evaluation) => unknown

/** A template of resources, one for each document. */
export type Template = (evaluation: Evaluation) => Evaluated<readonly Readonly<Record<string, unknown>>[]>

export interface TemplateSpec {
  readonly value?: string
  readonly interpolate?: string
}

const DEEPEST = 200

const explainAll = (problems: readonly Problem[]): string => problems.map(({ message }) => message).join('; ')

/** Why a template cannot be rendered; never leaves this file. */
class Refusal extends Error {}

/**
 * Compiles a template of YAML documents. With `interpolate: cel` a value that is one `(( expression ))` becomes whatever the
 * expression answers, and a text with several becomes a text (kyverno 1.18, pkg/cel/policies/gpol/template).
 */
export function compileTemplate(spec: TemplateSpec, at: string, compilation: Compilation): Template | undefined {
  const refuse = (message: string): undefined => {
    compilation.refuse({ code: 'policy-template-invalid', at, message })
    return undefined
  }
  const read = parseYamlDocuments(spec.value ?? '', { maxDepth: DEEPEST })
  if (!read.ok) return refuse(read.error.map(({ message }) => message).join('; '))
  const documents = read.value.filter(({ value }) => value !== null)
  if (documents.length === 0) return refuse('the template holds no document')
  const nodes = documents.map(({ value, line }) => {
    if (spec.interpolate !== 'cel') return isObject(value) ? succeed(constant(value)) : notAMap(line)
    return isObject(value) || typeof value === 'string' ? nodeOf(value, at, compilation) : notAMap(line)
  })
  const failed = nodes.flatMap((node) => (node.ok ? [] : node.error))
  if (failed.length > 0) return refuse(failed.map(({ message }) => message).join('; '))
  return rendererOf(nodes.flatMap((node) => (node.ok ? [node.value] : [])))
}

const notAMap = (line: number): Result<Node> =>
  fail({ code: 'policy-template-invalid', message: `line ${line}: a document must be a map that describes a resource` })

const constant =
  (value: unknown): Node =>
  () =>
    value

function rendererOf(nodes: readonly Node[]): Template {
  return (evaluation) => {
    const resources: Readonly<Record<string, unknown>>[] = []
    for (const [index, node] of nodes.entries()) {
      try {
        const value = node(evaluation)
        if (!isObject(value)) return { ok: false, because: `document ${index + 1} is no map that describes a resource` }
        resources.push(value)
      } catch (error) {
        if (error instanceof Refusal) return { ok: false, because: `document ${index + 1}: ${error.message}` }
        throw error
      }
    }
    return { ok: true, value: resources }
  }
}

function nodeOf(value: unknown, at: string, compilation: Compilation): Result<Node> {
  if (typeof value === 'string') return textNode(value, at, compilation)
  if (Array.isArray(value)) {
    const items = value.map((item) => nodeOf(item, at, compilation))
    const problems = items.flatMap((item) => (item.ok ? [] : item.error))
    if (problems.length > 0) return fail(...problems)
    const nodes = items.flatMap((item) => (item.ok ? [item.value] : []))
    return succeed((evaluation) => nodes.map((node) => node(evaluation)))
  }
  return isObject(value) ? mapNode(value, at, compilation) : succeed(constant(value))
}

function mapNode(value: Readonly<Record<string, unknown>>, at: string, compilation: Compilation): Result<Node> {
  const problems: Problem[] = []
  const entries: (readonly [string, Node])[] = []
  for (const [key, item] of Object.entries(value)) {
    const segments = scanPlaceholders(key)
    if (!segments.ok || segments.value.some(({ isExpression }) => isExpression)) {
      problems.push({
        code: 'policy-template-invalid',
        message: `the key ${JSON.stringify(key.slice(0, 100))} may hold no placeholder: make the whole map one`,
      })
      continue
    }
    const node = nodeOf(item, at, compilation)
    if (node.ok) entries.push([key, node.value])
    else problems.push(...node.error)
  }
  if (problems.length > 0) return fail(...problems)
  return succeed((evaluation) => {
    const made: Record<string, unknown> = {}
    for (const [key, node] of entries) setOwn(made, key, node(evaluation))
    return made
  })
}

type Part = { readonly text: string } | { readonly source: string; readonly program: Program }

function textNode(text: string, at: string, compilation: Compilation): Result<Node> {
  const segments = scanPlaceholders(text)
  if (!segments.ok) return segments
  const parts = segments.value.flatMap((segment) => partOf(segment, at, compilation))
  // An expression that does not compile has left its problems with the compilation.
  if (parts.length !== segments.value.length) return succeed(constant(text))
  const [first] = parts
  if (first && parts.length === 1 && 'program' in first) return succeed((evaluation) => valueOf(first, evaluation))
  return succeed((evaluation) => parts.map((part) => textOf(part, evaluation)).join(''))
}

function partOf({ text, isExpression }: Segment, at: string, compilation: Compilation): readonly Part[] {
  if (!isExpression) return [{ text }]
  const compiled = compilation.expression(text, at)
  return compiled ? [{ source: text, program: compiled.program }] : []
}

function valueOf({ source, program }: Extract<Part, { program: Program }>, evaluation: Evaluation): unknown {
  const result = evaluation.evaluate(program)
  if (!result.ok) throw new Refusal(`failed to evaluate placeholder ${JSON.stringify(source)}: ${result.because}`)
  const json = tryRenderJson(result.value)
  if (!json.ok) throw new Refusal(`failed to convert placeholder ${JSON.stringify(source)}: ${explainAll(json.error)}`)
  return json.value
}

function textOf(part: Part, evaluation: Evaluation): string {
  if ('text' in part) return part.text
  const value = valueOf(part, evaluation)
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return String(value)
  throw new Refusal(
    `placeholder ${JSON.stringify(part.source)} stands within a text, so it must be a text, a number, true or false`,
  )
}
