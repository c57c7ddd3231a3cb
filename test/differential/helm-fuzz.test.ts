import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { oracle } from './oracle.ts'
import { renderLikeHelm } from './render-like-helm.ts'

/** A reproducible source of choices. */
class Dice {
  private state: number
  constructor(seed: number) {
    this.state = seed * 2_654_435_761
  }

  below(count: number): number {
    this.state = (Math.imul(this.state, 1_103_515_245) + 12_345) >>> 0
    return (this.state >>> 8) % count
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!
  }
}

const words = [
  'a',
  'name',
  'yes',
  'no',
  'null',
  '007',
  '1e3',
  '0x1F',
  'true',
  '12:30',
  '~',
  '#x',
  ': ',
  '- ',
  '*',
  '&',
  '!',
  '%',
  '@',
  '"',
  "'",
  '{',
  '}',
  '[',
  ']',
  ',',
  '\n',
  '\n\n',
  ' ',
  '\t',
  'é',
  '日本',
  '😀',
  '<<',
  '---',
  '2001-12-14',
  'lorem ipsum dolor sit amet ',
  'x\ny',
  '\\',
  '<&>',
  '|',
  '>',
  '?',
]
const numbers = [0, 1, -1, 1.5, 1e6, 1e-7, 123456789.5, 1e21, 9007199254740992, 0.1, 100, 3.0]

function value(dice: Dice, depth: number): unknown {
  const kind = dice.below(depth > 3 ? 5 : 9)
  if (kind < 2) return Array.from({ length: dice.below(5) }, () => dice.pick(words)).join('')
  if (kind === 2) return dice.pick(numbers)
  if (kind === 3) return dice.pick([true, false])
  if (kind === 4) return null
  if (kind < 7)
    return Object.fromEntries(
      Array.from({ length: dice.below(5) }, () => [dice.pick(words) + dice.below(9), value(dice, depth + 1)]),
    )
  return Array.from({ length: dice.below(4) }, () => value(dice, depth + 1))
}

/** Expressions over `.Values.v`, each encoded so that it cannot break the document around it. */
const shapes: readonly string[] = [
  'toYaml .Values.v',
  'toJson .Values.v',
  'toPrettyJson .Values.v',
  'toYamlPretty .Values.w',
  'print .Values.v',
  'printf "%v" .Values.v',
  'kindOf .Values.v',
  'typeOf .Values.w',
  '.Values.v | quote',
  '.Values.v | toString | squote',
  'default "none" .Values.v',
  'empty .Values.v',
  'toString .Values.v | upper | trunc 20',
  'toString .Values.v | b64enc',
  'toString .Values.v | sha256sum',
  'fromYaml (toYaml .Values.m) | toJson',
  'fromJson (toJson .Values.m) | toYaml',
  'toYaml .Values.m | nindent 4',
  'keys .Values.m | sortAlpha | join ","',
  'omit .Values.m "a1" | toJson',
  'mergeOverwrite (dict "a1" 1) (deepCopy .Values.m) | toJson',
  'include "f" .Values.v',
  'tpl "{{ .m | toJson }}" .Values',
  'ternary .Values.v .Values.w (empty .Values.m)',
  'coalesce .Values.v .Values.w | toJson',
  'list .Values.v .Values.w nil | toYaml',
  'toString .Values.w | regexReplaceAll "[a-z]+" "<$0>"',
  'toString .Values.w | replace "\\n" "|" | trim | title',
  'len (toString .Values.w)',
  'dict "k" .Values.v "l" (list .Values.m) | toYaml | indent 2',
  'hasKey .Values.m "name1"',
  'int64 .Values.n',
  'float64 .Values.n | add1',
  'mul 3 .Values.n',
  'round .Values.n 2',
  '.Values.n',
  'eq (toString .Values.v) (toString .Values.w)',
  'toString .Values.v | splitList "a" | toJson',
  'toString .Values.w | wrap 10',
  'toString .Values.v | snakecase',
]

const escapeJson = (text: string): string =>
  text.replace(/[\u007f-\u00a0\u2028\u2029\ufeff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)

const scratch = mkdtempSync(join(tmpdir(), 'idp-helm-fuzz-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

test.each([
  [3, 1],
  [3, 2],
  [4, 3],
  [4, 4],
] as const)('helm %i prints the same for random values and expressions, seed %i', async (dialect, seed) => {
  const found = oracle(`helm-${dialect}`)
  if (!('path' in found)) {
    console.log(`helm ${dialect} is not compared with random templates: ${found.because}`)
    return
  }
  const dice = new Dice(seed)
  const folder = join(scratch, `${dialect}-${seed}`)
  mkdirSync(join(folder, 'c', 'templates'), { recursive: true })
  writeFileSync(join(folder, 'c', 'Chart.yaml'), 'apiVersion: v2\nname: c\nversion: 1.0.0\n')
  const rounds = Array.from({ length: 60 }, () => {
    return {
      v: value(dice, 0),
      w: value(dice, 2),
      m: Object.fromEntries(
        Array.from({ length: 1 + dice.below(4) }, () => [dice.pick(words) + dice.below(3), value(dice, 2)]),
      ),
      n: dice.pick(numbers),
    }
  })
  writeFileSync(join(folder, 'v.json'), escapeJson(JSON.stringify({ rounds })))
  const expressions = rounds.flatMap((_, round) =>
    Array.from({ length: 6 }, () => ({ round, shape: dice.pick(shapes) })),
  )
  const lines = expressions.map(
    ({ round, shape }, at) =>
      `  x${at}: {{ with (dict "Values" (index .Values.rounds ${round})) }}{{ ${shape} | toString | b64enc }}{{ end }}`,
  )
  writeFileSync(join(folder, 'c', 'templates', 't.yaml'), `{{ define "f" }}<{{ . }}>{{ end }}v:\n${lines.join('\n')}\n`)
  const theirs = spawnSync(found.path, ['template', 'c', '-f', 'v.json'], {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  const mine = await renderLikeHelm(folder, ['-f', 'v.json'], dialect)
  expect(theirs.stderr).toBe('')
  const printed = (text: string): ReadonlyMap<number, string> =>
    new Map(
      [...text.matchAll(/^ {2}x(\d+): (.*)$/gm)].map(([, at, line]) => [
        Number(at),
        Buffer.from(line ?? '', 'base64').toString(),
      ]),
    )
  const [ours, helms] = [printed(mine.out ?? ''), printed(theirs.stdout)]
  const different = expressions.flatMap(({ round, shape }, at) =>
    ours.get(at) === helms.get(at)
      ? []
      : [{ shape, values: JSON.stringify(rounds[round]), ours: ours.get(at), helms: helms.get(at) }],
  )
  expect(different).toEqual([])
  expect(helms.size).toBe(expressions.length)
})
