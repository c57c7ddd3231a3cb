import type { Run, RunState, RunTimes, Runtime } from '../runtime.ts'
import { behaviourOf } from './behaviour.ts'
import type { SimulationRule } from './rules.ts'

export interface SimulatedOptions {
  /** How containers behave that do not say so themselves; asked for every time, so that rules can change. */
  readonly rules: () => readonly SimulationRule[]
  readonly isImageMissing: (image: string) => boolean
}

/** A runtime that pretends. It remembers nothing: how a run stands follows from when it began, also after a restart. */
export function simulatedRuntime({ rules, isImageMissing }: SimulatedOptions): Runtime {
  return {
    name: 'simulated',
    pullProblem: (run) =>
      isImageMissing(run.container.image ?? '') ? 'not found' : behaviourOf(run, rules()).pullProblem,
    start() {},
    stop() {},
    keepOnly() {},
    inspect: (run, times) => inspect(run, times, rules()),
  }
}

function inspect(run: Run, { startedMs, nowMs, stopping }: RunTimes, rules: readonly SimulationRule[]): RunState {
  const { stages, stopMs } = behaviourOf(run, rules)
  const stopsMs = stopping && stopping.askedMs + Math.min(stopMs, stopping.graceMs)
  if (stopsMs !== undefined && nowMs >= stopsMs)
    return { is: 'ended', exitCode: stopMs > (stopping?.graceMs ?? 0) ? 137 : 143, atMs: nowMs }
  let isStarted = false
  let isReady = false
  for (const stage of stages) {
    const atMs = startedMs + stage.afterMs
    if (atMs > nowMs) return { is: 'running', isStarted, isReady, nextMs: Math.min(atMs, stopsMs ?? atMs) }
    switch (stage.become) {
      case 'started':
        isStarted = true
        break
      case 'ready':
        isReady = true
        break
      case 'unready':
        isReady = false
        break
      case 'ended': {
        const { exitCode, reason } = stage
        return { is: 'ended', exitCode, atMs: nowMs, ...(reason === undefined ? {} : { reason }) }
      }
    }
  }
  return { is: 'running', isStarted, isReady, ...(stopsMs === undefined ? {} : { nextMs: stopsMs }) }
}
