import { isObject, own } from '../../../lib/json.ts'
import { fail, type Result, succeed } from '../../../lib/result.ts'
import { compileJmesPath } from '../jmespath.ts'
import { type JmesPathFunctions } from '../function.ts'
import { kyvernoFunctions } from '../functions/kyverno.ts'
import { type JmesPathPorts } from '../run.ts'
import { parseProjection, type Projection, USUAL_LANGUAGE } from './expression.ts'
import { mismatch } from './matching.ts'

/** What `$name` stands for. */
export type Bindings = ReadonlyMap<string, unknown>

/** Evaluates one compiled expression of a tree. */
export type Program = (value: unknown, bindings: Bindings, ports: JmesPathPorts) => Result<unknown>

/** Compiles the expressions of one language, such as `(jp; name)`. */
export type ExpressionLanguage = (statement: string) => Result<Program>

export interface AssertionOptions {
  /** The functions of JMESPath expressions; Kyverno's when not given. */
  readonly functions?: JmesPathFunctions
  /** Languages by the name that stands before the semicolon. `jp` is always there; `default` is `jp` unless given. */
  readonly languages?: ReadonlyMap<string, ExpressionLanguage>
}

/** One way in which a value is not what a tree says. */
export interface AssertionFinding {
  /** Where in the tree: `spec.(length(containers))`. */
  readonly at: string
  readonly message: string
}

/** A compiled assertion tree: compiled once, compared with many values. */
export interface Assertion {
  /** What differs, in the order of the tree; nothing when the value is as it says. An expression that fails is a problem. */
  check(value: unknown, bindings: Bindings, ports: JmesPathPorts): Result<readonly AssertionFinding[]>
}

/** How deep trees may nest. */
const DEEPEST = 200
/** More findings than that help nobody. */
const MOST_FINDINGS = 1_000

interface Walk {
  readonly ports: JmesPathPorts
  readonly findings: AssertionFinding[]
}

/** Adds findings; a string is why the comparison itself failed. */
type Node = (value: unknown, at: string, bindings: Bindings, walk: Walk) => string | undefined

const add = ({ findings }: Walk, at: string, message: string): undefined => {
  if (findings.length < MOST_FINDINGS) findings.push({ at, message })
}

/** The language that every tree has. */
export function jmesPathLanguage(functions: JmesPathFunctions = kyvernoFunctions): ExpressionLanguage {
  return (statement) => {
    const compiled = compileJmesPath(statement, functions, { hasVariables: true })
    if (!compiled.ok) return compiled
    return succeed((value, variables, ports) => {
      const found = compiled.value.search(value, { ...ports, variables })
      // Trees are written for a dialect in which what is not there is null.
      if (!found.ok && found.error[0]?.code === 'jmespath-key-unknown') return succeed(null)
      return found
    })
  }
}

/** Compiles a tree in which keys may be `(expression)`, `~.list`, `key -> name` and scalars may be `(expression)`. */
export function compileAssertion(tree: unknown, options: AssertionOptions = {}): Result<Assertion> {
  const jp = jmesPathLanguage(options.functions)
  const languages = new Map([[USUAL_LANGUAGE, jp], ['jp', jp], ...(options.languages ?? [])])
  const compiled = compileNode(tree, '', languages, 0)
  if (!compiled.ok) return compiled
  return succeed({
    check(value, bindings, ports) {
      const walk: Walk = { ports, findings: [] }
      const trouble = compiled.value(value, '', bindings, walk)
      if (trouble === undefined) return succeed(walk.findings)
      return fail({ code: 'assertion-failed', message: trouble })
    },
  })
}

type Languages = ReadonlyMap<string, ExpressionLanguage>

function compileNode(tree: unknown, at: string, languages: Languages, depth: number): Result<Node> {
  if (depth > DEEPEST) return invalid(at, `the tree nests deeper than ${DEEPEST} levels`)
  if (Array.isArray(tree)) return compileList(tree, at, languages, depth)
  if (isObject(tree)) return compileMap(tree, at, languages, depth)
  return compileScalar(tree, at, languages)
}

const invalid = (at: string, message: string): Result<never> => fail({ code: 'assertion-invalid', at, message })

const below = (at: string, key: string): string => (at === '' ? key : `${at}.${key}`)

function compileList(tree: readonly unknown[], at: string, languages: Languages, depth: number): Result<Node> {
  const nodes: Node[] = []
  for (const [index, item] of tree.entries()) {
    const node = compileNode(item, `${at}[${index}]`, languages, depth + 1)
    if (!node.ok) return node
    nodes.push(node.value)
  }
  return succeed((value, place, bindings, walk) => {
    if (value === null || value === undefined) return add(walk, place, 'the value is null')
    if (!Array.isArray(value)) return `${place}: a list is expected, not ${JSON.stringify(value).slice(0, 200)}`
    if (value.length !== nodes.length) {
      return add(walk, place, `the list has ${value.length} items, ${nodes.length} are expected`)
    }
    for (const [index, node] of nodes.entries()) {
      const trouble = node(value[index], `${place}[${index}]`, bindings, walk)
      if (trouble !== undefined) return trouble
    }
    return undefined
  })
}

interface Entry {
  readonly key: string
  readonly projection: Projection
  readonly program: Program | undefined
  readonly node: Node
}

function compileMap(
  tree: Readonly<Record<string, unknown>>,
  at: string,
  languages: Languages,
  depth: number,
): Result<Node> {
  const entries: Entry[] = []
  for (const [key, under] of Object.entries(tree)) {
    const place = below(at, key)
    const projection = parseProjection(key)
    const program = programOf(projection, place, languages)
    if (!program.ok) return program
    const node = compileNode(under, place, languages, depth + 1)
    if (!node.ok) return node
    entries.push({ key, projection, program: program.value, node: node.value })
  }
  if (entries.length === 0) {
    return succeed((value, place, _bindings, walk) =>
      value === null || value === undefined ? add(walk, place, 'the value must not be null') : undefined,
    )
  }
  return succeed((value, place, bindings, walk) => checkEntries(entries, value, place, bindings, walk))
}

function programOf({ language, statement }: Projection, at: string, languages: Languages): Result<Program | undefined> {
  const known = language === undefined ? undefined : languages.get(language)
  if (language === undefined) return succeed(undefined)
  if (!known) return invalid(at, `there is no expression language ${JSON.stringify(language)}`)
  const compiled = known(statement)
  return compiled.ok ? compiled : invalid(at, compiled.error[0]?.message ?? 'the expression cannot be read')
}

function checkEntries(
  entries: readonly Entry[],
  value: unknown,
  at: string,
  outer: Bindings,
  walk: Walk,
): string | undefined {
  let bindings = outer
  for (const entry of entries) {
    const place = below(at, entry.key)
    const projected = project(entry, value, place, bindings, walk)
    if ('trouble' in projected) return projected.trouble
    if (!('found' in projected)) {
      add(walk, place, 'the field is not there')
      continue
    }
    const { projection, node } = entry
    if (projection.binding !== undefined) bindings = new Map(bindings).set(projection.binding, projected.found)
    const trouble = projection.isForeach
      ? checkEach(entry, projected.found, place, bindings, walk)
      : node(projected.found, place, bindings, walk)
    if (trouble !== undefined) return trouble
  }
  return undefined
}

type Projected = { readonly found: unknown } | { readonly trouble: string } | { readonly missing: true }

function project(
  { projection, program }: Entry,
  value: unknown,
  at: string,
  bindings: Bindings,
  walk: Walk,
): Projected {
  if (program) {
    const found = program(value, bindings, walk.ports)
    return found.ok
      ? { found: found.value }
      : { trouble: `${at}: ${found.error[0]?.message ?? 'the expression failed'}` }
  }
  if (value === null || value === undefined) return { missing: true }
  if (!isObject(value)) return { trouble: `${at}: an object is expected, not ${JSON.stringify(value).slice(0, 200)}` }
  const found = own(value, projection.statement)
  return found === undefined ? { missing: true } : { found }
}

function checkEach(
  { projection, node }: Entry,
  found: unknown,
  at: string,
  outer: Bindings,
  walk: Walk,
): string | undefined {
  const items: readonly (readonly [string | number, unknown])[] | undefined = Array.isArray(found)
    ? [...found.entries()]
    : isObject(found)
      ? Object.entries(found)
      : undefined
  if (!items) return `${at}: a list or an object is expected, not ${JSON.stringify(found).slice(0, 200)}`
  for (const [key, item] of items) {
    const name = projection.foreachName
    const bindings = name === undefined ? outer : new Map(outer).set(name, key)
    const trouble = node(item, `${at}[${key}]`, bindings, walk)
    if (trouble !== undefined) return trouble
  }
  return undefined
}

function compileScalar(expected: unknown, at: string, languages: Languages): Result<Node> {
  if (typeof expected !== 'string') return succeed(scalarNode(() => succeed(expected)))
  const projection = parseProjection(expected)
  if (projection.isForeach) return invalid(at, 'a scalar cannot go over items')
  if (projection.binding !== undefined) return invalid(at, 'a scalar cannot be given a name')
  const program = programOf(projection, at, languages)
  if (!program.ok) return program
  const { statement } = projection
  return succeed(scalarNode(program.value ?? (() => succeed(statement))))
}

function scalarNode(program: Program): Node {
  return (value, at, bindings, walk) => {
    const expected = program(value, bindings, walk.ports)
    if (!expected.ok) return `${at}: ${expected.error[0]?.message ?? 'the expression failed'}`
    const outcome = mismatch(expected.value, value)
    if (outcome === 'same') return undefined
    if (outcome === 'different') {
      const [wanted, seen] = [JSON.stringify(expected.value), JSON.stringify(value) ?? 'nothing']
      return add(walk, at, `${seen.slice(0, 500)} is found, ${wanted.slice(0, 500)} is expected`)
    }
    return `${at}: ${outcome.incomparable}`
  }
}
