import { remembered } from '../../../lib/remembered.ts'
/** What an anchor around a key asks for. */
export type AnchorKind = 'condition' | 'global' | 'negation' | 'add' | 'equality' | 'existence'

export interface Anchor {
  readonly kind: AnchorKind
  readonly key: string
}

const kinds: Readonly<Record<string, AnchorKind>> = {
  '': 'condition',
  '<': 'global',
  X: 'negation',
  '+': 'add',
  '=': 'equality',
  '^': 'existence',
}

const signs: Readonly<Record<AnchorKind, string>> = {
  condition: '',
  global: '<',
  negation: 'X',
  add: '+',
  equality: '=',
  existence: '^',
}

const SHAPE = /^([+<=X^])?\((.+)\)$/
const MOST_REMEMBERED = 5_000

/** Reads a key such as `(name)` or `=(spec)`; undefined when it is an ordinary one. */
export function parseAnchor(text: string): Anchor | undefined {
  return text.includes('(') ? readAnchor(text) : undefined
}

const readAnchor = remembered(MOST_REMEMBERED, (text: string): Anchor | undefined => {
  const found = SHAPE.exec(text.trim())
  const kind = found ? kinds[found[1] ?? ''] : undefined
  return found && kind ? { kind, key: found[2] ?? '' } : undefined
})

/** The key with its anchor, as it is written. */
export const anchorText = ({ kind, key }: Anchor): string => `${signs[kind]}(${key})`

/** A path whose parts have lost their anchors. */
export function withoutAnchors(path: string): string {
  if (!path.includes('(')) return path
  return path
    .split('/')
    .map((part) => parseAnchor(part)?.key ?? part)
    .join('/')
}
