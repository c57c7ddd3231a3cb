import { describe, expect, test } from 'vitest'
import type { KubeObject } from '../../../kube/object.ts'
import { parseYaml } from '../../../lib/yaml.ts'
import { lintPolicy } from './lint-policy.ts'
import { lintUpdate } from './lint-update.ts'

const cluster = {
  isNamespaced: (_group: string, _version: string, kind: string) =>
    ({ Pod: true, ConfigMap: true, Namespace: false, Deployment: true })[kind],
  serves: (kind: string) => !kind.includes('Widget'),
}

function policy(rule: string, more: string = '', kind: string = 'ClusterPolicy'): KubeObject {
  const text = `apiVersion: kyverno.io/v1\nkind: ${kind}\nmetadata: {name: p}\nspec:\n${more}  rules:\n  - name: r\n${rule.replace(/^/gm, '    ')}`
  const read = parseYaml(text)
  if (!read.ok) throw new Error(JSON.stringify(read.error))
  return read.value as KubeObject
}

const places = (object: KubeObject): readonly string[] => lintPolicy(object, cluster).map(({ at = '' }) => at)

const match = 'match: {any: [{resources: {kinds: [Pod]}}]}\n'
const pattern = 'validate: {message: no, pattern: {metadata: {name: "?*"}}}\n'

describe('an author is told of', () => {
  test.each<[string, string, string]>([
    ['a rule that does nothing', match, 'spec.rules[0]'],
    ['a rule that does two things', `${match}${pattern}mutate: {patchStrategicMerge: {a: b}}`, 'spec.rules[0]'],
    ['filters without kinds', `match: {any: [{resources: {names: [a]}}]}\n${pattern}`, 'spec.rules[0].match'],
    ['kinds that are not served', `match: {any: [{resources: {kinds: [Widget]}}]}\n${pattern}`, 'spec.rules[0].match'],
    ['every kind in the background', `match: {any: [{resources: {kinds: ["*"]}}]}\n${pattern}`, 'spec.rules[0].match'],
    [
      'an exclusion of everything',
      `${match}exclude: {any: [{resources: {kinds: [Pod]}}]}\n${pattern}`,
      'spec.rules[0]',
    ],
    [
      'any beside all',
      `match: {any: [{resources: {kinds: [Pod]}}], all: [{resources: {kinds: [Pod]}}]}\n${pattern}`,
      'spec.rules[0].match',
    ],
    [
      'variables in a match',
      `match: {any: [{resources: {kinds: [Pod], names: ["{{ request.name }}"]}}]}\n${pattern}`,
      'spec.rules[0].match',
    ],
    [
      'an anchor that is for mutations',
      `${match}validate: {pattern: {spec: {"+(a)": b}}}`,
      'spec.rules[0].validate.pattern.spec.+(a)',
    ],
    [
      'a label that is no text',
      `${match}validate: {pattern: {metadata: {labels: {a: 1}}}}`,
      'spec.rules[0].validate.pattern.metadata.labels.a',
    ],
    [
      'a variable that nothing defines',
      `${match}validate: {message: "{{ nobody.knows }}", deny: {}}`,
      'spec.rules[0].validate.message',
    ],
    [
      'an expression that is no JMESPath',
      `${match}validate: {message: "{{ request.object. }}", deny: {}}`,
      'spec.rules[0].validate.message',
    ],
    [
      'an element outside of a loop',
      `${match}validate: {message: "{{ element.name }}", deny: {}}`,
      'spec.rules[0].validate.message',
    ],
    [
      'an unknown operator',
      `${match}validate: {deny: {conditions: {any: [{key: a, operator: Is, value: b}]}}}`,
      'spec.rules[0].validate.deny.conditions.any[0].operator',
    ],
    [
      'a condition without a value',
      `${match}validate: {deny: {conditions: {any: [{key: a, operator: Equals}]}}}`,
      'spec.rules[0].validate.deny.conditions.any[0]',
    ],
    [
      'an operation that there is not',
      `${match}validate: {deny: {conditions: {any: [{key: "{{ request.operation }}", operator: Equals, value: PATCH}]}}}`,
      'spec.rules[0].validate.deny.conditions.any[0].value',
    ],
    [
      'a context entry of two kinds',
      `${match}context: [{name: a, variable: {value: 1}, configMap: {name: b, namespace: c}}]\n${pattern}`,
      'spec.rules[0].context[0]',
    ],
    [
      'a context entry with a name that is taken',
      `${match}context: [{name: request, variable: {value: 1}}]\n${pattern}`,
      'spec.rules[0].context[0].name',
    ],
    [
      'a JSON patch with a wrong path',
      `${match}mutate: {patchesJson6902: "[{op: add, path: spec, value: 1}]"}`,
      'spec.rules[0].mutate.patchesJson6902[0].path',
    ],
    [
      'a control of another level',
      `${match}validate: {podSecurity: {level: baseline, exclude: [{controlName: Volume Types}]}}`,
      'spec.rules[0].validate.podSecurity.exclude[0].controlName',
    ],
    [
      'CEL that does not compile',
      `${match}validate: {cel: {expressions: [{expression: "object."}]}}`,
      'spec.rules[0].validate.cel.expressions[0].expression',
    ],
    [
      'a target without a namespace',
      `${match}generate: {apiVersion: v1, kind: ConfigMap, name: a, data: {}}`,
      'spec.rules[0].generate.namespace',
    ],
    [
      'a target that lives in no namespace',
      `${match}generate: {apiVersion: v1, kind: Namespace, name: a, namespace: b, data: {}}`,
      'spec.rules[0].generate.namespace',
    ],
  ])('%s', (_, rule, place) => expect(places(policy(rule))).toContain(place))

  test('users in the background, and not without it', () => {
    const asksUser = `${match}validate: {message: "{{ request.userInfo.username }}", deny: {}}`
    expect(places(policy(asksUser))).toContain('spec')
    expect(places(policy(asksUser, '  background: false\n'))).toEqual([])
  })

  test('other namespaces in a policy of a namespace', () => {
    const names = `match: {any: [{resources: {kinds: [Namespace], namespaces: [a]}}]}\n${pattern}`
    expect(places(policy(names, '', 'Policy'))).toEqual([
      'spec.rules[0].match.any[0].resources.namespaces',
      'spec.rules[0].match.any[0].resources.kinds[0]',
    ])
  })
})

test('a good policy has no problems', () => {
  expect(lintPolicy(policy(`${match}${pattern}`), cluster)).toEqual([])
  expect(
    lintPolicy(
      policy(
        `${match}context: [{name: a, variable: {value: 1}}]\nvalidate: {message: "{{ a }} {{ to_upper(request.object.kind) }}", deny: {}}`,
      ),
    ),
  ).toEqual([])
})

test('a policy that nests without end is refused, not followed', () => {
  let deep: unknown = {}
  for (let depth = 0; depth < 100_000; depth++) deep = { deep }
  const object = {
    apiVersion: 'kyverno.io/v1',
    kind: 'ClusterPolicy',
    metadata: { name: 'p' },
    spec: { rules: [{ validate: { pattern: deep } }] },
  }
  expect(lintPolicy(object)[0]?.message).toMatch(/nests deeper/)
})

test('a generate rule keeps its trigger, and tells of targets that it leaves behind', () => {
  const rule = (name: string, target: string): KubeObject =>
    policy(
      `match: {any: [{resources: {kinds: [Namespace]}}]}\npreconditions: {all: [{key: ${name}, operator: Equals, value: a}]}\ngenerate: {synchronize: true, apiVersion: v1, kind: ConfigMap, name: ${target}, namespace: b, data: {}}`,
    )
  expect(lintUpdate(rule('a', 'c'), rule('a', 'c'))).toEqual({ problems: [], warnings: [] })
  expect(lintUpdate(rule('a', 'c'), rule('b', 'c')).problems).toHaveLength(1)
  expect(lintUpdate(rule('a', 'c'), rule('a', 'd')).warnings).toHaveLength(1)
})
