import { addressBytes } from './x509/general-names.ts'

/** Whether a text is an IP address. */
export const isAddress = (text: string): boolean => addressBytes(text) !== undefined

/** One atom of the part before the @, or several joined by dots. */
const LOCAL =
  /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-\u0080-\u{10ffff}]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~\-\u0080-\u{10ffff}]+)*$/u
const QUOTED = /^"(?:[^"\\\r\n]|\\[\u0020-\u007e\t])*"$/
const LITERAL = /^\[[^[\]\\\s]+\]$/

/** What is wrong with an e-mail address, if anything: it is the bare address, without a name around it. */
export function emailProblem(text: string): string | undefined {
  if (text.length > 1_024) return 'it is too long'
  const at = text.lastIndexOf('@')
  if (at <= 0) return "missing '@' or angle-addr"
  const [local, domain] = [text.slice(0, at), text.slice(at + 1)]
  if (/[<>]/.test(text)) return 'make sure the supplied value only contains the email address itself'
  if (!LOCAL.test(local) && !QUOTED.test(local)) return 'the part before the @ is malformed'
  return LOCAL.test(domain) || LITERAL.test(domain) ? undefined : 'the part after the @ is malformed'
}
