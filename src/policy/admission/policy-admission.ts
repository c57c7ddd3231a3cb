import type { AdmissionPlugin, AdmissionRequest } from '../../kube/admission.ts'
import type { KubeObject } from '../../kube/object.ts'
import { isEqual } from '../../lib/json.ts'
import type { Problem } from '../../lib/result.ts'
import type { PolicyCatalog } from '../catalog/policy-catalog.ts'
import { cleanupKinds, exceptionKinds, globalContextKind, policyKinds } from '../catalog/policy-kinds.ts'
import { denial } from './messages.ts'

/** A check that a policy must pass to be accepted, beyond what its own language asks for. */
export type PolicyCheck = (
  policy: KubeObject,
  before: KubeObject | undefined,
) => Promise<{ readonly problems: readonly Problem[]; readonly warnings: readonly string[] }>

const kinds = [...policyKinds, ...cleanupKinds, ...exceptionKinds, globalContextKind]
const collections: ReadonlySet<string> = new Set(kinds.map(({ group, plural }) => `${plural}.${group}`))
const rules: ReadonlySet<string> = new Set(
  [...policyKinds, ...cleanupKinds].map(({ group, plural }) => `${plural}.${group}`),
)

const collectionOf = ({ resource }: AdmissionRequest): string => `${resource.plural}.${resource.group}`

/** Under which webhook's name a kind is refused. */
function webhookOf({ kind, resource }: AdmissionRequest): string {
  if (resource.plural === 'policyexceptions') {
    return resource.group === 'kyverno.io' ? 'kyverno-svc.kyverno.svc' : 'kyverno-cel-exception-validation.kyverno.svc'
  }
  if (kind.kind === 'GlobalContextEntry') return 'kyverno-svc.kyverno.svc'
  if (kind.kind.endsWith('CleanupPolicy')) return 'kyverno-cleanup-controller.kyverno.svc'
  return 'validate-policy.kyverno.svc'
}

/** Refuses policies that could not work, with what their author should change. */
export function policyAdmission(catalog: PolicyCatalog, checks: readonly PolicyCheck[]): AdmissionPlugin {
  return {
    name: 'KyvernoPolicies',
    handles: (request) =>
      (request.operation === 'CREATE' || request.operation === 'UPDATE') &&
      request.subresource === undefined &&
      collections.has(collectionOf(request)),
    async validate(request) {
      const { object, oldObject } = request
      if (!object || object.metadata.deletionTimestamp !== undefined) return { allowed: true }
      // Whoever only labels a policy that was accepted once must be able to.
      if (
        oldObject &&
        isEqual(object['spec'], oldObject['spec']) &&
        isEqual(object.metadata.annotations, oldObject.metadata.annotations)
      ) {
        return { allowed: true }
      }
      const family = rules.has(collectionOf(request)) ? catalog.familyOf(object) : undefined
      const problems: Problem[] = [...(family?.lint(object) ?? [])]
      const warnings: string[] = []
      if (family && problems.length === 0) {
        const compiled = family.compile(object)
        if (compiled.ok) warnings.push(...compiled.value.warnings.map(({ message }) => message))
        else problems.push(...compiled.error)
      }
      for (const check of problems.length === 0 ? checks : []) {
        const found = await check(object, oldObject)
        problems.push(...found.problems)
        warnings.push(...found.warnings)
      }
      if (problems.length === 0) return { allowed: true, ...(warnings.length > 0 ? { warnings } : {}) }
      const told = problems.map(textOf)
      // Problems of policies in CEL are warnings too, as upstream tells them.
      const isCel = family !== undefined && object.apiVersion.startsWith('policies.kyverno.io/')
      const status = denial(webhookOf(request), told.join('; '))
      return { allowed: false, status, warnings: isCel ? [...warnings, ...told] : warnings }
    },
  }
}

const textOf = ({ at, message }: Problem): string =>
  at === undefined || at === '' || message.startsWith(at) ? message : `${at}: ${message}`
