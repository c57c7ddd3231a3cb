/** A logger that is passed in. Messages are constant; what varies goes into fields. */
export interface Log {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, error: unknown, fields?: LogFields): void
  child(fields: LogFields): Log
}

export type LogFields = Readonly<Record<string, unknown>>
export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** One line for the log: what happened, when, and with what. */
export interface LogRecord {
  readonly level: LogLevel
  readonly atMs: number
  readonly message: string
  readonly fields: LogFields
}

/** A logger that hands every record to a function. */
export function logTo(write: (record: LogRecord) => void, now: () => number, fields: LogFields = {}): Log {
  const at = (level: LogLevel, message: string, more: LogFields | undefined): void =>
    write({ level, atMs: now(), message, fields: more ? { ...fields, ...more } : fields })
  return {
    debug: (message, more) => at('debug', message, more),
    info: (message, more) => at('info', message, more),
    warn: (message, more) => at('warn', message, more),
    error: (message, error, more) => at('error', message, { ...more, error: describeError(error) }),
    child: (more) => logTo(write, now, { ...fields, ...more }),
  }
}

/** A logger that says nothing. */
export const silentLog: Log = logTo(
  () => {},
  () => 0,
)

/** An error with its whole chain of causes on one line. */
export function describeError(error: unknown): string {
  const parts: string[] = []
  let current: unknown = error
  for (let depth = 0; current !== undefined && depth < 10; depth++) {
    parts.push(
      current instanceof Error ? current.message : typeof current === 'string' ? current : JSON.stringify(current),
    )
    current = current instanceof Error ? current.cause : undefined
  }
  return parts.join(': ')
}
