import ipaddr from 'ipaddr.js'
import { checkDnsLabel, checkDnsSubdomain } from '../names.ts'
import { parseTime } from '../time.ts'

type FormatCheck = (text: string) => boolean

const matches =
  (pattern: RegExp): FormatCheck =>
  (text) =>
    pattern.test(text)

/** Longer texts are no value of any format but `password` and `byte`. */
const LONGEST = 8_192

/** Blanks and control characters. */
function hasBlank(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) <= 0x20 || text.charCodeAt(at) === 0x7f) return true
  return false
}

function isUri(text: string): boolean {
  if (text.startsWith('/')) return !hasBlank(text)
  return /^[a-zA-Z][-+.a-zA-Z0-9]*:.+$/s.test(text) && !hasBlank(text) && !/%(?![0-9a-fA-F]{2})/.test(text)
}

const ADDRESS = /^[^\s@<>()[\]:;,\\"]+@[^\s@<>()[\]:;,\\"]+$/
function isEmail(text: string): boolean {
  const named = /^[^<>]*<([^<>]*)>\s*$/.exec(text)
  const address = (named ? named[1] : text.trim()) ?? ''
  return ADDRESS.test(address) && !/(^\.|\.\.|\.@|@\.|\.$)/.test(address)
}

const HOST_LABEL = /^[a-zA-Z0-9_]([-a-zA-Z0-9_]{0,62}[a-zA-Z0-9_])?$/
function isHostname(text: string): boolean {
  const name = text.endsWith('.') ? text.slice(0, -1) : text
  return name.length <= 255 && name.split('.').every((label) => HOST_LABEL.test(label))
}

/** Go refuses octets with leading zeros, zones, and IPv4 numbers in other notations. */
const isIpv4: FormatCheck = (text) =>
  /^(0|[1-9]\d{0,2})(\.(0|[1-9]\d{0,2})){3}$/.test(text) && ipaddr.IPv4.isValid(text)
const isIpv6: FormatCheck = (text) => text.includes(':') && !text.includes('%') && ipaddr.IPv6.isValid(text)

function isCidr(text: string): boolean {
  const [address = '', bits = '', more] = text.split('/')
  if (more !== undefined || !/^(0|[1-9]\d{0,2})$/.test(bits)) return false
  return (isIpv4(address) && Number(bits) <= 32) || (isIpv6(address) && Number(bits) <= 128)
}

const isMac = matches(
  /^([0-9a-fA-F]{2}([:-][0-9a-fA-F]{2}){5}|[0-9a-fA-F]{2}([:-][0-9a-fA-F]{2}){7}|[0-9a-fA-F]{2}([:-][0-9a-fA-F]{2}){19}|[0-9a-fA-F]{4}(\.[0-9a-fA-F]{4}){2}|[0-9a-fA-F]{4}(\.[0-9a-fA-F]{4}){3}|[0-9a-fA-F]{4}(\.[0-9a-fA-F]{4}){9})$/,
)

const uuid = (version: string, variant: string): FormatCheck =>
  matches(new RegExp(`^[0-9a-f]{8}-?[0-9a-f]{4}-?${version}[0-9a-f]{3}-?${variant}[0-9a-f]{3}-?[0-9a-f]{12}$`, 'i'))

const bareIsbn = (text: string): string => text.replaceAll(/[\s-]/g, '')
function isIsbn10(text: string): boolean {
  const digits = bareIsbn(text)
  if (!/^\d{9}[\dXx]$/.test(digits)) return false
  let sum = 0
  for (let at = 0; at < 10; at++) sum += (at + 1) * (/[xX]/.test(digits.charAt(at)) ? 10 : Number(digits.charAt(at)))
  return sum % 11 === 0
}
function isIsbn13(text: string): boolean {
  const digits = bareIsbn(text)
  if (!/^\d{13}$/.test(digits)) return false
  let sum = 0
  for (let at = 0; at < 13; at++) sum += (at % 2 === 0 ? 1 : 3) * Number(digits.charAt(at))
  return sum % 10 === 0
}

const CARD =
  /^(?:4\d{12}(?:\d{3})?|5[1-5]\d{14}|6(?:011|5\d\d)\d{12}|3[47]\d{13}|3(?:0[0-5]|[68]\d)\d{11}|(?:2131|1800|35\d{3})\d{11})$/
function isCreditCard(text: string): boolean {
  const digits = text.replaceAll(/\D/g, '')
  if (!CARD.test(digits)) return false
  let sum = 0
  for (let at = 0; at < digits.length; at++) {
    const digit = Number(digits.charAt(digits.length - 1 - at)) * (at % 2 === 0 ? 1 : 2)
    sum += digit > 9 ? digit - 9 : digit
  }
  return sum % 10 === 0
}

const OCTET = '(?:0|1?\\d{1,2}|2[0-4]\\d|25[0-5])'
const isRgb = matches(new RegExp(`^rgb\\(\\s*(?:(?:${OCTET})\\s*,\\s*){2}${OCTET}\\s*\\)$`))

/** Standard base64 with padding; line breaks are skipped, as Go's decoder does. */
function isBase64(text: string): boolean {
  const bare = /[\r\n]/.test(text) ? text.replaceAll(/[\r\n]/g, '') : text
  return bare.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(bare)
}

function isDate(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && parseTime(`${text}T00:00:00Z`) !== undefined
}

const GO_DURATION = /^[-+]?(?:0|(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/
const WORDY_DURATION =
  /^\d+\s*(?:ns|nano|nanos|nanosecond|nanoseconds|us|µs|micro|micros|microsecond|microseconds|ms|milli|millis|millisecond|milliseconds|s|sec|secs|second|seconds|m|min|mins|minute|minutes|h|hr|hrs|hour|hours|d|day|days|w|wk|wks|week|weeks)$/
const isDuration: FormatCheck = (text) => GO_DURATION.test(text) || WORDY_DURATION.test(text)

const anyText: FormatCheck = () => true

/** The formats that the API server knows, without hyphens as it compares them. Unknown formats mean nothing. */
const checks: ReadonlyMap<string, FormatCheck> = new Map<string, FormatCheck>([
  ['bsonobjectid', matches(/^[0-9a-fA-F]{24}$/)],
  ['byte', isBase64],
  ['cidr', isCidr],
  ['creditcard', isCreditCard],
  ['date', isDate],
  ['datetime', (text) => parseTime(text) !== undefined],
  ['duration', isDuration],
  ['email', isEmail],
  ['hexcolor', matches(/^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$/)],
  ['hostname', isHostname],
  ['ipv4', isIpv4],
  ['ipv6', isIpv6],
  ['isbn', (text) => isIsbn10(text) || isIsbn13(text)],
  ['isbn10', isIsbn10],
  ['isbn13', isIsbn13],
  ['k8slongname', (text) => checkDnsSubdomain(text).length === 0],
  ['k8sshortname', (text) => checkDnsLabel(text).length === 0],
  ['mac', isMac],
  ['password', anyText],
  ['rgbcolor', isRgb],
  ['ssn', matches(/^\d{3}[- ]?\d{2}[- ]?\d{4}$/)],
  ['uri', isUri],
  ['uuid', uuid('[0-9a-f]', '[0-9a-f]')],
  ['uuid3', uuid('3', '[0-9a-f]')],
  ['uuid4', uuid('4', '[89ab]')],
  ['uuid5', uuid('5', '[89ab]')],
])

/** The check of a string format; undefined for formats that the API server ignores. */
export function formatCheck(format: string): FormatCheck | undefined {
  const check = checks.get(format.replaceAll('-', ''))
  if (!check || check === anyText) return undefined
  return check === isBase64 ? check : (text) => text.length <= LONGEST && check(text)
}
