import { checkDnsSubdomain } from '../../kube/names.ts'
import {
  duplicate,
  type FieldError,
  forbidden,
  invalid,
  notSupported,
  required,
  tooLong,
} from '../../kube/schema/field-error.ts'
import { checkAnnotations, checkLabels } from '../../kube/schema/object-meta.ts'
import { parseCron } from '../../lib/cron.ts'
import { parseDuration } from '../../lib/duration.ts'
import { findZone } from '../../lib/go-zone.ts'
import { emailProblem, isAddress } from '../addresses.ts'
import { said } from '../certificate/checks.ts'
import {
  type CertificateSpec,
  durationMs,
  GROUP,
  type IssuerRef,
  type Keystore,
  SHORTEST_DURATION_MS,
  SHORTEST_RENEW_BEFORE_MS,
  USUAL_DURATION_MS,
} from '../objects.ts'
import { rangeBytes } from '../x509/extensions.ts'
import { signatureNames } from '../x509/keys.ts'
import { parseLiteralName } from '../x509/names.ts'
import { isOid, oid } from '../x509/oids.ts'
import { isUsage } from '../x509/usages.ts'

/** One rule of a spec; all of them are asked, so that a user sees everything at once. */
type Rule = (spec: CertificateSpec, at: string) => readonly FieldError[]

const each = <T>(
  list: readonly T[] | undefined,
  check: (value: T, index: number) => readonly FieldError[],
): readonly FieldError[] => (list ?? []).flatMap(check)

/** What is wrong with a reference to an issuer. */
export function checkIssuerRef(ref: IssuerRef, at: string): readonly FieldError[] {
  const { name, kind = '', group = '' } = ref
  const missing = name ? [] : [required(`${at}.issuerRef.name`, 'must be specified')]
  if ((group !== '' && group !== GROUP) || ['', 'Issuer', 'ClusterIssuer'].includes(kind)) return missing
  const hint = group === '' ? ` (did you forget to set ${at}.issuerRef.group?)` : ''
  return [...missing, invalid(`${at}.issuerRef.kind`, kind, `must be one of Issuer or ClusterIssuer${hint}`)]
}

const secretName: Rule = ({ secretName: name }, at) =>
  name
    ? checkDnsSubdomain(name).map((because) => invalid(`${at}.secretName`, name, because))
    : [required(`${at}.secretName`, 'must be specified')]

const literalSubject: Rule = ({ literalSubject: text, commonName, subject }, at) => {
  if (!text) return []
  const read = parseLiteralName(text)
  const only = (what: string): string => `When providing a \`LiteralSubject\` no ${what} may be provided.`
  return [
    ...(commonName ? [invalid(`${at}.commonName`, commonName, only('`commonName`'))] : []),
    ...(Object.values(subject ?? {}).some((value: string | readonly string[]) => value.length > 0)
      ? [invalid(`${at}.subject`, subject, only('`Subject` properties'))]
      : []),
    ...(read.ok ? [] : [invalid(`${at}.literalSubject`, text, said(read.error))]),
  ]
}

function commonNameOf({ literalSubject: text, commonName = '' }: CertificateSpec): string {
  const read = text ? parseLiteralName(text) : undefined
  if (!read?.ok) return commonName
  return read.value.flat().findLast((attribute) => attribute.oid === oid.commonName)?.value ?? ''
}

const LONGEST_COMMON_NAME = 64

const names: Rule = (spec, at) => {
  const commonName = commonNameOf(spec)
  const lists = [spec.dnsNames, spec.uris, spec.emailAddresses, spec.ipAddresses, spec.otherNames]
  const isNamed = commonName !== '' || lists.some((list) => list && list.length > 0)
  return [
    ...(isNamed
      ? []
      : [
          invalid(
            at,
            '',
            'at least one of commonName (from the commonName field or from a literalSubject), dnsNames, emailSANs, ipAddresses, otherNames, or uriSANs must be set',
          ),
        ]),
    ...(Buffer.byteLength(commonName) > LONGEST_COMMON_NAME ? [tooLong(`${at}.commonName`, LONGEST_COMMON_NAME)] : []),
    ...each(spec.ipAddresses, (text, index) =>
      isAddress(text) ? [] : [invalid(`${at}.ipAddresses[${index}]`, text, 'invalid IP address')],
    ),
    ...each(spec.emailAddresses, (text, index) => {
      const problem = emailProblem(text)
      return problem === undefined
        ? []
        : [invalid(`${at}.emailAddresses[${index}]`, text, `invalid email address: ${problem}`)]
    }),
  ]
}

const BEYOND_ASCII = /[^ -~]/

/** Names of the net are written as bytes of one character each; others could not be read back. */
const plainNames: Rule = (spec, at) =>
  (['dnsNames', 'uris', 'emailAddresses'] as const).flatMap((field) =>
    each(spec[field], (text, index) =>
      BEYOND_ASCII.test(text)
        ? [invalid(`${at}.${field}[${index}]`, text, 'must hold printable ASCII characters only')]
        : [],
    ),
  )

const otherNames: Rule = ({ otherNames: list }, at) =>
  each(list, ({ oid: id, utf8Value }, index) => [
    ...(id ? [] : [required(`${at}.otherNames[${index}].oid`, 'must be specified')]),
    ...(isOid(id) ? [] : [invalid(`${at}.otherNames[${index}].oid`, id, 'invalid oid syntax')]),
    ...(utf8Value
      ? []
      : [required(`${at}.otherNames[${index}].utf8Value`, 'must be set to a valid non-empty UTF8 string')]),
  ])

const privateKey: Rule = ({ privateKey: key = {}, signatureAlgorithm }, at) => {
  const { algorithm = 'RSA', size = 0 } = key
  const where = `${at}.privateKey.size`
  const sizes: readonly FieldError[] =
    algorithm === 'RSA' && size > 0 && (size < 2048 || size > 8192)
      ? [invalid(where, size, 'must be between 2048 and 8192 for rsa keyAlgorithm')]
      : algorithm === 'ECDSA' && size > 0 && ![256, 384, 521].includes(size)
        ? [notSupported(where, size, ['256', '384', '521'])]
        : []
  const fits = signatureNames[algorithm]
  if (signatureAlgorithm === undefined || fits.includes(signatureAlgorithm)) return sizes
  const detail = `for key algorithm ${algorithm} the allowed signature algorithms are [${fits.join(' ')}]`
  return [...sizes, invalid(`${at}.signatureAlgorithm`, signatureAlgorithm, detail)]
}

const readable: Rule = (spec, at) =>
  (['duration', 'renewBefore'] as const).flatMap((field) => {
    const text = spec[field]
    const read = text === undefined ? undefined : parseDuration(text)
    return !read || read.ok ? [] : [invalid(`${at}.${field}`, text, said(read.error))]
  })

const durations: Rule = (spec, at) => {
  const { renewBeforePercentage: percentage } = spec
  if (spec.duration === undefined && spec.renewBefore === undefined) return []
  const life = durationMs(spec.duration) ?? USUAL_DURATION_MS
  const before = durationMs(spec.renewBefore)
  const problems: FieldError[] = []
  if (life < SHORTEST_DURATION_MS) {
    problems.push(invalid(`${at}.duration`, spec.duration, 'certificate duration must be greater than 1h0m0s'))
  }
  if (before !== undefined && percentage !== undefined) {
    const detail = 'renewBefore and renewBeforePercentage are mutually exclusive and cannot both be set'
    problems.push(invalid(`${at}.renewBefore`, spec.renewBefore, detail))
    problems.push(invalid(`${at}.renewBeforePercentage`, percentage, detail))
  }
  if (before !== undefined && before < SHORTEST_RENEW_BEFORE_MS) {
    problems.push(invalid(`${at}.renewBefore`, spec.renewBefore, 'certificate renewBefore must be greater than 5m0s'))
  }
  if (before !== undefined && before >= life) {
    const detail = `certificate duration ${spec.duration ?? '2160h0m0s'} must be greater than renewBefore ${spec.renewBefore}`
    problems.push(invalid(`${at}.renewBefore`, spec.renewBefore, detail))
  }
  return [...problems, ...percentageProblems(percentage, life, at)]
}

function percentageProblems(percentage: number | undefined, life: number, at: string): readonly FieldError[] {
  if (percentage === undefined) return []
  const before = (life * (100 - percentage)) / 100
  const where = `${at}.renewBeforePercentage`
  const must = 'certificate renewBeforePercentage must result in a renewBefore'
  return [
    ...(before < SHORTEST_RENEW_BEFORE_MS ? [invalid(where, percentage, `${must} greater than 5m0s`)] : []),
    ...(before >= life ? [invalid(where, percentage, `${must} less than duration`)] : []),
  ]
}

const usages: Rule = ({ usages: list }, at) =>
  each(list, (usage, index) => (isUsage(usage) ? [] : [invalid(`${at}.usages[${index}]`, usage, 'unknown keyusage')]))

const history: Rule = ({ revisionHistoryLimit: limit }, at) =>
  limit !== undefined && limit < 1 ? [invalid(`${at}.revisionHistoryLimit`, limit, 'must not be less than 1')] : []

const template: Rule = ({ secretTemplate }, at) => {
  const { labels = {}, annotations = {} } = secretTemplate ?? {}
  const where = `${at}.secretTemplate.annotations`
  const ours = Object.keys(annotations).filter(
    (name) => name.startsWith('cert-manager.io/') && name !== 'cert-manager.io/allow-direct-injection',
  )
  return [
    ...checkLabels(labels, `${at}.secretTemplate.labels`),
    ...ours.map((name) => invalid(where, name, 'cert-manager.io/* annotations are not allowed')),
    ...checkAnnotations(annotations, where),
  ]
}

const constraints: Rule = ({ nameConstraints: given, isCA }, at) => {
  if (!given) return []
  const where = `${at}.nameConstraints`
  const ranges = (['permitted', 'excluded'] as const).flatMap((part) =>
    each(given[part]?.ipRanges, (range, index) =>
      rangeBytes(range) ? [] : [invalid(`${where}.${part}.ipRanges[${index}]`, range, 'invalid CIDR address')],
    ),
  )
  return [
    ...(isCA ? [] : [invalid(where, given, 'isCA should be true when nameConstraints is set')]),
    ...(given.permitted || given.excluded ? [] : [invalid(where, given, 'either permitted or excluded must be set')]),
    ...ranges,
  ]
}

const outputFormats: Rule = ({ additionalOutputFormats: formats = [] }, at) => {
  const types = formats.map(({ type }) => type)
  return types.flatMap((type, index) =>
    types.indexOf(type) < index ? [duplicate(`${at}.additionalOutputFormats[type]`, type)] : [],
  )
}

const keystores: Rule = ({ keystores: { jks, pkcs12 } = {} }, at) => [
  ...keystore(jks, `${at}.keystores.jks`, 'JKS'),
  ...keystore(pkcs12, `${at}.keystores.pkcs12`, 'PKCS#12'),
]

function keystore(given: Keystore | undefined, at: string, name: string): readonly FieldError[] {
  if (!given) return []
  const hasRef = Boolean(given.passwordSecretRef?.name)
  const both = `exactly one of passwordSecretRef and password must be provided for ${name} keystores; cannot set both`
  const neither = `must set exactly one of passwordSecretRef and password must for ${name} keystores`
  return [
    ...(given.password !== undefined && hasRef ? [forbidden(at, both)] : []),
    ...(given.password === undefined && !hasRef ? [forbidden(at, neither)] : []),
    ...(given.password === ''
      ? [forbidden(`${at}.password`, `literal password cannot be empty if set on ${name} keystores`)]
      : []),
  ]
}

const renewal: Rule = ({ renewal: given }, at) => {
  if (!given) return []
  const windows = given.windows ?? []
  const where = `${at}.renewal`
  if (given.policy === 'Disabled') {
    const detail = 'windows cannot be set when `renewal.policy` is set to Disabled'
    return windows.length > 0 ? [forbidden(`${where}.windows`, detail)] : []
  }
  const policy =
    given.policy === 'RenewBefore' ? [] : [notSupported(`${where}.policy`, given.policy, ['Disabled', 'RenewBefore'])]
  return [
    ...policy,
    ...windows.flatMap(({ cron, timezone, windowDuration }, index) => {
      const read = parseCron(cron)
      const shape = 'cron needs to follow: cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow'
      return [
        ...((durationMs(windowDuration) ?? 0) > 0
          ? []
          : [
              required(
                `${where}.windows[${index}].windowDuration`,
                'windowDuration must be specified and should be greater than 0',
              ),
            ]),
        ...(timezone && !findZone(timezone) && timezone !== 'UTC'
          ? [
              invalid(
                `${where}.windows[${index}].timezone`,
                timezone,
                'invalid value for timezone. timezone must be IANA compliant',
              ),
            ]
          : []),
        ...(read.ok
          ? []
          : [invalid(`${where}.windows[${index}].cron`, cron, `invalid cron syntax: ${said(read.error)}. ${shape}`)]),
      ]
    }),
  ]
}

const rules: readonly Rule[] = [
  secretName,
  (spec, at) => checkIssuerRef(spec.issuerRef, at),
  literalSubject,
  names,
  plainNames,
  otherNames,
  privateKey,
  readable,
  durations,
  usages,
  history,
  template,
  constraints,
  outputFormats,
  keystores,
  renewal,
]

/** What is wrong with the spec of a Certificate, in the words of cert-manager's webhook. */
export const checkCertificate = (spec: CertificateSpec, at: string = 'spec'): readonly FieldError[] =>
  rules.flatMap((rule) => rule(spec, at))
