import { describe, expect, test } from 'vitest'
import { parseYaml } from '../../../lib/yaml.ts'
import type { Run } from '../runtime.ts'
import { parseRules } from './rules.ts'
import { simulatedRuntime } from './runtime.ts'

const run = (more: Partial<Run> & { readonly image?: string; readonly annotation?: string } = {}): Run => ({
  pod: {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'pay-1',
      namespace: 'team-a',
      labels: { app: 'pay' },
      ...(more.annotation ? { annotations: { 'simulate.idp.dev/main': more.annotation } } : {}),
    },
    spec: {},
  },
  container: { name: 'main', image: more.image ?? 'registry/pay:2.1' },
  isInit: false,
  run: more.run ?? 0,
})

function told(yaml: string, one: Run, seconds: number): string {
  const read = parseYaml(yaml)
  if (!read.ok) throw new Error(yaml)
  const rules = parseRules(read.value, 'rules')
  if (!rules.ok) return rules.error.map(({ at, message }) => `${at}: ${message}`).join('\n')
  const runtime = simulatedRuntime({ rules: () => rules.value, isImageMissing: () => false })
  const problem = runtime.pullProblem(one)
  if (problem !== undefined) return `pull: ${problem}`
  const state = runtime.inspect(one, { startedMs: 0, nowMs: seconds * 1_000 })
  if (state.is === 'ended') return `exit ${state.exitCode}${state.reason ? ` ${state.reason}` : ''}`
  return [state.isStarted ? 'started' : 'up', state.isReady ? 'ready' : 'unready', state.nextMs ?? 'stays'].join(' ')
}

const leaks = `
- match: { image: '*/pay:2.*', namespace: 'team-*', labels: { app: pay } }
  runs: 2
  stages:
    - { after: 3s, become: ready }
    - { after: 20s, become: unready }
    - { after: 1m, exit: 137, reason: OOMKilled }
`

describe('a run under rules', () => {
  test.each([
    { name: 'is not ready before its stage', yaml: leaks, run: run(), at: 1, want: 'started unready 3000' },
    { name: 'is ready from then on', yaml: leaks, run: run(), at: 3, want: 'started ready 20000' },
    { name: 'can lose its readiness', yaml: leaks, run: run(), at: 30, want: 'started unready 60000' },
    { name: 'ends as told', yaml: leaks, run: run(), at: 60, want: 'exit 137 OOMKilled' },
    {
      name: 'behaves as usual after so many runs',
      yaml: leaks,
      run: run({ run: 2 }),
      at: 60,
      want: 'started ready stays',
    },
    {
      name: 'of another image is not meant',
      yaml: leaks,
      run: run({ image: 'x/pay:1' }),
      at: 60,
      want: 'started ready stays',
    },
    {
      name: 'obeys its Pod before any rule',
      yaml: leaks,
      run: run({ annotation: 'exit=3 after=2s' }),
      at: 2,
      want: 'exit 3',
    },
    {
      name: 'follows the first rule that matches',
      yaml: `[{ stages: [{ exit: 1 }] }, { stages: [{ exit: 2 }] }]`,
      run: run(),
      at: 0,
      want: 'exit 1',
    },
    {
      name: 'cannot be pulled',
      yaml: `[{ match: { container: main }, pull: unauthorized }]`,
      run: run(),
      at: 0,
      want: 'pull: unauthorized',
    },
    {
      name: 'keeps its usual readiness where a rule says only how it ends',
      yaml: `[{ stages: [{ after: 9s, exit: 1 }] }]`,
      run: run(),
      at: 5,
      want: 'started ready 9000',
    },
  ])('$name', ({ yaml, run: one, at, want }) => expect(told(yaml, one, at)).toBe(want))
})

test.each([
  ['a', 'rules: must be a list of rules'],
  ['[1]', 'rules[0]: must be an object'],
  ['[{ imagee: x }]', 'rules[0].imagee: is no field of a rule; there are match, runs, pull, stages, stop'],
  [
    '[{ match: { node: x } }]',
    'rules[0].match.node: is nothing to match by; there are image, namespace, pod, container, labels',
  ],
  ['[{ runs: 0 }]', 'rules[0].runs: must be how many runs the rule is for, such as 2'],
  ['[{ stages: [{ after: soon, become: ready }] }]', 'rules[0].stages[0].after: must be a duration such as `1m30s`'],
  [
    '[{ stages: [{ exit: 256 }] }]',
    'rules[0].stages[0]: must say `exit: CODE`, or `become:` started, ready or unready',
  ],
  ['[{ match: { labels: { __proto__: 1 } } }]', 'rules[0].match.labels: must be labels with their values'],
])('%s is refused', (yaml, want) => expect(told(yaml, run(), 0)).toBe(want))
