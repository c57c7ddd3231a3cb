import { Buffer } from 'node:buffer'
import { stringOf } from '../../../lib/go-string.ts'
import { succeed } from '../../../lib/result.ts'
import { failed, type Fetched } from './trouble.ts'

/** Values by their keys. A value is a Go string: bytes that are no UTF-8 are carried as `lib/go-string.ts` says. */
export type SecretData = ReadonlyMap<string, string>

const STANDARD = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/
const URL_SAFE = /^(?:[A-Za-z0-9_-]{4})*(?:[A-Za-z0-9_-]{2}==|[A-Za-z0-9_-]{3}=)?$/

function base64(text: string, alphabet: RegExp): string | undefined {
  const compact = text.replaceAll(/[\r\n]/g, '')
  return alphabet.test(compact) ? stringOf(Buffer.from(compact, 'base64')) : undefined
}

/** A value as a decodingStrategy reads it; `Auto` takes what is no base64 as it is. */
export function decodeValue(strategy: string, value: string): Fetched<string> {
  switch (strategy) {
    case '':
    case 'None':
      return succeed(value)
    case 'Auto':
      return succeed(base64(value, STANDARD) ?? base64(value, URL_SAFE) ?? value)
    case 'Base64':
    case 'Base64URL': {
      const read = base64(value, strategy === 'Base64' ? STANDARD : URL_SAFE)
      return read === undefined ? failed(`the value is not ${strategy}`) : succeed(read)
    }
    default:
      return failed(`decoding strategy ${strategy} is not supported`)
  }
}

/** Every value as a decodingStrategy reads it. */
export function decodeData(strategy: string, data: SecretData): Fetched<SecretData> {
  if (strategy === '' || strategy === 'None') return succeed(data)
  const decoded = new Map<string, string>()
  for (const [key, value] of data) {
    const read = decodeValue(strategy, value)
    if (!read.ok) return failed(`cannot decode the key ${JSON.stringify(key)}: ${read.error.message}`)
    decoded.set(key, read.value)
  }
  return succeed(decoded)
}

/** Refuses values with null bytes where the nullBytePolicy is Fail; the first in the order of keys is told. */
export function checkNullBytes(policy: string, data: SecretData): Fetched<SecretData> {
  if (policy !== 'Fail') return succeed(data)
  const bad = [...data.keys()].toSorted().find((key) => data.get(key)?.includes('\0'))
  return bad === undefined
    ? succeed(data)
    : failed(
        `the value for key ${JSON.stringify(bad)} contains null bytes; keep it as text, such as PEM or base64, or leave nullBytePolicy unset where binary data is meant`,
      )
}
