import { expect, test } from 'vitest'
import { succeed } from '../../lib/result.ts'
import { jsonForm } from './json-form.ts'
import { readSet, type SetForm, type Values } from './strvals.ts'

const set = (form: SetForm, line: string, before: Values = {}): unknown => {
  const values = structuredClone(before)
  const read = readSet(values, line, form, (path) => succeed(`content of ${path}`))
  return read.ok ? jsonForm(read.value) : (read.error[0]?.message ?? '')
}

// Seen with helm 3.17.2: `toJson .Values`.
const cases: readonly (readonly [SetForm, string, unknown, Values?])[] = [
  ['set', 'a=1,b=true,c=null,d=x,e=1.5,f=007,g=-3', { a: 1, b: true, c: null, d: 'x', e: '1.5', f: '007', g: -3 }],
  ['set', 'a.b.c=1', { a: { b: { c: 1 } } }],
  ['set', 'a={x,1,true}', { a: ['x', 1, true] }],
  ['set', 'a={}', { a: [''] }],
  ['set', 'a[1]=x', { a: [null, 'x'] }],
  ['set', 'a[0].b=1,a[0].c=2', { a: [{ b: 1, c: 2 }] }],
  ['set', 'a[0][1]=x', { a: [[null, 'x']] }],
  ['set', 'a\\.b=1', { 'a.b': 1 }],
  ['set', 'a=x\\,y', { a: 'x,y' }],
  ['set', 'a=', { a: '' }],
  ['set', 'a==b', { a: '=b' }],
  ['set', '__proto__.x=1', JSON.parse('{"__proto__": {"x": 1}}')],
  ['set', 'a.b=2', { a: { b: 2, c: 1 } }, { a: { b: 1, c: 1 } }],
  ['set', 'n=9223372036854775807', { n: 9223372036854775807n }],
  ['set', 'n=9223372036854775808', { n: '9223372036854775808' }],
  ['set-string', 'a=1,b=true', { a: '1', b: 'true' }],
  ['set-json', 'a={"x": [1, 2]},b="s",c=', { a: { x: [1, 2] }, b: 's', c: null }],
  ['set-json', 'a[0]={"x":1}', { a: [{ x: 1 }] }],
  ['set-file', 'a=f.txt', { a: 'content of f.txt' }],
  ['set-literal', 'a.b=1,c={x}\\', { a: { b: '1,c={x}\\' } }],
  ['set', 'a', 'failed parsing --set data: key "a" has no value'],
  ['set', 'a,b=1', 'failed parsing --set data: key "a" has no value (cannot end with ,)'],
  ['set', 'a={x', "failed parsing --set data: list must terminate with '}'"],
  ['set', 'a[-1]=x', 'failed parsing --set data: negative -1 index not allowed'],
  ['set', 'a[70000]=x', 'failed parsing --set data: index of 70000 is greater than maximum supported index of 65536'],
  ['set', 'a[x]=1', 'failed parsing --set data: error parsing index: strconv.Atoi: parsing "x": invalid syntax'],
  ['set', 'a[0]x=1', 'failed parsing --set data: unexpected data at end of array index: "x"'],
  [
    'set',
    `${'a.'.repeat(31)}b=1`,
    'failed parsing --set data: value name nested level is greater than maximum supported nested level of 30',
  ],
  ['set-json', 'a={', 'failed parsing --set-json data a={'],
]

test.each(cases.map(([form, line, want, before]) => ({ form, line, want, before })))(
  '--$form $line',
  ({ form, line, want, before }) => expect(set(form, line, before)).toEqual(want),
)
