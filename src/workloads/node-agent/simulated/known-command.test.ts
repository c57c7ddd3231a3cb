import { expect, test } from 'vitest'
import type { Run } from '../runtime.ts'
import { knownEnd } from './known-command.ts'

const run = (command: unknown, args?: unknown): Run => ({
  pod: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p' }, spec: {} },
  container: { name: 'main', ...(command ? { command } : {}), ...(args ? { args } : {}) },
  isInit: false,
  run: 0,
})

test.each<[unknown, unknown, unknown]>([
  [['true'], undefined, { exitCode: 0, afterMs: 0 }],
  [['/bin/false'], undefined, { exitCode: 1, afterMs: 0 }],
  [['sleep', '3'], undefined, { exitCode: 0, afterMs: 3_000 }],
  [['sleep'], ['1.5m'], { exitCode: 0, afterMs: 90_000 }],
  [['sh', '-c', 'sleep 2 && exit 3'], undefined, { exitCode: 3, afterMs: 2_000 }],
  [['/bin/bash', '-ec'], ['sleep 1; exit 0'], { exitCode: 0, afterMs: 1_000 }],
  [['sh', '-c', 'exit 300'], undefined, { exitCode: 44, afterMs: 0 }],
  [['sh', '-c', 'false || true'], undefined, undefined],
  [['sh', '-c', 'false; true'], undefined, undefined],
  [['sleep', 'soon'], undefined, undefined],
  [['nginx'], undefined, undefined],
  [undefined, ['true'], undefined],
  [[7], undefined, undefined],
])('%j %j ends as %j', (command, args, want) => {
  expect(knownEnd(run(command, args))).toEqual(want)
})
