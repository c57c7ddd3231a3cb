import { expect, test } from 'vitest'
import { seededIds } from '../../lib/ids.ts'
import { fixedZone } from '../../lib/go-zone.ts'
import { compileJmesPath } from './jmespath.ts'
import type { JmesPathPorts } from './run.ts'

const ports: JmesPathPorts = {
  now: () => Date.UTC(2026, 0, 2, 3, 4, 5),
  ids: seededIds(),
  zone: fixedZone('CET', 3600),
  lookUpHost: (name) => ({ 'inside.test': ['10.0.0.1', '8.8.8.8'], 'outside.test': ['8.8.8.8'] })[name],
}

function find(expression: string, given: JmesPathPorts = ports): unknown {
  const path = compileJmesPath(expression)
  if (!path.ok) return path.error[0]?.code
  const found = path.value.search({}, given)
  return found.ok ? found.value : found.error[0]?.code
}

const REFUSED = 'jmespath-evaluation-failed'
const A64 = 'a'.repeat(64)

test.each<[expression: string, want: unknown]>([
  ["compare('a', 'b')", -1],
  ["compare('b', 'a')", 1],
  ["compare('a', 'b') == `-1`", false],
  ["compare('a', 'b') < `0`", null],
  ["compare('a', 'a') == compare('b', 'b')", true],
  ["type(compare('a', 'b'))", REFUSED],
  ["to_string([compare('a', 'b')])", '[-1]'],
  ["equal_fold('Straße', 'STRASSE')", false],
  ["equal_fold('\u212a', 'k')", true],
  ["equal_fold('aBc', 'AbC')", true],
  ["replace('aXbXc', 'X', '-', `1`)", 'a-bXc'],
  ["replace('aXbXc', 'X', '-', `-1`)", 'a-b-c'],
  ["replace('aXbXc', 'X', '-', `0`)", 'aXbXc'],
  ["replace('abc', '', '-', `2`)", '-a-bc'],
  ["replace('abc', '', '-', `9`)", '-a-b-c-'],
  ["replace_all('aXbXc', 'X', '')", 'abc'],
  ["replace_all(`1`, 'X', '')", REFUSED],
  ["to_upper('straße')", 'STRAßE'],
  ["to_lower('\u0130X')", 'ix'],
  ["trim('--a-b--', '-')", 'a-b'],
  ["trim('abcba', 'ab')", 'c'],
  ["trim('abc', '')", 'abc'],
  ["trim_prefix('prod-api', 'prod-')", 'api'],
  ["trim_prefix('api', 'prod-')", 'api'],
  ["split('a,b,,c', ',')", ['a', 'b', '', 'c']],
  ["split('é😀', '')", ['é', '😀']],
  ["split('', ',')", ['']],
  ["regex_replace_all('a(x*)b', '-ab-axxb-', '${1}W')", '-W-xxW-'],
  ["regex_replace_all('a(x*)b', '-ab-axxb-', '$1W')", '---'],
  ["regex_replace_all('a(?P<n>x*)b', '-axxb-', '[$n]')", '-[xx]-'],
  ["regex_replace_all('[0-9]', `1.25`, `7`)", '7.77'],
  ["regex_replace_all('x*', 'abxc', '-')", '-a-b-c-'],
  ["regex_replace_all_literal('a(x*)b', '-ab-', '${1}')", '-${1}-'],
  ["regex_replace_all('(', 'a', 'b')", REFUSED],
  ["regex_replace_all('a', `true`, 'b')", REFUSED],
  ["regex_match('^[a-z]+$', 'abc')", true],
  ["regex_match('^123456790$', `123456789`)", true],
  ["regex_match('(?!a)b', 'b')", REFUSED],
  ["pattern_match('a*c?', 'abbcd')", true],
  ["pattern_match('a?', 'a')", false],
  ["pattern_match('', '')", true],
  ["pattern_match('12*', `123`)", true],
  ["pattern_match('[a]', 'a')", false],
  ['label_match(`{"a": "b"}`, `{"a": "b", "c": "d"}`)', true],
  ['label_match(`{"a": "b"}`, `{"a": "c"}`)', false],
  ['label_match(`{"a": null}`, `{}`)', false],
  ["to_boolean('TruE')", true],
  ["to_boolean('yes')", REFUSED],
  ["base64_decode('aGVsbG8=')", 'hello'],
  ["base64_decode('aGVsbG8')", REFUSED],
  ["base64_encode(base64_decode('//79'))", '//79'],
  ["base64_decode('/w==')", '\ufffd'],
  ["base64_encode('hé')", 'aMOp'],
  ["path_canonicalize('/a//b/../c/')", '/a/c'],
  ["path_canonicalize('')", ''],
  ["truncate('añ😀b', `3`)", 'añ😀'],
  ["truncate('abc', `-1`)", ''],
  ["truncate('abc', `1.9`)", 'a'],
  ["md5('a')", '0cc175b9c0f1b6a831c399e269772661'],
  ["sha1('a')", '86f7e437faa5a7fce15d1ddcb9eaeaea377667b8'],
  ["sha256('a')", 'ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb'],
])('text: %s', (expression, want) => expect(find(expression)).toEqual(want))

test.each<[expression: string, want: unknown]>([
  ['add(`0.1`, `0.2`)', 0.1 + 0.2],
  ["add('1Gi', '512Mi')", '1536Mi'],
  ["add('500m', '1')", '1500m'],
  ["add('1h', '30m0s')", '1h30m0s'],
  ["add('1h', '30m')", REFUSED],
  ["add('1', `1`)", REFUSED],
  ['add(`true`, `1`)', REFUSED],
  ["subtract('1h', '90s')", '58m30s'],
  ["subtract('1Gi', '2Gi')", '-1Gi'],
  ["multiply('1.5Gi', `2`)", '3Gi'],
  ["multiply(`2.5`, '1h')", '2h30m0s'],
  ["multiply('2', '3')", REFUSED],
  ["multiply('1', `1e21`)", REFUSED],
  ["divide('10', `4`)", '2'],
  ["divide('1.5Gi', `7`)", '230087533714285714n'],
  ["divide('1500m', `2`)", '750m'],
  ["divide('1Gi', '512Mi')", 2],
  ["divide('1h', '30s')", 120],
  ["divide('1h', `4`)", '15m0s'],
  ["divide(`1`, '1h')", REFUSED],
  ['divide(`7`, `2`)', 3.5],
  ['divide(`7`, `0`)', REFUSED],
  ["divide('1Gi', `0`)", REFUSED],
  ["divide('1h', '0s')", REFUSED],
  ['modulo(`-7`, `3`)', -1],
  ['modulo(`7.5`, `3`)', REFUSED],
  ['modulo(`7`, `0`)', REFUSED],
  ["modulo('10', '4')", '2'],
  ["modulo('500m', '1')", REFUSED],
  ["modulo('1h5s', '10s')", '5s'],
  ['sum(`["1Gi", "512Mi"]`)', '1536Mi'],
  ['sum(`["1h", "30s"]`)', '1h0m30s'],
  ['sum(`[1, 2, 3]`)', 6],
  ['sum(`["x"]`)', 'x'],
  ['sum(`[1, "1"]`)', REFUSED],
  ['sum(`[]`)', REFUSED],
  ['round(`2.345`, `2`)', 2.35],
  ['round(`-2.5`, `0`)', -3],
  ['round(`2.5`, `-1`)', REFUSED],
  ['round(`2.5`, `1.5`)', REFUSED],
  ['multiply(`1e308`, `1e308`)', REFUSED],
])('arithmetic: %s', (expression, want) => expect(find(expression)).toEqual(want))

test.each<[expression: string, want: unknown]>([
  ['time_now()', '2026-01-02T04:04:05+01:00'],
  ['time_now_utc()', '2026-01-02T03:04:05Z'],
  ["time_since('', '2026-01-02T02:04:04Z', '')", '1h0m1s'],
  ["time_since('2006-01-02', '2026-01-01', '2026-01-03')", '48h0m0s'],
  ["time_parse('02 Jan 06 15:04 -0700', '02 Jan 21 15:04 -0700')", '2021-01-02T15:04:00-07:00'],
  ["time_parse('1', '1702691171')", '2023-12-16T01:46:11Z'],
  ["time_parse('1', 'x')", REFUSED],
  ["time_parse('2006', '23')", '1970-01-01T00:00:23Z'],
  ["time_to_cron('2023-02-02T15:04:05Z')", '4 15 2 2 4'],
  ["time_utc('2021-01-02T15:04:05-07:00')", '2021-01-02T22:04:05Z'],
  ["time_add('2021-01-02T15:04:05-07:00', '3h')", '2021-01-02T18:04:05-07:00'],
  ["time_add('2021-01-02T15:04:05-07:00', '3x')", REFUSED],
  ["time_diff('2021-01-02T15:04:05-07:00', '2021-01-10T03:14:05-07:00')", '180h10m0s'],
  ["time_before('2021-01-02T15:04:05Z', '2021-01-02T15:04:06Z')", true],
  ["time_after('2021-01-02T15:04:05Z', '2021-01-02T15:04:05Z')", false],
  ["time_between('2021-01-02T15:04:05Z', '2021-01-01T00:00:00Z', '2021-01-03T00:00:00Z')", true],
  ["time_between('2021-01-01T00:00:00Z', '2021-01-01T00:00:00Z', '2021-01-03T00:00:00Z')", false],
  ["time_truncate('2021-01-02T15:34:05Z', '1h')", '2021-01-02T15:00:00Z'],
  ["time_truncate('2021-01-02T15:34:05Z', '0s')", '2021-01-02T15:34:05Z'],
  ["time_utc('2021-02-30T00:00:00Z')", REFUSED],
])('time: %s', (expression, want) => expect(find(expression)).toEqual(want))

test.each<[expression: string, want: unknown]>([
  ['parse_json(\'{"a": [1]}\').a', [1]],
  ["parse_json('[1')", REFUSED],
  ['keys(parse_json(\'{"__proto__": 1}\'))', ['__proto__']],
  ["parse_yaml('a: [1, x]')", { a: [1, 'x'] }],
  ["parse_yaml('')", null],
  ["parse_yaml('a: b: c')", REFUSED],
  ['lookup(`{"a": 1}`, \'a\')', 1],
  ['lookup(`{"a": 1}`, \'__proto__\')', null],
  ['lookup(`[1, 2]`, `1`)', 2],
  ['lookup(`[1, 2]`, `-1`)', null],
  ['lookup(`[1, 2]`, `0.5`)', REFUSED],
  ["lookup(`[1, 2]`, 'a')", REFUSED],
  [
    'items(`{"b": 1, "a": 2}`, \'k\', \'v\')',
    [
      { k: 'a', v: 2 },
      { k: 'b', v: 1 },
    ],
  ],
  ["items(`[5]`, 'k', 'v')", [{ k: 0, v: 5 }]],
  ["items(`{\"b\": 1}`, 'k', 'k')", [{ k: 1 }]],
  ['object_from_lists(`["a", "b"]`, `[1]`)', { a: 1, b: null }],
  ['object_from_lists(`[1, true]`, `[1, 2, 3]`)', { 1: 1, true: 2 }],
  ['object_from_lists(`[null]`, `[1]`)', REFUSED],
  ["semver_compare('4.1.3', '>=4.1.x')", true],
  ["semver_compare('4.1.3', '!4.x')", false],
  ["semver_compare('1.2.3', '1.2.x')", true],
  ["semver_compare('1.3.0', '1.x.x')", false],
  ["semver_compare('2.0.0', '<2.0.0 || >=2.0.0-rc.1')", true],
  ["semver_compare('1.0.0-rc.1', '<1.0.0')", true],
  ["semver_compare('no version', '=0.0.0')", true],
  ["semver_compare('1.0.0', '~1')", REFUSED],
  ["semver_compare('1.0.0', '')", REFUSED],
  ["image_normalize('nginx')", 'docker.io/nginx:latest'],
  ["image_normalize('ghcr.io/a/b:v1')", 'ghcr.io/a/b:v1'],
  [`image_normalize('nginx:1@sha256:${A64}')`, `docker.io/nginx@sha256:${A64}`],
  ["image_normalize('nginx@sha256:abc')", REFUSED],
  ["image_normalize('FOO')", REFUSED],
  ["is_external_url('https://10.1.2.3:80/x')", false],
  ["is_external_url('http://[2001:4860::8888]')", true],
  ["is_external_url('http://[::ffff:10.0.0.1]')", false],
  ["is_external_url('http://inside.test')", false],
  ["is_external_url('http://outside.test')", true],
  ["is_external_url('http://unknown.test')", REFUSED],
  ["is_external_url('http://localhost:8080')", false],
  ["regex_match('^[0-9a-f]{8}-(ab|cd)x?y+$', random('[0-9a-f]{8}-(ab|cd)x?y+'))", true],
  ["regex_match('^[^a-zA-Z]{40}$', random('[^[:alpha:]]{40}'))", true],
  ["random('')", REFUSED],
  ["random('\\d')", REFUSED],
  ["random('a{2000}')", REFUSED],
  ["random('[b-a]')", REFUSED],
])('data: %s', (expression, want) => expect(find(expression)).toEqual(want))

test('random draws from the ids it is given', () => {
  const draw = (seed: number): unknown => find("random('[a-z]{12}')", { ...ports, ids: seededIds(seed) })
  expect(draw(1)).toBe(draw(1))
  expect(draw(1)).not.toBe(draw(2))
})

test('images can be left without a registry', () => {
  const bare = { ...ports, defaultRegistry: 'reg.test', enableDefaultRegistryMutation: false }
  expect(find("image_normalize('a/b:1')", bare)).toBe('a/b:1')
  expect(find("image_normalize('a/b:1')", { ...bare, enableDefaultRegistryMutation: true })).toBe('reg.test/a/b:1')
})

test.each([
  ["random('((a*)*)*')"],
  ["pattern_match(join('', `[\"*a*a*a*a*a*a*b\"]`), random('a{1000}'))"],
  ["regex_match('(a+)+$', join('', [random('a{1000}'), 'b']))"],
  ["regex_replace_all('(a|a)*c', random('a{1000}'), 'b')"],
  ["replace_all(random('a{1000}'), 'a', random('b{1000}')) | replace_all(@, 'b', random('c{1000}'))"],
])('%s ends in bounded time', (expression) => {
  const path = compileJmesPath(expression)
  const found = path.ok && path.value.search({}, ports)
  expect(found && (found.ok || found.error[0]?.code)).toBeOneOf([true, 'jmespath-budget-exceeded'])
})
