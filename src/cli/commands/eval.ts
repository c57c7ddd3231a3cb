import { addAbortSignal, Readable } from 'node:stream'
import type { Command } from 'commander'
import { describeError } from '../../lib/log.ts'
import { explain, type Result } from '../../lib/result.ts'
import { isDeeperThan } from '../../kube/schema/walk.ts'
import type { Io } from '../command.ts'
import { linesOf } from '../eval/lines.ts'
import { type EvalOp, type EvalRequest, ops } from '../eval/ops.ts'

/** The longest line `idp eval` reads; a longer one is answered with an error and skipped. */
const LONGEST_LINE = 64 * 1024 * 1024
/** The deepest a request may nest: above every engine's own limit, and below what would exhaust the stack. */
const DEEPEST = 1_500

export function define(command: Command, io: Io): void {
  command
    .argument('<op>', `what to evaluate: ${ops.map((op) => op.name).join(', ')}`)
    .addHelpText(
      'after',
      `
Reads one JSON document a line on standard input and answers one a line:
  {"id": 1, "ok": true, "value": ...} or {"id": 1, "ok": false, "error": {"code", "at", "message"}}

Examples:
  echo '{"id": 1, "expression": "1 + 1"}' | idp eval cel
  echo '{"id": 1, "document": {"a": 1}, "patch": {"a": null, "b": 2}}' | idp eval merge-patch
  idp eval validate < requests.jsonl > answers.jsonl`,
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
  // A signal ends the wait for a line that does not come.
  if (io.stdin instanceof Readable) addAbortSignal(io.signal, io.stdin)
  try {
    for await (const line of linesOf(io.stdin as AsyncIterable<Uint8Array | string>, LONGEST_LINE)) {
      if ('bytes' in line) {
        const message = `the line has ${line.bytes} bytes; the limit is ${LONGEST_LINE}`
        io.out(`${JSON.stringify(reject(null, 'input-too-large', message))}\n`)
      } else if (line.text.trim() !== '') {
        io.out(`${await answer(line.text, evaluate)}\n`)
      }
    }
  } catch (cause) {
    if (!io.signal.aborted) throw cause
  }
}

/** Answers one line as JSON text: whatever the line holds, and whatever the engine does. */
async function answer(line: string, evaluate: EvalOp): Promise<string> {
  let request: EvalRequest
  try {
    request = JSON.parse(line) as EvalRequest
  } catch (cause) {
    return JSON.stringify(reject(null, 'input-not-json', describeError(cause)))
  }
  if (typeof request !== 'object' || request === null || Array.isArray(request)) {
    return JSON.stringify(reject(null, 'input-not-object', 'each line must be one JSON object'))
  }
  const id = isDeeperThan(request['id'], DEEPEST) ? null : (request['id'] ?? null)
  // A bracket a level: a short line cannot be deep.
  if (line.length > DEEPEST && isDeeperThan(request, DEEPEST)) {
    return JSON.stringify(reject(id, 'input-too-deep', `the request is nested deeper than ${DEEPEST} levels`))
  }
  try {
    return JSON.stringify(respond(id, await evaluate(request)))
  } catch (cause) {
    // An engine that throws has a bug; one bad line must not end the batch.
    return JSON.stringify(reject(id, 'internal', describeError(cause)))
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
