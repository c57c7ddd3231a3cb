import type { Command } from 'commander'
import { createInterface } from 'node:readline'
import { describeError } from '../../lib/log.ts'
import { explain, type Result } from '../../lib/result.ts'
import type { Io } from '../command.ts'
import { type EvalOp, type EvalRequest, ops } from '../eval/ops.ts'

/** The longest line `idp eval` reads; a longer one is answered with an error and skipped. */
const LONGEST_LINE = 64 * 1024 * 1024

export function define(command: Command, io: Io): void {
  command
    .argument('<op>', `what to evaluate: ${ops.map((op) => op.name).join(', ')}`)
    .addHelpText(
      'after',
      `
Reads one JSON document a line on standard input and answers one a line:
  {"id": 1, "ok": true, "value": ...} or {"id": 1, "ok": false, "error": {"code", "at", "message"}}

Examples:
  echo '{"id": 1, "expression": "1 + 1"}' | idp eval cel`,
    )
    .action(async (name: string) => {
      const op = ops.find((candidate) => candidate.name === name)
      if (!op) {
        io.err(
          `idp eval: no op is called ${JSON.stringify(name)}: use one of ${ops.map((known) => known.name).join(', ')}\n`,
        )
        io.exit(2)
        return
      }
      await answerLines(await op.load(), io)
    })
}

async function answerLines(evaluate: EvalOp, io: Io): Promise<void> {
  const lines = createInterface({ input: io.stdin, crlfDelay: Number.POSITIVE_INFINITY })
  const stop = (): void => lines.close()
  io.signal.addEventListener('abort', stop, { once: true })
  for await (const line of lines) {
    if (line.trim() === '') continue
    io.out(`${JSON.stringify(await answer(line, evaluate))}\n`)
  }
}

async function answer(line: string, evaluate: EvalOp): Promise<unknown> {
  if (line.length > LONGEST_LINE) {
    return reject(null, 'input-too-large', `the line has ${line.length} characters; the limit is ${LONGEST_LINE}`)
  }
  let request: EvalRequest
  try {
    request = JSON.parse(line) as EvalRequest
  } catch (cause) {
    return reject(null, 'input-not-json', describeError(cause))
  }
  if (typeof request !== 'object' || request === null || Array.isArray(request)) {
    return reject(null, 'input-not-object', 'each line must be one JSON object')
  }
  try {
    return respond(request['id'] ?? null, await evaluate(request))
  } catch (cause) {
    // An engine that throws has a bug; one bad line must not end the batch.
    return reject(request['id'] ?? null, 'internal', describeError(cause))
  }
}

function respond(id: unknown, result: Result<unknown>): unknown {
  if (result.ok) return { id, ok: true, value: result.value }
  const [first, ...more] = result.error
  if (!first) return reject(id, 'internal', 'the engine failed without saying why')
  const error = { code: first.code, at: first.at ?? '', message: first.message }
  return { id, ok: false, error: more.length > 0 ? { ...error, more: more.map(explain) } : error }
}

const reject = (id: unknown, code: string, message: string): unknown => ({
  id,
  ok: false,
  error: { code, at: '', message },
})
