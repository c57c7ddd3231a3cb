import { said } from '../certificate/checks.ts'
import { keyOf } from '../certificate/key-secret.ts'
import { annotation, annotationOf, type Issuer } from '../objects.ts'
import { isSameKey } from '../x509/keys.ts'
import { isEmptyName } from '../x509/names.ts'
import type { Observed } from './plan.ts'
import type { SigningPlan } from './signing.ts'
import { templateOf } from './template.ts'

const EMPTY_NAME =
  'Certificate will be issued with an empty Issuer DN, which contravenes RFC 5280 and could break some strict clients'

/** Signing with the key that the request is for, which an annotation names. */
export function planSelfSigning({ request, secret, nowMs }: Observed, issuer: Issuer): SigningPlan {
  const name = annotationOf(request, annotation.privateKeySecret)
  if (!name) {
    const message = `Annotation ${JSON.stringify(annotation.privateKeySecret)} missing or reference empty: secret name missing`
    return { do: 'fail', reason: 'MissingAnnotation', message }
  }
  if (!secret) {
    const message = `Referenced secret ${request.metadata.namespace ?? ''}/${name} not found`
    return { do: 'pending', reason: 'MissingSecret', message: `${message}: secret ${JSON.stringify(name)} not found` }
  }
  const key = keyOf(secret)
  if (!key) {
    const message = `Failed to get key ${JSON.stringify(name)} referenced in annotation ${JSON.stringify(annotation.privateKeySecret)}`
    return { do: 'pending', reason: 'ErrorParsingKey', message }
  }
  const template = templateOf(request.spec, nowMs)
  if (!template.ok) {
    const message = `Error generating certificate template: ${said(template.error)}`
    return { do: 'fail', reason: 'ErrorGenerating', message }
  }
  if (!isSameKey(key.spki, template.value.spki)) {
    const message = 'Error generating certificate template: CSR not signed by referenced private key'
    return { do: 'fail', reason: 'ErrorKeyMatch', message }
  }
  const { subject } = template.value
  return {
    do: 'sign',
    template: { ...template.value, crlDistributionPoints: issuer.spec.selfSigned?.crlDistributionPoints ?? [] },
    signer: { subject, key: key.key },
    above: [],
    ...(isEmptyName(subject) ? { warning: EMPTY_NAME } : {}),
  }
}
