import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { bcryptMatches } from '../../../lib/bcrypt.ts'
import { type CertificateMaker, certificateMaker } from '../../../lib/certificates.ts'
import { seededIds } from '../../../lib/ids.ts'
import { deepFreeze } from '../../../lib/json.ts'
import type { MissingKey } from '../run.ts'
import { execute, parseTemplates } from '../template-set.ts'
import { GoInt, INTS } from '../value.ts'
import { hermeticFunctions, sprigFunctions, type SprigPorts } from './sprig.ts'

/** Templates with the answers that Go and sprig 3.3 (with semver 3.4) gave for them. */
interface Golden {
  readonly values: readonly unknown[]
  readonly cases: readonly {
    readonly template: string
    readonly values: number
    readonly numbers?: 'int'
    readonly missingkey?: MissingKey
    readonly output?: string
    readonly error?: string
  }[]
}

const goldenOf = (name: string): Golden =>
  JSON.parse(readFileSync(join(import.meta.dirname, '..', 'testdata', name), 'utf8')) as Golden

const portsWith = (more: Partial<SprigPorts> = {}): SprigPorts => ({
  clock: { now: () => Date.UTC(2026, 0, 2, 3, 4, 5, 678) },
  ids: seededIds(7),
  certificates: certificateMaker,
  ...more,
})
const table = sprigFunctions(portsWith())

function render(
  text: string,
  data: unknown = {},
  functions: ReturnType<typeof sprigFunctions> = table,
  missingKey: MissingKey = 'default',
): string {
  const set = parseTemplates([{ name: 'T', text }], functions)
  if (!set.ok) return set.error[0]!.message
  const result = execute(set.value, 'T', data, { missingKey })
  return result.ok ? result.value : result.error[0]!.message
}

function withInts(value: unknown): unknown {
  if (typeof value === 'number') return Number.isInteger(value) ? new GoInt(INTS.int, BigInt(value)) : value
  if (Array.isArray(value)) return value.map(withInts)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withInts(item)]))
}

test.each(['sprig.json', 'mixed.json'])('answers and fails as sprig does: %s', (name) => {
  const golden = goldenOf(name)
  const wrong = golden.cases.flatMap((each) => {
    const data = golden.values[each.values]
    const got = render(
      each.template,
      each.numbers === 'int' ? withInts(data) : structuredClone(data),
      table,
      each.missingkey,
    )
    const want = each.output ?? each.error
    return got === want ? [] : [{ template: each.template, got, want }]
  })
  expect(wrong).toEqual([])
  expect(golden.cases.length).toBeGreaterThan(200)
})

test('the clock of the host is now', () => {
  expect(
    render('{{ now | date "2006-01-02T15:04:05.000" }} {{ ago (toDate "2006-01-02" "2026-01-01") }} {{ now }}'),
  ).toBe('2026-01-02T03:04:05.678 27h4m6s 2026-01-02 03:04:05.678 +0000 UTC')
})

test('Local is the zone of the host', () => {
  const functions = sprigFunctions(portsWith({ zone: 'Europe/Berlin' }))
  expect(
    render('{{ date "15:04 MST" 1700000000 }} {{ toDate "2006-01-02 15:04" "2026-07-01 12:00" }}', {}, functions),
  ).toBe('23:13 CET 2026-07-01 12:00:00 +0200 CEST')
})

test('the same seed gives the same random text', () => {
  const random =
    '{{ randAlphaNum 20 }} {{ randAlpha 5 }} {{ randNumeric 6 }} {{ uuidv4 }} {{ shuffle "abcdefgh" }} {{ randInt 1 1000 }}'
  const fresh = (): string => render(random, {}, sprigFunctions(portsWith({ ids: seededIds(3) })))
  expect(fresh()).toBe(fresh())
  expect(fresh()).toMatch(/^[A-Za-z0-9]{20} [A-Za-z]{5} \d{6} [0-9a-f-]{36} [a-h]{8} \d+$/)
})

test('the environment is what the host shows, and nothing else', () => {
  expect(render('{{ env "HOME" }}|{{ expandenv "a$HOME" }}')).toBe('|a')
  const functions = sprigFunctions(portsWith({ env: { FOO: 'bar' } }))
  expect(render('{{ env "FOO" }} {{ expandenv "$FOO-${FOO}x-$1-$" }}', {}, functions)).toBe('bar bar-barx--$')
})

test('names are looked up by the host', () => {
  const functions = sprigFunctions(portsWith({ lookUpHost: (name) => (name === 'a' ? ['192.0.2.7'] : []) }))
  expect(render('{{ getHostByName "a" }}', {}, functions)).toBe('192.0.2.7')
  expect(render('{{ getHostByName "b" }}', {}, functions)).toMatch(/error calling getHostByName/)
})

test('the hermetic table lacks what depends on time, chance and surroundings', () => {
  const names = Object.keys(hermeticFunctions(portsWith()))
  expect(names).toContain('upper')
  expect(names).toContain('toDate')
  for (const name of ['now', 'date', 'env', 'uuidv4', 'randAlpha', 'getHostByName']) expect(names).not.toContain(name)
})

test('passwords are hashed so that they can be checked', () => {
  const [, hash = ''] = render('{{ htpasswd "joe" "secret" }}').split(':')
  expect(bcryptMatches(Buffer.from('secret'), hash)).toBe(true)
  expect(bcryptMatches(Buffer.from('other'), hash)).toBe(false)
  expect(render('{{ htpasswd "joe" "secret" "sha" }}')).toBe('joe:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=')
})

test('what is encrypted can be decrypted', () => {
  expect(render('{{ "plain é" | encryptAES "key" | decryptAES "key" }}')).toBe('plain é')
})

test('certificates come from the maker, with the clock of the host', () => {
  const asked: unknown[] = []
  const maker: CertificateMaker = {
    ...certificateMaker,
    certificate(request) {
      asked.push({ ...request, serial: request.serial.length })
      return { cert: 'C', key: 'K' }
    },
  }
  const functions = sprigFunctions(portsWith({ certificates: maker }))
  const text =
    '{{ $ca := genCA "ca" 10 }}{{ $c := genSignedCert "cn" (list "10.0.0.1") (list "a.b") 1 $ca }}{{ $c.Cert }}{{ $c.Key }} {{ $c }}'
  expect(render(text, {}, functions)).toBe('CK {C K}')
  const from = Date.UTC(2026, 0, 2, 3, 4, 5, 678)
  expect(asked).toMatchObject([
    { commonName: 'ca', isAuthority: true, notBeforeMs: from, notAfterMs: from + 10 * 86_400_000, serial: 16 },
    { commonName: 'cn', isAuthority: false, ips: ['10.0.0.1'], dnsNames: ['a.b'], issuer: { cert: 'C', key: 'K' } },
  ])
  expect(render('{{ genSelfSignedCert "x" (list "1.2.3") nil 1 }}', {}, functions)).toMatch(
    /error parsing ip: 1\.2\.3$/,
  )
  expect(render('{{ genSelfSignedCert "x" nil (list 5) 1 }}', {}, functions)).toMatch(
    /alternate dns name: 5 is not a string$/,
  )
})

test('a merge changes its first argument and shares what lies below', () => {
  expect(
    render(
      '{{ $a := dict "x" (dict "y" 1) }}{{ $b := dict }}{{ $_ := merge $b $a }}{{ $_ := set $b.x "y" 2 }}{{ $a }}',
    ),
  ).toBe('map[x:map[y:2]]')
})

test('keys that are names of prototypes are ordinary keys', () => {
  expect(
    render(
      '{{ $d := dict "__proto__" 1 "constructor" 2 }}{{ $d }} {{ get $d "toString" }}| {{ keys $d }} {{ merge (dict) $d }} {{ pick $d "__proto__" }} {{ hasKey $d "valueOf" }} {{ toJson $d }} {{ deepCopy $d }}',
    ),
  ).toBe(
    'map[__proto__:1 constructor:2] | [__proto__ constructor] map[__proto__:1 constructor:2] map[__proto__:1] false {"__proto__":1,"constructor":2} map[__proto__:1 constructor:2]',
  )
})

test.each([
  ['repeat', '{{ repeat 2000000000 "x" }}'],
  ['indent', '{{ indent 2000000000 "x" }}'],
  ['until', '{{ until 2000000000 }}'],
  ['seq', '{{ seq 1 2000000000 }}'],
  ['randBytes', '{{ randBytes 2000000000 }}'],
  ['randAlpha', '{{ randAlpha 2000000000 }}'],
  ['replace', '{{ replace "x" (repeat 100000 "y") (repeat 100000 "x") }}'],
  ['wrapWith', '{{ wrapWith 1 (repeat 100000 "y") (repeat 100000 "x") }}'],
  ['a list that doubles', '{{ $l := list 1 2 }}{{ range 40 }}{{ $l = concat $l $l }}{{ end }}'],
  ['a text that doubles', '{{ $s := "ab" }}{{ range 60 }}{{ $s = cat $s $s }}{{ end }}{{ len $s }}'],
])('%s cannot be made to fill the memory', (_name, text) => {
  expect(render(text)).toMatch(/longer than|more than|too deeply|error calling/)
})

test('a dictionary that holds itself is refused when it is printed', () => {
  expect(render('{{ $d := dict }}{{ $_ := set $d "d" $d }}{{ $d }}')).toMatch(/nests too deeply/)
  expect(render('{{ $d := dict }}{{ $_ := set $d "d" $d }}{{ toJson $d }}')).toMatch(/nests too deeply/)
})

test.each([
  '{{ $d }}',
  '{{ toJson $d }}',
  '{{ printf "%q" $d }}',
  '{{ deepCopy $d | len }}',
  '{{ deepEqual $d $e }}',
  '{{ merge $d $e | len }}',
])('a value that shares its parts a thousand times over is refused: %s', (text) => {
  const made =
    '{{ $d := dict }}{{ $e := dict }}{{ range 60 }}{{ $d = dict "a" $d "b" $d }}{{ $e = dict "a" $e "b" $e }}{{ end }}'
  expect(render(made + text)).toMatch(/too many parts/)
})

test('what the host has frozen is not changed', () => {
  const data = deepFreeze({ m: { a: 1 } })
  expect(render('{{ set .m "b" 2 }}', data)).toMatch(/may not be changed/)
  expect(render('{{ unset .m "a" }}', data)).toMatch(/may not be changed/)
  expect(render('{{ merge .m (dict "b" 2) }}', data)).toMatch(/may not be changed/)
  expect(render('{{ merge (deepCopy .m) (dict "b" 2) }}', data)).toBe('map[a:1 b:2]')
})

test('an evil expression takes no longer than its text', () => {
  expect(render('{{ regexMatch "(a+)+$" (printf "%s!" (repeat 50000 "a")) }}')).toBe('false')
  expect(render('{{ regexMatch "((a{500}){500}){500}" "a" }}')).toBe('false')
  expect(
    render(
      '{{ float64 (print (repeat 100000 "1") "x") }}{{ int (repeat 100000 "1") }}{{ base (print (repeat 100000 "/") "a") }}',
    ),
  ).toBe('00a')
  expect(render('{{ b32dec (print (repeat 100000 "=") "a") | len }}{{ len (uniq (until 100000)) }}')).toMatch(/100000$/)
  expect(render('{{ semverCompare (repeat 3000 "1 ") "1.2.3" }}')).toMatch(/true|false|constraint/)
})
