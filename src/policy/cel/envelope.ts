import type { KubeObject } from '../../kube/object.ts'
import { isObject, own } from '../../lib/json.ts'
import type { CompiledPolicy, Phase, PolicyWorld } from '../engine/compiled-policy.ts'
import type { PolicyRequest } from '../engine/policy-request.ts'
import type { PolicyIdentity, PolicyResponse } from '../engine/rule-response.ts'

type Fields = Readonly<Record<string, unknown>>

/** Which policy an object is. */
export function identityOf({ apiVersion, kind, metadata: { name = '', namespace } }: KubeObject): PolicyIdentity {
  return { apiVersion, kind, name, ...(namespace === undefined || namespace === '' ? {} : { namespace }) }
}

/** A field of an object, or undefined where there is no object. */
export const fieldOf = (value: unknown, name: string): unknown => (isObject(value) ? own(value, name) : undefined)

/** The spec of an object, empty when it has none. */
export const specFields = (object: KubeObject): Fields => (isObject(object['spec']) ? object['spec'] : {})

/** `spec.evaluation.<name>.enabled`, or what holds where it is not said. */
export function isEnabled(spec: Fields, name: string, otherwise: boolean): boolean {
  const enabled = fieldOf(fieldOf(spec['evaluation'], name), 'enabled')
  return typeof enabled === 'boolean' ? enabled : otherwise
}

/** `spec.failurePolicy`; requests fail with the policy unless it says otherwise. */
export const failurePolicyOf = (spec: Fields): 'Fail' | 'Ignore' =>
  spec['failurePolicy'] === 'Ignore' ? 'Ignore' : 'Fail'

/** What every kind of policy says of itself, read from its object. */
export function envelopeOf(
  object: KubeObject,
): Pick<CompiledPolicy, 'identity' | 'source' | 'isAdmission' | 'isBackground' | 'failurePolicy'> {
  const spec = specFields(object)
  return {
    identity: identityOf(object),
    source: object,
    isAdmission: isEnabled(spec, 'admission', true),
    isBackground: isEnabled(spec, 'background', true),
    failurePolicy: failurePolicyOf(spec),
  }
}

/** How a kind of policy answers the phases it knows. */
export type Answer = (
  phase: Phase,
  request: PolicyRequest,
  world: PolicyWorld,
) => Omit<PolicyResponse, 'policy'> | undefined

/** Makes a policy of its parts; a phase without an answer has no rules. */
export function policyOf(
  parts: Omit<CompiledPolicy, 'evaluate' | 'warnings'> & { readonly warnings?: CompiledPolicy['warnings'] },
  answer: Answer,
): CompiledPolicy {
  const { identity, phases } = parts
  const nothing: PolicyResponse = { policy: identity, rules: [], needs: [] }
  return {
    warnings: [],
    ...parts,
    evaluate(phase, request, world) {
      if (!phases.has(phase)) return nothing
      const answered = answer(phase, request, world)
      return answered ? { policy: identity, ...answered } : nothing
    },
  }
}
