import { fail, type Result, succeed } from '../../lib/result.ts'

/** A piece of a text: as it is, or an expression between `((` and `))`. */
export interface Segment {
  readonly text: string
  readonly isExpression: boolean
}

const refused = (message: string): Result<never> => fail({ code: 'policy-template-invalid', message })

/** Splits a text at its placeholders; `\((` stands for two parentheses. Parentheses and texts within an expression count. */
export function scanPlaceholders(text: string): Result<readonly Segment[]> {
  if (!text.includes('((')) return succeed([{ text, isExpression: false }])
  const segments: Segment[] = []
  let literal = ''
  let at = 0
  while (at < text.length) {
    if (text.startsWith('\\((', at)) {
      literal += '(('
      at += 3
    } else if (text.startsWith('((', at)) {
      const end = endOf(text, at + 2)
      if (end === undefined) return refused(`a placeholder at offset ${at} has no closing '))'`)
      const expression = text.slice(at + 2, end).trim()
      if (expression === '') return refused(`a placeholder at offset ${at} is empty`)
      if (literal !== '') segments.push({ text: literal, isExpression: false })
      literal = ''
      segments.push({ text: expression, isExpression: true })
      at = end + 2
    } else {
      literal += text[at]
      at++
    }
  }
  if (literal !== '' || segments.length === 0) segments.push({ text: literal, isExpression: false })
  return succeed(segments)
}

/** Where the two parentheses that end an expression begin. */
function endOf(text: string, start: number): number | undefined {
  let depth = 0
  let quote = ''
  for (let at = start; at < text.length; at++) {
    const char = text[at] ?? ''
    if (quote !== '') {
      if (char === '\\') at++
      else if (char === quote) quote = ''
    } else if (char === '"' || char === "'") quote = char
    else if (char === '(') depth++
    else if (char === ')') {
      if (depth > 0) depth--
      else return text[at + 1] === ')' ? at : undefined
    }
  }
  return undefined
}
