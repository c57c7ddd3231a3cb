import { expect, test } from 'vitest'
import { backoffMs, UNKNOWN_END } from './container-step.ts'
import type { KubeObject } from '../../kube/object.ts'
import { formatTime } from '../../kube/time.ts'
import type { PodStatus } from '../pods/pod-state.ts'
import { planPod } from './plan.ts'
import { simulatedRuntime } from './simulated/runtime.ts'

const beganMs = Date.UTC(2026, 0, 1)

const simulated = {
  runtime: simulatedRuntime({ rules: () => [], isImageMissing: (image) => image.endsWith(':missing') }),
  runtimeName: 'simulated',
  volumeObstacle: undefined,
  environmentObstacle: () => undefined,
}

interface Told {
  readonly spec?: object
  readonly simulate?: Record<string, string>
}
const podOf = ({ spec = {}, simulate = {} }: Told): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: {
    name: 'p',
    uid: 'u',
    annotations: Object.fromEntries(Object.entries(simulate).map(([name, text]) => [`simulate.idp.dev/${name}`, text])),
  },
  spec: { nodeName: 'n', containers: [{ name: 'main', image: 'web:1' }], ...spec },
})

/** Lets a Pod live by its own wishes to be looked at again, and tells what could be seen, as `second: what`. */
function life(told: Told, seconds: number): readonly string[] {
  let pod = podOf(told)
  let nowMs = beganMs
  const seen: string[] = []
  while (nowMs <= beganMs + seconds * 1_000) {
    const plan = planPod({
      pod,
      nowMs,
      podIP: '10.244.0.2',
      hostIP: '10.89.0.2',
      ...simulated,
    })
    if (plan.do !== 'report') break
    const text = describe(plan.status)
    if (!seen.at(-1)?.endsWith(`: ${text}`)) seen.push(`${(nowMs - beganMs) / 1_000}: ${text}`)
    pod = { ...pod, status: plan.status }
    if (plan.againAfterMs === undefined) break
    nowMs += plan.againAfterMs
  }
  return seen
}

function describe(status: PodStatus): string {
  const one = (list: PodStatus['containerStatuses']): string =>
    (list ?? [])
      .map(({ name, state = {}, ready, restartCount }) => {
        const what = state.running
          ? ready
            ? 'ready'
            : 'up'
          : (state.waiting?.reason ?? `exit ${state.terminated?.exitCode}`)
        return `${name} ${what}${restartCount ? ` x${restartCount}` : ''}`
      })
      .join(', ')
  return [status.phase, one(status.initContainerStatuses), one(status.containerStatuses)].filter(Boolean).join(' | ')
}

test.each<{ name: string; told: Told; seconds?: number; want: readonly string[] }>([
  { name: 'a plain Pod is ready at once', told: {}, want: ['0: Running | main ready'] },
  {
    name: 'readiness waits for the declared delay',
    told: { spec: { containers: [{ name: 'main', readinessProbe: { initialDelaySeconds: 5 } }] } },
    want: ['0: Running | main up', '5: Running | main ready'],
  },
  { name: 'readiness may never come', told: { simulate: { main: 'ready=never' } }, want: ['0: Running | main up'] },
  {
    name: 'a container that fails is restarted later and later',
    told: { simulate: { main: 'exit=1 after=5s' } },
    seconds: 50,
    want: [
      '0: Running | main ready',
      '5: Running | main ready x1',
      '10: Running | main CrashLoopBackOff x1',
      '20: Running | main ready x2',
      '25: Running | main CrashLoopBackOff x2',
      '45: Running | main ready x3',
      '50: Running | main CrashLoopBackOff x3',
    ],
  },
  {
    name: 'a container that fails only at first recovers',
    told: { simulate: { main: 'exit=1 after=1s times=1' } },
    want: ['0: Running | main ready', '1: Running | main ready x1'],
  },
  {
    name: 'work that is never restarted succeeds',
    told: { spec: { restartPolicy: 'Never' }, simulate: { main: 'exit=0 after=3s' } },
    want: ['0: Running | main ready', '3: Succeeded | main exit 0'],
  },
  {
    name: 'work that fails fails its Pod',
    told: { spec: { restartPolicy: 'Never' }, simulate: { main: 'exit=3' } },
    want: ['0: Failed | main exit 3'],
  },
  {
    name: 'an image that is missing is waited for',
    told: { spec: { containers: [{ name: 'main', image: 'web:missing' }] } },
    want: ['0: Pending | main ErrImagePull', '10: Pending | main ImagePullBackOff'],
  },
  {
    name: 'init containers run in order, a sidecar only has to start',
    told: {
      spec: {
        initContainers: [
          { name: 'a' },
          { name: 'side', restartPolicy: 'Always', startupProbe: { initialDelaySeconds: 2 } },
          { name: 'b' },
        ],
      },
      simulate: { a: 'exit=0 after=4s', b: 'exit=0 after=1s' },
    },
    want: [
      '0: Pending | a up, side PodInitializing, b PodInitializing | main PodInitializing'.replace('a up', 'a ready'),
      '4: Pending | a exit 0, side up, b PodInitializing | main PodInitializing',
      '6: Pending | a exit 0, side ready, b ready | main PodInitializing',
      '7: Running | a exit 0, side ready, b exit 0 | main ready',
    ],
  },
  {
    name: 'an init container that fails for good fails the Pod',
    told: { spec: { restartPolicy: 'Never', initContainers: [{ name: 'a' }] }, simulate: { a: 'exit=1' } },
    want: ['0: Failed | a exit 1 | main PodInitializing'],
  },
  {
    name: 'sidecars end with the work',
    told: {
      spec: { restartPolicy: 'Never', initContainers: [{ name: 'side', restartPolicy: 'Always' }] },
      simulate: { main: 'exit=0 after=2s' },
    },
    want: ['0: Running | side ready | main ready', '2: Succeeded | side exit 0 | main exit 0'],
  },
  {
    name: 'a deadline ends a Pod',
    told: { spec: { activeDeadlineSeconds: 7 } },
    want: ['0: Running | main ready', '7: Failed | main exit 137'],
  },
])('$name', ({ told, seconds = 60, want }) => expect(life(told, seconds)).toEqual(want))

test('a Pod that is deleted is let go when its containers have stopped, at the latest after its grace', () => {
  const running = life({}, 0)
  expect(running).toEqual(['0: Running | main ready'])
  const base = podOf({ simulate: { main: 'stop=10s' } })
  const report = planPod({ pod: base, nowMs: beganMs, podIP: '', hostIP: '', ...simulated })
  if (report.do !== 'report') throw new Error('this Pod must run')
  const going = (grace: number): KubeObject => ({
    ...base,
    metadata: {
      ...base.metadata,
      deletionTimestamp: formatTime(beganMs + grace * 1_000),
      deletionGracePeriodSeconds: grace,
      finalizers: ['held'],
    },
    status: report.status,
  })
  const ask = (grace: number, afterMs: number) =>
    planPod({ pod: going(grace), nowMs: beganMs + afterMs, podIP: '', hostIP: '', ...simulated })
  expect(ask(30, 0)).toMatchObject({ do: 'wait', againAfterMs: 10_000 })
  expect(ask(30, 10_000)).toMatchObject({ do: 'remove', because: 'its containers have stopped' })
  expect(ask(4, 0)).toMatchObject({ do: 'wait', againAfterMs: 4_000 })
  expect(ask(4, 4_000)).toMatchObject({
    do: 'remove',
    status: { phase: 'Failed', containerStatuses: [{ state: { terminated: { exitCode: 137 } } }] },
  })
})

test.each([
  { name: 'the first failure', restartCount: 0, last: { exitCode: 1, reason: 'Error' }, want: 0 },
  { name: 'the second', restartCount: 1, last: { exitCode: 1, reason: 'Error' }, want: 10_000 },
  { name: 'the tenth', restartCount: 9, last: { exitCode: 1, reason: 'Error' }, want: 300_000 },
  { name: 'an end because the node was away', restartCount: 9, last: { exitCode: 137, reason: UNKNOWN_END }, want: 0 },
])('after $name a container is kept back for $want ms', ({ restartCount, last, want }) => {
  expect(backoffMs(restartCount, last)).toBe(want)
})
