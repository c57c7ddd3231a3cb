import { describe, expect, test } from 'vitest'
import type { KubeObject } from '../../kube/object.ts'
import { deepFreeze } from '../../lib/json.ts'
import { creating, objectFrom, pod, policyFrom, said, worldWith } from './classic.testkit.ts'

const judge = (
  rules: string,
  object: KubeObject = pod(),
  more: Parameters<typeof creating>[1] = {},
  world = worldWith(),
): readonly string[] => said(policyFrom(rules).evaluate('validate', deepFreeze(creating(object, more)), world))

const rule = (text: string): string =>
  `  - name: r\n    match: {any: [{resources: {kinds: [Pod]}}]}\n${text.replace(/^(?=.)/gm, '    ')}`

describe('a validate rule', () => {
  test.each<[string, string, string]>([
    [
      'passes what is as the pattern',
      'validate: {message: refused, pattern: {spec: {containers: [{image: "*:?*"}]}}}',
      "r pass: validation rule 'r' passed.",
    ],
    [
      'fails what is not, with the path',
      'validate: {message: Use a tag, pattern: {spec: {containers: [{image: "!*:1.2"}]}}}',
      'r fail: validation error: Use a tag. rule r failed at path /spec/containers/0/image/',
    ],
    [
      'fills variables into its message',
      'validate: {message: "{{ request.object.metadata.name }} of {{ request.userInfo.username }}", deny: {}}',
      'r fail: web of jane',
    ],
    [
      'tries each of several patterns',
      'validate: {message: refused, anyPattern: [{spec: {a: b}}, {metadata: {name: web}}]}',
      "r pass: validation rule 'r' anyPattern[1] passed.",
    ],
    [
      'denies when conditions hold',
      'validate: {message: refused, deny: {conditions: {any: [{key: "{{ request.operation }}", operator: Equals, value: CREATE}]}}}',
      'r fail: refused',
    ],
    [
      'adds the messages of conditions',
      'validate: {message: refused, deny: {conditions: {any: [{key: a, operator: Equals, value: a, message: because}]}}}',
      'r fail: refused; because',
    ],
    [
      'is skipped when preconditions do not hold',
      'preconditions: {all: [{key: a, operator: Equals, value: b, message: not b}]}\nvalidate: {deny: {}}',
      'r skip: preconditions not met; not b',
    ],
    [
      'goes over lists',
      'validate: {message: refused, foreach: [{list: "request.object.spec.containers", pattern: {image: "*:latest"}}]}',
      'r fail: validation failure: validation error: refused. rule r failed at path /image/',
    ],
    [
      'knows images',
      'validate: {message: "{{ images.containers.a.registry }} {{ images.containers.a.tag }}", deny: {}}',
      'r fail: docker.io 1.2',
    ],
    [
      'says what an unknown variable is',
      'validate: {message: refused, deny: {conditions: {any: [{key: "{{ request.object.spec.nothing }}", operator: Equals, value: a}]}}}',
      'r error: failed to check deny conditions: the data has no key "nothing" in request.object.spec.nothing',
    ],
    [
      'follows references within its pattern',
      'validate: {message: refused, pattern: {metadata: {name: "$(/metadata/labels/app)", labels: {app: "web"}}}}',
      "r pass: validation rule 'r' passed.",
    ],
    ['leaves escaped braces alone', 'validate: {message: "\\\\{{ request }}", deny: {}}', 'r fail: {{ request }}'],
    [
      'evaluates CEL',
      'validate: {cel: {variables: [{name: size, expression: "size(object.spec.containers)"}], expressions: [{expression: "variables.size > 1", messageExpression: "\'only \' + string(variables.size)"}]}}',
      'r fail: only 1',
    ],
    [
      'holds Pods against the standards',
      'validate: {podSecurity: {level: baseline, version: latest}}',
      "r pass: Validation rule 'r' passed.",
    ],
    [
      'holds objects against assertion trees',
      'validate: {assert: {spec: {"~.(containers)": {"(contains(image, \':\'))": true}}}}',
      "r pass: validation rule 'r' passed.",
    ],
    [
      'says that manifests are not verified',
      'validate: {manifests: {attestors: [{}]}}',
      'r skip: signatures of manifests are not verified: validate.manifests is accepted and not enforced',
    ],
  ])('%s', (_, text, want) => expect(judge(rule(text))).toEqual([want]))
})

test('nested loops see the items around them', () => {
  const object = objectFrom('{apiVersion: v1, kind: Pod, metadata: {name: a}, spec: {lists: [[1, 2], [3]]}}')
  const text =
    'validate: {message: "{{ element0 }} {{ element1 }} {{ elementIndex1 }}", foreach: [{list: request.object.spec.lists, elementScope: false, foreach: [{list: element, deny: {conditions: {any: [{key: "{{ element }}", operator: Equals, value: 3}]}}}]}]}'
  expect(judge(rule(text), object)).toEqual(['r fail: validation failure: validation failure: [3] 3 0'])
})

test('a context entry is worked out when it is named, and reads those before it, whatever takes their names later', () => {
  const text = `context:
- {name: a, variable: {value: {x: five}}}
- {name: b, variable: {jmesPath: "a.x"}}
- {name: unused, variable: {jmesPath: "nobody.knows"}}
- {name: a, variable: {value: later}}
validate: {message: "{{ b }}", deny: {}}`
  expect(judge(rule(text))).toEqual(['r fail: five'])
})

test('a ConfigMap is asked for, and the rule waits for it', () => {
  const policy = policyFrom(
    rule(
      'context: [{name: c, configMap: {name: "{{ request.namespace }}", namespace: x}}]\nvalidate: {message: "{{ c.data.k }}", deny: {}}',
    ),
  )
  const need = { what: 'object', apiVersion: 'v1', kind: 'ConfigMap', namespace: 'x', name: 'team-a' } as const
  expect(policy.evaluate('validate', creating(pod()), worldWith())).toMatchObject({ rules: [], needs: [need] })
  const known = worldWith([
    [need, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'team-a' }, data: { k: 'v' } }],
  ])
  expect(said(policy.evaluate('validate', creating(pod()), known))).toEqual(['r fail: v'])
})

test('an API call may need what another one answered', () => {
  const text = `context:
- {name: a, apiCall: {urlPath: /api/v1/namespaces, jmesPath: "items[0].metadata.name"}}
- {name: b, apiCall: {method: POST, urlPath: "/x/{{ a }}", data: [{key: k, value: "{{ a }}"}]}}
validate: {message: "{{ b.z }}", deny: {}}`
  const policy = policyFrom(rule(text))
  const first = { what: 'api-call', method: 'GET', path: '/api/v1/namespaces' } as const
  const second = { what: 'api-call', method: 'POST', path: '/x/n', body: { k: 'n' } } as const
  expect(policy.evaluate('validate', creating(pod()), worldWith()).needs).toEqual([first])
  const list = { items: [{ metadata: { name: 'n' } }] }
  expect(policy.evaluate('validate', creating(pod()), worldWith([[first, list]])).needs).toEqual([second])
  expect(
    said(
      policy.evaluate(
        'validate',
        creating(pod()),
        worldWith([
          [first, list],
          [second, { z: 'last' }],
        ]),
      ),
    ),
  ).toEqual(['r fail: last'])
})

test('an update of what failed before is let through, unless the rule says otherwise', () => {
  const text = (more: string): string =>
    rule(`validate: {failureAction: Enforce, ${more}message: refused, pattern: {spec: {containers: [{image: "*:2"}]}}}`)
  const update = { operation: 'UPDATE' as const, oldObject: pod() }
  expect(judge(text(''), pod(), update)).toEqual([
    'r skip: skipping the rule evaluation as pre-existing violations are allowed',
  ])
  expect(judge(text('allowExistingViolations: false, '), pod(), update)[0]).toMatch(/^r fail/)
  const better = objectFrom(JSON.stringify(pod()).replace('nginx:1.2', 'nginx:2'))
  expect(judge(text(''), pod(), { ...update, oldObject: better })[0]).toMatch(/^r fail/)
})

test('an exception takes an object out of a rule; one about controls takes out those', () => {
  const exception = (more: string): KubeObject =>
    objectFrom(
      `{apiVersion: kyverno.io/v2, kind: PolicyException, metadata: {name: e, namespace: ns}, spec: {match: {any: [{resources: {kinds: [Pod], names: [web]}}]}, exceptions: [{policyName: p, ruleNames: [r]}]${more}}}`,
    )
  expect(judge(rule('validate: {deny: {}}'), pod(), {}, worldWith([], [exception('')]))).toEqual([
    'r skip: rule is skipped due to policy exceptions ns/e',
  ])
  const privileged = objectFrom(
    JSON.stringify(pod()).replace('"image"', '"securityContext":{"privileged":true},"image"'),
  )
  const standard = rule('validate: {podSecurity: {level: baseline}}')
  expect(judge(standard, privileged)[0]).toMatch(/^r fail: .*privileged/)
  const control = exception(', podSecurity: [{controlName: Privileged Containers, images: ["nginx:*"]}]')
  expect(judge(standard, privileged, {}, worldWith([], [control]))[0]).toMatch(/^r skip/)
  expect(
    judge(
      standard,
      privileged,
      {},
      worldWith([], [exception(', conditions: {any: [{key: a, operator: Equals, value: b}]}')]),
    )[0],
  ).toMatch(/^r fail/)
})

test('One stops after the first rule that had something to say', () => {
  const rules = `${rule('validate: {deny: {}}')}\n${rule('validate: {deny: {}}').replace('name: r', 'name: s')}`
  expect(
    policyFrom(rules, '  applyRules: One\n').evaluate('validate', creating(pod()), worldWith()).rules,
  ).toHaveLength(1)
  expect(policyFrom(rules).evaluate('validate', creating(pod()), worldWith()).rules).toHaveLength(2)
})

test('actions can differ by namespace', () => {
  const text = rule(
    'validate: {failureAction: Audit, failureActionOverrides: [{action: Enforce, namespaces: ["team-*"]}], deny: {}}',
  )
  expect(policyFrom(text).evaluate('validate', creating(pod()), worldWith()).rules[0]?.action).toBe('Enforce')
  expect(
    policyFrom(text).evaluate(
      'validate',
      creating({ ...pod(), metadata: { name: 'web', namespace: 'x' } }),
      worldWith(),
    ).rules[0]?.action,
  ).toBe('Audit')
})

describe('a hostile policy is bounded and explained', () => {
  test.each<[string, string, RegExp]>([
    [
      'a variable that brings forth itself',
      'context: [{name: v, variable: {value: "x"}}]\nvalidate: {message: refused, deny: {conditions: {any: [{key: "a{{ request.object.metadata.annotations.loop }}", operator: Equals, value: b}]}}}',
      /without end|grows beyond|takes texts/,
    ],
    [
      'loops within loops',
      'validate: {message: refused, foreach: [{list: "range_list", foreach: [{list: "range_list", deny: {conditions: {any: [{key: a, operator: Equals, value: b}]}}}]}]}'.replaceAll(
        'range_list',
        'request.object.spec.many',
      ),
      /takes more than/,
    ],
    [
      'an expression that multiplies',
      'validate: {message: refused, deny: {conditions: {any: [{key: "{{ request.object.spec.many[].[@, @].[@, @].[@, @].[@, @].[@, @].[@, @].[@, @].[@, @].[@, @].[@, @].[@, @].[@, @].[@, @].[@, @] }}", operator: Equals, value: b}]}}}',
      /steps|parts|takes/,
    ],
    [
      'a pattern for a regular expression engine that backtracks',
      'validate: {message: refused, deny: {conditions: {any: [{key: "{{ regex_match(\'(a+)+$\', request.object.spec.long) }}", operator: Equals, value: true}]}}}',
      /pass|fail/,
    ],
  ])('%s', (_, text, want) => {
    const many = Array.from({ length: 2_000 }, (_unused, index) => index)
    const object = {
      ...pod(),
      spec: { many, long: `${'a'.repeat(5_000)}!` },
      metadata: {
        name: 'web',
        annotations: {
          loop: 'b{{ request.object.metadata.annotations.loop }}{{ request.object.metadata.annotations.loop }}',
        },
      },
    }
    expect(judge(rule(text), object)[0]).toMatch(want)
  })
})

describe('of images it is said, without a registry,', () => {
  const images = (text: string): readonly string[] => {
    const policy = policyFrom(
      rule(`verifyImages: [{imageReferences: ["*nginx*"], mutateDigest: false, required: false, ${text}}]`),
    )
    return said(policy.evaluate('validate', creating(pod()), worldWith()))
  }
  test.each([
    ['that a digest is missing', 'verifyDigest: true', ['r fail: missing digest for docker.io/nginx:1.2']],
    ['nothing about those that are left out', 'skipImageReferences: ["*:1.2"]', []],
    ['that they are well when nothing else is asked', 'verifyDigest: false', ['r pass: image verified']],
    [
      'that signatures are not looked at',
      'verifyDigest: false, attestors: [{count: 1}]',
      ['r skip: images are not verified: signatures and attestations are accepted and not enforced'],
    ],
  ])('%s', (_, text, want) => expect(images(text)).toEqual(want))

  test('that a rule without attestors is met by none', () => {
    const policy = policyFrom(
      rule('verifyImages: [{imageReferences: ["*"], mutateDigest: false, verifyDigest: false}]'),
    )
    expect(said(policy.evaluate('validate', creating(pod()), worldWith()))[0]).toMatch(/^r fail: unverified image/)
  })
})
