import type { AdmissionPlugin } from '../../kube/admission.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Ids } from '../../lib/ids.ts'
import type { RbacAuthorizer } from '../auth/authorizer.ts'
import { certificateRequester } from './certificate-requester.ts'
import { claimResize } from './claim-resize.ts'
import type { ClusterReader } from './cluster-reader.ts'
import { defaultTolerations } from './default-tolerations.ts'
import { limitRanger } from './limit-ranger.ts'
import { namespaceLifecycle } from './namespace-lifecycle.ts'
import { podSecurity } from './pod-security.ts'
import { priority } from './priority.ts'
import { rbacEscalation } from './rbac-escalation.ts'
import { mutatingAdmissionPolicies } from './policies/mutating.ts'
import { type PolicyPorts, validatingAdmissionPolicies, webhookConditions } from './policies/plugin.ts'
import { type QuotaPorts, resourceQuota } from './resource-quota.ts'
import { mutatingWebhooks, validatingWebhooks, type WebhookPorts } from './webhooks/webhooks.ts'
import { serviceAccount } from './service-account.ts'
import { serviceAddresses } from './service-addresses.ts'
import { defaultIngressClass, defaultStorageClass, storageProtection } from './storage-defaults.ts'

/** What the chain is built from. */
export interface ChainPorts {
  readonly reader: ClusterReader
  readonly clock: Clock
  readonly ids: Ids
  readonly authorizer: RbacAuthorizer
  readonly quota: Pick<QuotaPorts, 'counted' | 'commit'>
  /** The kinds that parameters of policies may be of. */
  readonly findResource: PolicyPorts['find']
  readonly schemaOf: NonNullable<PolicyPorts['schemaOf']>
  readonly callWebhook: WebhookPorts['call']
  /** Policies of features: they see what the built-in plugins made of the object. */
  readonly features: readonly AdmissionPlugin[]
}

/** The order in which a write is changed, and then judged. Quotas are last: they take what the others have let through. */
export function admissionChain({
  reader,
  clock,
  ids,
  authorizer,
  quota,
  findResource,
  schemaOf,
  callWebhook,
  features,
}: ChainPorts): readonly AdmissionPlugin[] {
  const policies = { reader, authorizer: authorizer.authorize, find: findResource, schemaOf }
  const webhooks = { reader, call: callWebhook, conditionsHold: webhookConditions(policies) }
  return [
    namespaceLifecycle(reader),
    rbacEscalation(reader, authorizer),
    limitRanger(reader),
    serviceAccount(reader, ids),
    podSecurity(reader),
    priority(reader),
    defaultTolerations,
    storageProtection,
    defaultStorageClass(reader),
    defaultIngressClass(reader),
    claimResize(reader),
    serviceAddresses(reader, () => clock.now()),
    certificateRequester,
    ...features,
    mutatingAdmissionPolicies(policies),
    mutatingWebhooks(webhooks),
    validatingAdmissionPolicies(policies),
    validatingWebhooks(webhooks),
    resourceQuota({ reader, clock, ...quota }),
  ]
}
