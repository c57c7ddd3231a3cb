import { compilePattern, type Pattern } from '../../../lib/re2.ts'
import { RuleFailure } from '../evaluation.ts'
import type { Evaluation } from '../evaluation.ts'
import type { Fields } from '../read.ts'
import type { Filling, Template } from '../variables/template.ts'
import { remembered } from '../../../lib/remembered.ts'

/** A value that is worked out when an expression names it for the first time. */
interface Deferred {
  readonly name: string
  readonly pattern: Pattern
  readonly load: (scope: Scope) => unknown
}

/** How many context entries may wait for each other. */
const DEEPEST_CONTEXT = 50

const MOST_NAMES = 2_000

/** Where an expression names a variable: as a word that no other name or digit goes before. */
const namePattern = remembered(MOST_NAMES, (name: string): Pattern => {
  const quoted = name.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
  const compiled = compilePattern(`(?:^|[^.0-9A-Za-z])${quoted}(?:[^0-9A-Za-z_]|$)`)
  if (!compiled.ok) throw new RuleFailure('invalid', `${JSON.stringify(name)} cannot be the name of a variable`)
  return compiled.value
})

/**
 * What expressions see. A scope within another sees all that the outer one has; what is set or worked out within does not
 * reach outside.
 */
export class Scope implements Filling {
  readonly evaluation: Evaluation
  readonly isDelete: boolean
  self: 'request.object' | 'target' = 'request.object'
  private data: Record<string, unknown>
  private deferred: Deferred[]
  private readonly loading = new Set<Deferred>()
  /** The entry that is being worked out: it sees those before it, whatever takes their names later. */
  private current: Deferred | undefined

  constructor(evaluation: Evaluation, data: Fields, deferred: readonly Deferred[] = []) {
    this.evaluation = evaluation
    this.isDelete = evaluation.request.operation === 'DELETE'
    this.data = { ...data }
    this.deferred = [...deferred]
  }

  /** A scope within this one. */
  inner(values: Fields = {}): Scope {
    const scope = new Scope(this.evaluation, this.data, this.deferred)
    scope.self = this.self
    Object.assign(scope.data, values)
    return scope
  }

  /** Sets a value. */
  set(name: string, value: unknown): void {
    this.data = { ...this.data, [name]: value }
  }

  /** A value as it is, when there is one. */
  get(name: string): unknown {
    return Object.hasOwn(this.data, name) ? this.data[name] : undefined
  }

  /** Puts off working out a value until it is named. Of two of one name the later wins, and may read the earlier. */
  defer(name: string, load: Deferred['load']): void {
    this.deferred.push({ name, pattern: namePattern(name), load })
  }

  query(expression: string): unknown {
    const trimmed = expression.trim()
    if (trimmed === '') throw new RuleFailure('invalid', 'a variable is empty')
    if (this.deferred.length > 0) this.load(trimmed)
    return this.evaluation.search(trimmed, this.data)
  }

  charge(steps: number, text: number): void {
    this.evaluation.charge(steps, text)
  }

  fill(template: Template): unknown {
    return template.fill(this)
  }

  /** Works out what an expression names and is not known yet. A value never waits for itself. */
  private load(expression: string): void {
    const { current } = this
    for (const entry of this.deferred) {
      if (entry === current) break
      if (this.loading.has(entry) || !expression.includes(entry.name)) continue
      if (!entry.pattern.matcher(expression).find()) continue
      if (this.loading.size >= DEEPEST_CONTEXT) {
        throw new RuleFailure('over-budget', `context entries name each other more than ${DEEPEST_CONTEXT} deep`)
      }
      this.loading.add(entry)
      this.current = entry
      try {
        this.set(entry.name, entry.load(this))
        this.deferred = this.deferred.filter((other) => other !== entry)
      } finally {
        this.current = current
        this.loading.delete(entry)
      }
    }
  }
}
