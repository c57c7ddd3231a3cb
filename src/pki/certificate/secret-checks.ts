import { Buffer } from 'node:buffer'
import { isObject } from '../../lib/json.ts'
import type { KubeObject } from '../../kube/object.ts'
import { annotationOf, hasValue, type Keystore, label, secretText } from '../objects.ts'
import { type Check, type Finding, firstFinding, leafOf } from './checks.ts'
import { combinedPem, COMBINED_PEM, derOfKey, detailAnnotations, KEY_DER } from './secret-body.ts'

/** Under which name we apply Secrets, as cert-manager does. */
export const SECRET_MANAGER = 'cert-manager-certificates-issuing'

const isOurs = (name: string): boolean =>
  name.startsWith('cert-manager.io/') || name.startsWith('controller.cert-manager.io/')

/** Annotations that say who issued it: they are written with a certificate and never corrected without one. */
const PROVENANCE: readonly string[] = [
  'cert-manager.io/certificate-name',
  'cert-manager.io/issuer-name',
  'cert-manager.io/issuer-kind',
  'cert-manager.io/issuer-group',
]

/** The fields below a path of a Secret that we manage, by name. */
function managed(secret: KubeObject, ...path: readonly string[]): readonly string[] {
  return (secret.metadata.managedFields ?? [])
    .filter(({ manager }) => manager === SECRET_MANAGER)
    .flatMap(({ fieldsV1 }) => {
      let at: unknown = fieldsV1
      for (const name of path) at = isObject(at) ? at[`f:${name}`] : undefined
      return isObject(at) ? Object.keys(at).flatMap((key) => (key.startsWith('f:') ? [key.slice(2)] : [])) : []
    })
}

/** The first name that one list has and the other has not. */
function difference(has: readonly string[], wanted: readonly string[], what: string): string | undefined {
  const missing = wanted.filter((name) => !has.includes(name)).toSorted()
  if (missing.length > 0) return `Secret is missing these ${what}: [${missing.join(' ')}]`
  const extra = has.filter((name) => !wanted.includes(name)).toSorted()
  return extra.length > 0 ? `Secret has these extra ${what}: [${extra.join(' ')}]` : undefined
}

const found = (reason: string, message: string | undefined): Finding | undefined =>
  message === undefined ? undefined : { reason, message }

const detailsOf = (secret: KubeObject | undefined): Readonly<Record<string, string>> => {
  const leaf = leafOf(secret)
  return leaf.ok ? detailAnnotations(leaf.value) : {}
}

const baseLabelWrong: Check = ({ secret }) =>
  found(
    'SecretManagedMetadataMismatch',
    secret?.metadata.labels?.[label.ours] === 'true' ? undefined : `wrong base label ${label.ours}, expected "true"`,
  )

const detailsWrong: Check = ({ secret }) => {
  const wrong = Object.entries(detailsOf(secret)).find(
    ([name, value]) => secret && annotationOf(secret, name) !== value,
  )
  return found('SecretTemplateMismatch', wrong && `Secret metadata ${wrong[0]} does not match certificate metadata`)
}

const managedMetadataWrong: Check = ({ secret }) => {
  if (!secret) return undefined
  const labels = managed(secret, 'metadata', 'labels').filter(isOurs)
  const annotations = managed(secret, 'metadata', 'annotations')
    .filter(isOurs)
    .filter((name) => !PROVENANCE.includes(name) && name !== ALLOW_INJECTION)
  return found(
    'SecretManagedMetadataMismatch',
    difference(labels, [label.ours], 'Managed Labels') ??
      difference(annotations, Object.keys(detailsOf(secret)), 'Managed Annotations'),
  )
}

/** The one annotation of ours that a template may set. */
const ALLOW_INJECTION = 'cert-manager.io/allow-direct-injection'

const templateWrong: Check = ({ secret, certificate }) => {
  if (!secret) return undefined
  const { labels = {}, annotations = {} } = certificate.spec.secretTemplate ?? {}
  const differs = (wanted: Readonly<Record<string, string>>, has: Readonly<Record<string, string>> = {}): boolean =>
    Object.entries(wanted).some(([name, value]) => !Object.hasOwn(has, name) || has[name] !== value)
  if (differs(annotations, secret.metadata.annotations)) {
    return found(
      'SecretTemplateMismatch',
      "Certificate's SecretTemplate Annotations missing or incorrect value on Secret",
    )
  }
  if (differs(labels, secret.metadata.labels)) {
    return found('SecretTemplateMismatch', "Certificate's SecretTemplate Labels missing or incorrect value on Secret")
  }
  const others = (names: readonly string[]): readonly string[] =>
    names.filter((name) => !isOurs(name) || name === ALLOW_INJECTION)
  return found(
    'SecretTemplateMismatch',
    difference(others(managed(secret, 'metadata', 'labels')), others(Object.keys(labels)), 'Template Labels') ??
      difference(
        others(managed(secret, 'metadata', 'annotations')),
        others(Object.keys(annotations)),
        'Template Annotations',
      ),
  )
}

const outputFormatsWrong: Check = ({ secret, certificate }) => {
  if (!secret) return undefined
  const types = (certificate.spec.additionalOutputFormats ?? []).map(({ type }) => type)
  const [key = '', chain = ''] = [secretText(secret, 'tls.key'), secretText(secret, 'tls.crt')]
  const data = (secret['data'] ?? {}) as Readonly<Record<string, string>> // the API server checks what Secrets are
  const differs = (name: string, want: string | Uint8Array): boolean =>
    data[name] !== Buffer.from(want as Uint8Array).toString('base64') // from takes both
  const isWrong =
    (types.includes('CombinedPEM') && differs(COMBINED_PEM, combinedPem(key, chain))) ||
    (types.includes('DER') && differs(KEY_DER, derOfKey(key)))
  const owned = managed(secret, 'data')
  const isExtra =
    (!types.includes('CombinedPEM') && owned.includes(COMBINED_PEM)) ||
    (!types.includes('DER') && owned.includes(KEY_DER))
  return found(
    'AdditionalOutputFormatsMismatch',
    isWrong || isExtra ? "Certificate's AdditionalOutputFormats doesn't match Secret Data" : undefined,
  )
}

const keystoresWrong: Check = ({ secret, certificate }) => {
  const { jks, pkcs12 } = certificate.spec.keystores ?? {}
  const differs = (keystore: Keystore | undefined, ending: string, name: string): string | undefined => {
    const isThere = hasValue(secret, `keystore.${ending}`)
    const isTrustThere = hasValue(secret, `truststore.${ending}`)
    if (keystore?.create) {
      const isMissing = !isThere || (!isTrustThere && hasValue(secret, 'ca.crt'))
      return isMissing ? `${name} Keystore key does not contain data` : undefined
    }
    if (!isThere && !isTrustThere) return undefined
    return keystore ? `${name} Keystore create disabled` : `${name} Keystore not defined`
  }
  return found('SecretMismatch', differs(jks, 'jks', 'JKS') ?? differs(pkcs12, 'p12', 'PKCS12'))
}

/** When a Secret is written again although its certificate stays: what surrounds it is not as the Certificate says. */
export const secretChecks: readonly Check[] = [
  baseLabelWrong,
  detailsWrong,
  managedMetadataWrong,
  templateWrong,
  outputFormatsWrong,
  keystoresWrong,
]

/** Why a Secret is written again. */
export const secretFinding = (input: Parameters<Check>[0]): Finding | undefined => firstFinding(secretChecks, input)
