import { expect, test } from 'vitest'
import { testServer } from '../../apiserver/apiserver.testkit.ts'
import type { CompiledAction } from './compile-trigger.ts'
import { applyPolicy } from './policy.ts'

test.each<readonly [number, readonly number[] | undefined, boolean]>([
  [200, undefined, true],
  [302, undefined, true],
  [404, undefined, false],
  [503, undefined, false],
  [404, [200, 404], true],
  [200, [201], false],
])('an answer of %s, where %s is allowed, counts: %s', async (httpStatus, allow, ok) => {
  const { client, clock } = await testServer()
  const action: CompiledAction = {
    name: 'tell',
    kind: 'http',
    spec: {},
    template: { name: 'tell', http: {} },
    retry: { steps: 1, delayMs: () => 0 },
    ...(allow ? { policy: { status: { allow } } } : {}),
  }
  const ports = { client, clock, chance: () => 0, signal: new AbortController().signal }
  const judged = await applyPolicy(action, { because: 'POST answered', httpStatus }, ports)
  expect(judged.ok).toBe(ok)
})
