import { JqSyntaxError } from './error.ts'

interface TextParts {
  text(part: string): void
  /** Reads the program behind `\(` and answers where it ends. */
  program(at: number): number
}

const escapes: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
}

/** Reads a text from behind its opening quote; answers the position behind the closing one. */
export function readText(source: string, start: number, parts: TextParts): number {
  let at = start
  let text = ''
  const flush = (): void => {
    if (text !== '') parts.text(text)
    text = ''
  }
  for (;;) {
    const character = source.charAt(at)
    if (character === '') throw new JqSyntaxError('a text is not closed', start - 1)
    if (character === '"') {
      flush()
      return at + 1
    }
    if (character !== '\\') {
      text += character
      at++
      continue
    }
    const next = source.charAt(at + 1)
    if (next === '(') {
      flush()
      at = parts.program(at + 2)
      continue
    }
    const digits = source.slice(at + 2, at + 6)
    if (next === 'u' && /^[0-9a-fA-F]{4}$/.test(digits)) {
      text += String.fromCharCode(Number.parseInt(digits, 16))
      at += 6
      continue
    }
    const meant = Object.hasOwn(escapes, next) ? escapes[next] : undefined
    if (meant === undefined) throw new JqSyntaxError(`unknown escape \\${next} in a text`, at)
    text += meant
    at += 2
  }
}
