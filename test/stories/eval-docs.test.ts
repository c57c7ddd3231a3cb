import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { idp, root } from './idp.ts'

interface Example {
  readonly op: string
  readonly requests: readonly string[]
  readonly answers: readonly unknown[]
}

/** The examples of docs/eval.md: below the heading of an op, blocks of JSON lines that take turns: request, answer. */
const examples: readonly Example[] = readFileSync(join(root, 'docs', 'eval.md'), 'utf8')
  .split(/^## /m)
  .flatMap((section) => {
    const op = /^`([a-z-]+)`/.exec(section)?.[1]
    const lines = [...section.matchAll(/^```jsonl\n(.*?)^```/gms)].flatMap((found) =>
      (found[1] ?? '').trimEnd().split('\n'),
    )
    if (op === undefined || lines.length === 0) return []
    const answers = lines.filter((_, at) => at % 2 === 1).map((line) => JSON.parse(line) as unknown)
    return [{ op, requests: lines.filter((_, at) => at % 2 === 0), answers }]
  })

test.each(examples)('idp eval $op answers as docs/eval.md says', async ({ op, requests, answers }) => {
  const { code, stdout } = await idp(['eval', op], { input: `${requests.join('\n')}\n` })
  expect(code).toBe(0)
  const lines = stdout.trimEnd().split('\n')
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(answers)
})
