import { gzipSync } from 'node:zlib'
import { packTar } from 'modern-tar'
import { expect, test } from 'vitest'
import { certificateMaker } from '../../lib/certificates.ts'
import { memoryTree } from '../../lib/file-tree.ts'
import { seededIds } from '../../lib/ids.ts'
import { writeTarGz } from '../../lib/tar.ts'
import { archivedFiles, chartFrom, loadChart } from './load-chart.ts'
import { mergeValues } from './merge-values.ts'
import { renderChart } from './render-chart.ts'

const ports = { clock: { now: () => 0 }, ids: seededIds(), certificates: certificateMaker }
const head = 'apiVersion: v2\nname: c\nversion: 1.0.0\n'

/** The code of the problem with a chart of some files. */
function problemOf(files: Readonly<Record<string, string>>): string {
  const chart = loadChart(memoryTree({ 'Chart.yaml': head, ...files }), '')
  const rendered = chart.ok ? renderChart(chart.value, { ports }) : chart
  return rendered.ok ? 'rendered' : `${rendered.error[0]?.code}: ${rendered.error[0]?.message.slice(0, 300)}`
}

const nested = (open: string, close: string): string => open.repeat(100_000) + close.repeat(100_000)

test.each<readonly [string, Readonly<Record<string, string>>, RegExp]>([
  [
    'endless inclusion',
    { 'templates/a.yaml': '{{ define "a" }}{{ include "a" . }}{{ end }}{{ include "a" . }}' },
    /^template-(limit|execute): /,
  ],
  [
    'endless templates',
    { 'templates/a.yaml': '{{ define "a" }}{{ template "a" . }}{{ end }}{{ template "a" . }}' },
    /^template-(limit|execute): /,
  ],
  [
    'endless tpl',
    { 'templates/a.yaml': '{{ tpl .Values.t . }}', 'values.yaml': 't: "{{ tpl .Values.t . }}"' },
    /^template-(limit|execute): /,
  ],
  [
    'two that include each other',
    {
      'templates/a.yaml':
        '{{ define "a" }}{{ include "b" . }}{{ end }}{{ define "b" }}{{ include "a" . }}{{ end }}{{ include "a" . }}',
    },
    /^template-(limit|execute): /,
  ],
  ['a repeat bomb', { 'templates/a.yaml': '{{ repeat 100000000 "xxxxxxxxxx" }}' }, /^template-(limit|execute): /],
  [
    'repeats of repeats',
    { 'templates/a.yaml': '{{ $x := "x" }}{{ range until 40 }}{{ $x = print $x $x }}{{ end }}{{ $x }}' },
    /^template-(limit|execute): /,
  ],
  [
    'a loop of loops',
    { 'templates/a.yaml': '{{ range until 100000 }}{{ range until 100000 }}{{ end }}{{ end }}' },
    /^template-(limit|execute): /,
  ],
  ['a huge until', { 'templates/a.yaml': '{{ until 1000000000 }}' }, /^template-(limit|execute): /],
  [
    'a dict that holds itself',
    { 'templates/a.yaml': 'a: {{ $d := dict }}{{ $_ := set $d "d" $d }}{{ toYaml $d | quote }}' },
    /^(rendered|template-)/,
  ],
  ['deep template parentheses', { 'templates/a.yaml': `{{ ${nested('(', ')')} }}` }, /^template-(parse|limit): /],
  ['deep values', { 'values.yaml': nested('[', ']') }, /^yaml-invalid: /],
  [
    'an alias bomb',
    {
      'values.yaml': [
        'a0: &a0 [x,x,x,x,x,x,x,x,x]',
        ...Array.from({ length: 12 }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i},`.repeat(9)}]`),
      ].join('\n'),
    },
    /^yaml-invalid: /,
  ],
  ['deep output', { 'templates/a.yaml': `a: ${nested('[', ']')}` }, /^manifest-invalid: /],
  [
    'a chart in itself, very deep',
    Object.fromEntries(Array.from({ length: 40 }, (_, depth) => [`${'charts/c/'.repeat(depth + 1)}Chart.yaml`, head])),
    /^chart-invalid: .*nested deeper/,
  ],
  ['a schema that refers to itself', { 'values.schema.json': '{"$ref": "#"}' }, /^values-schema: /],
  [
    'a schema with an evil pattern',
    {
      'values.yaml': `a: ${'a'.repeat(50_000)}!`,
      'values.schema.json': '{"properties": {"a": {"pattern": "^(a+)+$"}}}',
    },
    /^values-schema: /,
  ],
  [
    'prototype names',
    {
      'values.yaml': '__proto__: {polluted: 1}\nconstructor: {prototype: {polluted: 1}}\n',
      'templates/a.yaml': 'a: {{ .Values.constructor | toJson }}\n',
    },
    /^rendered$/,
  ],
])('%s ends in bounded time with a clear answer', (_name, files, want) => {
  expect(problemOf(files)).toMatch(want)
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
})

test('values of 100 MB are refused, not parsed', () => {
  const merged = mergeValues([{ from: 'file', file: 'big.yaml', text: `a: ${'x'.repeat(100 * 1024 * 1024)}` }])
  expect(merged.ok ? '' : merged.error[0]?.code).toBe('yaml-too-large')
})

const archive = (name: string): Uint8Array =>
  writeTarGz([
    { name: 'c/Chart.yaml', data: Buffer.from(head) },
    { name, data: Buffer.from('x') },
  ])

test.each([
  ['c/../../etc/passwd', /references parent directory/],
  ['c//etc/passwd', /absolute paths/],
  ['../c/x', /^ok c\/x$/],
  ['c/..', /parent directory|content outside/],
  ['c', /content outside the base directory/],
  ['Chart.yaml', /chart yaml not in base directory|content outside/],
  ['c\\..\\..\\x', /references parent directory/],
  ['c/c:/windows', /illegally named/],
])('an archive that holds %s', (name, want) => {
  const files = archivedFiles(archive(name))
  expect(files.ok ? `ok ${files.value.at(-1)?.name}` : files.error[0]?.message).toMatch(want)
})

test('archives with links, bombs and large files are refused', async () => {
  const link = gzipSync(
    await packTar([
      { header: { name: 'c/templates/x.yaml', size: 0, type: 'symlink', linkname: '/etc/passwd' }, body: '' },
    ]),
  )
  const code = (data: Uint8Array): string => {
    const files = archivedFiles(data)
    return files.ok ? 'ok' : `${files.error[0]?.code}: ${files.error[0]?.message}`
  }
  expect(code(link)).toMatch(/archive-invalid: .*not a regular file/)
  expect(code(gzipSync(Buffer.alloc(200 * 1024 * 1024)))).toMatch(/archive-invalid: .*unpacks to more than/)
  expect(code(writeTarGz([{ name: 'c/big', data: Buffer.alloc(6 * 1024 * 1024) }]))).toMatch(
    /chart-invalid: .*larger than the maximum/,
  )
  expect(code(Buffer.from('not an archive'))).toMatch(/archive-invalid: .*not gzipped/)
})

test('packed charts below each other are opened only so deep', () => {
  let packed = writeTarGz([{ name: 'c/Chart.yaml', data: Buffer.from(head) }])
  for (let depth = 0; depth < 30; depth++) {
    packed = writeTarGz([
      { name: 'c/Chart.yaml', data: Buffer.from(head) },
      { name: 'c/charts/c-1.0.0.tgz', data: packed },
    ])
  }
  const files = archivedFiles(packed)
  const chart = files.ok ? chartFrom(files.value) : files
  expect(chart.ok ? '' : chart.error[0]?.message).toMatch(/nested deeper/)
})
