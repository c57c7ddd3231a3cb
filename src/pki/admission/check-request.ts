import { type Condition, conditionOf } from '../../kube/condition.ts'
import { type FieldError, forbidden, invalid, required } from '../../kube/schema/field-error.ts'
import { isEqual } from '../../lib/json.ts'
import { said } from '../certificate/checks.ts'
import type { CertificateRequest } from '../objects.ts'
import { templateOf } from '../request/template.ts'
import { keyUsagesOf } from '../x509/usages.ts'
import { checkIssuerRef } from './check-certificate.ts'

const CONDITIONS = 'status.conditions'
const SHOWN = 100

/** What is wrong with a new CertificateRequest, in the words of cert-manager's webhook. */
export function checkRequest({ spec, status }: CertificateRequest): readonly FieldError[] {
  const issuer = checkIssuerRef(spec.issuerRef, 'spec')
  const approval = checkApproval(status?.conditions)
  if (!spec.request) return [...issuer, required('spec.request', 'must be specified'), ...approval]
  const usages = keyUsagesOf(spec.usages, spec.isCA === true)
  if (!usages.ok) return [...issuer, invalid('spec.usages', spec.usages, said(usages.error)), ...approval]
  const template = templateOf(spec, 0)
  const text = Buffer.from(spec.request, 'base64').toString('utf8')
  const shown = text.length > SHOWN ? `${text.slice(0, SHOWN - 3)}...` : text
  return [...issuer, ...(template.ok ? [] : [invalid('spec.request', shown, said(template.error))]), ...approval]
}

/** What a change of a CertificateRequest may not change: what was asked, what we wrote on it, and who has decided. */
export function checkRequestUpdate(before: CertificateRequest, after: CertificateRequest): readonly FieldError[] {
  const frozen = (['Approved', 'Denied'] as const).flatMap((type) => {
    const was = conditionOf(before.status?.conditions, type)
    return was && !isEqual(was, conditionOf(after.status?.conditions, type))
      ? [forbidden(CONDITIONS, `'${type}' condition may not be modified once set`)]
      : []
  })
  return [
    ...changedAnnotations(before, after),
    ...frozen,
    ...checkApproval(after.status?.conditions),
    ...(isEqual(before.spec, after.spec) ? [] : [forbidden('spec', 'cannot change spec after creation')]),
  ]
}

const isOurs = (name: string): boolean => name.startsWith('cert-manager.io') || name.startsWith('acme.cert-manager.io')

function changedAnnotations(before: CertificateRequest, after: CertificateRequest): readonly FieldError[] {
  const [was, is] = [before.metadata.annotations ?? {}, after.metadata.annotations ?? {}]
  const names = [...new Set([...Object.keys(was), ...Object.keys(is)])].filter(isOurs)
  const value = (of: Readonly<Record<string, string>>, name: string): string | undefined =>
    Object.hasOwn(of, name) ? of[name] : undefined
  return names
    .filter((name) => value(was, name) !== value(is, name))
    .map((name) => forbidden(`metadata.annotations.${name}`, 'cannot change cert-manager annotation after creation'))
}

function checkApproval(conditions: readonly Condition[] = []): readonly FieldError[] {
  const of = (type: string): readonly Condition[] => conditions.filter((condition) => condition.type === type)
  const single = ['Approved', 'Denied'].flatMap((type) => {
    const [first, second] = of(type)
    if (second) return [forbidden(CONDITIONS, `multiple "${type}" conditions present`)]
    return first && first.status !== 'True'
      ? [invalid(`${CONDITIONS}.${type}`, first.status, `"${type}" condition may only be set to True`)]
      : []
  })
  const isBoth = of('Approved').length > 0 && of('Denied').length > 0
  return [
    ...single,
    ...(isBoth ? [forbidden(CONDITIONS, "both 'Denied' and 'Approved' conditions cannot coexist")] : []),
  ]
}

/** Whether a change approves or denies a request that nobody had approved or denied. */
export function isDecision(before: CertificateRequest, after: CertificateRequest): boolean {
  return ['Approved', 'Denied'].some(
    (type) => !conditionOf(before.status?.conditions, type) && conditionOf(after.status?.conditions, type),
  )
}
