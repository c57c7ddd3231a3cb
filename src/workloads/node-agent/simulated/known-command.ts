import type { Run } from '../runtime.ts'

/** How a command ends that does nothing else but wait and end. */
export interface KnownEnd {
  readonly exitCode: number
  readonly afterMs: number
}

const SHELLS: readonly string[] = ['sh', 'bash', 'ash']
const UNITS: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3_600, d: 86_400 }

/** Knows `true`, `false`, `sleep TIME` and `exit CODE`, alone or as the only words of a shell's script, joined by `;` or `&&`. */
export function knownEnd({ container }: Run): KnownEnd | undefined {
  const { command, args } = container as { readonly command?: unknown; readonly args?: unknown }
  if (!Array.isArray(command)) return undefined
  const words = [...(command as readonly unknown[]), ...(Array.isArray(args) ? (args as readonly unknown[]) : [])]
  if (words.length === 0 || !words.every((word) => typeof word === 'string')) return undefined
  const [program = '', ...rest] = words
  const name = program.slice(program.lastIndexOf('/') + 1)
  if (!SHELLS.includes(name)) return endOf([[name, ...rest]])
  const [flag = '', script = '', ...more] = rest
  if (!/^-[a-z]*c$/.test(flag) || more.length > 0) return undefined
  return endOf(script.split(/;|&&|\n/).map((part) => part.trim().split(/\s+/)))
}

function endOf(commands: readonly (readonly string[])[]): KnownEnd | undefined {
  let afterMs = 0
  for (const command of commands) {
    const end = oneEnd(command)
    // After a failure, `&&` would end here and `;` go on: scripts that differ by it are not known.
    if (!end || (end.exitCode !== 0 && command[0] !== 'exit' && commands.length > 1)) return undefined
    afterMs += end.afterMs
    if (command[0] === 'exit' || end.exitCode !== 0) return { ...end, afterMs }
  }
  return { exitCode: 0, afterMs }
}

/** How one command ends, when it is one of those that are known. */
function oneEnd([name = '', value = '', ...more]: readonly string[]): KnownEnd | undefined {
  if (more.length > 0) return undefined
  if (name === 'sleep') {
    const [, amount = '', unit = ''] = /^(\d+(?:\.\d+)?)([smhd]?)$/.exec(value) ?? []
    return amount === '' ? undefined : { exitCode: 0, afterMs: Number(amount) * (UNITS[unit] ?? 1) * 1_000 }
  }
  if (name === 'exit') return /^\d{0,3}$/.test(value) ? { exitCode: Number(value) & 0xff, afterMs: 0 } : undefined
  if (value !== '') return undefined
  if (name === '' || name === 'true') return { exitCode: 0, afterMs: 0 }
  return name === 'false' ? { exitCode: 1, afterMs: 0 } : undefined
}
