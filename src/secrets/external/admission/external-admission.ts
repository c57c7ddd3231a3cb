import type { AdmissionPlugin, AdmissionRequest, Verdict } from '../../../kube/admission.ts'
import { failure } from '../../../kube/status.ts'
import type { KubeObject } from '../../../kube/object.ts'
import { fieldsOf } from '../../../lib/fields.ts'
import { ClusterExternalSecretKind, ClusterSecretStoreKind, ExternalSecretKind, SecretStoreKind } from '../kinds.ts'
import { parseSpec } from '../spec/external-secret.ts'
import { parseSecretStore } from '../spec/secret-store.ts'
import { problemsOfStore } from '../stores/validate-store.ts'
import { externalSecretProblems, externalSecretWarnings } from './external-secret-problems.ts'

interface Findings {
  readonly errors: readonly string[]
  readonly warnings: readonly string[]
}

/** What is looked at, by kind: as the webhooks of External Secrets do (1.x). */
const judges: ReadonlyMap<string, (object: KubeObject) => Findings> = new Map([
  [ExternalSecretKind.kind, (object) => ofSpec(parseSpec(fieldsOf(object, 'spec')))],
  [
    ClusterExternalSecretKind.kind,
    (object) => ofSpec(parseSpec(fieldsOf(fieldsOf(object, 'spec'), 'externalSecretSpec'))),
  ],
  [SecretStoreKind.kind, ofStore],
  [ClusterSecretStoreKind.kind, ofStore],
])

const ofSpec = (spec: Parameters<typeof externalSecretProblems>[0]): Findings => ({
  errors: externalSecretProblems(spec),
  warnings: externalSecretWarnings(spec),
})

function ofStore(object: KubeObject): Findings {
  return problemsOfStore(parseSecretStore(object))
}

/** Refuses stores and ExternalSecrets that cannot work, and warns of what is accepted and not supported. */
export function externalAdmission(): AdmissionPlugin {
  return {
    name: 'ExternalSecrets',
    handles: ({ operation, kind, subresource }) =>
      (operation === 'CREATE' || operation === 'UPDATE') &&
      kind.group === ExternalSecretKind.group &&
      subresource === undefined &&
      judges.has(kind.kind),
    validate: (request) => Promise.resolve(verdict(request)),
  }
}

function verdict({ object, kind, name }: AdmissionRequest): Verdict {
  const findings = object ? judges.get(kind.kind)?.(object) : undefined
  if (!findings || object?.metadata.deletionTimestamp !== undefined) return { allowed: true }
  const { errors, warnings } = findings
  if (errors.length === 0) return warnings.length === 0 ? { allowed: true } : { allowed: true, warnings }
  const message = `admission webhook "validate.${kind.kind.toLowerCase()}.external-secrets.io" denied the request: ${errors.join('\n')}`
  return {
    allowed: false,
    status: failure('Forbidden', message, { name, group: kind.group, kind: kind.kind }),
    warnings,
  }
}
