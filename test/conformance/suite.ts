import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

/** A pack of upstream cases as `../shared/conformance` keeps them. */
export interface Pack {
  readonly suite: string
  readonly files?: Readonly<Record<string, string>>
  readonly cases: readonly Case[]
}

export type Case = Readonly<Record<string, unknown>> & { readonly id: string }

/** What became of one case. Only `passed` counts; an excuse names its reason. */
export type Outcome =
  | { readonly id: string; readonly verdict: 'passed' }
  | { readonly id: string; readonly verdict: 'wrong' | 'unsupported' | 'excused'; readonly because: string }

/** One suite: where its cases come from, and how they are run through a public surface. */
export interface Suite {
  readonly name: string
  /** `pack` suites read `<cases>/<name>.json`; the others bring their own cases (an npm package). */
  readonly from: 'pack' | 'package'
  run(pack: Pack | undefined, tools: Tools): Promise<readonly Outcome[]>
}

export interface Tools {
  /** Sends every request to `idp eval OP` in one process and answers in the same order. */
  evalAll(op: string, requests: readonly unknown[]): Promise<readonly EvalAnswer[]>
  /** Runs `idp` with arguments. */
  idp(args: readonly string[], options?: { readonly cwd?: string; readonly input?: string }): Promise<Finished>
  /** A scratch folder that is removed when the run ends. */
  scratch(): string
}

export type EvalAnswer =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: { readonly code: string; readonly at: string; readonly message: string } }

export interface Finished {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs a program to its end and keeps what it printed. */
export function finish(
  command: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly input?: string } = {},
): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: options.cwd, stdio: ['pipe', 'pipe', 'pipe'] })
    const stdout: Buffer[] = []
    const stderr: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk))
    child.on('error', reject)
    child.stdin.on('error', () => {})
    child.on('close', (code) =>
      resolve({
        code: code ?? 1,
        stdout: Buffer.concat(stdout).toString('utf8'),
        stderr: Buffer.concat(stderr).toString('utf8'),
      }),
    )
    child.stdin.end(options.input ?? '')
  })
}

/** Streams requests through one `idp eval` process. */
export async function evalThrough(
  idp: string,
  op: string,
  requests: readonly unknown[],
): Promise<readonly EvalAnswer[]> {
  if (requests.length === 0) return []
  const child = spawn(process.execPath, [idp, 'eval', op], { stdio: ['pipe', 'pipe', 'inherit'] })
  const closed = new Promise<void>((resolve) => child.on('close', () => resolve()))
  child.stdin.on('error', () => {})
  child.stdin.end(requests.map((request, id) => `${JSON.stringify({ ...(request as object), id })}\n`).join(''))
  const answers = new Map<number, EvalAnswer>()
  for await (const line of createInterface({ input: child.stdout })) {
    const answer = JSON.parse(line) as EvalAnswer & { readonly id: number }
    answers.set(answer.id, answer)
  }
  await closed
  const silent: EvalAnswer = {
    ok: false,
    error: { code: 'no-answer', at: '', message: `idp eval ${op} gave no answer` },
  }
  return requests.map((_, id) => answers.get(id) ?? silent)
}
