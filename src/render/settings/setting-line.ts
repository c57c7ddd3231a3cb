import { isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml'
import type { SettingsPath } from './check-settings.ts'

/** Finds the lines on which settings are written, for texts that were read before: they are neither long nor deep. */
export function settingLines(text: string): (path: SettingsPath) => number {
  const counter = new LineCounter()
  // Documents of a stream after the first are of no concern; they would be an error here.
  const document = parseDocument(text, { lineCounter: counter, logLevel: 'silent', strict: false, uniqueKeys: false })
  return (path) => {
    let node: unknown = document.contents
    let offset = 0
    for (const step of path) {
      const next: Step | undefined = typeof step === 'number' ? item(node, step) : entry(node, step)
      if (!next) break
      offset = next.offset
      node = next.value
    }
    return counter.linePos(offset).line || 1
  }
}

interface Step {
  readonly offset: number
  readonly value: unknown
}

function entry(node: unknown, key: string): Step | undefined {
  const pair = isMap(node) ? node.items.find((each) => isScalar(each.key) && String(each.key.value) === key) : undefined
  if (!pair || !isScalar(pair.key)) return undefined
  return { offset: pair.key.range?.[0] ?? 0, value: pair.value }
}

function item(node: unknown, index: number): Step | undefined {
  const value = isSeq(node) ? node.items[index] : undefined
  const range = isMap(value) || isSeq(value) || isScalar(value) ? value.range : undefined
  return range ? { offset: range[0], value } : undefined
}
