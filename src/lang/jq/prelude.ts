import type { Definition, Node } from './node.ts'
import { parse } from './parser.ts'

/** What is defined in jq itself, parsed when it is first called. */
const sources: readonly string[] = [
  'def map(f): [.[] | f];',
  'def map_values(f): .[] |= f;',
  'def recurse: recurse(.[]?);',
  'def recurse(f; c): recurse(f | select(c));',
  'def values: select(. != null);',
  'def nulls: select(. == null);',
  'def booleans: select(type == "boolean");',
  'def numbers: select(type == "number");',
  'def strings: select(type == "string");',
  'def arrays: select(type == "array");',
  'def objects: select(type == "object");',
  'def iterables: select(type == "array" or type == "object");',
  'def scalars: select(type != "array" and type != "object");',
  'def finites: select(isinfinite or isnan | not);',
  'def normals: select(isnormal);',
  'def paths: path(..) | select(length > 0);',
  'def paths(f): paths as $p | select(getpath($p) | f) | $p;',
  'def leaf_paths: paths(scalars);',
  'def pick(f): . as $top | reduce path(f) as $p (null; setpath($p; $top | getpath($p)));',
  'def to_entries: [keys_unsorted[] as $k | {key: $k, value: .[$k]}];',
  'def with_entries(f): to_entries | map(f) | from_entries;',
  'def add(f): reduce f as $x (null; . + $x);',
  'def any: any(.);',
  'def all: all(.);',
  'def any(f): any(.[]; f);',
  'def all(f): all(.[]; f);',
  'def in(xs): . as $x | xs | has($x);',
  'def inside(xs): . as $x | xs | contains($x);',
  'def walk(f): def w: if type == "object" or type == "array" then map_values(w) else . end | f; w;',
  'def env: $ENV;',
  'def first: .[0];',
  'def last: .[-1];',
  'def nth($n): .[$n];',
  'def nth($n; f): if $n < 0 then error("Out of bounds negative array index") else first(skip($n; f)) end;',
  'def until(c; f): def u: if c then . else (f | u) end; u;',
  'def while(c; f): def w: if c then ., (f | w) else empty end; w;',
  'def repeat(f): def r: ., (f | r); r;',
  'def combinations: if length == 0 then [] else .[0][] as $x | (.[1:] | combinations) as $w | [$x] + $w end;',
  'def combinations(n): . as $dot | [range(n)] | map($dot) | combinations;',
  'def todate: strftime("%Y-%m-%dT%H:%M:%SZ");',
  'def fromdateiso8601: strptime("%Y-%m-%dT%H:%M:%SZ") | mktime;',
  'def todateiso8601: strftime("%Y-%m-%dT%H:%M:%SZ");',
  'def fromdate: fromdateiso8601;',
  'def date: todate;',
  'def dateadd(u; n): . + n;',
  'def datesub(u; n): . - n;',
  'def match($re): match($re; null);',
  'def test($re): test($re; null);',
  'def capture($re): capture($re; null);',
  'def capture($re; $flags): match($re; $flags) | [.captures[] | select(.name != null) | {key: .name, value: .string}] | from_entries;',
  'def scan($re): scan($re; null);',
  'def scan($re; $flags): match($re; "g" + $flags) | if (.captures | length) > 0 then [.captures[].string] else .string end;',
  'def split($re; $flags): . as $s | [foreach (match($re; $flags + "g"), null) as $m ({at: 0, out: null}; if $m == null then .out = $s[.at:] else .out = $s[.at:$m.offset] | .at = $m.offset + $m.length end; .out)];',
  'def splits($re): splits($re; null);',
  'def splits($re; $flags): split($re; $flags) | .[];',
  'def sub($re; f): sub($re; f; "");',
  'def gsub($re; f): sub($re; f; "g");',
  'def gsub($re; f; $flags): sub($re; f; $flags + "g");',
  'def ascii: [.] | implode;',
  'def index($x): indices($x) | .[0];',
  'def rindex($x): indices($x) | .[-1:][0];',
  'def IN(s): any(s == .; .);',
  'def IN(src; s): any(src == s; .);',
  'def INDEX(f): INDEX(.[]; f);',
  'def INDEX(s; f): reduce s as $row ({}; .[$row | f | tostring] |= $row);',
  'def tostream: path(def r: (.[]? | r), .; r) as $p | getpath($p) | reduce path(.[]?) as $q ([$p, .]; [$p + $q]);',
  'def fromstream(f): {x: null, e: false} as $init | foreach f as $i ($init; if .e then $init else . end | if $i | length == 2 then setpath(["e"]; $i[0] | length == 0) | setpath(["x"] + $i[0]; $i[1]) else setpath(["e"]; $i[0] | length == 1) end; if .e then .x else empty end);',
  'def truncate_stream(s): . as $n | null | s | . as $in | if (.[0] | length) > $n then setpath([0]; .[0][$n:]) else empty end;',
  'def halt_error: error;',
  'def halt_error($code): error;',
  'def group_by(f): keyed_(map([f])) | grouped_;',
  'def unique_by(f): keyed_(map([f])) | grouped_ | map(.[0]);',
  'def sort_by(f): keyed_(map([f])) | map(.[1]);',
  'def min_by(f): least_(map([f]));',
  'def max_by(f): most_(map([f]));',
  'def unique: unique_by(.);',
  'def sort: sort_by(.);',
  'def min: min_by(.);',
  'def max: max_by(.);',
]

let parsed: ReadonlyMap<string, string> | undefined
const definitions = new Map<string, Definition>()

function bySignature(): ReadonlyMap<string, string> {
  return new Map(
    sources.map((source) => {
      const found = /^def (\w+)(?:\(([^)]*)\))?:/.exec(source)
      return [`${found?.[1]}/${found?.[2]?.split(';').length ?? 0}`, source]
    }),
  )
}

/** The definition of a function that is written in jq, by `name/arity`. */
export function preludeDefinition(signature: string): Definition | undefined {
  const known = definitions.get(signature)
  if (known) return known
  parsed ??= bySignature()
  const source = parsed.get(signature)
  if (source === undefined) return undefined
  const node: Node = parse(`${source} .`)
  if (node.is !== 'define') throw new Error(`the prelude of jq does not define ${signature}`)
  definitions.set(signature, node.definition)
  return node.definition
}
