import { Buffer } from 'node:buffer'
import type { KubeObject } from '../../kube/object.ts'
import { joinCsv } from '../csv.ts'
import { annotation, type Certificate, type IssuerRef, label } from '../objects.ts'
import type { ReadCertificate } from '../x509/certificate.ts'
import { subjectOf } from '../x509/names.ts'
import { pemBlocks } from '../x509/pem-blocks.ts'

/** The texts of a Secret, in PEM. */
export interface KeyMaterial {
  readonly key: string
  readonly certificate: string
  readonly ca?: string
}

/** Whom a Secret is for, and by whom; a temporary certificate has no issuer. */
export interface Provenance {
  readonly certificateName?: string
  readonly issuer?: IssuerRef
}

/** What the labels and annotations of a Secret say of the certificate in it. */
export function detailAnnotations(certificate: ReadCertificate): Readonly<Record<string, string>> {
  const { names } = certificate
  const subject = subjectOf(certificate.name)
  const filled = (name: string, values: readonly string[]): readonly (readonly [string, string])[] =>
    values.length === 0 ? [] : [[`cert-manager.io/${name}`, joinCsv(values)]]
  return Object.fromEntries([
    ['cert-manager.io/common-name', subject.commonName],
    ...(subject.serialNumber ? [['cert-manager.io/subject-serialnumber', subject.serialNumber] as const] : []),
    ...filled('subject-organizations', subject.organizations),
    ...filled('subject-organizationalunits', subject.organizationalUnits),
    ...filled('subject-countries', subject.countries),
    ...filled('subject-provinces', subject.provinces),
    ...filled('subject-localities', subject.localities),
    ...filled('subject-postalcodes', subject.postalCodes),
    ...filled('subject-streetaddresses', subject.streetAddresses),
    ...filled('email-sans', names.emailAddresses),
    ['cert-manager.io/alt-names', joinCsv(names.dnsNames)],
    ['cert-manager.io/ip-sans', joinCsv(names.ipAddresses)],
    ['cert-manager.io/uri-sans', joinCsv(names.uris)],
  ])
}

/** The key and the certificate one after the other. */
export const combinedPem = (key: string, certificate: string): string => `${key}\n${certificate}`

/** The bytes of a key, without PEM around them. */
export const derOfKey = (key: string): Uint8Array =>
  pemBlocks(key, { characters: 65_536, blocks: 10 })?.[0]?.bytes ?? new Uint8Array()

const encode = (value: string | Uint8Array): string => Buffer.from(value as Uint8Array).toString('base64') // from takes both

/** What a Secret is written from. */
export interface SecretParts {
  readonly certificate: Certificate
  readonly material: KeyMaterial
  readonly leaf: ReadCertificate
  readonly provenance: Provenance
  /** Of a Secret that is there, since a type never changes. */
  readonly type?: string
  /** Keystores, by the name of their value. */
  readonly keystores: ReadonlyMap<string, Uint8Array>
}

/** The whole of a Secret as it is applied: what is left out and was ours goes away. */
export function secretBody(parts: SecretParts): KubeObject {
  const { certificate, material, leaf, provenance, type = 'kubernetes.io/tls', keystores } = parts
  const { secretTemplate = {}, secretName } = certificate.spec
  const { issuer, certificateName } = provenance
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: secretName,
      namespace: certificate.metadata.namespace ?? '',
      labels: { ...secretTemplate.labels, [label.ours]: 'true' },
      annotations: {
        ...secretTemplate.annotations,
        ...detailAnnotations(leaf),
        ...(certificateName ? { [annotation.certificateName]: certificateName } : {}),
        ...(issuer
          ? {
              [annotation.issuerName]: issuer.name,
              [annotation.issuerKind]: issuer.kind ?? '',
              [annotation.issuerGroup]: issuer.group ?? '',
            }
          : {}),
      },
    },
    type,
    data: {
      ...Object.fromEntries([...keystores].map(([name, bytes]) => [name, encode(bytes)])),
      ...outputFormats(certificate, material),
      'tls.key': encode(material.key),
      'tls.crt': encode(material.certificate),
      ...(material.ca ? { 'ca.crt': encode(material.ca) } : {}),
    },
  }
}

export const COMBINED_PEM = 'tls-combined.pem'
export const KEY_DER = 'key.der'

function outputFormats({ spec }: Certificate, { key, certificate }: KeyMaterial): Readonly<Record<string, string>> {
  const types = (spec.additionalOutputFormats ?? []).map(({ type }) => type)
  return {
    ...(types.includes('DER') ? { [KEY_DER]: encode(derOfKey(key)) } : {}),
    ...(types.includes('CombinedPEM') ? { [COMBINED_PEM]: encode(combinedPem(key, certificate)) } : {}),
  }
}
