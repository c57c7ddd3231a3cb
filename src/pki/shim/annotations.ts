import { isObject } from '../../lib/json.ts'
import { parseDuration } from '../../lib/duration.ts'
import { explain, fail, type Result, succeed } from '../../lib/result.ts'
import { emailProblem, isAddress } from '../addresses.ts'
import { splitCsv } from '../csv.ts'
import { type CertificateSpec, durationMs, SHORTEST_DURATION_MS, SHORTEST_RENEW_BEFORE_MS } from '../objects.ts'
import { isUsage } from '../x509/usages.ts'

type Draft = { -readonly [K in keyof CertificateSpec]: CertificateSpec[K] }

/** Puts what one annotation says into a Certificate; answers what is wrong with it. */
type Reader = (spec: Draft, value: string) => string | undefined

const PREFIX = 'cert-manager.io/'

const commonName: Reader = (spec, value) => {
  if (value.length > 64) return 'common name may not be more than 64 bytes'
  spec.commonName = value
  return undefined
}

const altNames: Reader = (spec, value) => {
  if (value !== '') spec.dnsNames = [...(spec.dnsNames ?? []), ...value.split(',')]
  return undefined
}

const ipSans: Reader = (spec, value) => {
  const addresses = value === '' ? [] : value.split(',').map((text) => text.trim())
  const wrong = addresses.find((text) => !isAddress(text))
  if (wrong !== undefined) return `${JSON.stringify(wrong)} is not a valid IP address`
  if (addresses.length > 0) spec.ipAddresses = [...(spec.ipAddresses ?? []), ...addresses]
  return undefined
}

const emailSans: Reader = (spec, value) => {
  if (value === '') return undefined
  const addresses = value.split(',').map((text) => text.trim())
  const wrong = addresses.find((text) => emailProblem(text) !== undefined)
  if (wrong !== undefined) return `${JSON.stringify(wrong)} is not a valid email address`
  spec.emailAddresses = addresses
  return undefined
}

type SubjectLists = Exclude<keyof NonNullable<CertificateSpec['subject']>, 'serialNumber'>

const subjectList =
  (field: SubjectLists): Reader =>
  (spec, value) => {
    const values = splitCsv(value)
    if (!values.ok) return values.error.map(({ message }) => message).join('; ')
    spec.subject = { ...spec.subject, [field]: values.value }
    return undefined
  }

const serialNumber: Reader = (spec, value) => {
  if (value !== '') spec.subject = { ...spec.subject, serialNumber: value }
  return undefined
}

const duration =
  (field: 'duration' | 'renewBefore', leastMs: number, least: string): Reader =>
  (spec, value) => {
    const read = parseDuration(value)
    if (!read.ok) return read.error.map(explain).join('; ')
    if ((durationMs(value) ?? 0) < leastMs) return `${field} must be greater than or equal to ${least}`
    spec[field] = value
    return undefined
  }

const integer = (value: string): number | undefined =>
  /^[+-]?\d{1,9}$/.test(value) ? Number.parseInt(value, 10) : undefined

const renewBeforePercentage: Reader = (spec, value) => {
  const read = integer(value)
  if (read === undefined) return `${JSON.stringify(value)} is not a whole number`
  spec.renewBeforePercentage = read
  return undefined
}

const usages: Reader = (spec, value) => {
  const names = value.split(',').map((name) => name.trim())
  const wrong = names.find((name) => !isUsage(name))
  if (wrong !== undefined) return `invalid key usage name ${JSON.stringify(wrong)}`
  spec.usages = names
  return undefined
}

const revisionHistoryLimit: Reader = (spec, value) => {
  const read = integer(value)
  if (read === undefined) return `${JSON.stringify(value)} is not a whole number`
  if (read < 1) return `revision history limit must be a positive number ${JSON.stringify(value)}`
  spec.revisionHistoryLimit = read
  return undefined
}

type PrivateKey = NonNullable<CertificateSpec['privateKey']>

/** One of a few words of the private key. */
const choice =
  <K extends 'algorithm' | 'encoding' | 'rotationPolicy'>(
    field: K,
    words: readonly (PrivateKey[K] & string)[],
    what: string,
  ): Reader =>
  (spec, value) => {
    const word = words.find((each) => each === value)
    if (word === undefined) return `invalid private key ${what} ${JSON.stringify(value)}`
    spec.privateKey = { ...spec.privateKey, [field]: word }
    return undefined
  }

const privateKeySize: Reader = (spec, value) => {
  const size = integer(value)
  if (size === undefined) return `${JSON.stringify(value)} is not a whole number`
  const algorithm = spec.privateKey?.algorithm ?? 'RSA'
  const isFit =
    algorithm === 'Ed25519' || (algorithm === 'RSA' ? size >= 2048 && size <= 8192 : [256, 384, 521].includes(size))
  if (!isFit) return `invalid private key size for ${algorithm} algorithm ${JSON.stringify(value)}`
  spec.privateKey = { ...spec.privateKey, size }
  return undefined
}

const secretTemplate: Reader = (spec, value) => {
  let read: unknown
  try {
    read = JSON.parse(value)
  } catch {
    return 'error parsing secret template JSON'
  }
  if (!isObject(read)) return 'error parsing secret template JSON: it is no object'
  const unknown = Object.keys(read).find((name) => name !== 'annotations' && name !== 'labels')
  if (unknown !== undefined) return `error parsing secret template JSON: unknown field ${JSON.stringify(unknown)}`
  const { annotations = {}, labels = {} } = read
  if (!isTexts(annotations) || !isTexts(labels))
    return 'error parsing secret template JSON: labels and annotations are texts'
  const ours = Object.keys(annotations).find((name) => name.startsWith(PREFIX))
  if (ours !== undefined) return `secretTemplate must not have cert-manager.io/ annotations: ${JSON.stringify(ours)}`
  const template = {
    ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
    ...(Object.keys(labels).length > 0 ? { labels } : {}),
  }
  if (Object.keys(template).length > 0) spec.secretTemplate = template
  return undefined
}

const isTexts = (value: unknown): value is Readonly<Record<string, string>> =>
  isObject(value) && Object.values(value).every((text) => typeof text === 'string')

/** In this order: a size is checked against the algorithm that was said before it. */
const readers: readonly (readonly [name: string, read: Reader])[] = [
  ['common-name', commonName],
  ['alt-names', altNames],
  ['ip-sans', ipSans],
  ['email-sans', emailSans],
  ['subject-organizations', subjectList('organizations')],
  ['subject-organizationalunits', subjectList('organizationalUnits')],
  ['subject-countries', subjectList('countries')],
  ['subject-provinces', subjectList('provinces')],
  ['subject-localities', subjectList('localities')],
  ['subject-postalcodes', subjectList('postalCodes')],
  ['subject-streetaddresses', subjectList('streetAddresses')],
  ['subject-serialnumber', serialNumber],
  ['duration', duration('duration', SHORTEST_DURATION_MS, '1h0m0s')],
  ['renew-before', duration('renewBefore', SHORTEST_RENEW_BEFORE_MS, '5m0s')],
  ['renew-before-percentage', renewBeforePercentage],
  ['usages', usages],
  ['revision-history-limit', revisionHistoryLimit],
  ['private-key-algorithm', choice('algorithm', ['RSA', 'ECDSA', 'Ed25519'], 'algorithm')],
  ['private-key-encoding', choice('encoding', ['PKCS1', 'PKCS8'], 'encoding')],
  ['private-key-size', privateKeySize],
  ['private-key-rotation-policy', choice('rotationPolicy', ['Never', 'Always'], 'rotation policy')],
  ['secret-template', secretTemplate],
]

/** A Certificate with what annotations of an Ingress or a Gateway say of it. */
export function withAnnotations(
  spec: CertificateSpec,
  annotations: Readonly<Record<string, string>>,
): Result<CertificateSpec> {
  const draft: Draft = { ...spec }
  for (const [name, read] of readers) {
    const key = `${PREFIX}${name}`
    const value = Object.hasOwn(annotations, key) ? annotations[key] : undefined
    const problem = value === undefined ? undefined : read(draft, value)
    if (problem !== undefined) {
      const message = `invalid ingress annotation ${JSON.stringify(key)}: ${problem}`
      return fail({ code: 'shim-annotation-invalid', at: key, message })
    }
  }
  return succeed(draft)
}
