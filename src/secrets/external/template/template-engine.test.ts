import { expect, test } from 'vitest'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { certificateMaker } from '../../../lib/certificates.ts'
import { stringOf } from '../../../lib/go-string.ts'
import { seededIds } from '../../../lib/ids.ts'
import { templateEngine } from './template-engine.ts'

const engine = templateEngine({ clock: { now: () => 0 }, ids: seededIds(), certificates: certificateMaker })
const store = stringOf(readFileSync(join(import.meta.dirname, '../../../lib/pkcs12/testdata/legacy-rc2.p12')))
const jwk =
  '{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}'

const render = (text: string, data: Record<string, string> = {}): string => {
  const made = engine.render('key', text, new Map(Object.entries(data)))
  return made.ok ? made.value : made.error.message
}

test.each<[string, Record<string, string>, string | RegExp]>([
  ['{{ .a | upper }}-{{ .b | b64enc }}', { a: 'x', b: 'y' }, 'X-eQ=='],
  ['{{ .bytes }}', { bytes: '\udcff\udc00'.replace('\udc00', 'a') }, '\udcffa'],
  ['{{ .bytes | b64enc }}', { bytes: '\udcff' }, '/w=='],
  ['{{ "/w==" | b64dec }}', {}, '\udcff'],
  ['{{ .absent }}', {}, /map has no entry for key "absent"/],
  ['{{ env "HOME" }}', {}, /function "env" not defined/],
  ['{{ getHostByName "x" }}', {}, /function "getHostByName" not defined/],
  ['{{ (fromYaml .y).a }} {{ dict "k" 1 | toYaml }}', { y: 'a: b' }, 'b k: 1'],
  ['{{ jwkPublicKeyPem .k }}', { k: jwk }, /^-----BEGIN PUBLIC KEY-----\n[\s\S]+-----END PUBLIC KEY-----\n$/],
  ['{{ jwkPrivateKeyPem .k }}', { k: jwk }, /failed to read the JWK/],
  ['{{ pkcs12keyPass "secret" .p }}', { p: store }, /^-----BEGIN PRIVATE KEY-----\n/],
  ['{{ pkcs12certPass "secret" .p }}', { p: store }, /^-----BEGIN CERTIFICATE-----\n/],
  ['{{ pkcs12key .p }}', { p: store }, /the password is wrong, or the store was changed/],
  ['{{ filterPEM "CERTIFICATE" .p }}', { p: 'junk' }, /found junk/],
  [
    '{{ $ca := genCA "root" 365 }}{{ $leaf := genSignedCert "leaf" (list "10.0.0.1") (list "a.example" "b.example") 30 $ca }}{{ certSANs $leaf.Cert | join "," }}',
    {},
    'a.example,b.example,10.0.0.1',
  ],
  [
    '{{ $ca := genCA "root" 365 }}{{ $c := pemToPkcs12Pass $ca.Cert $ca.Key "pw" | b64dec }}{{ eq (trim (pkcs12certPass "pw" $c)) (trim $ca.Cert) }}',
    {},
    'true',
  ],
  [
    '{{ $ca := genCA "root" 365 }}{{ $l := genSignedCert "leaf" nil nil 30 $ca }}{{ $all := print $ca.Cert $l.Cert }}{{ eq (filterCertChain "root" $all) $ca.Cert }} {{ eq (filterCertChain "leaf" $all) $l.Cert }}',
    {},
    'true true',
  ],
  [
    '{{ $ca := genCA "root" 365 }}{{ pemTruststoreToPKCS12Pass $ca.Cert "pw" | b64dec | pkcs12certPass "pw" | filterPEM "certificate" | eq $ca.Cert }}',
    {},
    'true',
  ],
])('%s', (text, data, want) => {
  const made = render(text, data)
  expect(typeof want === 'string' ? made === want : want.test(made), made).toBe(true)
})

test('templates that loop or grow without end are stopped', () => {
  for (const text of [
    '{{ range until 100000000 }}x{{ end }}',
    '{{ define "a" }}{{ template "a" . }}{{ end }}{{ template "a" . }}',
    '{{ repeat 1000000000 "x" }}',
  ]) {
    expect(engine.render('key', text, new Map())).toMatchObject({ ok: false })
  }
})

test.each([
  ['a: 1\nb: true\nc: text\nd:\n', { a: '1', b: 'true', c: 'text', d: '' }],
  ['', {}],
])('a map is rendered from %j', (text, want) => {
  const made = engine.renderMap(text, new Map(), '')
  expect(made.ok && Object.fromEntries(made.value)).toEqual(want)
})
