import { LIST_COST } from '../cost/size.ts'
import { EvaluationError, noSuchOverload } from '../error.ts'
import { kindOf } from '../value/kind.ts'
import { adaptItem, isList, rawItems } from '../value/list.ts'
import { CelMap, keyText, type MapValue, mapGet, mapKeys } from '../value/map.ts'
import type { Node, Run } from './run.ts'

/** Where the variables of a loop live. */
export interface LoopSlots {
  readonly first: number
  /** Set for loops over index or key and value. */
  readonly second: number | undefined
}

/** Runs the body for each item; the body says whether to go on. */
type Loop = (run: Run, range: unknown, body: (run: Run) => boolean) => void

function loopOver({ first, second }: LoopSlots): Loop {
  return (run, range, body) => {
    const { slots } = run
    if (isList(range)) {
      const items = rawItems(range)
      for (let index = 0; index < items.length; index++) {
        run.turn()
        const item = adaptItem(items[index])
        if (second === undefined) {
          slots[first] = item
        } else {
          slots[first] = index
          slots[second] = item
        }
        if (!body(run)) return
      }
      return
    }
    if (kindOf(range) !== 'map') throw noSuchOverload('comprehension range')
    // The kind was just looked at.
    const map = range as MapValue
    for (const key of mapKeys(map)) {
      run.turn()
      slots[first] = key
      if (second !== undefined) slots[second] = mapGet(map, key)
      if (!body(run)) return
    }
  }
}

function truth(value: unknown, what: string): boolean {
  if (typeof value !== 'boolean') throw noSuchOverload(what)
  return value
}

/** `all` and `exists`: the deciding value wins over errors of other items. */
export function quantifierNode(range: Node, slots: LoopSlots, predicate: Node, deciding: boolean): Node {
  const loop = loopOver(slots)
  const what = deciding ? '_||_' : '_&&_'
  const { first, second } = slots
  // Looking at the accumulator, and for `exists` negating it, counts as upstream's fold does it.
  const perTurn = deciding ? 4 : 3
  /** Whether an item decides; errors are kept for the end. */
  const decides = (run: Run, kept: Kept): boolean => {
    run.cost += perTurn
    try {
      const value = predicate(run)
      if (value === deciding) return true
      if (value === !deciding) return false
      kept.error ??= noSuchOverload(what)
    } catch (error) {
      if (!(error instanceof EvaluationError)) throw error
      kept.error ??= error
    }
    return false
  }
  return (run) => {
    const over = range(run)
    const kept: Kept = { error: undefined }
    run.cost++
    if (second === undefined && isList(over)) {
      for (const item of rawItems(over)) {
        run.turn()
        run.slots[first] = adaptItem(item)
        if (decides(run, kept)) return deciding
      }
    } else {
      let isDecided = false
      loop(run, over, (state) => {
        isDecided = decides(state, kept)
        return !isDecided
      })
      if (isDecided) return deciding
    }
    if (kept.error) throw kept.error
    return !deciding
  }
}

/** The first error of an item, until something absorbs it. */
interface Kept {
  error: EvaluationError | undefined
}

/** `exists_one`: errors are not absorbed. */
export function existsOneNode(range: Node, slots: LoopSlots, predicate: Node): Node {
  const loop = loopOver(slots)
  return (run) => {
    let count = 0
    loop(run, range(run), (state) => {
      state.cost++
      if (truth(predicate(state), '_?_:_')) {
        state.cost++
        count++
      }
      return true
    })
    run.cost += 2
    return count === 1
  }
}

/** `filter`. */
export function filterNode(range: Node, slots: LoopSlots, predicate: Node): Node {
  const loop = loopOver(slots)
  return (run) => {
    const kept: unknown[] = []
    run.cost++
    loop(run, range(run), (state) => {
      state.cost++
      if (truth(predicate(state), '_?_:_')) {
        state.cost += LIST_COST + 2
        kept.push(state.slots[slots.first])
      }
      return true
    })
    return kept
  }
}

/** `map` and `transformList`. */
export function mapNode(range: Node, slots: LoopSlots, transform: Node, filter: Node | undefined): Node {
  const loop = loopOver(slots)
  return (run) => {
    const made: unknown[] = []
    run.cost++
    loop(run, range(run), (state) => {
      if (filter && !truth(filter(state), '_?_:_')) {
        state.cost++
        return true
      }
      state.cost += LIST_COST + 2
      made.push(transform(state))
      return true
    })
    return made
  }
}

function insert(target: CelMap, key: unknown, value: unknown): void {
  if (!target.add(key, value)) throw new EvaluationError(`insert failed: key ${keyText(key)} already exists`)
}

/** `transformMap`: the same keys with other values. */
export function transformMapNode(range: Node, slots: LoopSlots, transform: Node, filter: Node | undefined): Node {
  const loop = loopOver(slots)
  return (run) => {
    const made = new CelMap()
    run.cost++
    loop(run, range(run), (state) => {
      if (filter && !truth(filter(state), '_?_:_')) {
        state.cost++
        return true
      }
      state.cost += 3
      const key = state.slots[slots.first]
      insert(made, key, transform(state))
      return true
    })
    return made
  }
}

/** `transformMapEntry`: every turn answers a map whose entries are added. */
export function transformMapEntryNode(range: Node, slots: LoopSlots, transform: Node, filter: Node | undefined): Node {
  const loop = loopOver(slots)
  return (run) => {
    const made = new CelMap()
    run.cost++
    loop(run, range(run), (state) => {
      if (filter && !truth(filter(state), '_?_:_')) {
        state.cost++
        return true
      }
      state.cost += 2
      const entries = transform(state)
      if (kindOf(entries) !== 'map') throw noSuchOverload('cel.@mapInsert')
      // The kind was just looked at.
      const map = entries as MapValue
      for (const key of mapKeys(map)) insert(made, key, mapGet(map, key))
      return true
    })
    return made
  }
}

/** Marks a bound variable that nobody has asked for yet. */
export const PENDING: unique symbol = Symbol('pending')

/** `cel.bind`: the value is computed when it is first asked for. */
export function bindNode(slot: number, body: Node): Node {
  return (run) => {
    run.slots[slot] = PENDING
    return body(run)
  }
}

/** Reads a bound variable. */
export function boundNode(slot: number, value: Node): Node {
  return (run) => {
    run.cost++
    let current = run.slots[slot]
    if (current === PENDING) {
      current = value(run)
      run.slots[slot] = current
    }
    return current
  }
}
