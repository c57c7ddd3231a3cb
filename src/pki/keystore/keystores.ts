import { type Pkcs12Profile, writePkcs12, writeTrustStore } from '../../lib/pkcs12/write-pkcs12.ts'
import type { SecretToWrite } from '../certificate/step.ts'
import { readCertificates } from '../x509/certificate.ts'
import { readPrivateKey } from '../x509/keys.ts'
import { readName } from '../x509/names.ts'
import { type JksEntry, writeJks } from './jks.ts'

export interface KeystorePorts {
  readonly nowMs: number
  readonly bytes: (count: number) => Uint8Array
}

const profiles: readonly Pkcs12Profile[] = ['LegacyRC2', 'LegacyDES', 'Modern2023', 'Modern2026']

/** The keystores that a Certificate asks for, by the name of their value in the Secret. */
export function keystoresOf(
  { certificate, material, passwords }: SecretToWrite,
  { nowMs, bytes }: KeystorePorts,
): ReadonlyMap<string, Uint8Array> {
  const made = new Map<string, Uint8Array>()
  const { jks, pkcs12 } = passwords
  if (jks === undefined && pkcs12 === undefined) return made
  const key = readPrivateKey(material.key)
  const chain = readCertificates(material.certificate)
  const authorities = material.ca === undefined ? undefined : readCertificates(material.ca)
  if (!key.ok || !chain.ok) return made
  const keyBytes = key.value.export({ type: 'pkcs8', format: 'der' })
  const chainBytes = chain.value.map((each) => each.bytes)
  const trusted = authorities?.ok ? authorities.value : []
  if (pkcs12 !== undefined) {
    const asked = certificate.spec.keystores?.pkcs12?.profile
    const profile = profiles.find((each) => each === asked) ?? 'LegacyRC2'
    const options = { password: pkcs12, profile, bytes }
    const certificates = [...chainBytes, ...trusted.map((each) => each.bytes)]
    made.set('keystore.p12', writePkcs12({ key: keyBytes, certificates }, options))
    const named = trusted.map((each) => ({ bytes: each.bytes, name: nameText(each.subject) }))
    if (named.length > 0) made.set('truststore.p12', writeTrustStore(named, options))
  }
  if (jks !== undefined) {
    const options = { password: jks, createdMs: nowMs, bytes }
    const authorityEntries: readonly JksEntry[] = trusted.map((each, at) => ({
      alias: at === 0 ? 'ca' : `ca-${at}`,
      trusted: each.bytes,
    }))
    const alias = certificate.spec.keystores?.jks?.alias ?? 'certificate'
    made.set('keystore.jks', writeJks([{ alias, key: keyBytes, chain: chainBytes }, ...authorityEntries], options))
    if (authorityEntries.length > 0) made.set('truststore.jks', writeJks(authorityEntries, options))
  }
  return made
}

/** A name for people: its values from the leaf upwards. */
const nameText = (subject: Uint8Array): string =>
  readName(subject)
    .toReversed()
    .flatMap((set) => set.map(({ value }) => value))
    .join(', ')
