import { readFileSync } from 'node:fs'

/** What a process holds, in MB. */
export interface ProcessMemory {
  /** All that is resident, pages of mapped files too: the kernel takes those back when it wants. */
  readonly resident: number
  /** What is the process's own. */
  readonly own: number
  /** The most that was resident at any time. */
  readonly peak: number
}

/** The memory of a process by its number. */
export function memoryOf(pid: number): ProcessMemory {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const field = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? Number.NaN) / 1_024
  return { resident: field('VmRSS'), own: field('RssAnon'), peak: field('VmHWM') }
}

/** Ticks of the kernel's clock in a second, as `/proc` counts. */
const TICKS = 100

/** Seconds of processor time that a process has used, its own and the kernel's for it. */
export function cpuSecondsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / TICKS
}
