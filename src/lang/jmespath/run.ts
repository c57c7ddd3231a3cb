import type { Ids } from '../../lib/ids.ts'
import type { Zone } from '../../lib/go-zone.ts'
import { overBudget } from './error.ts'

/** What an expression may ask from outside. */
export interface JmesPathPorts {
  /** Milliseconds since the epoch; a Clock fits. */
  readonly now: () => number
  readonly ids: Pick<Ids, 'bytes'>
  /** Where `time_now` is; UTC when not given. */
  readonly zone?: Zone
  /** The addresses of a host that were resolved beforehand; undefined for one that is not known. */
  readonly lookUpHost?: (name: string) => readonly string[] | undefined
  /** What `image_normalize` puts before an image without a registry: `docker.io` when not given. */
  readonly defaultRegistry?: string
  /** False leaves images without a registry as they are. */
  readonly enableDefaultRegistryMutation?: boolean
  /** What `$name` stands for, in expressions that know variables. */
  readonly variables?: ReadonlyMap<string, unknown>
}

/** How much one search may do. */
export interface JmesPathBudget {
  /** Values looked at or made. */
  readonly steps: number
  /** UTF-16 units of one text that is made. */
  readonly text: number
  /** Told what was spent, whether the search found anything or not: for whoever has a budget over several. */
  readonly spent?: (steps: number) => void
}

export const usualBudget: JmesPathBudget = { steps: 4_000_000, text: 16_000_000 }

/** How deep made, compared and printed values may nest. */
export const DEEPEST_VALUE = 1_000

/** One search under way. */
export class Run {
  readonly ports: JmesPathPorts
  readonly longestText: number
  readonly variables: ReadonlyMap<string, unknown> | undefined
  private left: number

  constructor(ports: JmesPathPorts, budget: JmesPathBudget) {
    this.ports = ports
    this.variables = ports.variables
    this.left = budget.steps
    this.longestText = budget.text
  }

  /** Pays for work in values or characters. */
  charge(steps: number): void {
    this.left -= steps
    if (this.left < 0) throw overBudget('the expression takes too many steps')
  }

  /** What is left of the steps; below zero when they were too many. */
  get rest(): number {
    return this.left
  }

  /** Refuses a text before it is made. */
  chargeText(length: number): void {
    if (length > this.longestText) throw overBudget(`a text would have more than ${this.longestText} characters`)
    this.charge(length / 16)
  }
}
