import type { Command } from 'commander'

/** A command of the table in main.ts: described there without loading it, defined here once it is asked for. */
export interface CommandModule {
  /** Adds arguments, options, examples and the action to a command that already carries its name and summary. */
  define(command: Command, io: Io): void
}

/** The process as a command sees it, so that commands can be tried in a test without one. */
export interface Io {
  readonly stdin: NodeJS.ReadableStream
  readonly out: (text: string) => void
  readonly err: (text: string) => void
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  /** The terminal that `out` writes to, if it is one. */
  readonly terminal?: { readonly columns: number; readonly hasColors: boolean }
  /** Aborted by SIGINT and SIGTERM. */
  readonly signal: AbortSignal
  /** Sets the exit code: 0 done, 1 failed, 2 usage or "there are changes". */
  exit(code: 0 | 1 | 2): void
}
