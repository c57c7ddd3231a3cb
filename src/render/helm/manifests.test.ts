import { expect, test } from 'vitest'
import { sortManifests, splitManifests } from './manifests.ts'

test.each([
  ['a: 1\n---\nb: 2\n', ['a: 1', 'b: 2']],
  ['---\na: 1\n\n---   \n\nb: 2', ['a: 1', 'b: 2']],
  ['---\n---\na: 1', ['---\na: 1']],
  ['a: 1 --- b', ['a: 1 --- b']],
  ['a: |\n  x\n---# c\nb: 1', ['a: |\n  x', '# c\nb: 1']],
  ['cert: |\n-----BEGIN', ['cert: |', '--BEGIN']],
  ['  \n\n', []],
])('%j splits as helm splits it', (text, want) => {
  expect(splitManifests(text)).toEqual(want)
})

const doc = (kind: string, name: string, annotation = ''): string =>
  `kind: ${kind}\nmetadata:\n  name: ${name}${annotation === '' ? '' : `\n  annotations:\n    helm.sh/hook: ${annotation}`}\n`

test('documents are ordered by kind, then file, then place; unknown kinds come last by name', () => {
  const sorted = sortManifests(
    new Map([
      ['b/templates/z.yaml', `${doc('Zebra', 'z')}---\n${doc('Service', 's2')}`],
      ['b/templates/a.yaml', `${doc('Deployment', 'd')}---\n${doc('Service', 's1')}---\n${doc('Ape', 'a')}`],
      ['b/templates/_x.yaml', doc('Service', 'never')],
      [
        'b/templates/hooks.yaml',
        `${doc('Job', 'j', 'pre-install, POST-install')}---\n${doc('Pod', 'p', 'test')}---\n${doc('Pod', 'q', 'odd')}`,
      ],
    ]),
  )
  if (!sorted.ok) throw new Error(sorted.error[0]?.message)
  expect(sorted.value.manifests.map(({ kind, name, line }) => `${kind} ${name} ${line}`)).toEqual([
    'Service s1 5',
    'Service s2 5',
    'Deployment d 1',
    'Ape a 9',
    'Zebra z 1',
  ])
  expect(sorted.value.hooks.map(({ name, events }) => [name, events])).toEqual([
    ['p', ['test']],
    ['j', ['pre-install', 'post-install']],
  ])
  expect(sorted.value.warnings).toEqual(['skipping unknown hook: "odd"'])
})

test.each([
  ['a: [', /YAML parse error on c\/templates\/x.yaml: error converting YAML to JSON/],
  ['- a', /cannot unmarshal array into Go value of type releaseutil.SimpleHead/],
  ['metadata: {annotations: {a: {}}}', /of type string/],
])('%j is refused', (text, message) => {
  const sorted = sortManifests(new Map([['c/templates/x.yaml', text]]))
  expect(sorted.ok ? '' : sorted.error[0]?.message).toMatch(message)
})
