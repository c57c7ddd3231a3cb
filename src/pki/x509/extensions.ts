import { Buffer } from 'node:buffer'
import { parseAddress } from '../../lang/cel/kubernetes/address.ts'
import { der, type DerElement, derInteger, derOid, derSequence } from '../../lib/der.ts'
import { fail, type Problem, type Result, succeed } from '../../lib/result.ts'
import { derOctets, derTrue, expectTag, Malformed, oidOf, onlyElement, partsOf, TAG } from './asn1.ts'
import { NAME_TAG } from './general-names.ts'
import { oid } from './oids.ts'

/** An extension of a certificate or a request. */
export interface Extension {
  readonly oid: string
  readonly isCritical: boolean
  readonly value: Uint8Array
}

export const encodeExtension = ({ oid: id, isCritical, value }: Extension): Uint8Array =>
  derSequence(derOid(id), ...(isCritical ? [derTrue] : []), derOctets(value))

const MOST_EXTENSIONS = 200

/** Reads a list of extensions; throws Malformed, also where one comes twice. */
export function readExtensions(list: DerElement | undefined): readonly Extension[] {
  const extensions = partsOf(expectTag(list, TAG.sequence, 'extensions'), 'extensions').map((each) => {
    const [id, second, third] = partsOf(expectTag(each, TAG.sequence, 'extension'), 'extension')
    const isFlagged = second?.tag === TAG.boolean
    const value = expectTag(isFlagged ? third : second, TAG.octetString, 'extension').content
    return { oid: oidOf(id, 'extension'), isCritical: isFlagged && second.content[0] !== 0, value }
  })
  if (extensions.length > MOST_EXTENSIONS) throw new Malformed(`more than ${MOST_EXTENSIONS} extensions`)
  const ids = new Set(extensions.map((extension) => extension.oid))
  if (ids.size < extensions.length) throw new Malformed('an extension comes twice')
  return extensions
}

/** The value of an extension, if it is there. */
export const extensionValue = (extensions: readonly Extension[], id: string): Uint8Array | undefined =>
  extensions.find((extension) => extension.oid === id)?.value

/** Whether somebody is an authority, and over how many authorities below. */
export interface BasicConstraints {
  readonly isCa: boolean
  readonly maxPathLength?: number
}

export const basicConstraints = ({ isCa, maxPathLength }: BasicConstraints): Extension => ({
  oid: oid.basicConstraints,
  isCritical: true,
  value: derSequence(
    ...(isCa ? [derTrue] : []),
    ...(isCa && maxPathLength !== undefined ? [derInteger(Uint8Array.of(maxPathLength))] : []),
  ),
})

/** Reads the value of basic constraints; throws Malformed. */
export function readBasicConstraints(value: Uint8Array): BasicConstraints {
  const what = 'basic constraints'
  const parts = partsOf(expectTag(onlyElement(value, what), TAG.sequence, what), what)
  const length = parts.find(({ tag }) => tag === TAG.integer)
  return {
    isCa: parts.some(({ tag, content }) => tag === TAG.boolean && content[0] !== 0),
    ...(length ? { maxPathLength: Number.parseInt(Buffer.from(length.content).toString('hex'), 16) } : {}),
  }
}

/** Names that those below an authority may have, or may not have. */
export interface ConstrainedNames {
  readonly dnsDomains?: readonly string[]
  readonly ipRanges?: readonly string[]
  readonly emailAddresses?: readonly string[]
  readonly uriDomains?: readonly string[]
}

export interface NameConstraints {
  readonly critical?: boolean
  readonly permitted?: ConstrainedNames
  readonly excluded?: ConstrainedNames
}

/** Name constraints as an extension; nothing where they constrain nothing. */
export function nameConstraints(given: NameConstraints): Result<Extension | undefined> {
  const problems: Problem[] = []
  const permitted = subtrees(given.permitted, problems)
  const excluded = subtrees(given.excluded, problems)
  if (problems.length > 0) return fail(...problems)
  if (permitted.length === 0 && excluded.length === 0) return succeed(undefined)
  const value = derSequence(
    ...(permitted.length > 0 ? [der(0xa0, ...permitted)] : []),
    ...(excluded.length > 0 ? [der(0xa1, ...excluded)] : []),
  )
  return succeed({ oid: oid.nameConstraints, isCritical: given.critical === true, value })
}

function subtrees(names: ConstrainedNames = {}, problems: Problem[]): readonly Uint8Array[] {
  const texts = (tag: number, list: readonly string[] = []): readonly Uint8Array[] =>
    list.map((text) => derSequence(der(tag, Buffer.from(text))))
  const ranges = (names.ipRanges ?? []).flatMap((text) => {
    const bytes = rangeBytes(text)
    if (!bytes)
      problems.push({
        code: 'ip-range-invalid',
        message: `invalid CIDR address: ${JSON.stringify(text.slice(0, 100))}`,
      })
    return bytes ? [derSequence(der(NAME_TAG.ip, bytes))] : []
  })
  return [
    ...texts(NAME_TAG.dns, names.dnsDomains),
    ...ranges,
    ...texts(NAME_TAG.email, names.emailAddresses),
    ...texts(NAME_TAG.uri, names.uriDomains),
  ]
}

/** The first address of a range such as `10.0.0.0/8`, then its mask; undefined where the text is no range. */
export function rangeBytes(text: string): Uint8Array | undefined {
  const found = /^([^/]{1,60})\/(0|[1-9]\d{0,2})$/.exec(text)
  const address = found && parseAddress(found[1] ?? '')
  const length = Number(found?.[2])
  if (!address || length > address.length * 8) return undefined
  const mask = address.map((_, at) => 0xff & ~(0xff >> Math.min(Math.max(length - at * 8, 0), 8)))
  return Uint8Array.from([...address.map((byte, at) => byte & (mask[at] ?? 0)), ...mask])
}

/** Where revoked certificates are listed. */
export const crlDistributionPoints = (urls: readonly string[]): Extension => ({
  oid: oid.crlDistributionPoints,
  isCritical: false,
  value: derSequence(...urls.map((url) => derSequence(der(0xa0, der(0xa0, der(NAME_TAG.uri, Buffer.from(url))))))),
})

/** Where the issuer is asked whether a certificate still holds, and where its own certificate is. */
export const authorityInfoAccess = (ocspServers: readonly string[], issuerUrls: readonly string[]): Extension => {
  const access = (id: string, url: string): Uint8Array => derSequence(derOid(id), der(NAME_TAG.uri, Buffer.from(url)))
  return {
    oid: oid.authorityInfoAccess,
    isCritical: false,
    value: derSequence(
      ...ocspServers.map((url) => access(oid.ocsp, url)),
      ...issuerUrls.map((url) => access(oid.issuerUrl, url)),
    ),
  }
}
