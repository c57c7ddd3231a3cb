import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { testServer, valueOf } from '../../../apiserver/apiserver.testkit.ts'
import type { Client } from '../../../kube/client.ts'
import type { KubeObject } from '../../../kube/object.ts'
import type { Container } from '../../../kube/pod.ts'
import { systemClock } from '../../../lib/clock.ts'
import { silentLog } from '../../../lib/log.ts'
import type { Run, RunState } from '../runtime.ts'
import { startOf } from './process-tree.ts'
import { findBubblewrap, type ProcessRuntime, processRuntime } from './runtime.ts'

const bubblewrap = findBubblewrap()
const modes = [
  { how: 'without a sandbox', program: undefined },
  ...(bubblewrap === undefined ? [] : [{ how: 'in a sandbox', program: bubblewrap }]),
]

describe.each(modes)('containers as processes, $how', ({ program }) => {
  let folder: string
  let client: Client
  let runtime: ProcessRuntime
  let number = 0

  const open = (): ProcessRuntime =>
    processRuntime({
      stateFolder: folder,
      network: '127.89',
      client,
      clock: systemClock,
      log: silentLog,
      apiUrl: () => 'https://127.0.0.1:6443',
      bubblewrap: program,
    })

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'idp-process-'))
    client = (await testServer()).client
    runtime = open()
  })
  afterEach(async () => {
    await runtime.close()
    rmSync(folder, { recursive: true, force: true })
  })

  const runOf = (container: Partial<Container>, spec: object = {}, metadata: object = {}): Run => {
    const whole: Container = { name: 'app', image: 'none', ...container }
    const pod: KubeObject = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'web', namespace: 'default', uid: `uid-${number++}`, ...metadata },
      spec: { nodeName: 'infra', containers: [whole], ...spec },
    }
    return { pod, container: whole, isInit: false, run: 0 }
  }

  /** Waits until a run stands as is wanted. */
  async function until(run: Run, wanted: (state: RunState) => boolean): Promise<RunState> {
    const limit = AbortSignal.timeout(20_000)
    for (;;) {
      const state = runtime.inspect(run, { startedMs: 0, nowMs: systemClock.now() })
      if (wanted(state)) return state
      if (limit.aborted) throw new Error(`the run is ${JSON.stringify(state)}`)
      await systemClock.sleep(10)
    }
  }
  const ended = (run: Run): Promise<RunState> => until(run, ({ is }) => is === 'ended')

  async function logOf(run: Run, query: Readonly<Record<string, string>> = {}): Promise<string> {
    const asked = new Map(Object.entries(query).map(([key, value]) => [key, [value]]))
    const connected = await runtime.connect?.({ kind: 'log', pod: run.pod, query: asked })
    if (!connected?.ok) throw new Error(connected?.error.message)
    let text = ''
    for await (const part of connected.value.text?.(AbortSignal.timeout(20_000)) ?? []) text += String(part)
    return text
  }

  test('see what their Pod gives them, and say how they ended', async () => {
    const conf = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'conf' },
      data: { word: 'hello', 'a.txt': 'text' },
    }
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'key' }, stringData: { pass: 'päss' } }
    const core = (plural: string) => ({ resource: { group: '', version: 'v1', plural }, namespace: 'default' })
    valueOf(await client.create(core('configmaps'), conf))
    valueOf(await client.create(core('secrets'), secret))
    const run = runOf(
      {
        command: [
          'sh',
          '-c',
          'echo "$WORD $(PASS) $NAME $LIMIT $MISSING|"; cat "$IDP_ROOT/etc/conf/x/a.txt"; echo; echo oops >&2; exit 3',
        ],
        env: [
          { name: 'PASS', valueFrom: { secretKeyRef: { name: 'key', key: 'pass' } } },
          { name: 'WORD', valueFrom: { configMapKeyRef: { name: 'conf', key: 'word' } } },
          { name: 'NAME', value: '$(OF)/$$(OF)/$(NOBODY)' },
          { name: 'OF', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
          { name: 'LIMIT', valueFrom: { resourceFieldRef: { resource: 'limits.memory', divisor: '1Mi' } } },
        ],
        envFrom: [{ prefix: 'ALL_', configMapRef: { name: 'conf' } }],
        resources: { limits: { memory: '512Mi' } },
        volumeMounts: [{ name: 'conf', mountPath: '/etc/conf' }],
      },
      { volumes: [{ name: 'conf', configMap: { name: 'conf', items: [{ key: 'a.txt', path: 'x/a.txt' }] } }] },
    )
    runtime.start(run)
    expect(await ended(run)).toMatchObject({ exitCode: 3 })
    const lines = (await logOf(run)).split('\n').toSorted()
    expect(lines).toEqual(['', 'hello päss $(OF)/$(OF)/$(NOBODY) 512 |', 'oops', 'text'])
    expect(await logOf(run, { tailLines: '1', timestamps: 'true' })).toMatch(/^\d{4}-\d\d-\d\dT.*Z (text|oops)\n$/)
    expect(await logOf(run, { limitBytes: '2', stream: 'Stderr' })).toBe('oo')
  })

  test('end when they are asked to, or when their grace is over', async () => {
    const polite = runOf({
      command: ['sh', '-c', 'trap "echo bye; exit 0" TERM; echo up; while :; do sleep 0.05; done'],
    })
    const stubborn = runOf({ command: ['sh', '-c', 'trap "" TERM; echo up; while :; do sleep 0.05; done'] })
    for (const run of [polite, stubborn]) {
      runtime.start(run)
      await until(run, (state) => state.is === 'running' && state.isReady)
      while (!(await logOf(run)).includes('up')) await systemClock.sleep(10)
    }
    runtime.stop(polite, 10_000)
    runtime.stop(stubborn, 200)
    expect(await ended(polite)).toMatchObject({ exitCode: 0 })
    expect(await logOf(polite)).toContain('bye\n')
    expect(await ended(stubborn)).toMatchObject({ exitCode: 137 })
  })

  test('are ended when they hold more memory than they may', async () => {
    const run = runOf({
      command: [process.execPath, '-e', 'const all = []; setInterval(() => all.push(Buffer.alloc(3e7, 1)), 20)'],
      resources: { limits: { memory: '200Mi' } },
    })
    runtime.start(run)
    expect(await ended(run)).toMatchObject({ exitCode: 137, reason: 'OOMKilled' })
  })

  test('are ready when their probe says so, and ended when they do not live', async () => {
    const probe = { periodSeconds: 0.02, timeoutSeconds: 5 }
    const check = ['sh', '-c', 'test -e "$IDP_ROOT/work/ready"']
    const run = runOf(
      {
        command: [
          'sh',
          '-c',
          'trap "exit 7" TERM; sleep 0.3; touch "$IDP_ROOT/work/ready"; while :; do sleep 0.05; done',
        ],
        readinessProbe: { ...probe, exec: { command: check } },
        volumeMounts: [{ name: 'work', mountPath: '/work' }],
      },
      { volumes: [{ name: 'work', emptyDir: {} }] },
    )
    runtime.start(run)
    expect(await until(run, (state) => state.is === 'running' && state.isStarted)).toMatchObject({ isReady: false })
    expect(await until(run, (state) => state.is === 'running' && state.isReady)).toMatchObject({ isReady: true })
    const sick = runOf(
      { command: ['sleep', '100'], livenessProbe: { ...probe, exec: { command: ['false'] } } },
      { terminationGracePeriodSeconds: 1 },
    )
    runtime.start(sick)
    expect(await ended(sick)).toMatchObject({ message: 'liveness probe: the command ended with 1' })
  })

  test('without a command nothing can be run', async () => {
    const run = runOf({ name: 'only' })
    runtime.start(run)
    const message =
      'the process runtime runs commands of this machine, not images: container "only" must say its command'
    expect(await ended(run)).toMatchObject({ exitCode: 128, reason: 'StartError', message })
    const unknown = runOf({ command: ['/no/such/program'] })
    runtime.start(unknown)
    expect(await ended(unknown)).toMatchObject({ is: 'ended' })
  })

  test('commands can be run beside them', async () => {
    const run = runOf({ command: ['sleep', '100'], env: [{ name: 'WORD', value: 'here' }] })
    runtime.start(run)
    await until(run, (state) => state.is === 'running' && state.isReady)
    const query = new Map([['command', ['sh', '-c', 'echo $WORD; cat; exit 4']]])
    const connected = await runtime.connect?.({ kind: 'exec', pod: run.pod, query })
    if (!connected?.ok) throw new Error(connected?.error.message)
    const [stdin, stdout] = [new PassThrough(), new PassThrough()]
    stdin.end('input')
    const streams = { stdin, stdout, tty: false, signal: AbortSignal.timeout(20_000) }
    expect(await connected.value.run?.(streams)).toEqual({ exitCode: 4 })
    expect(String(stdout.read())).toBe('here\ninput')
  })

  test('a volume leads nowhere but into itself', async () => {
    const mounted = { volumeMounts: [{ name: 'work', mountPath: '/work', subPath: '../../..' }] }
    const run = runOf(
      { command: ['true'], ...mounted },
      {
        volumes: [{ name: 'work', emptyDir: {} }],
      },
    )
    runtime.start(run)
    expect(await ended(run)).toMatchObject({ reason: 'StartError', message: '"../../.." leads out of its volume' })
  })

  test('what is left of an earlier start of the program is ended, what is not ours is left alone', async () => {
    const [left, other] = ['left', 'other'].map(() => spawn('sleep', ['100'], { detached: true, stdio: 'ignore' }))
    const gone = once(left ?? process, 'exit')
    mkdirSync(join(folder, 'processes'), { recursive: true })
    writeFileSync(join(folder, 'processes', String(left?.pid)), startOf(left?.pid ?? 0) ?? '')
    writeFileSync(join(folder, 'processes', String(other?.pid)), 'another start')
    const next = open()
    await gone
    expect(other?.exitCode).toBeNull()
    other?.kill('SIGKILL')
    const run = runOf({ command: ['true'] })
    const times = { startedMs: 0, nowMs: 5 }
    expect(next.inspect(run, times)).toMatchObject({ is: 'ended', exitCode: 137, reason: 'ContainerStatusUnknown' })
    expect(next.inspect(run, { ...times, isBeginning: true })).toMatchObject({ is: 'running', isReady: false })
    await next.close()
  })

  test.runIf(program !== undefined)('see nothing of the state that they are kept in', async () => {
    const run = runOf({ command: ['sh', '-c', `ls ${folder} 2>&1; ls /home /root; echo $$$$`] })
    runtime.start(run)
    await ended(run)
    expect(await logOf(run)).toMatch(/No such file or directory/)
    expect(readFileSync(join(folder, 'pods', run.pod.metadata.uid ?? '', 'logs', 'app.0.log'), 'utf8')).toContain(
      ' F 2\n',
    )
  })
})
