import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** What a running platform leaves in its state folder, so that other commands find it. */
export interface RunFile {
  readonly pid: number
  readonly url: string
  readonly repository: string
  readonly startedAt: string
}

const NAME = 'running.json'

/** Leaves word of a running platform. */
export function writeRunFile(stateFolder: string, run: RunFile): void {
  writeFileSync(join(stateFolder, NAME), `${JSON.stringify(run)}\n`, { mode: 0o600 })
}

export function removeRunFile(stateFolder: string): void {
  rmSync(join(stateFolder, NAME), { force: true })
}

/** The platform that runs on a state folder; undefined when none does. */
export function readRunFile(stateFolder: string): RunFile | undefined {
  let run: RunFile
  try {
    run = JSON.parse(readFileSync(join(stateFolder, NAME), 'utf8')) as RunFile // what writeRunFile wrote
  } catch {
    // There is none, or half a one of a process that was killed: then nothing runs.
    return undefined
  }
  return isRunning(run.pid) ? run : undefined
}

/** Whether there is a process of this number that we may signal. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    // No such process, or not ours.
    return false
  }
}
