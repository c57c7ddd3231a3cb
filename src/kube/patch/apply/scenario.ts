import { isObject, setOwn } from '../../../lib/json.ts'
import type { Result } from '../../../lib/result.ts'
import { attempt, Refusal } from '../refusal.ts'
import { merge } from './merge.ts'
import { leaves, type Path, recursiveDifference, setOf } from './path-set.ts'
import { extractItems } from './remove.ts'
import type { Type } from './type.ts'
import { apply, type Conflict, type Managers, trackChange, type Typed, type World } from './updater.ts'
import { validate } from './validate.ts'

/** One step: somebody applies or updates an object in the words of a version. */
export interface Step {
  readonly op: 'Apply' | 'ForceApply' | 'Update' | 'ExtractApply'
  readonly manager: string
  readonly apiVersion: string
  readonly object: unknown
}

/** What steps have made of an object. */
export interface ScenarioEnd {
  readonly object: unknown
  readonly managers: Managers
  /** The conflicts of each step; a step with conflicts changes nothing. */
  readonly conflicts: readonly (readonly Conflict[])[]
}

export interface Scenario {
  readonly steps: readonly Step[]
  /** The type of objects in a version. */
  readonly typeIn: (apiVersion: string) => Type | undefined
  /** What nobody may own, by version. */
  readonly ignored?: ReadonlyMap<string, readonly Path[]>
  /**
   * How versions spell the names of fields: for each version its word for a common name. With it, objects are converted, and
   * a version that is not listed is gone; without it, versions differ in name only.
   */
  readonly names?: ReadonlyMap<string, ReadonlyMap<string, string>>
  /** The version in which the object is answered. */
  readonly answerIn?: string
}

/** Runs steps against one object that starts as nothing. */
export function runScenario({ steps, typeIn, ignored, names, answerIn }: Scenario): Result<ScenarioEnd> {
  return attempt(() => {
    const hidden = new Map([...(ignored ?? [])].map(([version, paths]) => [version, setOf(paths)]))
    const world: World = {
      convert: names ? renaming(names, typeIn) : (object) => object,
      filter: (set, apiVersion) => {
        const without = hidden.get(apiVersion)
        return without ? recursiveDifference(set, without) : set
      },
    }
    let state: { live: Typed | undefined; managers: Managers } = { live: undefined, managers: new Map() }
    const conflicts: (readonly Conflict[])[] = []
    for (const [index, step] of steps.entries()) {
      const { live, managers, conflicts: found } = take(step, state, typeFor(typeIn, step.apiVersion, index), world)
      state = { live, managers }
      conflicts.push(found)
    }
    const { live } = state
    const last = live && answerIn !== undefined ? world.convert(live, answerIn) : live
    return { object: last?.value ?? null, managers: state.managers, conflicts }
  })
}

/** Converts by the versions' words for fields. A word means the same in every version that has it. */
function renaming(
  names: ReadonlyMap<string, ReadonlyMap<string, string>>,
  typeIn: Scenario['typeIn'],
): World['convert'] {
  const common = new Map<string, string>()
  for (const words of names.values()) for (const [name, word] of words) common.set(word, name)
  return ({ value }, apiVersion) => {
    const words = names.get(apiVersion)
    const type = words && typeIn(apiVersion)
    if (!type) return undefined
    return { type, value: renamed(value, (name) => words.get(common.get(name) ?? name) ?? name) }
  }
}

function renamed(value: unknown, word: (name: string) => string): unknown {
  if (Array.isArray(value)) return value.map((item) => renamed(item, word))
  if (!isObject(value)) return value
  const copy: Record<string, unknown> = {}
  for (const name of Object.keys(value)) setOwn(copy, word(name), renamed(value[name], word))
  return copy
}

function typeFor(typeIn: Scenario['typeIn'], apiVersion: string, index: number): Type {
  const type = typeIn(apiVersion)
  if (type) return type
  throw new Refusal({
    code: 'apply-types-invalid',
    at: `ops[${index}]`,
    message: `there is no type for the version ${JSON.stringify(apiVersion)}`,
  })
}

interface State {
  readonly live: Typed | undefined
  readonly managers: Managers
}

function take(step: Step, state: State, type: Type, world: World): State & { readonly conflicts: readonly Conflict[] } {
  const live = world.convert(state.live ?? { value: null, type }, step.apiVersion)
  if (live?.type !== type) {
    throw new Refusal({ code: 'apply-types-invalid', message: 'the object is of another type than the step' })
  }
  const { manager, apiVersion, op } = step
  validate(type, step.object, op === 'Update')
  if (op === 'Update') {
    const next = { value: step.object, type }
    const managers = trackChange({ live, next, apiVersion, managers: state.managers, manager }, world)
    return { live: next, managers, conflicts: [] }
  }
  const value = op === 'ExtractApply' ? extracted(step, { live, managers: state.managers }) : step.object
  const config = { value, type }
  const force = op !== 'Apply'
  const applied = apply({ live, config, apiVersion, managers: state.managers, manager, force }, world)
  if (!applied.ok) return { ...state, conflicts: applied.conflicts }
  return { live: applied.object, managers: applied.managers, conflicts: [] }
}

/** What the manager applied before, with the step merged into it. */
function extracted(step: Step, { live, managers }: { readonly live: Typed; readonly managers: Managers }): unknown {
  if (live.value === null) return step.object
  const mine = managers.get(step.manager)
  if (mine && mine.apiVersion !== step.apiVersion) {
    throw new Refusal({
      code: 'apply-invalid',
      message: `cannot extract what was applied in ${mine.apiVersion} as ${step.apiVersion}`,
    })
  }
  const before = extractItems(live.type, live.value, mine ? leaves(mine.set) : setOf([]))
  return merge(live.type, before, step.object)
}
