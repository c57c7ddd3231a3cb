import { isTrue } from '../kube/condition.ts'
import type { KubeObject } from '../kube/object.ts'
import { controllerOf } from '../kube/owner.ts'
import type { Informer } from '../runtime/informer.ts'
import type { Informers } from '../runtime/informers.ts'
import { keyOf } from '../runtime/object-cache.ts'
import { issuerType } from './issuer/issuer-type.ts'
import {
  annotation,
  annotationOf,
  type Certificate,
  type CertificateRequest,
  certificateRequests,
  certificates,
  clusterIssuers,
  GROUP,
  type Issuer,
  issuerGroup,
  issuerKind,
  type IssuerRef,
  issuers,
  label,
  parseCertificate,
  parseIssuer,
  parseRequest,
  secrets,
  secretsOf,
} from './objects.ts'

/** What the controllers know of the cluster, and how they find it. */
export interface Caches {
  readonly certificates: Informer<Certificate>
  readonly requests: Informer<CertificateRequest>
  readonly issuers: Informer<Issuer>
  readonly clusterIssuers: Informer<Issuer>
  readonly secrets: Informer
  /** The Secrets with keys of issuances that are under way. */
  readonly keySecrets: Informer
}

const inNamespace = (object: KubeObject, name: string): string => `${object.metadata.namespace ?? ''}/${name}`

/** How an issuer is found from those who name it: cluster issuers are in no namespace. */
export const issuerKey = (ref: IssuerRef, namespace: string): string =>
  issuerKind(ref) === 'ClusterIssuer' ? `ClusterIssuer//${ref.name}` : `Issuer/${namespace}/${ref.name}`

/** The Secrets that a Certificate reads passwords from. */
export function passwordSecrets({ spec }: Certificate): readonly string[] {
  const { jks, pkcs12 } = spec.keystores ?? {}
  return [jks, pkcs12].flatMap((keystore) => keystore?.passwordSecretRef?.name ?? [])
}

/** The Secrets that an issuer reads, as keys. */
function secretsOfIssuer(issuer: Issuer): readonly string[] {
  const { ca, vault } = issuer.spec
  const { tokenSecretRef, appRole, clientCertificate, kubernetes } = vault?.auth ?? {}
  const names = [
    ca?.secretName,
    vault?.caBundleSecretRef?.name,
    vault?.clientCertSecretRef?.name,
    vault?.clientKeySecretRef?.name,
    tokenSecretRef?.name,
    appRole?.secretRef?.name,
    clientCertificate?.secretName,
    kubernetes?.secretRef?.name,
  ]
  return names.flatMap((name) => (name ? [`${secretsOf(issuer)}/${name}`] : []))
}

const controllerUid = (object: KubeObject): readonly string[] => {
  const owner = controllerOf(object)
  return owner?.kind === 'Certificate' ? [owner.uid] : []
}

/** Makes the caches. */
export function makeCaches(informers: Informers): Caches {
  const issuerIndexes = { secret: secretsOfIssuer }
  return {
    certificates: informers.own({
      collection: { resource: certificates },
      parse: parseCertificate,
      indexes: {
        secret: (object) => [inNamespace(object, object.spec.secretName)],
        password: (object) => passwordSecrets(object).map((name) => inNamespace(object, name)),
        uid: ({ metadata }) => [metadata.uid ?? ''],
      },
    }),
    requests: informers.own({
      collection: { resource: certificateRequests },
      parse: parseRequest,
      indexes: {
        owner: controllerUid,
        issuer: (object) =>
          issuerGroup(object.spec.issuerRef) === GROUP
            ? [issuerKey(object.spec.issuerRef, object.metadata.namespace ?? '')]
            : [],
        keySecret: (object) => {
          const name = annotationOf(object, annotation.privateKeySecret)
          return name ? [inNamespace(object, name)] : []
        },
      },
    }),
    issuers: informers.own({ collection: { resource: issuers }, parse: parseIssuer, indexes: issuerIndexes }),
    clusterIssuers: informers.own({
      collection: { resource: clusterIssuers },
      parse: parseIssuer,
      indexes: issuerIndexes,
    }),
    secrets: informers.shared({ collection: { resource: secrets } }),
    keySecrets: informers.own({
      collection: { resource: secrets },
      labelSelector: `${label.nextPrivateKey}=true`,
      indexes: { owner: controllerUid },
    }),
  }
}

/** The issuer that a reference means. */
export function issuerOf(caches: Caches, ref: IssuerRef, namespace: string): Issuer | undefined {
  if (issuerKind(ref) === 'ClusterIssuer') return caches.clusterIssuers.cache.get(`/${ref.name}`)
  return issuerKind(ref) === 'Issuer' ? caches.issuers.cache.get(`${namespace}/${ref.name}`) : undefined
}

/** The keys of the Certificates that a Secret concerns: as their target or their password. */
export function certificatesOfSecret({ certificates: known }: Caches, secret: KubeObject): readonly string[] {
  const key = keyOf(secret)
  return [...known.cache.by('secret', key), ...known.cache.by('password', key)].map(keyOf)
}

/** The keys of the Certificates that control an object. */
export const certificatesOfOwned = ({ certificates: known }: Caches, object: KubeObject): readonly string[] =>
  controllerUid(object).flatMap((uid) => known.cache.by('uid', uid).map(keyOf))

/** The keys of the requests that wait for an issuer. */
export function requestsOfIssuer({ requests }: Caches, issuer: Issuer): readonly string[] {
  const key = issuerKey({ name: issuer.metadata.name ?? '', kind: issuer.kind }, issuer.metadata.namespace ?? '')
  return requests.cache.by('issuer', key).filter(isOpen).map(keyOf)
}

/** The keys of the requests that may be signed with what is in a Secret. */
export function requestsOfSecret(caches: Caches, secret: KubeObject): readonly string[] {
  const key = keyOf(secret)
  const ofIssuers = [...caches.issuers.cache.by('secret', key), ...caches.clusterIssuers.cache.by('secret', key)]
    .filter((issuer) => issuerType(issuer.spec) !== undefined)
    .flatMap((issuer) => requestsOfIssuer(caches, issuer))
  return [...caches.requests.cache.by('keySecret', key).filter(isOpen).map(keyOf), ...ofIssuers]
}

const isOpen = ({ status }: CertificateRequest): boolean =>
  !isTrue(status?.conditions, 'Ready') && status?.failureTime === undefined
