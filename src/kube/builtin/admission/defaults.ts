import { absent, all, type FillTable, zero } from '../defaulting.ts'

// Semantics: kubernetes 1.36, pkg/apis/admissionregistration/v1/defaults.go.

const matching = { matchPolicy: 'Equivalent', namespaceSelector: {}, objectSelector: {} } as const
const webhook = absent({ failurePolicy: 'Fail', timeoutSeconds: 10, ...matching })
const rule = zero({ scope: '*' })

const admission = (kind: string): readonly string[] =>
  ['v1', 'v1beta1', 'v1alpha1'].map((version) => `io.k8s.api.admissionregistration.${version}.${kind}`)
const inEveryVersion = (kind: string, fill: FillTable[string]): FillTable =>
  Object.fromEntries(admission(kind).flatMap((name) => (fill ? [[name, fill]] : [])))

/** Defaults of the admission registration group by type. */
export const admissionDefaults: FillTable = {
  ...inEveryVersion('MutatingWebhook', all(webhook, absent({ reinvocationPolicy: 'Never' }))),
  ...inEveryVersion('ValidatingWebhook', webhook),
  ...inEveryVersion('ServiceReference', absent({ port: 443 })),
  ...inEveryVersion('RuleWithOperations', rule),
  ...inEveryVersion('NamedRuleWithOperations', rule),
  ...inEveryVersion('MatchResources', absent(matching)),
  ...inEveryVersion('ValidatingAdmissionPolicySpec', absent({ failurePolicy: 'Fail' })),
  ...inEveryVersion('MutatingAdmissionPolicySpec', absent({ failurePolicy: 'Fail' })),
}
