import { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { bcryptMatches } from '../../../src/lib/bcrypt.ts'
import type { Case, EvalAnswer, Outcome, Pack, Suite, Tools } from '../suite.ts'

/** Sprig's own template tests through `idp eval gotemplate`. */
export const sprig: Suite = { name: 'sprig', from: 'pack', run }

/** The moment that the pack's times were written down against. */
const NOW = '2024-01-15T12:00:00Z'
/** An address for documentation stands for the name server's answer. */
const HOSTS = { 'www.google.com': '192.0.2.1' }

type Row = Readonly<Record<string, unknown>>

interface Pair {
  readonly cert: string
  readonly key: string
}

const EXCUSES: Readonly<Record<string, string>> = {
  TestShuffle: "expects the order that Go's own random generator gives after a fixed seed",
}

async function run(pack: Pack | undefined, tools: Tools): Promise<readonly Outcome[]> {
  if (!pack) return []
  const pair = await ownPair(tools)
  const answers = await tools.evalAll(
    'gotemplate',
    pack.cases.map((row) => requestOf(row, pair)),
  )
  const references = await mergeReferences(pack.cases, tools)
  return pack.cases.map((row, index): Outcome => {
    const excuse = EXCUSES[testOf(row)]
    if (excuse !== undefined) return { id: row.id, verdict: 'excused', because: excuse }
    const answer = answers[index] as EvalAnswer
    const wrong = differenceOf(row, answer, { pair, reference: references.get(row.id) })
    if (wrong === undefined) return { id: row.id, verdict: 'passed' }
    const isUnreadable = wrong.startsWith('the runner cannot')
    return { id: row.id, verdict: isUnreadable ? 'unsupported' : 'wrong', because: wrong }
  })
}

const testOf = (row: Case): string => row.id.replace(/#\d+$/, '')
const argsOf = (row: Case): readonly unknown[] => row['args'] as readonly unknown[]
const isRow = (value: unknown): value is Row => typeof value === 'object' && value !== null && !Array.isArray(value)

/** The key pair that upstream's test keeps in variables; any pair will do. */
async function ownPair(tools: Tools): Promise<Pair> {
  const template = '{{ $c := genSelfSignedCert "custom" nil nil 1 }}{{ dict "cert" $c.Cert "key" $c.Key | toJson }}'
  const [answer] = await tools.evalAll('gotemplate', [{ template }])
  return answer?.ok ? (JSON.parse(String(answer.value)) as Pair) : { cert: '', key: '' }
}

const ENCODED = /\{'\$call': 'base(64|32)\.StdEncoding\.EncodeToString', 'args': \[(None|'[^']*')\]\}/g

function base32(text: string): string {
  const bits = Array.from(Buffer.from(text), (byte) => byte.toString(2).padStart(8, '0')).join('')
  const digits = (bits.match(/.{1,5}/g) ?? []).map(
    (five) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'[Number.parseInt(five.padEnd(5, '0'), 2)],
  )
  return digits.join('').padEnd(Math.ceil(digits.length / 8) * 8, '=')
}

const encode = (base: string, text: string): string =>
  base === '64' ? Buffer.from(text).toString('base64') : base32(text)

/** Fills in the calls that upstream's tests compose their templates with. */
function templateOf(row: Case, pair: Pair): string {
  let unnamed = 0
  const given = String(argsOf(row)[0])
  const isSecondNone = given.includes("['fail']")
  return given.replaceAll(ENCODED, (_all, base: string, argument: string) => {
    if (argument !== 'None') return encode(base, argument.slice(1, -1))
    unnamed += 1
    return encode(base, unnamed === 1 && !isSecondNone ? pair.cert : pair.key)
  })
}

/** Values of upstream's Go types, as the pack writes them down, with the types that `idp eval` shall read them as. */
function typedValues(row: Case): { readonly values: unknown; readonly types: Readonly<Record<string, string>> } {
  const given = row['call'] === 'runRaw' ? argsOf(row)[1] : argsOf(row)[2]
  if (row['file'] === 'sprig/reflect_test.go') return reflected(given, argsOf(row)[1])
  if (!isRow(given))
    return { values: given ?? {}, types: given === undefined || given === null ? { '': 'map[string]string' } : {} }
  const types: Record<string, string> = {}
  const values: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(given)) {
    // Struct fields of upstream's tests are written small in the pack, and large in the templates.
    const isField = testOf(row) === 'TestHtpasswd'
    const name = isField ? (key[0] ?? '').toUpperCase() + key.slice(1) : key
    const { type, plain } = typedValue(value)
    values[name] = plain
    if (type !== undefined) types[`/${name}`] = type
  }
  if (testOf(row) === 'TestHtpasswd') values['HashAlgorithm'] ??= ''
  return { values, types }
}

function typedValue(value: unknown): { readonly type?: string; readonly plain: unknown } {
  if (typeof value === 'string' && /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value)) return { type: 'time.Time', plain: value }
  if (!isRow(value)) return { plain: value }
  if (value['$call'] === 'time.Parse') return { type: 'time.Time', plain: value['args'] }
  if (String(value['$call']).startsWith('time.Now')) return { type: 'time.Time', plain: NOW }
  if ('$error' in value) return { type: 'error', plain: value['$error'] }
  if (value['value'] === 'stringer') return { type: 'fmt.Stringer', plain: value['value'] }
  return { plain: value }
}

/** The fixture of the reflection tests: a struct where a struct is expected, else a pointer to it. */
function reflected(given: unknown, want: unknown): ReturnType<typeof typedValues> {
  const fixture = given ?? { name: 'hello', value: 'world' }
  if (Array.isArray(fixture)) return { values: fixture, types: { '': '[]string' } }
  if (!isRow(fixture)) return { values: fixture, types: {} }
  return { values: fixture, types: { '': want === 'struct' ? 'sprig.fixtureTO' : '*sprig.fixtureTO' } }
}

function requestOf(row: Case, pair: Pair): unknown {
  return {
    template: templateOf(row, pair),
    ...typedValues(row),
    numbers: 'int',
    now: NOW,
    hosts: HOSTS,
    env: { FOO: 'bar' },
    system: String(row['file']).includes('_windows_') ? 'windows' : 'unix',
  }
}

/** What two merges must print, from a merge of plain data written here: the first, or the last, value wins. */
async function mergeReferences(rows: readonly Case[], tools: Tools): Promise<ReadonlyMap<string, string>> {
  const merges = rows.filter((row) => /^\{\{merge(?:Overwrite)? \.dst/.test(String(argsOf(row)[0])))
  const answers = await tools.evalAll(
    'gotemplate',
    merges.map((row) => {
      const { dst, src1, src2 } = argsOf(row)[1] as Record<string, Row>
      const isOverwrite = String(argsOf(row)[0]).includes('Overwrite')
      const sources = isOverwrite ? [dst, src1, src2] : [src2, src1, dst]
      return {
        template: '{{ . }}',
        values: sources.reduce((into, from) => merged(into ?? {}, from ?? {})),
        numbers: 'int',
      }
    }),
  )
  return new Map(merges.map((row, index) => [row.id, textOf(answers[index])]))
}

function merged(into: Row, from: Row): Row {
  const made: Record<string, unknown> = { ...into }
  for (const [key, value] of Object.entries(from)) {
    const before = made[key]
    made[key] = isRow(before) && isRow(value) ? merged(before, value) : value
  }
  return made
}

const textOf = (answer: EvalAnswer | undefined): string => (answer?.ok ? String(answer.value) : '')

interface Beside {
  readonly pair: Pair
  readonly reference: string | undefined
}

const expectsFailure = (row: Case, asserts: readonly Row[]): boolean =>
  asserts.some((assert) => assert['fn'] === 'Error') || /ReturnsErr|Err$/.test(testOf(row))

function differenceOf(row: Case, answer: EvalAnswer, beside: Beside): string | undefined {
  const asserts = (row['asserts'] as readonly Row[] | undefined) ?? []
  if (row['call'] === 'runRaw') {
    if (asserts.length === 0) return rawDifference(row, answer, beside)
    return asserts.map((assert) => broken(assert, answer, beside)).find((wrong) => wrong !== undefined)
  }
  if (expectsFailure(row, asserts)) {
    return answer.ok ? `wanted a failure, got ${JSON.stringify(answer.value)}` : undefined
  }
  const want = expected(argsOf(row)[1])
  if (want === undefined) return 'the runner cannot read what is expected'
  if (answer.ok && answer.value === want) return undefined
  return `wanted ${JSON.stringify(want)}, got ${JSON.stringify(answer.ok ? answer.value : answer.error.message)}`
}

/** Go's reference layout at NOW in UTC, for the pieces that the pack uses. */
function formatNow(layout: string): string {
  const now = new Date(NOW)
  const two = (value: number): string => String(value).padStart(2, '0')
  const pieces: Readonly<Record<string, string>> = {
    '2006': String(now.getUTCFullYear()),
    '02': two(now.getUTCDate()),
    '01': two(now.getUTCMonth() + 1),
    '06': two(now.getUTCFullYear() % 100),
    '15': two(now.getUTCHours()),
    '04': two(now.getUTCMinutes()),
    '05': two(now.getUTCSeconds()),
    Jan: now.toLocaleString('en-US', { month: 'short', timeZone: 'UTC' }),
    '-0700': '+0000',
    MST: 'UTC',
  }
  return layout.replaceAll(/2006|-0700|0[12456]|15|Jan|MST/g, (piece) => pieces[piece] ?? piece)
}

function expected(want: unknown): string | undefined {
  if (typeof want === 'string') return want
  if (!isRow(want)) return undefined
  const [argument] = (want['args'] as readonly unknown[] | undefined) ?? []
  const encoding = /^base(64|32)\.StdEncoding\.EncodeToString$/.exec(String(want['$call']))
  if (encoding) return encode(encoding[1] ?? '', String(argument))
  return String(want['$call']).startsWith('time.Now()') ? formatNow(String(argument)) : undefined
}

const LENGTHS: Readonly<Record<string, number>> = { long: 14, maximum: 20, medium: 8, basic: 8, short: 4, pin: 4 }

/** Checks of results that upstream computes in code, by the shape that they must have. */
const SHAPES: readonly (readonly [RegExp, (text: string, template: RegExpExecArray) => boolean])[] = [
  [/"(\w+)" \| bcrypt/, (text, [, password = '']) => bcryptMatches(Buffer.from(password), text)],
  [/derivePassword \d+ "(\w+)"/, (text, [, kind = '']) => text.length === LENGTHS[kind]],
  [
    /genPrivateKey "rsa" \| b64enc/,
    (text) => Buffer.from(text, 'base64').toString().startsWith('-----BEGIN RSA PRIVATE KEY'),
  ],
  [/genPrivateKey "bad"/, (text) => text === 'Unknown type bad'],
  [/randBytes (\d+)/, (text, [, count]) => Buffer.from(text, 'base64').length === Number(count)],
  [/uuidv4/, (text) => /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(text)],
  [/randAlphaNum (\d+)/, (text, [, count]) => new RegExp(`^[A-Za-z0-9]{${count}}$`).test(text)],
  [/randAlpha (\d+)/, (text, [, count]) => new RegExp(`^[A-Za-z]{${count}}$`).test(text)],
  [/randAscii (\d+)/, (text, [, count]) => new RegExp(`^[ -~]{${count}}$`).test(text)],
  [/randNumeric (\d+)/, (text, [, count]) => new RegExp(`^\\d{${count}}$`).test(text)],
]

function rawDifference(row: Case, answer: EvalAnswer, { reference }: Beside): string | undefined {
  const template = String(argsOf(row)[0])
  const text = textOf(answer)
  const wrong = `the result is wrong: ${JSON.stringify(answer.ok ? text : answer.error.message)}`
  if (reference !== undefined) return text === reference ? undefined : wrong
  if (testOf(row) === 'TestHtpasswd') return isHtpasswd(argsOf(row)[1] as Row, text) ? undefined : wrong
  for (const [pattern, check] of SHAPES) {
    const found = pattern.exec(template)
    if (found) return check(text, found) ? undefined : wrong
  }
  return 'the runner cannot judge this result'
}

function isHtpasswd(given: Row, text: string): boolean {
  const user = String(given['username'])
  if (given['valid'] !== true) return text === `invalid username: ${user}`
  if (!text.startsWith(`${user}:`)) return false
  const hash = text.slice(user.length + 1)
  if (given['hashAlgorithm'] === 'sha') return /^\{SHA\}[A-Za-z0-9+/]{27}=$/.test(hash)
  return bcryptMatches(Buffer.from(String(given['password'])), hash)
}

const UNREADABLE = Symbol('an expression that the runner cannot read')

function certificateIn(text: string): X509Certificate | undefined {
  try {
    return new X509Certificate(text)
  } catch {
    return undefined
  }
}

const namesIn = (certificate: X509Certificate | undefined, kind: string): readonly string[] =>
  (certificate?.subjectAltName ?? '')
    .split(', ')
    .filter((name) => name.startsWith(`${kind}:`))
    .map((name) => name.slice(kind.length + 1))

function certificateField(expression: string, text: string): unknown {
  const certificate = certificateIn(text)
  if (expression === '[1]') return certificate ? undefined : 'no certificate'
  const field = expression.replace(/^\[0\]\./, '')
  const address = /^IPAddresses\[(\d+)\]\.String\(\)$/.exec(field)
  if (address) return namesIn(certificate, 'IP Address')[Number(address[1])]
  const fields: Readonly<Record<string, () => unknown>> = {
    'Subject.CommonName': () => /^CN=(.*)$/m.exec(certificate?.subject ?? '')?.[1],
    IsCA: () => certificate?.ca,
    'SerialNumber.Sign()': () => (BigInt(`0x${certificate?.serialNumber ?? '0'}`) > 0n ? 1 : 0),
    DNSNames: () => namesIn(certificate, 'DNS'),
    IPAddresses: () => namesIn(certificate, 'IP Address'),
  }
  return fields[field] ? fields[field]() : UNREADABLE
}

const CERTIFICATE = 'x509.ParseCertificate(pem.Decode(result[0])[0].Bytes)'

/** Reads the few forms of Go expressions that the pack's assertions hold. */
function valueOf(expression: string, answer: EvalAnswer): unknown {
  const text = textOf(answer)
  const problem = answer.ok ? undefined : answer.error.message
  const known: Readonly<Record<string, unknown>> = {
    result: problem,
    'result[0]': text,
    'result[1]': problem,
    'result[1].Error()': problem,
    'net.ParseIP(result[0])': isIP(text) > 0 ? text : undefined,
    'strconv.Atoi(result[0])[1]': /^-?\d+$/.test(text) ? undefined : 'no number',
  }
  if (Object.hasOwn(known, expression)) return known[expression]
  const length = /^len\((.*)\)$/.exec(expression)?.[1]
  if (length !== undefined) return (valueOf(length, answer) as readonly unknown[]).length
  if (expression.startsWith(CERTIFICATE)) return certificateField(expression.slice(CERTIFICATE.length), text)
  const comparisons = expression
    .split(' && ')
    .map((part) => /^strconv\.Atoi\(result\[0\]\)\[0\] (>=|<=|<|>) (-?\d+)$/.exec(part))
  if (comparisons.some((found) => !found)) return UNREADABLE
  return comparisons.every((found) => compare(Number(text), found?.[1] ?? '', Number(found?.[2])))
}

function compare(a: number, operator: string, b: number): boolean {
  if (operator === '>=') return a >= b
  if (operator === '<=') return a <= b
  return operator === '<' ? a < b : a > b
}

const contains = (whole: unknown, part: unknown): boolean =>
  Array.isArray(whole) ? whole.includes(part) : String(whole).includes(String(part))

const ASSERTS: Readonly<Record<string, (a: unknown, b: unknown) => boolean>> = {
  Contains: contains,
  NotContains: (a, b) => !contains(a, b),
  Equal: (a, b) => a === b,
  NotEqual: (a, b) => a !== b,
  Error: (a) => a !== undefined,
  NoError: (a) => a === undefined,
  Nil: (a) => a === undefined,
  NotNil: (a) => a !== undefined,
  Empty: (a) => a === undefined || a === '',
  NotEmpty: (a) => a !== undefined && a !== '',
  True: (a) => a === true,
  False: (a) => a === false,
}

function broken(assert: Row, answer: EvalAnswer, { pair }: Beside): string | undefined {
  const name = String(assert['fn'])
  const check = ASSERTS[name]
  // A null stands for the certificate that upstream keeps in a variable.
  const values = (assert['args'] as readonly unknown[]).map((each) =>
    each === null ? pair.cert : isRow(each) ? valueOf(String(each['$expr']), answer) : each,
  )
  if (!check || values.includes(UNREADABLE)) return `the runner cannot read ${JSON.stringify(assert)}`
  const got = answer.ok ? answer.value : answer.error.message
  return check(values[0], values[1]) ? undefined : `${JSON.stringify(assert)} does not hold for ${JSON.stringify(got)}`
}
