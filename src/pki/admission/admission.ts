import type { AdmissionPlugin, AdmissionRequest, UserInfo, Verdict } from '../../kube/admission.ts'
import type { Client } from '../../kube/client.ts'
import type { KubeObject } from '../../kube/object.ts'
import { type FieldError, invalidStatus } from '../../kube/schema/field-error.ts'
import { failure } from '../../kube/status.ts'
import { isObject } from '../../lib/json.ts'
import { GROUP, issuerGroup, issuerKind, parseCertificate, parseIssuer, parseRequest } from '../objects.ts'
import { signerNames } from '../signer-names.ts'
import { checkCertificate } from './check-certificate.ts'
import { checkIssuer } from './check-issuer.ts'
import { checkRequest, checkRequestUpdate, isDecision } from './check-request.ts'

export interface AdmissionPorts {
  /** A way to the cluster in somebody's name; without it, nobody is asked whether they may approve. */
  readonly clientAs?: (user: UserInfo) => Client
}

const isAbout = ({ resource, operation }: AdmissionRequest, ...plurals: readonly string[]): boolean =>
  resource.group === GROUP && plurals.includes(resource.plural) && (operation === 'CREATE' || operation === 'UPDATE')

/** The rules of cert-manager's webhook for what may be written. */
export function pkiAdmission(ports: AdmissionPorts): readonly AdmissionPlugin[] {
  return [requesterIdentity, objectRules, ...(ports.clientAs ? [approvalPermission(ports.clientAs)] : [])]
}

/** Writes into a new CertificateRequest who asks for it, whatever the asker says. */
const requesterIdentity: AdmissionPlugin = {
  name: 'CertificateRequestIdentity',
  handles: (request) =>
    isAbout(request, 'certificaterequests') && request.operation === 'CREATE' && request.subresource === undefined,
  mutate({ object, user }) {
    if (!object) return Promise.resolve({ allowed: true })
    const spec: Readonly<Record<string, unknown>> = isObject(object['spec']) ? object['spec'] : {}
    const { username: _name, uid: _uid, groups: _groups, extra: _extra, ...asked } = spec
    const asker = {
      username: user.username,
      groups: user.groups,
      ...(user.uid === undefined ? {} : { uid: user.uid }),
      ...(user.extra && Object.keys(user.extra).length > 0 ? { extra: user.extra } : {}),
    }
    return Promise.resolve({ allowed: true, object: { ...object, spec: { ...asked, ...asker } } })
  },
}

const objectRules: AdmissionPlugin = {
  name: 'CertManagerValidation',
  handles: (request) =>
    isAbout(request, 'certificates', 'certificaterequests', 'issuers', 'clusterissuers') &&
    (request.subresource === undefined || request.resource.plural === 'certificaterequests'),
  validate(request) {
    const { object } = request
    const problems = object ? problemsOf(request, object) : []
    return Promise.resolve<Verdict>(
      problems.length === 0
        ? { allowed: true }
        : { allowed: false, status: invalidStatus(request.kind, request.name, problems) },
    )
  },
}

function problemsOf({ resource, oldObject }: AdmissionRequest, object: KubeObject): readonly FieldError[] {
  // What is on its way out may still lose its finalizers, whatever it says.
  if (object.metadata.deletionTimestamp !== undefined) return []
  if (resource.plural === 'certificates') return checkCertificate(parseCertificate(object).spec)
  if (resource.plural !== 'certificaterequests') return checkIssuer(parseIssuer(object).spec)
  return oldObject
    ? checkRequestUpdate(parseRequest(oldObject), parseRequest(object))
    : checkRequest(parseRequest(object))
}

/** Lets only those approve or deny who may `approve` the `signers` that a request names. */
function approvalPermission(clientAs: (user: UserInfo) => Client): AdmissionPlugin {
  return {
    name: 'CertificateRequestApproval',
    handles: (request) =>
      isAbout(request, 'certificaterequests') && request.operation === 'UPDATE' && request.subresource === 'status',
    async validate({ object, oldObject, user }, signal) {
      if (!object || !oldObject) return { allowed: true }
      const request = parseRequest(object)
      if (!isDecision(parseRequest(oldObject), request)) return { allowed: true }
      for (const name of signerNames(request)) {
        const answer = await clientAs(user).create(
          { resource: { group: 'authorization.k8s.io', version: 'v1', plural: 'selfsubjectaccessreviews' } },
          {
            apiVersion: 'authorization.k8s.io/v1',
            kind: 'SelfSubjectAccessReview',
            spec: { resourceAttributes: { group: GROUP, resource: 'signers', verb: 'approve', name } },
          },
          { signal },
        )
        const status: unknown = answer.ok ? answer.value['status'] : undefined
        if (isObject(status) && status['allowed'] === true) return { allowed: true }
      }
      const { name } = request.spec.issuerRef
      const issuer = `${issuerKind(request.spec.issuerRef)}.${issuerGroup(request.spec.issuerRef)}/${name}`
      const message = `status.conditions: Forbidden: user ${JSON.stringify(user.username)} does not have permissions to set approved/denied conditions for issuer ${issuer}`
      return { allowed: false, status: failure('Forbidden', message) }
    },
  }
}
