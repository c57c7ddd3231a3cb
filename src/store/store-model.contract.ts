import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Heard, listen, type MakeStore, until } from './store.contract.ts'
import type { Change, Entry, Expectation, Store, WriteOutcome } from './store.ts'

const key = fc.constantFrom('a', 'a/1', 'a/2', 'a/3', 'b/1', 'b/2', '__proto__')
const expected = fc.constantFrom('any', 'any', 'absent', 'current', 'stale')
const write = fc.record({ type: fc.constantFrom('put', 'put', 'delete'), key, expected })
const writes = fc.record({ do: fc.constant('write'), writes: fc.array(write, { minLength: 1, maxLength: 6 }) })
const watch = fc.record({ do: fc.constant('watch'), prefix: fc.constantFrom('', 'a', 'a/', 'b/'), back: fc.nat(12) })
const compact = fc.record({ do: fc.constant('compact'), back: fc.nat(8) })
const turn = fc.oneof(
  { weight: 8, arbitrary: writes },
  { weight: 2, arbitrary: watch },
  { weight: 1, arbitrary: compact },
)

type Asked = {
  readonly type: 'put' | 'delete'
  readonly key: string
  readonly expected: 'any' | 'absent' | 'current' | 'stale'
}
type Turn = typeof turn extends fc.Arbitrary<infer T> ? T : never
type State = ReadonlyMap<string, Entry<string>>

const under = (state: State, prefix: string): Entry<string>[] =>
  [...state.values()].filter((entry) => entry.key.startsWith(prefix)).toSorted((a, b) => (a.key < b.key ? -1 : 1))

/** The plainest store there is: one whole state per revision. */
class Model {
  readonly states: State[] = [new Map()]
  readonly changes: Change<string>[] = []
  oldest = 0

  get now(): State {
    return this.states.at(-1)!
  }

  get revision(): number {
    return this.states.length - 1
  }

  expectationOf(asked: Asked): Expectation {
    const revision = this.now.get(asked.key)?.revision
    if (asked.expected === 'current') return { revision: revision ?? 999 }
    if (asked.expected === 'stale') return { revision: (revision ?? 1) - 1 }
    return asked.expected
  }

  write(asked: Asked, expects: Expectation): WriteOutcome<string> {
    const current = this.now.get(asked.key)
    const because = this.#refusal(asked, expects, current)
    if (because) return { ok: false, because, ...(current ? { current } : {}) }
    const entry = { key: asked.key, value: `${asked.type} ${this.states.length}`, revision: this.states.length }
    const next = new Map(this.now)
    if (asked.type === 'put') next.set(asked.key, entry)
    else next.delete(asked.key)
    this.states.push(next)
    this.changes.push({ type: asked.type, ...entry, ...(current ? { previous: current.value } : {}) })
    return { ok: true, entry, ...(current ? { previous: current } : {}) }
  }

  #refusal(asked: Asked, expects: Expectation, current: Entry<string> | undefined) {
    if (expects === 'absent' && current) return 'exists'
    if (!current) return asked.type === 'delete' || typeof expects === 'object' ? 'missing' : undefined
    return typeof expects === 'object' && expects.revision !== current.revision ? 'changed' : undefined
  }
}

interface Watched {
  readonly prefix: string
  readonly after: number
  readonly heard: Heard
}

async function writeBoth(store: Store<string>, model: Model, asked: readonly Asked[]): Promise<void> {
  const wanted: WriteOutcome<string>[] = []
  const got = asked.map((one) => {
    const expects = model.expectationOf(one)
    wanted.push(model.write(one, expects))
    const make = (given: number): string => `${one.type} ${given}`
    return one.type === 'put' ? store.put(one.key, make, expects) : store.delete(one.key, make, expects)
  })
  expect(await Promise.all(got)).toEqual(wanted)
}

async function compactBoth(store: Store<string>, model: Model, before: number, watches: Watched[]): Promise<void> {
  // Those who catch up are let through first, so that the model knows what is kept.
  await until(() => watches.every(({ heard }) => heard.calls.length > 0))
  await store.compact(before)
  model.oldest = Math.max(model.oldest, before)
}

function compare(store: Store<string>, model: Model): void {
  const { revision: newest, oldest } = model
  expect([store.revision, store.oldest]).toEqual([newest, oldest])
  for (let revision = Math.max(oldest - 1, 0); revision <= newest; revision += 3) {
    for (const prefix of ['', 'a', 'a/']) {
      expect(store.range(prefix, { revision })).toEqual(
        revision < oldest
          ? { ok: false, because: 'compacted', oldest, revision: newest }
          : { ok: true, entries: under(model.states[revision]!, prefix), revision, more: false, remaining: 0 },
      )
    }
  }
  const page = under(model.now, 'a').filter((entry) => entry.key > 'a/1')
  expect(store.range('a', { after: 'a/1', limit: 1 })).toEqual({
    ok: true,
    entries: page.slice(0, 1),
    revision: newest,
    more: page.length > 1,
    remaining: Math.max(page.length - 1, 0),
  })
  expect(store.count('a')).toBe(under(model.now, 'a').length)
}

async function play(store: Store<string>, turns: readonly Turn[]): Promise<void> {
  const model = new Model()
  const watches: Watched[] = []
  for (const step of turns) {
    if (step.do === 'write') await writeBoth(store, model, step.writes)
    else if (step.do === 'compact') await compactBoth(store, model, model.revision - step.back, watches)
    else {
      const after = Math.max(model.revision - step.back, model.oldest)
      watches.push({ prefix: step.prefix, after, heard: listen(store, step.prefix, after) })
    }
    compare(store, model)
  }
  await until(() => watches.every(({ heard }) => heard.calls.length > 0))
  for (const { prefix, after, heard } of watches) {
    const wanted = model.changes.filter((change) => change.revision > after && change.key.startsWith(prefix))
    expect(heard.changes).toEqual(wanted)
  }
}

/** Any sequence of writes, watches and compactions answers what a list of states, one per revision, would. */
export function storeModelContract(name: string, make: MakeStore, runs = 60): void {
  test(`${name}: behaves as a list of states, one per revision`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(turn, { maxLength: 25 }), async (turns) => {
        const store = await make()
        try {
          await play(store, turns)
        } finally {
          await store.close()
        }
      }),
      { numRuns: runs },
    )
  })
}
