import { constants } from 'node:fs'
import { type FileHandle, mkdir, open } from 'node:fs/promises'
import { dirname, isAbsolute, relative, resolve } from 'node:path'
import { describeError } from '../../lib/log.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'

/** An audit device as it is kept. */
export interface AuditDevice {
  readonly path: string
  readonly type: string
  readonly description: string
  readonly options: Readonly<Record<string, string>>
  readonly local: boolean
}

/** Where lines of the audit log go. */
export interface AuditSink {
  /** Resolves when the line is with the operating system. */
  write(line: string): Promise<void>
  close(): Promise<void>
}

/** Opens what a device writes to: a file in the folder of audit logs, or nothing at all. */
export async function openSink({ type, options }: AuditDevice, folder: string | undefined): Promise<Result<AuditSink>> {
  if (type !== 'file') return refuse(`unknown backend type: ${JSON.stringify(type)}; there is only "file"`)
  const path = options['file_path'] ?? options['path'] ?? ''
  if (path === '') return refuse('file_path is required')
  if (path === 'discard') return succeed({ write: () => Promise.resolve(), close: () => Promise.resolve() })
  if (!folder) return refuse('this store has no folder for audit logs, so there can be no file')
  const file = isAbsolute(path) ? path : resolve(folder, path)
  const below = relative(folder, file)
  if (below === '' || below.startsWith('..') || isAbsolute(below)) {
    return refuse(`file_path has to lie in the folder of audit logs; give a name such as "audit.log"`)
  }
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 })
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | constants.O_NOFOLLOW
    return succeed(fileSink(await open(file, flags, 0o600)))
  } catch (error) {
    return refuse(`sanity check failed; unable to open the file for writing: ${describeError(error)}`)
  }
}

const refuse = (message: string): ReturnType<typeof fail> => fail({ code: 'secret-audit-refused', message })

/** Lines that come while others are being written go together. */
function fileSink(file: FileHandle): AuditSink {
  let waiting: { readonly line: string; readonly done: (error?: unknown) => void }[] = []
  let writing: Promise<void> | undefined
  const drain = async (): Promise<void> => {
    while (waiting.length > 0) {
      const batch = waiting
      waiting = []
      const failed = await file.appendFile(batch.map(({ line }) => line).join('')).then(
        () => undefined,
        (error: unknown) => ({ error }),
      )
      for (const { done } of batch) done(failed?.error)
    }
    writing = undefined
  }
  return {
    write: (line) =>
      new Promise((resolve, reject) => {
        const done = (error?: unknown): void => {
          if (error === undefined) resolve()
          else reject(new Error('cannot write the audit log', { cause: error }))
        }
        waiting.push({ line, done })
        writing ??= drain()
      }),
    async close() {
      await writing
      await file.close()
    },
  }
}
