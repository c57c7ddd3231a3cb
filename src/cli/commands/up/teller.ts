import type { BootstrapStep } from '../../../bootstrap/phases/phase.ts'
import type { Io } from '../../command.ts'

/** Tells how long work goes: lines that stay, and on a terminal one line that is rewritten while it lasts. */
export interface Teller {
  /** A line that stays. */
  say(text: string): void
  /** What is going on now; without a terminal it is said when it is new and something has passed since the last time. */
  now(text: string): void
  /** Takes the live line away. */
  end(): void
}

const QUIET_MS = 1_000
const WIDEST = 200

/** Makes a teller for where the command prints. */
export function tellerTo(io: Pick<Io, 'out' | 'terminal'>, nowMs: () => number): Teller {
  let live = ''
  let said = ''
  let saidMs = 0
  const clear = (): void => {
    if (live !== '') io.out('\r\u001B[2K')
    live = ''
  }
  return {
    say(text) {
      clear()
      io.out(`${text}\n`)
    },
    now(text) {
      if (text === live) return
      if (io.terminal) {
        const width = Math.min(io.terminal.columns || 80, WIDEST) - 1
        io.out(`\r\u001B[2K${text.length > width ? `${text.slice(0, width - 1)}…` : text}`)
      } else if (text !== said && nowMs() - saidMs >= QUIET_MS) {
        saidMs = nowMs()
        said = text
        io.out(`${text}\n`)
      } else return
      live = io.terminal ? text : ''
    },
    end: clear,
  }
}

/** Tells a step of the bootstrap. */
export function tellStep(step: BootstrapStep, teller: Teller): void {
  const name = `Phase ${step.phase}`.padEnd(15)
  switch (step.step) {
    case 'phase-began':
      return teller.now(`${name} ${step.objects} objects`)
    case 'applied':
      return teller.now(`${name} ${step.what} ${step.change}`)
    case 'waiting':
      return teller.now(`${name} waiting for ${step.what}: ${step.because}`)
    case 'did':
      return teller.say(`${name} ${step.what}: ${step.because}`)
    case 'phase-done':
      return teller.say(
        `${name} ${step.changed === 0 ? 'nothing to change' : `${step.changed} objects changed`} (${(step.ms / 1_000).toFixed(1)} s)`,
      )
  }
}
