import type { Condition } from '../kube/condition.ts'
import type { ResourceId } from '../kube/gvk.ts'
import type { KubeObject, ObjectMeta } from '../kube/object.ts'
import { millisecondsOf, parseDuration } from '../lib/duration.ts'
import type { KeyAlgorithm, KeyEncoding } from './x509/keys.ts'
import type { NameConstraints } from './x509/extensions.ts'
import type { OtherName } from './x509/general-names.ts'
import type { Subject } from './x509/names.ts'

export const GROUP = 'cert-manager.io'
export const API_VERSION = 'cert-manager.io/v1'

const ours = (plural: string): ResourceId => ({ group: GROUP, version: 'v1', plural })

export const certificates: ResourceId = ours('certificates')
export const certificateRequests: ResourceId = ours('certificaterequests')
export const issuers: ResourceId = ours('issuers')
export const clusterIssuers: ResourceId = ours('clusterissuers')
export const secrets: ResourceId = { group: '', version: 'v1', plural: 'secrets' }

/** The namespace that Secrets of ClusterIssuers are in. */
export const CLUSTER_RESOURCES = 'cert-manager'

/** Annotations and labels, by what they say. */
export const annotation = {
  certificateName: 'cert-manager.io/certificate-name',
  issuerName: 'cert-manager.io/issuer-name',
  issuerKind: 'cert-manager.io/issuer-kind',
  issuerGroup: 'cert-manager.io/issuer-group',
  revision: 'cert-manager.io/certificate-revision',
  privateKeySecret: 'cert-manager.io/private-key-secret-name',
  temporary: 'cert-manager.io/issue-temporary-certificate',
} as const
export const label = {
  ours: 'controller.cert-manager.io/fao',
  nextPrivateKey: 'cert-manager.io/next-private-key',
} as const

/** Which issuer is meant; the usual kind is Issuer, the usual group ours. */
export interface IssuerRef {
  readonly name: string
  readonly kind?: string
  readonly group?: string
}

export const issuerKind = ({ kind }: Pick<IssuerRef, 'kind'>): string => kind || 'Issuer'
export const issuerGroup = ({ group }: Pick<IssuerRef, 'group'>): string => group || GROUP

/** Whether two references mean the same issuer. */
export const isSameIssuer = (a: IssuerRef, b: IssuerRef): boolean =>
  a.name === b.name && issuerKind(a) === issuerKind(b) && issuerGroup(a) === issuerGroup(b)

/** Where a text lies in a Secret. */
export interface SecretKeyRef {
  readonly name?: string
  readonly key?: string
}

export interface Keystore {
  readonly create: boolean
  readonly alias?: string
  readonly profile?: string
  readonly passwordSecretRef?: SecretKeyRef
  readonly password?: string
}

export interface RenewalWindow {
  readonly cron: string
  readonly windowDuration: string
  readonly timezone?: string
}

export interface CertificateSpec {
  readonly secretName: string
  readonly issuerRef: IssuerRef
  readonly subject?: Omit<Subject, 'commonName'>
  readonly commonName?: string
  readonly literalSubject?: string
  readonly dnsNames?: readonly string[]
  readonly ipAddresses?: readonly string[]
  readonly uris?: readonly string[]
  readonly emailAddresses?: readonly string[]
  readonly otherNames?: readonly OtherName[]
  readonly usages?: readonly string[]
  readonly isCA?: boolean
  readonly nameConstraints?: NameConstraints
  readonly privateKey?: {
    readonly algorithm?: KeyAlgorithm
    readonly size?: number
    readonly encoding?: KeyEncoding
    readonly rotationPolicy?: 'Always' | 'Never'
  }
  readonly signatureAlgorithm?: string
  readonly encodeUsagesInRequest?: boolean
  readonly duration?: string
  readonly renewBefore?: string
  readonly renewBeforePercentage?: number
  readonly renewal?: { readonly policy?: 'RenewBefore' | 'Disabled'; readonly windows?: readonly RenewalWindow[] }
  readonly revisionHistoryLimit?: number
  readonly keystores?: { readonly jks?: Keystore; readonly pkcs12?: Keystore }
  readonly secretTemplate?: {
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
  readonly additionalOutputFormats?: readonly { readonly type: 'DER' | 'CombinedPEM' }[]
}

export interface CertificateStatus {
  readonly conditions?: readonly Condition[]
  readonly lastFailureTime?: string
  readonly failedIssuanceAttempts?: number
  readonly notBefore?: string
  readonly notAfter?: string
  readonly renewalTime?: string
  readonly revision?: number
  readonly nextPrivateKeySecretName?: string
}

export interface Certificate extends KubeObject {
  readonly spec: CertificateSpec
  readonly status?: CertificateStatus
}

export interface RequestSpec {
  /** Base64 of PEM. */
  readonly request: string
  readonly issuerRef: IssuerRef
  readonly duration?: string
  readonly isCA?: boolean
  readonly usages?: readonly string[]
  readonly username?: string
}

export interface RequestStatus {
  readonly conditions?: readonly Condition[]
  /** Base64 of PEM, both. */
  readonly certificate?: string
  readonly ca?: string
  readonly failureTime?: string
}

export interface CertificateRequest extends KubeObject {
  readonly spec: RequestSpec
  readonly status?: RequestStatus
}

export interface VaultAuth {
  readonly tokenSecretRef?: SecretKeyRef
  readonly appRole?: { readonly path?: string; readonly roleId?: string; readonly secretRef?: SecretKeyRef }
  readonly clientCertificate?: { readonly mountPath?: string; readonly secretName?: string; readonly name?: string }
  readonly kubernetes?: {
    readonly mountPath?: string
    readonly role?: string
    readonly secretRef?: SecretKeyRef
    readonly serviceAccountRef?: { readonly name?: string; readonly audiences?: readonly string[] }
  }
  readonly aws?: object
}

export interface VaultIssuer {
  readonly server?: string
  readonly path?: string
  readonly namespace?: string
  readonly serverName?: string
  readonly caBundle?: string
  readonly caBundleSecretRef?: SecretKeyRef
  readonly clientCertSecretRef?: SecretKeyRef
  readonly clientKeySecretRef?: SecretKeyRef
  readonly auth?: VaultAuth
}

export interface IssuerSpec {
  readonly selfSigned?: { readonly crlDistributionPoints?: readonly string[] }
  readonly ca?: {
    readonly secretName?: string
    readonly crlDistributionPoints?: readonly string[]
    readonly ocspServers?: readonly string[]
    readonly issuingCertificateURLs?: readonly string[]
  }
  readonly vault?: VaultIssuer
  readonly acme?: object
  readonly venafi?: object
}

export interface IssuerStatus {
  readonly conditions?: readonly Condition[]
}

/** An Issuer or a ClusterIssuer. */
export interface Issuer extends KubeObject {
  readonly spec: IssuerSpec
  readonly status?: IssuerStatus
}

// Their schemas are checked by the API server, which stores nothing else.
export const parseCertificate = (object: KubeObject): Certificate => object as Certificate
export const parseRequest = (object: KubeObject): CertificateRequest => object as CertificateRequest
export const parseIssuer = (object: KubeObject): Issuer => object as Issuer

/** The namespace where the Secrets of an issuer are. */
export const secretsOf = ({ kind, metadata }: Pick<Issuer, 'kind' | 'metadata'>): string =>
  kind === 'ClusterIssuer' ? CLUSTER_RESOURCES : (metadata.namespace ?? '')

/** A duration of a spec in milliseconds; undefined where there is none, or where it cannot be read. */
export function durationMs(text: string | undefined): number | undefined {
  const read = text === undefined ? undefined : parseDuration(text)
  return read?.ok ? millisecondsOf(read.value) : undefined
}

const HOUR_MS = 3_600_000
/** How long certificates live where nothing is said. */
export const USUAL_DURATION_MS: number = 90 * 24 * HOUR_MS
export const SHORTEST_DURATION_MS: number = HOUR_MS
export const SHORTEST_RENEW_BEFORE_MS: number = 300_000

/** A value of a Secret as text; undefined where there is none or it is empty. */
export function secretText(secret: KubeObject | undefined, key: string): string | undefined {
  const data = (secret?.['data'] ?? {}) as Readonly<Record<string, unknown>> // the API server checks what Secrets are
  const value = Object.hasOwn(data, key) ? data[key] : undefined
  return typeof value === 'string' && value !== '' ? Buffer.from(value, 'base64').toString('utf8') : undefined
}

/** Whether a Secret has a value of this name that is not empty. */
export const hasValue = (secret: KubeObject | undefined, key: string): boolean => secretText(secret, key) !== undefined

/** An annotation, where an object has it. */
export function annotationOf({ metadata }: { readonly metadata: ObjectMeta }, name: string): string | undefined {
  const { annotations = {} } = metadata
  return Object.hasOwn(annotations, name) ? annotations[name] : undefined
}
