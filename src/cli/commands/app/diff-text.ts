import type { ResourceKey } from '../../../gitops/compare/comparison.ts'
import type { KubeObject } from '../../../kube/object.ts'
import { emitYaml } from '../../../lib/yaml.ts'

export interface ObjectDiff {
  readonly key: ResourceKey
  readonly live?: KubeObject
  readonly target?: KubeObject
}

const CONTEXT = 3
/** Longer texts are compared from both ends only. */
const MOST_LINES = 2_000

/** The difference of one object, as `diff -u` shows it. */
export function diffText({ key: { group, kind, namespace, name }, live, target }: ObjectDiff): string {
  const what = `${group === '' ? kind : `${kind}.${group}`} ${namespace === '' ? '' : `${namespace}/`}${name}`
  const note = !live ? ' (to be created)' : !target ? ' (not in Git)' : ''
  const lines = hunks(linesOf(live), linesOf(target))
  return `===== ${what}${note}\n${lines.map((line) => `${line}\n`).join('')}`
}

function linesOf(object: KubeObject | undefined): readonly string[] {
  if (!object) return []
  const { managedFields: _managed, ...metadata } = object.metadata
  return emitYaml({ ...object, metadata })
    .trimEnd()
    .split('\n')
}

interface Line {
  readonly sign: ' ' | '-' | '+'
  readonly text: string
}

function hunks(before: readonly string[], after: readonly string[]): readonly string[] {
  const lines = diffLines(before, after)
  const isNear = lines.map((_, at) =>
    lines.slice(Math.max(0, at - CONTEXT), at + CONTEXT + 1).some(({ sign }) => sign !== ' '),
  )
  const shown: string[] = []
  lines.forEach(({ sign, text }, at) => {
    if (isNear[at]) shown.push(`${sign} ${text}`)
    else if (isNear[at - 1]) shown.push('  ...')
  })
  return shown
}

/** The fewest lines that turn one text into the other. */
function diffLines(before: readonly string[], after: readonly string[]): readonly Line[] {
  let head = 0
  while (head < before.length && head < after.length && before[head] === after[head]) head++
  let tail = 0
  while (tail < before.length - head && tail < after.length - head && before.at(-1 - tail) === after.at(-1 - tail))
    tail++
  const same = (texts: readonly string[]): readonly Line[] => texts.map((text) => ({ sign: ' ', text }))
  return [
    ...same(before.slice(0, head)),
    ...middle(before.slice(head, before.length - tail), after.slice(head, after.length - tail)),
    ...same(before.slice(before.length - tail)),
  ]
}

function middle(before: readonly string[], after: readonly string[]): readonly Line[] {
  const removed = before.map((text): Line => ({ sign: '-', text }))
  const added = after.map((text): Line => ({ sign: '+', text }))
  if (before.length === 0 || after.length === 0 || before.length + after.length > MOST_LINES)
    return [...removed, ...added]
  const width = after.length + 1
  const longest = new Uint32Array((before.length + 1) * width)
  const at = (row: number, column: number): number => longest[row * width + column] ?? 0
  for (let row = before.length - 1; row >= 0; row--) {
    for (let column = after.length - 1; column >= 0; column--) {
      longest[row * width + column] =
        before[row] === after[column] ? at(row + 1, column + 1) + 1 : Math.max(at(row + 1, column), at(row, column + 1))
    }
  }
  const lines: Line[] = []
  let [row, column] = [0, 0]
  while (row < before.length || column < after.length) {
    const [old, next] = [removed[row], added[column]]
    if (old && next && before[row] === after[column]) {
      lines.push({ sign: ' ', text: next.text })
      row++
      column++
    } else if (old && (!next || at(row + 1, column) >= at(row, column + 1))) {
      lines.push(old)
      row++
    } else if (next) {
      lines.push(next)
      column++
    }
  }
  return lines
}
