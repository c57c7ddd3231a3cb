import type { SprigPorts } from '../../lang/gotemplate/sprig/sprig.ts'
import { execute, parseTemplates, type TemplateFile } from '../../lang/gotemplate/template-set.ts'
import { withType } from '../../lang/gotemplate/value.ts'
import { own } from '../../lib/json.ts'
import { fail, type Problem, type Result, succeed } from '../../lib/result.ts'
import { textOf } from './chart.ts'
import { isTable } from './coalesce.ts'
import type { ChartNode } from './dependencies.ts'
import type { HelmDialect } from './dialect.ts'
import { reformatTrace } from './exec-error.ts'
import { type EngineContext, helmFunctions, type Lookup, warningIn } from './functions.ts'
import {
  type Capabilities,
  capabilitiesObject,
  chartObject,
  filesObject,
  type Release,
  releaseObject,
  valuesType,
} from './objects.ts'
import type { Values } from './strvals.ts'

/** A template file with the data that its chart gives it. */
interface Renderable {
  readonly text: string
  readonly data: Record<string, unknown>
  readonly basePath: string
}

/** What one rendering is about. */
export interface EngineInput {
  readonly root: ChartNode
  readonly values: Values
  readonly release: Release
  readonly capabilities: Capabilities
  readonly dialect: HelmDialect
  readonly lookup?: Lookup
  readonly ports: SprigPorts
}

const baseOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1)

/** Paths without `.` and doubled slashes. */
const joinPath = (folder: string, name: string): string => `${folder}/${name}`

function gather(
  node: ChartNode,
  values: unknown,
  shared: Readonly<Record<string, unknown>>,
  found: Map<string, Renderable>,
  dialect: HelmDialect,
): Record<string, unknown> {
  const below: Record<string, unknown> = {}
  const data: Record<string, unknown> = {
    Chart: chartObject(node, dialect),
    Files: filesObject(node.chart.files),
    Release: shared['Release'],
    Capabilities: shared['Capabilities'],
    Values: values,
    Subcharts: below,
  }
  for (const child of node.dependencies) {
    const given = isTable(values) ? own(values, child.name) : undefined
    below[child.name] = gather(
      child,
      isTable(given) ? given : withType({}, valuesType(dialect)),
      shared,
      found,
      dialect,
    )
  }
  const isLibrary = node.metadata.type.toLowerCase() === 'library'
  for (const file of node.chart.templates) {
    if (isLibrary && !baseOf(file.name).startsWith('_')) continue
    found.set(joinPath(node.fullPath, file.name), {
      text: textOf(file.data),
      data,
      basePath: joinPath(node.fullPath, 'templates'),
    })
  }
  return data
}

const depthOf = (path: string): number => path.split('/').length

/** Deeper files first, and of one depth the later names: so that what stands higher wins when names collide. */
const comparePaths = (a: string, b: string): number =>
  depthOf(b) - depthOf(a) || Buffer.compare(Buffer.from(b), Buffer.from(a))

/** Renders every template of a chart and of those below it. The keys are their paths. */
export function renderTemplates(input: EngineInput): Result<ReadonlyMap<string, string>> {
  const { root, values, release, dialect } = input
  const shared = {
    Release: releaseObject(release),
    Capabilities: capabilitiesObject(input.capabilities, dialect),
  }
  const renderables = new Map<string, Renderable>()
  gather(root, withType(values, valuesType(dialect)), shared, renderables, dialect)
  const names = [...renderables.keys()].toSorted(comparePaths)
  const files: readonly TemplateFile[] = names.map((name) => ({ name, text: renderables.get(name)?.text ?? '' }))
  const set = parseTemplates(files, helmFunctions(dialect, input.ports))
  if (!set.ok) return fail(...set.error.map(parseProblem))
  const context: EngineContext = { lookup: input.lookup, including: new Map() }
  const printed = new Map<string, string>()
  for (const name of names) {
    if (baseOf(name).startsWith('_')) continue
    const renderable = renderables.get(name)
    if (!renderable) continue
    const { data, basePath } = renderable
    data['Template'] = withType({ Name: name, BasePath: basePath }, valuesType(dialect))
    const text = execute(set.value, name, data, { missingKey: 'zero', context })
    if (!text.ok) return fail(...text.error.map((problem) => executionProblem(name, problem, renderables, dialect)))
    printed.set(name, text.value.includes('<no value>') ? text.value.replaceAll('<no value>', '') : text.value)
  }
  return succeed(printed)
}

/** `template: FILE:LINE: because` as helm words it. */
function parseProblem(problem: Problem): Problem {
  const tokens = problem.message.split(': ')
  if (tokens.length === 1) return { ...problem, message: `parse error in (${problem.at ?? ''}): ${problem.message}` }
  return { ...problem, at: tokens[1] ?? '', message: `parse error at (${tokens[1]}): ${tokens.at(-1)}` }
}

/** An execution problem in helm's words, with the line that it happened on. */
function executionProblem(
  name: string,
  problem: Problem,
  renderables: ReadonlyMap<string, Renderable>,
  dialect: HelmDialect,
): Problem {
  const tokens = /^template: ([^\s]+?): (.*)$/s.exec(problem.message)
  if (!tokens) return problem
  const [, place = name, rest = ''] = tokens
  const warning = warningIn(rest)
  const message =
    warning !== undefined
      ? `execution error at (${place}): ${warning}`
      : dialect === 4
        ? reformatTrace(problem.message)
        : problem.message
  const line = lineAt(place, renderables)
  return { ...problem, at: place, message, ...(line === undefined ? {} : { cure: `the line is: ${line}` }) }
}

/** The text of the line that a place names. */
function lineAt(place: string, renderables: ReadonlyMap<string, Renderable>): string | undefined {
  const [, file = '', line = '0'] = /^(.*?):(\d+)(?::\d+)?$/.exec(place) ?? []
  const text = renderables.get(file)?.text.split('\n')[Number(line) - 1]?.trim()
  return text === undefined || text === '' || text.length > 500 ? undefined : text
}
