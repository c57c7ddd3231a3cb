import { own, setOwn } from '../../lib/json.ts'
import { isCompatible } from './version.ts'
import type { Chart } from './chart.ts'
import { coalesceValues, type CoalesceRun, copyTable, isTable, mergeTables } from './coalesce.ts'
import { dialects } from './dialect.ts'
import type { Dependency, Metadata } from './metadata.ts'
import type { Values } from './strvals.ts'

/** One entry of a chart's dependencies while it is decided which of them take part. */
export interface Requirement extends Omit<Dependency, 'name' | 'importValues'> {
  name: string
  importValues: readonly unknown[]
  enabled: boolean
}

/** An entry of import-values once it was carried out; templates see it in `.Chart.Dependencies`. */
export class ImportPair {
  readonly child: string
  readonly parent: string
  constructor(child: string, parent: string) {
    this.child = child
    this.parent = parent
  }
}

/**
 * A chart in the tree that is rendered. Nodes are changed while dependencies are decided, and in helm 3 aliases of one
 * chart share what is below it, which shows in the paths of their templates: so this is a graph of references on purpose.
 */
export class ChartNode {
  readonly chart: Chart
  name: string
  requirements: Requirement[] | undefined
  values: Values
  dependencies: ChartNode[] = []
  parent: ChartNode | undefined

  constructor(chart: Chart, name: string, requirements: Requirement[] | undefined, values: Values) {
    this.chart = chart
    this.name = name
    this.requirements = requirements
    this.values = values
  }

  /** Puts charts below this one. */
  adopt(nodes: readonly ChartNode[]): void {
    this.dependencies = [...nodes]
    for (const node of nodes) node.parent = this
  }

  /** `app/charts/db`: where the chart's templates stand in messages and `# Source` lines. */
  get fullPath(): string {
    return this.parent ? `${this.parent.fullPath}/charts/${this.name}` : this.name
  }

  get metadata(): Metadata {
    return this.chart.metadata
  }
}

const requirementOf = (dependency: Dependency): Requirement => ({ ...dependency, enabled: false })

/** The tree of a chart before anything was decided. */
export function chartTree(chart: Chart): ChartNode {
  const { metadata, values } = chart
  const node = new ChartNode(chart, metadata.name, metadata.dependencies?.map(requirementOf), values)
  node.adopt(chart.dependencies.map(chartTree))
  return node
}

/** Decides by conditions and tags which charts take part, names them by their aliases, and carries out import-values. */
export function processDependencies(root: ChartNode, given: Values, run: CoalesceRun): void {
  decideEnabled(root, given, '', run)
  importAll(root, run)
}

function aliasOf(nodes: readonly ChartNode[], requirement: Requirement, run: CoalesceRun): ChartNode | undefined {
  const found = nodes.find(
    (node) => node.name === requirement.name && isCompatible(requirement.version, node.metadata.version),
  )
  if (!found) return undefined
  const copies = dialects[run.dialect].copiesAliased
  const requirements = found.requirements && [...found.requirements].map((entry) => (copies ? { ...entry } : entry))
  const alias = new ChartNode(found.chart, requirement.alias || found.name, requirements, found.values)
  if (copies) alias.adopt(found.dependencies.map(shallowCopy))
  else alias.dependencies = found.dependencies
  return alias
}

function shallowCopy(node: ChartNode): ChartNode {
  const copy = new ChartNode(node.chart, node.name, node.requirements, node.values)
  copy.dependencies = node.dependencies
  return copy
}

function decideEnabled(node: ChartNode, given: Values, path: string, run: CoalesceRun): void {
  const requirements = node.requirements
  if (!requirements) return
  const unlisted = node.dependencies.filter(
    (below) =>
      !requirements.some(({ name, version }) => name === below.name && isCompatible(version, below.metadata.version)),
  )
  const listed: ChartNode[] = []
  for (const requirement of requirements) {
    const found = aliasOf(node.dependencies, requirement, run)
    if (found) listed.push(found)
    if (requirement.alias !== '') requirement.name = requirement.alias
  }
  node.adopt([...unlisted, ...listed])
  for (const requirement of requirements) requirement.enabled = true
  const values = coalesceValues(node, given, run)
  decideByTags(requirements, values, run)
  decideByConditions(requirements, values, path, run)
  const removed = new Set(requirements.filter(({ enabled }) => !enabled).map(({ name }) => name))
  const kept = node.dependencies.filter(({ name }) => !removed.has(name))
  for (const below of kept) decideEnabled(below, values, `${path}${below.name}.`, run)
  node.requirements = requirements.filter(({ name }) => !removed.has(name))
  node.adopt(kept)
}

function decideByTags(requirements: readonly Requirement[], values: Values, run: CoalesceRun): void {
  const tags = own(values, 'tags')
  if (!isTable(tags)) return
  for (const requirement of requirements) {
    const set: unknown[] = []
    for (const tag of requirement.tags) {
      const value = own(tags, tag)
      if (typeof value === 'boolean') set.push(value)
      else if (Object.hasOwn(tags, tag)) run.warn(`Tag '${tag}' for chart ${requirement.name} returned non-bool value`)
    }
    requirement.enabled = set.includes(true) || !set.includes(false)
  }
}

function decideByConditions(
  requirements: readonly Requirement[],
  values: Values,
  path: string,
  run: CoalesceRun,
): void {
  for (const requirement of requirements) {
    for (const condition of requirement.condition.trim().split(',')) {
      if (condition === '') continue
      const value = valueAt(values, path + condition)
      if (typeof value === 'boolean') {
        requirement.enabled = value
        break
      }
      if (value !== undefined) {
        run.warn(`Condition path '${condition}' for chart ${requirement.name} returned non-bool value`)
      }
    }
  }
}

/** The table at a dotted path. */
function tableAt(values: Values, path: string): Values | undefined {
  let table: unknown = values
  for (const name of path.split('.')) {
    if (!isTable(table)) return undefined
    table = own(table, name)
  }
  return isTable(table) ? table : undefined
}

/** What stands at a dotted path and is no table. */
function valueAt(values: Values, path: string): unknown {
  const dot = path.lastIndexOf('.')
  const table = dot < 0 ? values : tableAt(values, path.slice(0, dot))
  const value = table && own(table, path.slice(dot + 1))
  return isTable(value) ? undefined : value
}

function importAll(node: ChartNode, run: CoalesceRun): void {
  for (const below of node.dependencies) importAll(below, run)
  importInto(node, { ...run, merge: true })
}

/** Brings the parts of the charts below that import-values names into a chart's own defaults, which win over them. */
function importInto(node: ChartNode, run: CoalesceRun): void {
  if (!node.requirements) return
  const values = coalesceValues(node, {}, run)
  const imported: Values = {}
  for (const requirement of node.requirements) {
    const done: ImportPair[] = []
    for (const entry of requirement.importValues) {
      if (typeof entry === 'string') {
        done.push(new ImportPair(`exports.${entry}`, '.'))
        const table = tableAt(values, `${requirement.name}.exports.${entry}`)
        if (table) mergeTables(imported, table, '', run)
        else run.warn(`ImportValues missing table: ${JSON.stringify(`exports.${entry}`)} is not a table`)
      } else if (isTable(entry)) {
        const pair = new ImportPair(String(own(entry, 'child')), String(own(entry, 'parent')))
        done.push(pair)
        const table = tableAt(values, `${requirement.name}.${pair.child}`)
        if (table) mergeTables(imported, tableUnder(pair.parent, table), '', run)
        else
          run.warn(
            `ImportValues missing table from chart ${requirement.name}: ${JSON.stringify(pair.child)} is not a table`,
          )
      }
    }
    requirement.importValues = done
  }
  node.values = mergeTables(copyTable(values), imported, '', run)
}

/** A table put below a dotted path; `.` is the top. */
function tableUnder(path: string, table: Values): Values {
  if (path === '.') return table
  return path.split('.').reduceRight<Values>((inner, name) => {
    const outer: Values = {}
    setOwn(outer, name, inner)
    return outer
  }, table)
}
