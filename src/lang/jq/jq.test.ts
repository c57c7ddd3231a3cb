import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Json } from '../../lib/json.ts'
import { compileJq } from './jq.ts'
import { textOf } from './value.ts'

/** The outputs of a program as compact texts, or what refused it. */
function outputs(source: string, input: Json): string {
  const program = compileJq(source)
  const made = program.ok ? program.value.run(input) : program
  return made.ok ? made.value.map(textOf).join(' ') : (made.error[0]?.message ?? '')
}

// Each was compared with jq 1.6 when it was written, where that version knows the function.
test.each([
  ['.a.b', '{"a":{"b":3}}', '3'],
  ['.[]', '[1,2]', '1 2'],
  ['[.[]|.+1]', '[1,2]', '[2,3]'],
  ['(1,2)+(10,20)', 'null', '11 12 21 22'],
  ['{a:(1,2),b:(3,4)}', 'null', '{"a":1,"b":3} {"a":1,"b":4} {"a":2,"b":3} {"a":2,"b":4}'],
  ['.a // "d"', '{"a":null}', '"d"'],
  ['[.[] | select(.x > 1) | {y: .x}]', '[{"x":1},{"x":2}]', '[{"y":2}]'],
  ['to_entries', '{"b":1,"a":2}', '[{"key":"a","value":2},{"key":"b","value":1}]'],
  ['with_entries(.value += 1)', '{"a":1,"b":2}', '{"a":2,"b":3}'],
  ['map_values(empty)', '{"a":1}', '{}'],
  ['.[1:3]', '[1,2,3,4]', '[2,3]'],
  ['.[:-1]', '"abcdé"', '"abcd"'],
  ['del(.a, .b[0])', '{"a":1,"b":[1,2]}', '{"b":[2]}'],
  ['paths', '{"a":[1]}', '["a"] ["a",0]'],
  ['[paths(type=="number")]', '{"a":[1]}', '[["a",0]]'],
  ['reduce .[] as $x (0; .+$x)', '[1,2,3]', '6'],
  ['[foreach .[] as $x (0; .+$x)]', '[1,2,3]', '[1,3,6]'],
  ['[foreach .[] as $x (0; .+$x; [$x,.])]', '[1,2,3]', '[[1,1],[2,3],[3,6]]'],
  ['. as [$a, {b: $c}] | [$a,$c]', '[1,{"b":2}]', '[1,2]'],
  ['.[] as [$a] ?// $a | [$a]', '[[1],2]', '[1] [2]'],
  ['def f(x): x*2; f(.)', '4', '8'],
  ['def fac: if . <= 1 then 1 else . * (. - 1 | fac) end; fac', '10', '3628800'],
  ['try error("x") catch .', 'null', '"x"'],
  ['.a?', '5', ''],
  ['[.[] | try tonumber catch "bad"]', '["1","x"]', '[1,"bad"]'],
  ['"a\\(1+1)b"', 'null', '"a2b"'],
  ['@base64 "x\\(.)"', '"hi"', '"xaGk="'],
  ['@csv', '[1,"a\\"b",null]', '"1,\\"a\\"\\"b\\","'],
  ['@sh "echo \\(.)"', '"it\'s"', "\"echo 'it'\\\\''s'\""],
  ['[match("a(b)?";"g") | .captures[0].string]', '"abaab"', '["b",null,"b"]'],
  ['gsub("(?<x>[a-z])";"<\\(.x)>")', '"ab1"', '"<a><b>1"'],
  ['test("A";"i")', '"a"', 'true'],
  ['split(", *";null)', '"a, b,c"', '["a","b","c"]'],
  ['ascii_downcase', '"ÀBC"', '"Àbc"'],
  ['ltrimstr("a")', '"abc"', '"bc"'],
  ['[limit(3;range(10))]', 'null', '[0,1,2]'],
  ['first(range(5;10))', 'null', '5'],
  ['[range(0;10;3)]', 'null', '[0,3,6,9]'],
  ['[.[]|tostring]', '[1,"a",[1]]', '["1","a","[1]"]'],
  ['sort_by(.a)', '[{"a":2},{"a":1}]', '[{"a":1},{"a":2}]'],
  ['group_by(.a)', '[{"a":2},{"a":1},{"a":2}]', '[[{"a":1}],[{"a":2},{"a":2}]]'],
  ['unique', '[3,1,2,1]', '[1,2,3]'],
  ['min_by(.a), max_by(.a)', '[{"a":2},{"a":1}]', '{"a":1} {"a":2}'],
  ['flatten', '[1,[2,[3]]]', '[1,2,3]'],
  ['flatten(1)', '[1,[2,[3]]]', '[1,2,[3]]'],
  ['any, all', '[true,false]', 'true false'],
  ['walk(if type=="number" then .+1 else . end)', '{"a":[1,{"b":2}]}', '{"a":[2,{"b":3}]}'],
  ['env', 'null', '{}'],
  ['[splits("a+")]', '"xaayaz"', '["x","y","z"]'],
  ['todate', '1425599621', '"2015-03-05T23:53:41Z"'],
  ['fromdate', '"2015-03-05T23:51:47Z"', '1425599507'],
  ['strptime("%Y-%m-%dT%H:%M:%SZ")', '"2015-03-05T23:51:47Z"', '[2015,2,5,23,51,47,4,63]'],
  ['mktime', '[2015,2,5,23,51,47,4,63]', '1425599507'],
  ['strftime("%A, %B %d, %Y")', '1425599621', '"Thursday, March 05, 2015"'],
  ['.a |= .+1', '{"a":1}', '{"a":2}'],
  ['.a += 5 | .b //= 3', '{"a":1}', '{"a":6,"b":3}'],
  ['(.a,.b) = 9', '{"a":1}', '{"a":9,"b":9}'],
  ['.[] |= empty', '[1,2,3]', '[]'],
  ['path(..)', '{"a":[1]}', '[] ["a"] ["a",0]'],
  ['getpath(["a","b"])', '{"a":{"b":1}}', '1'],
  ['[leaf_paths]', '{"a":[1]}', '[["a",0]]'],
  ['to_entries[] | "\\(.key)=\\(.value)"', '{"a":1}', '"a=1"'],
  ['input_line_number', 'null', '0'],
  ['$__loc__', 'null', '{"file":"<top-level>","line":1}'],
  ['.. | numbers', '[1,[2]]', '1 2'],
  ['label $out | 1, break $out, 2', 'null', '1'],
  ['[.[] | if . > 1 then "big" elif . == 1 then "one" else "small" end]', '[0,1,2]', '["small","one","big"]'],
  ['ascii', '65', '"A"'],
  ['@json "v=\\(.)"', '{"a":1}', '"v={\\"a\\":1}"'],
  ['indices(",")', '"a,b,c"', '[1,3]'],
  ['index("b"), rindex("b")', '"abcb"', '1 3'],
  ['inside("abc")', '"b"', 'true'],
  ['contains({a:["x"]})', '{"a":["xyz"]}', 'true'],
  ['combinations', '[[1,2],[3,4]]', '[1,3] [1,4] [2,3] [2,4]'],
  ['transpose', '[[1],[2,3]]', '[[1,2],[null,3]]'],
  ['tojson, (tojson|fromjson)', '{"a":[1]}', '"{\\"a\\":[1]}" {"a":[1]}'],
  [
    '{a,b:2,"c d":3,(.k):4,$__loc__}',
    '{"a":1,"k":"z"}',
    '{"__loc__":{"file":"<top-level>","line":1},"a":1,"b":2,"c d":3,"z":4}',
  ],
  ['[.[] as {a:$x, b:[$y]} | $x+$y]', '[{"a":1,"b":[2]}]', '[3]'],
  ['tostream', '{"a":[1]}', '[["a",0],1] [["a",0]] [["a"]]'],
  ['fromstream(tostream)', '{"a":[1,{"b":2}]}', '{"a":[1,{"b":2}]}'],
  ['[1,[2,3]] | .[1][0]', 'null', '2'],
  ['.a.b.c = 1', 'null', '{"a":{"b":{"c":1}}}'],
  ['.[2] = 1', 'null', '[null,null,1]'],
  ['1 as $x | 2 as $y | [$x,$y,$x]', 'null', '[1,2,1]'],
  ['[.[]|round, floor, sqrt]', '[4.5]', '[5,4,2.1213203435596424]'],
  ['-1 - -2', 'null', '1'],
  ['.["a"]?, ."a", ."a".b?', '{"a":1}', '1 1'],
  ['if . then 1 end', 'false', 'false'],
  ['implode', '[65,66]', '"AB"'],
  ['INDEX(.id)', '[{"id":1},{"id":2}]', '{"1":{"id":1},"2":{"id":2}}'],
  ['IN(1,2)', '2', 'true'],
  ['splits("a")', '"bab"', '"b" "b"'],
  ['ltrimstr("x"), trim', '" x "', '" x " "x"'],
  ['bsearch(2)', '[1,2,3]', '1'],
  ['pick(.a.b)', '{"a":{"b":1,"c":2}}', '{"a":{"b":1}}'],
  ['[.[] | not]', '[true,false,null]', '[false,true,true]'],
  ['{} | .a.b |= 5', 'null', '{"a":{"b":5}}'],
  ['[recurse(if . < 3 then .+1 else empty end)]', '0', '[0,1,2,3]'],
  ['[recurse(.[]?; . != 3)]', '[1,[2]]', '[[1,[2]],1,[2],2]'],
  ['[while(. < 100; .*2)]', '1', '[1,2,4,8,16,32,64]'],
  ['[until(. > 100; .*2)]', '1', '[128]'],
  ['[limit(5; repeat(.*2))]', '1', '[1,2,4,8,16]'],
  ['.[-1:]', '[1,2,3]', '[3]'],
  ['.spec.containers[] | select(.name == "x") | .image', '{"spec":{"containers":[{"name":"x","image":"i"}]}}', '"i"'],
  ['.a[1:] = [9]', '{"a":[1,2,3]}', '{"a":[1,9]}'],
  ['@text, @html', '"<a>"', '"<a>" "&lt;a&gt;"'],
  ['.a as $x | .b as $y | $x + $y', '{"a":1,"b":2}', '3'],
  ['[.[] | {(.a, .b): 1}]', '[{"a":"x","b":"y"}]', '[{"x":1},{"y":1}]'],
  ['. as {$a, b: {$c}} | $a+$c', '{"a":1,"b":{"c":2}}', '3'],
  ['ltrimstr(1)', '"1"', '"1"'],
  ['tojson', '1.0', '"1"'],
  ['[1,2] - [2]', 'null', '[1]'],
  ['{a:1} * {a:{b:2}}', 'null', '{"a":{"b":2}}'],
  ['10 / 3 | floor', 'null', '3'],
  ['5 % 3, -5 % 3', 'null', '2 -2'],
  ['"a,b" / ","', 'null', '["a","b"]'],
  ['null + 1', 'null', '1'],
  ['{} + null', 'null', '{}'],
  ['infinite, -infinite, nan | tostring', 'null', '"1.7976931348623157e+308" "-1.7976931348623157e+308" "null"'],
  ['[nan] | sort', 'null', '[null]'],
  ['[nan < nan, nan == nan]', 'null', '[true,false]'],
] as const)('%s of %s', (source, input, want) => {
  expect(outputs(source, JSON.parse(input) as Json)).toBe(want)
})

test.each([
  ['.a.b', '{"a":5}', 'Cannot index number with "b"'],
  ['.[]', '5', 'Cannot iterate over number (5)'],
  ['error', '"boom"', 'boom'],
  ['error({a:1})', 'null', '{"a":1} (not a string)'],
  ['limit(1; error("x"))', 'null', 'x'],
  ['path(1 | .a)', 'null', 'Invalid path expression with result 1'],
  ['{(1): 2}', 'null', 'Object keys must be strings'],
  ['nobody(1)', 'null', 'nobody/1 is not defined'],
  ['$nobody', 'null', '$nobody is not defined'],
  ['test("(")', '"x"', 'is not a valid regex'],
  ['@nothing', '1', 'nothing is not a valid format'],
  ['.[-5] = 1', '[1]', 'Out of bounds negative array index'],
  ['fromjson', '"{"', 'while parsing'],
  ['try (1, error("in")) catch error("again")', 'null', 'again'],
  ['(try 1 catch 2) | error("behind")', 'null', 'behind'],
])('%s of %s fails: %s', (source, input, want) => {
  expect(outputs(source, JSON.parse(input) as Json)).toContain(want)
})

test.each([
  ['.[', 'expected a value, found the end at position 3'],
  ['.a as | .', 'expected a $name'],
  ['"abc', 'a text is not closed at position 1'],
  ['{a b}', 'expected ","'],
  ['if . then', 'expected a value'],
  ['import "a" as a; .', 'modules cannot be imported'],
  ['. ~', 'unexpected character "~"'],
])('%s is no program', (source, want) => {
  expect(outputs(source, null)).toContain(want)
})

test('a deep program is refused', () => {
  expect(outputs('['.repeat(10_000), null)).toContain('nests deeper')
  expect(outputs(`${'-'.repeat(10_000)}1`, null)).toContain('nests deeper')
})

test.each([
  ['endless recursion', 'def f: f; f'],
  ['an endless loop', '[limit(1e9; repeat(1))]'],
  ['a long range', '[range(1e9)]'],
  ['a doubling text', 'reduce range(100) as $i ("x"; . + .)'],
  ['a doubling array', 'reduce range(100) as $i ([1]; . + .)'],
  ['a repeated text', '"x" * 1e9'],
  ['a far index', '.[1e9] = 1'],
  ['a wide product', '[range(1000)] | [.[] as $a | .[] as $b | .[] as $c | 1]'],
])('%s is stopped', (_, source) => {
  expect(outputs(source, null)).toMatch(/was stopped|too large/)
})

test('deep input is stopped, not crashed on', () => {
  const deep = JSON.parse(`${'['.repeat(5_000)}1${']'.repeat(5_000)}`) as Json
  expect(outputs('[.. | numbers]', deep)).toContain('was stopped')
  expect(outputs('flatten', deep)).toContain('was stopped')
})

test('keys that name prototypes are data', () => {
  const input = JSON.parse('{"__proto__":{"x":1},"constructor":2}') as Json
  expect(outputs('.__proto__.x, .constructor, .toString', input)).toBe('1 2 null')
  expect(outputs('.a.__proto__ = 1', null)).toBe('{"a":{"__proto__":1}}')
  expect(outputs('to_entries | from_entries', input)).toBe('{"__proto__":{"x":1},"constructor":2}')
})

test('paths, and the input without what lies there', () => {
  const program = compileJq('.spec.containers[] | select(.name == "sidecar"), .image')
  if (!program.ok) throw new Error('this is a program')
  const input = {
    spec: {
      containers: [
        { name: 'app', image: 'a' },
        { name: 'sidecar', image: 'b' },
      ],
    },
  }
  expect(program.value.paths(input)).toMatchObject({
    value: [
      ['spec', 'containers', 0, 'image'],
      ['spec', 'containers', 1],
      ['spec', 'containers', 1, 'image'],
    ],
  })
  expect(program.value.deletePaths(input)).toEqual({
    ok: true,
    value: { spec: { containers: [{ name: 'app' }] } },
  })
  expect(input.spec.containers).toHaveLength(2)
})

const json = fc.jsonValue({ maxDepth: 4 }) as fc.Arbitrary<Json>

test('laws: entries and streams give back what they were made of; sorting is stable under itself', () => {
  fc.assert(
    fc.property(json, (value) => {
      const same = textOf(value)
      expect(outputs('fromstream(tostream)', value)).toBe(same)
      expect(outputs('if type == "object" then with_entries(.) else . end', value)).toBe(same)
      expect(outputs('[.] | sort | sort | .[0]', value)).toBe(same)
      expect(outputs('tojson | fromjson', value)).toBe(same)
    }),
  )
})
