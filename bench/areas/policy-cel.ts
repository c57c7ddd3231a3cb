import { compileCelPolicy } from '../../src/policy/cel/cel-family.ts'
import type { PolicyWorld } from '../../src/policy/engine/compiled-policy.ts'
import { noFacts } from '../../src/policy/engine/fact.ts'
import { nobody, type PolicyRequest } from '../../src/policy/engine/policy-request.ts'
import { systemIds } from '../../src/lib/ids.ts'
import { type Figure, perSecond } from '../figure.ts'

const constraints = {
  resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['pods'] }],
}
const every = 'object.spec.containers + object.spec.?initContainers.orValue([])'
const validating = {
  apiVersion: 'policies.kyverno.io/v1',
  kind: 'ValidatingPolicy',
  metadata: { name: 'containers' },
  spec: {
    matchConstraints: constraints,
    variables: [{ name: 'every', expression: every }],
    validations: [
      { expression: "variables.every.all(c, c.image.contains(':') && !c.image.endsWith(':latest'))", message: 'tag' },
      { expression: 'variables.every.all(c, has(c.resources) && has(c.resources.limits))', message: 'limits' },
    ],
  },
}
const mutating = {
  apiVersion: 'policies.kyverno.io/v1',
  kind: 'MutatingPolicy',
  metadata: { name: 'label' },
  spec: {
    matchConstraints: constraints,
    mutations: [
      {
        patchType: 'ApplyConfiguration',
        applyConfiguration: {
          expression: 'Object{metadata: Object.metadata{labels: {"team": object.metadata.namespace}}}',
        },
      },
    ],
  },
}

const container = (index: number): object => ({
  name: `c${index}`,
  image: `registry.example.com/team/app-${index}:1.2.${index}`,
  resources: { limits: { cpu: '500m', memory: '256Mi' } },
})
const object = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', namespace: 'shop', labels: { app: 'web' } },
  spec: { containers: [0, 1].map(container) },
}
const request: PolicyRequest = {
  source: 'admission',
  operation: 'CREATE',
  kind: { group: '', version: 'v1', kind: 'Pod' },
  name: 'web',
  namespace: 'shop',
  object,
  user: nobody,
}
const world: PolicyWorld = { facts: noFacts, exceptions: [], now: () => 0, ids: systemIds }

/** Evaluations and compilations a second of typical policies that are written in CEL, for a Pod. */
export function celPolicyFigures(report: (figure: Figure) => void): void {
  for (const [policy, phase] of [
    [validating, 'validate'],
    [mutating, 'mutate'],
  ] as const) {
    const compiled = compileCelPolicy(policy)
    if (!compiled.ok) throw new Error(`cannot compile ${policy.kind}: ${compiled.error[0]?.message}`)
    const { rules } = compiled.value.evaluate(phase, request, world)
    if (rules[0]?.verdict !== 'pass') throw new Error(`${policy.kind} says ${rules[0]?.message}`)
    const evaluate = (): unknown => compiled.value.evaluate(phase, request, world)
    report({ name: `${policy.kind} on a Pod`, value: perSecond(evaluate), unit: 'evaluations/s' })
    report({ name: `${policy.kind} compiled`, value: perSecond(() => compileCelPolicy(policy)), unit: 'policies/s' })
  }
}
