import type { Json } from '../../lib/json.ts'
import { explain } from '../../lib/result.ts'
import { compileJmesPath } from '../../lang/jmespath/jmespath.ts'
import type { JmesPathBudget, JmesPathPorts } from '../../lang/jmespath/run.ts'
import type { PolicyWorld } from '../engine/compiled-policy.ts'
import { type FactNeed, Needs } from '../engine/fact.ts'
import type { PolicyRequest } from '../engine/policy-request.ts'

/** Why a rule cannot be evaluated. It ends at the edge of the rule, as its verdict `error`. */
export class RuleFailure extends Error {
  /** `unknown-key`: an expression reads what is not there, which some places forgive. */
  readonly kind: 'unknown-key' | 'invalid' | 'over-budget'

  constructor(kind: RuleFailure['kind'], message: string) {
    super(message)
    this.kind = kind
  }
}

/** A fact is missing: the rule waits until it was fetched. */
export class MissingFact extends Error {}

/** What one rule may cost. A step is a variable, a list item or a pattern; the figures are far above any real policy. */
const MOST_STEPS = 100_000
/** Characters of the texts that variables of one rule make. */
const MOST_TEXT = 32 * 1024 * 1024
/** Steps of the expressions of one rule together, and of each alone. */
const MOST_EXPRESSION_STEPS = 20_000_000
const EXPRESSION_STEPS = 2_000_000
const EXPRESSION_TEXT = 8_000_000

/** One rule under way: what it may know, what it missed, and what it has spent. */
export class Evaluation {
  readonly request: PolicyRequest
  readonly world: PolicyWorld
  readonly needs: Needs
  readonly ports: JmesPathPorts
  private steps = MOST_STEPS
  private text = MOST_TEXT
  private expressionSteps = MOST_EXPRESSION_STEPS

  constructor(request: PolicyRequest, world: PolicyWorld, needs: Needs = new Needs()) {
    this.request = request
    this.world = world
    this.needs = needs
    this.ports = {
      now: world.now,
      ids: world.ids,
      lookUpHost: (name) => {
        const known = world.facts.get(JSON.stringify({ name, what: 'host' }))
        return known?.ok && Array.isArray(known.value) ? known.value.map(String) : undefined
      },
    }
  }

  /** Pays for work, so that no policy runs without end. */
  charge(steps: number = 1, text: number = 0): void {
    this.steps -= steps
    this.text -= text
    if (this.steps >= 0 && this.text >= 0) return
    const what = this.steps < 0 ? `more than ${MOST_STEPS} steps` : `texts of more than ${MOST_TEXT} characters`
    throw new RuleFailure('over-budget', `the rule takes ${what}: make its lists or variables smaller`)
  }

  /** The value of an expression over data. */
  search(expression: string, data: unknown): unknown {
    this.charge()
    const compiled = compileJmesPath(expression)
    const found = compiled.ok ? compiled.value.search(data, this.ports, this.expressionBudget()) : compiled
    if (found.ok) return found.value
    const [problem] = found.error
    if (!problem) throw new Error('an expression failed without saying why')
    if (problem.code === 'jmespath-key-unknown')
      throw new RuleFailure('unknown-key', `${problem.message} in ${expression}`)
    throw new RuleFailure('invalid', `cannot evaluate ${JSON.stringify(expression)}: ${explain(problem)}`)
  }

  private expressionBudget(): JmesPathBudget {
    if (this.expressionSteps <= 0) {
      const message = `the expressions of the rule take more than ${MOST_EXPRESSION_STEPS} steps: make its lists smaller`
      throw new RuleFailure('over-budget', message)
    }
    return {
      steps: Math.min(EXPRESSION_STEPS, this.expressionSteps),
      text: EXPRESSION_TEXT,
      spent: (steps) => (this.expressionSteps -= steps),
    }
  }

  /** A fact of the world; the rule ends here when it is not known yet. */
  fact(need: FactNeed): Json {
    const known = this.needs.lookUp(this.world.facts, need)
    if (!known) throw new MissingFact(`missing ${need.what}`)
    if (known.ok) return known.value
    throw new RuleFailure('invalid', known.error.map(({ message }) => message).join('; '))
  }
}
