import { Buffer } from 'node:buffer'
import { addressText, parseAddress } from '../../lang/cel/kubernetes/address.ts'
import { der, derOid, derSequence } from '../../lib/der.ts'
import { expectTag, Malformed, oidOf, onlyElement, partsOf, TAG, textOf } from './asn1.ts'

/** A name of a kind of one's own, whose value is text. */
export interface OtherName {
  readonly oid: string
  readonly utf8Value: string
}

/** The alternative names of a subject, by their kind. */
export interface AlternativeNames {
  readonly dnsNames: readonly string[]
  readonly emailAddresses: readonly string[]
  readonly ipAddresses: readonly string[]
  readonly uris: readonly string[]
  readonly otherNames: readonly OtherName[]
}

export const noNames: AlternativeNames = {
  dnsNames: [],
  emailAddresses: [],
  ipAddresses: [],
  uris: [],
  otherNames: [],
}

/** How a name is tagged: context-specific, primitive but for other names. */
export const NAME_TAG = { other: 0xa0, email: 0x81, dns: 0x82, uri: 0x86, ip: 0x87 } as const

/** Whether there is no name at all. */
export const isWithoutNames = (names: AlternativeNames): boolean =>
  Object.values(names).every((list: readonly unknown[]) => list.length === 0)

/** The bytes of an address; undefined where the text is none. */
export function addressBytes(text: string): Uint8Array | undefined {
  const address = parseAddress(text)
  return address && Uint8Array.from(address)
}

// Names of the net are IA5 strings; what is none is refused before it comes here.
const ia5 = (tag: number, text: string): Uint8Array => der(tag, Buffer.from(text, 'utf8'))

/** The value of an extension that names the subject; addresses that cannot be read are left out. */
export const encodeAlternativeNames = (names: AlternativeNames): Uint8Array =>
  derSequence(
    ...names.otherNames.map(({ oid, utf8Value }) =>
      der(NAME_TAG.other, derOid(oid), der(0xa0, der(TAG.utf8String, Buffer.from(utf8Value)))),
    ),
    ...names.emailAddresses.map((name) => ia5(NAME_TAG.email, name)),
    ...names.dnsNames.map((name) => ia5(NAME_TAG.dns, name)),
    ...names.uris.map((name) => ia5(NAME_TAG.uri, name)),
    ...names.ipAddresses.flatMap((name) => {
      const bytes = addressBytes(name)
      return bytes ? [der(NAME_TAG.ip, bytes)] : []
    }),
  )

const WHAT = 'subject alternative name'
const MOST_NAMES = 5_000

/** Reads the value of an extension that names the subject; throws Malformed. Kinds that nobody asks for are left out. */
export function readAlternativeNames(value: Uint8Array): AlternativeNames {
  const parts = partsOf(expectTag(onlyElement(value, WHAT), TAG.sequence, WHAT), WHAT)
  if (parts.length > MOST_NAMES) throw new Malformed(`more than ${MOST_NAMES} names in a ${WHAT}`)
  const ofTag = (tag: number): readonly string[] =>
    parts.filter((part) => part.tag === tag).map(({ content }) => Buffer.from(content).toString('utf8'))
  return {
    dnsNames: ofTag(NAME_TAG.dns),
    emailAddresses: ofTag(NAME_TAG.email),
    uris: ofTag(NAME_TAG.uri),
    ipAddresses: parts.filter(({ tag }) => tag === NAME_TAG.ip).map(({ content }) => textOfAddress(content)),
    otherNames: parts
      .filter(({ tag }) => tag === NAME_TAG.other)
      .flatMap((part) => {
        const [type, wrapped] = partsOf(part, WHAT)
        const [text] = partsOf(wrapped, WHAT)
        // Others, such as those of Kerberos, hold no text; they are kept in the bytes of the extension.
        return text?.tag === TAG.utf8String ? [{ oid: oidOf(type, WHAT), utf8Value: textOf(text) }] : []
      }),
  }
}

function textOfAddress(bytes: Uint8Array): string {
  if (bytes.length !== 4 && bytes.length !== 16)
    throw new Malformed(`an address in a ${WHAT} has ${bytes.length} bytes`)
  return addressText([...bytes])
}
