import type { KubeObject } from '../../kube/object.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import { mutatingAutogen, validatingAutogen } from './autogen.ts'
import { fieldOf, specFields } from './envelope.ts'
import type { MutatingSpec } from './mutating.ts'
import type { Named } from './parts.ts'
import type { ValidatingSpec } from './validating.ts'

/** An admission policy of the API server with its binding, made of a policy of Kyverno. */
export interface NativePair {
  readonly policy: KubeObject
  readonly binding: KubeObject
}

/** Why no admission policy is made of a policy; its author reads this in the policy's status. */
export const notNative = (message: string): Result<NativePair> =>
  fail({ code: 'policy-native-not-applicable', message: `skip generating ${message}` })

const API = 'admissionregistration.k8s.io/v1'

/** Puts a pair together: names, owner and labels are as upstream gives them. */
export function pairOf(
  source: KubeObject,
  {
    prefix,
    kind,
    spec,
    binding,
  }: { readonly prefix: string; readonly kind: string; readonly spec: object; readonly binding: object },
): NativePair {
  const name = `${prefix}-${source.metadata.name ?? ''}`
  const { apiVersion, kind: owner, metadata } = source
  const ownerReferences = [{ apiVersion, kind: owner, name: metadata.name ?? '', uid: metadata.uid ?? '' }]
  const managed = { 'app.kubernetes.io/managed-by': 'kyverno' }
  const isQuiet = metadata.labels !== undefined && Object.hasOwn(metadata.labels, 'reports.kyverno.io/disabled')
  const labels = isQuiet ? { ...managed, 'reports.kyverno.io/disabled': 'true' } : managed
  return {
    policy: { apiVersion: API, kind, metadata: { name, labels, ownerReferences }, spec },
    binding: {
      apiVersion: API,
      kind: `${kind}Binding`,
      metadata: { name: `${name}-binding`, labels: managed, ownerReferences },
      spec: { policyName: name, ...binding },
    },
  }
}

const present = (fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== undefined && !(Array.isArray(value) && value.length === 0)),
  )

interface ExceptionSpec {
  readonly matchConditions?: readonly Named[]
  readonly images?: readonly string[]
  readonly allowedValues?: readonly string[]
}

/** What exceptions spare is spared by negated conditions. */
const negated = (exceptions: readonly KubeObject[]): readonly Named[] =>
  exceptions.flatMap((exception) => {
    const { matchConditions = [] }: ExceptionSpec = specFields(exception)
    return matchConditions.map(({ name, expression }) => ({ name, expression: `!(${expression})` }))
  })

const isWanted = (object: KubeObject, name: string): boolean =>
  fieldOf(fieldOf(specFields(object)['autogen'], name), 'enabled') === true

/** The text of a list of texts. */
const listText = (texts: readonly string[]): string => `[${texts.map((text) => `'${text}'`).join(', ')}]`

function allowances(exceptions: readonly KubeObject[]): readonly Named[] {
  return exceptions.flatMap((exception) => {
    const { images = [], allowedValues = [] }: ExceptionSpec = specFields(exception)
    return [
      ...(images.length > 0 ? [{ name: 'allowedImages', expression: listText(images) }] : []),
      ...(allowedValues.length > 0 ? [{ name: 'allowedValues', expression: listText(allowedValues) }] : []),
    ]
  })
}

const withVariables = (expression: string): string =>
  expression
    .replaceAll('exceptions.allowedImages', 'variables.allowedImages')
    .replaceAll('exceptions.allowedValues', 'variables.allowedValues')

/** The ValidatingAdmissionPolicy that a ValidatingPolicy with `spec.autogen.validatingAdmissionPolicy` becomes. */
export function nativeOfValidating(object: KubeObject, exceptions: readonly KubeObject[]): Result<NativePair> {
  if (!isWanted(object, 'validatingAdmissionPolicy')) return notNative('ValidatingAdmissionPolicy: not enabled.')
  const spec: ValidatingSpec = specFields(object)
  if (validatingAutogen(spec).length > 0)
    return notNative('ValidatingAdmissionPolicy: pod controllers autogen is enabled.')
  const validations = (spec.validations ?? []).map((validation) => ({
    ...validation,
    expression: withVariables(validation.expression),
  }))
  const native = present({
    matchConstraints: spec.matchConstraints,
    variables: [...(spec.variables ?? []), ...allowances(exceptions)],
    validations,
    auditAnnotations: spec.auditAnnotations,
    matchConditions: [...(spec.matchConditions ?? []), ...negated(exceptions)],
  })
  const { validationActions = [] } = spec
  return succeed(
    pairOf(object, {
      prefix: 'vpol',
      kind: 'ValidatingAdmissionPolicy',
      spec: native,
      binding: { validationActions: validationActions.length > 0 ? validationActions : ['Deny'] },
    }),
  )
}

/** The MutatingAdmissionPolicy that a MutatingPolicy with `spec.autogen.mutatingAdmissionPolicy` becomes. */
export function nativeOfMutating(object: KubeObject, exceptions: readonly KubeObject[]): Result<NativePair> {
  if (!isWanted(object, 'mutatingAdmissionPolicy')) return notNative('MutatingAdmissionPolicy: not enabled.')
  const spec: MutatingSpec = specFields(object)
  if (spec.evaluation?.useServerSideApply === true) {
    return notNative(
      'MutatingAdmissionPolicy: useServerSideApply is enabled, which mutates atomic fields that a native MutatingAdmissionPolicy rejects.',
    )
  }
  if (mutatingAutogen(spec).length > 0) return notNative('MutatingAdmissionPolicy: pod controllers autogen is enabled.')
  const fields = specFields(object)
  const resourceRules = spec.matchConstraints?.resourceRules ?? []
  const native = present({
    matchConstraints: { resourceRules },
    matchConditions: [...negated(exceptions), ...(spec.matchConditions ?? [])],
    mutations: spec.mutations,
    variables: spec.variables,
    failurePolicy: fields['failurePolicy'],
    reinvocationPolicy: fields['reinvocationPolicy'] ?? 'Never',
  })
  return succeed(pairOf(object, { prefix: 'mpol', kind: 'MutatingAdmissionPolicy', spec: native, binding: {} }))
}
