import { isControlledBy, controllerOf } from '../../kube/owner.ts'
import type { KubeObject } from '../../kube/object.ts'
import { isEqual } from '../../lib/json.ts'
import type { Result } from '../../lib/result.ts'
import { isAddress } from '../addresses.ts'
import { said } from '../certificate/checks.ts'
import type { Certificate, CertificateSpec, IssuerRef } from '../objects.ts'
import { usualUsages } from '../x509/usages.ts'
import { withAnnotations } from './annotations.ts'
import { gatewaySecrets } from './gateway.ts'
import { ingressSecrets } from './ingress.ts'

/** The Secrets that an object wants certificates in, with the hosts of each; and what was passed over, and why. */
export interface WantedSecrets {
  readonly hosts: ReadonlyMap<string, readonly string[]>
  /** All Secrets that are named, also by parts that were passed over: their Certificates stay. */
  readonly named: ReadonlySet<string>
  readonly skipped: readonly string[]
  /** Why nothing is done at all. */
  readonly refused?: string
}

export interface Observed {
  readonly object: KubeObject
  /** The Certificates of its namespace. */
  readonly certificates: readonly Certificate[]
}

type CertificateBody = Pick<Certificate, 'apiVersion' | 'kind' | 'metadata' | 'spec'>

export type Step =
  | { readonly do: 'create'; readonly certificate: CertificateBody; readonly because: string }
  | {
      readonly do: 'update'
      readonly before: Certificate
      readonly certificate: CertificateBody
      readonly because: string
    }
  | { readonly do: 'delete'; readonly name: string; readonly because: string }
  | { readonly do: 'warn'; readonly because: string }

const ISSUER = 'cert-manager.io/issuer'
const CLUSTER_ISSUER = 'cert-manager.io/cluster-issuer'

const annotationsOf = ({ metadata }: KubeObject): Readonly<Record<string, string>> => metadata.annotations ?? {}

/** Whether an object asks for certificates at all. */
export const isAsking = (object: KubeObject): boolean =>
  Object.hasOwn(annotationsOf(object), ISSUER) || Object.hasOwn(annotationsOf(object), CLUSTER_ISSUER)

/** What becomes of the Certificates of an Ingress or a Gateway. */
export function planShim({ object, certificates }: Observed): readonly Step[] {
  const { metadata } = object
  if (!isAsking(object)) return []
  if (metadata.deletionTimestamp !== undefined || metadata.finalizers?.includes('foregroundDeletion')) return []
  const issuer = issuerOf(annotationsOf(object))
  if (typeof issuer === 'string') {
    return [warn(`Could not determine issuer for ingress due to bad annotations: ${issuer}`)]
  }
  const wanted = object.kind === 'Gateway' ? gatewaySecrets(object) : ingressSecrets(object)
  if (wanted.refused !== undefined) return [warn(wanted.refused)]
  const steps: Step[] = wanted.skipped.map(warn)
  for (const [name, hosts] of wanted.hosts) {
    const spec = specOf(object, name, hosts, issuer)
    // One annotation that is wrong spoils all.
    if (!spec.ok) return [...steps, warn(said(spec.error))]
    steps.push(...stepsFor(object, name, spec.value, certificates))
  }
  const unused = certificates.filter(
    (certificate) => isControlledBy(certificate, object) && !wanted.named.has(certificate.spec.secretName),
  )
  return [
    ...steps,
    ...unused.map(
      (certificate) =>
        ({
          do: 'delete',
          name: certificate.metadata.name ?? '',
          because: `Successfully deleted unrequired Certificate ${JSON.stringify(certificate.metadata.name ?? '')}`,
        }) as const,
    ),
  ]
}

const warn = (because: string): Step => ({ do: 'warn', because })

function issuerOf(annotations: Readonly<Record<string, string>>): IssuerRef | string {
  const value = (name: string): string | undefined => (Object.hasOwn(annotations, name) ? annotations[name] : undefined)
  const [own, cluster] = [value(ISSUER), value(CLUSTER_ISSUER)]
  const [kind, group] = [value('cert-manager.io/issuer-kind'), value('cert-manager.io/issuer-group')]
  const both = (a: string, b: string): string => `both ${JSON.stringify(a)} and ${JSON.stringify(b)} may not be set`
  const name = cluster ?? own ?? ''
  const problems = [
    ...(name === '' ? ['failed to determine issuer name to be used for ingress resource'] : []),
    ...(own !== undefined && cluster !== undefined ? [both(ISSUER, CLUSTER_ISSUER)] : []),
    ...(cluster !== undefined && group !== undefined ? [both(CLUSTER_ISSUER, 'cert-manager.io/issuer-group')] : []),
    ...(cluster !== undefined && kind !== undefined ? [both(CLUSTER_ISSUER, 'cert-manager.io/issuer-kind')] : []),
  ]
  if (problems.length > 0) return problems.join(', ')
  return { name, kind: kind ?? (cluster === undefined ? 'Issuer' : 'ClusterIssuer'), group: group ?? 'cert-manager.io' }
}

function specOf(
  object: KubeObject,
  secretName: string,
  hosts: readonly string[],
  issuerRef: IssuerRef,
): Result<CertificateSpec> {
  const distinct = [...new Set(hosts)]
  const [names, addresses] = [distinct.filter((host) => !isAddress(host)), distinct.filter(isAddress)]
  return withAnnotations(
    {
      secretName,
      issuerRef,
      ...(names.length > 0 ? { dnsNames: names } : {}),
      ...(addresses.length > 0 ? { ipAddresses: addresses } : {}),
      usages: usualUsages,
    },
    annotationsOf(object),
  )
}

/** A label that says which ApplySet an object belongs to; its Certificates do not. */
const APPLYSET = 'applyset.kubernetes.io/part-of'

/** Annotations that say how challenges are answered in place of the issuer's way. */
function solverAnnotations(object: KubeObject): Readonly<Record<string, string>> {
  const given = annotationsOf(object)
  const has = (name: string): boolean => Object.hasOwn(given, name) && given[name] !== ''
  return {
    ...(given['acme.cert-manager.io/http01-edit-in-place'] === 'true'
      ? {
          'acme.cert-manager.io/http01-override-ingress-name': object.metadata.name ?? '',
          'cert-manager.io/issue-temporary-certificate': 'true',
        }
      : {}),
    ...(has('acme.cert-manager.io/http01-ingress-class')
      ? {
          'acme.cert-manager.io/http01-override-ingress-class':
            given['acme.cert-manager.io/http01-ingress-class'] ?? '',
        }
      : {}),
    ...(has('acme.cert-manager.io/http01-ingress-ingressclassname')
      ? {
          'acme.cert-manager.io/http01-override-ingress-ingressclassname':
            given['acme.cert-manager.io/http01-ingress-ingressclassname'] ?? '',
        }
      : {}),
    ...(object.kind === 'Gateway'
      ? {
          'acme.cert-manager.io/http01-parentrefkind': 'Gateway',
          'acme.cert-manager.io/http01-parentrefname': object.metadata.name ?? '',
        }
      : {}),
  }
}

function stepsFor(
  object: KubeObject,
  name: string,
  spec: CertificateSpec,
  certificates: readonly Certificate[],
): readonly Step[] {
  const { [APPLYSET]: _own, ...labels } = object.metadata.labels ?? {}
  const annotations = solverAnnotations(object)
  const namespace = object.metadata.namespace ?? ''
  const before = certificates.find(({ metadata }) => metadata.name === name)
  const certificate: CertificateBody = {
    apiVersion: 'cert-manager.io/v1',
    kind: 'Certificate',
    metadata: {
      name,
      namespace,
      ...(Object.keys(labels).length > 0 ? { labels } : {}),
      ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
      ownerReferences: [
        {
          apiVersion: object.apiVersion,
          kind: object.kind,
          name: object.metadata.name ?? '',
          uid: object.metadata.uid ?? '',
          controller: true,
          blockOwnerDeletion: true,
        },
      ],
    },
    spec,
  }
  if (!before) {
    return [{ do: 'create', certificate, because: `Successfully created Certificate ${JSON.stringify(name)}` }]
  }
  if (!controllerOf(before) || !isControlledBy(before, object) || !isOutdated(before, certificate)) return []
  return [{ do: 'update', before, certificate, because: `Successfully updated Certificate ${JSON.stringify(name)}` }]
}

/** What an Ingress or a Gateway decides of a Certificate; what a user added to it beside that is left alone. */
const decided = [
  'commonName',
  'dnsNames',
  'ipAddresses',
  'emailAddresses',
  'subject',
  'secretName',
  'issuerRef',
  'revisionHistoryLimit',
  'privateKey',
  'duration',
  'renewBefore',
  'renewBeforePercentage',
  'usages',
  'secretTemplate',
] as const

function isOutdated(before: Certificate, { metadata, spec }: CertificateBody): boolean {
  return (
    !isEqual(before.metadata.labels ?? {}, metadata.labels ?? {}) ||
    decided.some((field) => !isEqual(before.spec[field] ?? null, spec[field] ?? null))
  )
}
