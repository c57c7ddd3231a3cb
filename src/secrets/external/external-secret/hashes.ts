import { createHash } from 'node:crypto'
import { bytesOf, compareStrings } from '../../../lib/go-string.ts'
import type { ObjectMeta } from '../../../kube/object.ts'
import type { SecretData } from '../data/decode.ts'

const sha3 = (text: string): string => createHash('sha3-224').update(bytesOf(text)).digest('hex')

/** A map as Go prints it. */
function mapText(entries: Iterable<readonly [string, string]>): string {
  const sorted = [...entries].toSorted(([a], [b]) => compareStrings(a, b))
  return `map[${sorted.map(([key, value]) => `${key}:${value}`).join(' ')}]`
}

/** What says that data are the same, as the operator writes it on Secrets. */
export const dataHash = (data: SecretData): string =>
  sha3(mapText([...data].map(([key, value]) => [key, `[${bytesOf(value).join(' ')}]`] as const)))

/** The value of the label that leads from a Secret to its ExternalSecret. */
export const ownerHash = (namespace: string, name: string): string => sha3(`${namespace}/${name}`)

/** What says that nobody changed an object: its generation, and its labels and annotations. */
export function versionOf({ generation = 0, labels = {}, annotations = {} }: ObjectMeta): string {
  const meta = `{annotations:${mapText(Object.entries(annotations))} labels:${mapText(Object.entries(labels))}}`
  return `${generation}-${sha3(meta)}`
}

const LONGEST_MANAGER = 63

/** In whose name an ExternalSecret writes its Secret; what stands under it in managedFields is its own. */
export function managerOf(name: string): string {
  const whole = `externalsecrets.external-secrets.io/${name}`
  return whole.length > LONGEST_MANAGER ? `externalsecrets.external-secrets.io/sha3/${sha3(name)}` : whole
}
