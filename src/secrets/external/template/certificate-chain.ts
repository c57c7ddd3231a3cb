import { type DerElement, readDer } from '../../../lib/der.ts'
import { pemBlocks } from './pem-blocks.ts'

/** A certificate with what ties it to others. */
export interface ChainLink {
  readonly bytes: Uint8Array
  /** In hexadecimal; undefined where the certificate says nothing. */
  readonly subjectKeyId: string | undefined
  readonly authorityKeyId: string | undefined
}

/** Tells whether a certificate names nobody else as its issuer. */
export const isRoot = ({ subjectKeyId, authorityKeyId }: ChainLink): boolean =>
  authorityKeyId === undefined || authorityKeyId === subjectKeyId

/**
 * The certificates of a PEM text from the leaf up, by their key ids, or why there is no one order. Nothing is verified:
 * this is about order alone.
 */
export function chainOf(text: string): readonly ChainLink[] | string {
  const links: ChainLink[] = []
  for (const { bytes } of pemBlocks(text)) {
    const link = linkOf(bytes)
    if (!link) return 'x509: malformed certificate'
    links.push(link)
  }
  const parents = new Map<ChainLink, ChainLink>()
  for (const link of links) {
    const { authorityKeyId } = link
    // What names no issuer has none here; a certificate without ids is nobody's issuer.
    const parent =
      authorityKeyId === undefined
        ? undefined
        : links.find((other) => other !== link && other.subjectKeyId === authorityKeyId)
    if (parent) parents.set(link, parent)
  }
  const isParent = new Set(parents.values())
  const [leaf, another] = links.filter((link) => !isParent.has(link))
  if (another) return 'found multiple leaf or disjunct certificates'
  if (!leaf) return 'no leaf certificate found'
  const chain: ChainLink[] = []
  for (let link: ChainLink | undefined = leaf; link; link = parents.get(link)) {
    if (chain.includes(link)) return 'constructing chain resulted in cycle'
    chain.push(link)
  }
  return chain
}

const SUBJECT_KEY_ID = '551d0e'
const AUTHORITY_KEY_ID = '551d23'

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const partsOf = (element: DerElement | undefined): readonly DerElement[] =>
  (element ? readDer(element.content) : undefined) ?? []

function linkOf(bytes: Uint8Array): ChainLink | undefined {
  const fields = partsOf(partsOf(readDer(bytes)?.[0])[0])
  if (fields.length < 6) return undefined
  const extensions = partsOf(partsOf(fields.find(({ tag }) => tag === 0xa3))[0]).map(partsOf)
  const valueOf = (oid: string): DerElement | undefined => {
    const found = extensions.find(([id]) => id && hexOf(id.content) === oid)
    return found ? readDer(found.at(-1)?.content ?? new Uint8Array())?.[0] : undefined
  }
  const subject = valueOf(SUBJECT_KEY_ID)
  const authority = partsOf(valueOf(AUTHORITY_KEY_ID)).find(({ tag }) => tag === 0x80)
  return {
    bytes,
    subjectKeyId: subject && hexOf(subject.content),
    authorityKeyId: authority && hexOf(authority.content),
  }
}
