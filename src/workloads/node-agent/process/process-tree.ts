import { readFileSync } from 'node:fs'

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return '' // a process that is gone has no files
  }
}

/** The processes below one, itself first, as far as the system tells. */
export function treeOf(pid: number): readonly number[] {
  const found = [pid]
  for (let at = 0; at < found.length && found.length < 10_000; at++) {
    const one = found[at] ?? 0
    for (const child of read(`/proc/${one}/task/${one}/children`).split(' '))
      if (child.trim() !== '') found.push(Number(child))
  }
  return found
}

/** How much memory a process and everything below it hold, in bytes. */
export function residentBytes(pid: number): number {
  const PAGE = 4_096
  return treeOf(pid).reduce((sum, one) => sum + Number(read(`/proc/${one}/statm`).split(' ')[1] ?? 0) * PAGE, 0)
}

/** When a process began, in the system's own count: together with its id it names a process for good. */
export function startOf(pid: number): string | undefined {
  const text = read(`/proc/${pid}/stat`)
  return text === '' ? undefined : text.slice(text.lastIndexOf(')') + 2).split(' ')[19]
}

/** Sends a signal to a process, or to the group that it leads; one that is gone has got it already. */
export function signalTo(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // Gone.
  }
}
