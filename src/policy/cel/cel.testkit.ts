import type { KubeObject } from '../../kube/object.ts'
import { gvkOf } from '../../kube/gvk.ts'
import { builtinSchemas } from '../../kube/schema/builtin.ts'
import { readData } from '../../lib/data-file.ts'
import { seededIds } from '../../lib/ids.ts'
import type { Json } from '../../lib/json.ts'
import { explain, succeed } from '../../lib/result.ts'
import { parseYaml } from '../../lib/yaml.ts'
import type { CompiledPolicy, Phase, PolicyWorld } from '../engine/compiled-policy.ts'
import { type FactNeed, keyOfNeed } from '../engine/fact.ts'
import { nobody, type PolicyRequest } from '../engine/policy-request.ts'
import type { PolicyResponse } from '../engine/rule-response.ts'
import { compileCelPolicy } from './cel-family.ts'

const schemas = builtinSchemas(readData)

/** An object from YAML. */
export function objectOf(text: string): KubeObject {
  const read = parseYaml(text)
  if (!read.ok) throw new Error(read.error.map(explain).join('; '))
  // Tests write objects.
  return read.value as KubeObject
}

/** A compiled policy from YAML; a policy that does not compile fails the test. */
export function policyFrom(text: string): CompiledPolicy {
  const compiled = compileCelPolicy(objectOf(text))
  if (!compiled.ok) throw new Error(compiled.error.map(explain).join('; '))
  return compiled.value
}

/** A world that knows these facts. */
export function worldOf(
  facts: readonly (readonly [FactNeed, Json])[] = [],
  exceptions: readonly KubeObject[] = [],
): PolicyWorld {
  return {
    facts: new Map(facts.map(([need, value]) => [keyOfNeed(need), succeed(value)])),
    exceptions,
    now: () => Date.UTC(2026, 0, 2, 3, 4, 5),
    ids: seededIds(1),
    schemaOf: (kind) => schemas.schemaOf(kind),
  }
}

/** The creation of an object. */
export function creating(object: KubeObject, more: Partial<PolicyRequest> = {}): PolicyRequest {
  const { name = '', namespace } = object.metadata
  return {
    source: 'offline',
    operation: 'CREATE',
    kind: gvkOf(object),
    name,
    ...(namespace === undefined ? {} : { namespace }),
    object,
    user: nobody,
    ...more,
  }
}

/** What a policy says, in short: `verdict: message` for each rule. */
export const said = ({ rules }: PolicyResponse): readonly string[] =>
  rules.map(({ verdict, message }) => `${verdict}: ${message}`)

/** What a policy says about the creation of an object. */
export function ask(
  policy: CompiledPolicy,
  object: KubeObject,
  world: PolicyWorld = worldOf(),
  phase: Phase = 'validate',
): PolicyResponse {
  return policy.evaluate(phase, creating(object), world)
}
