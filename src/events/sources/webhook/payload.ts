import { isDeeperThan } from '../../../kube/schema/walk.ts'
import { isObject, own } from '../../../lib/json.ts'
import { fail, type Result, succeed } from '../../../lib/result.ts'
import { type DeliveryHeaders, shownHeaders } from './delivery.ts'

/** What looks into events walks them by recursion. */
const DEEPEST = 500

const decoder = new TextDecoder()

/** A body that is JSON: its text as it was sent, so that no number loses a digit, and its value. */
export interface JsonBody {
  readonly text: string
  readonly value: unknown
}

/** Reads a body that has to be JSON. */
export function readJson(body: Uint8Array | string): Result<JsonBody> {
  const text = typeof body === 'string' ? body : decoder.decode(body)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    return refuse(`the body is not JSON: ${error instanceof Error ? error.message.slice(0, 200) : 'it cannot be read'}`)
  }
  return isDeeperThan(value, DEEPEST)
    ? refuse(`the body is nested deeper than ${DEEPEST} levels`)
    : succeed({ text, value })
}

const refuse = (message: string): Result<never> => fail({ code: 'webhook-body-invalid', message })

/** The metadata of a source, where it has any. */
export function metadataPart(metadata: unknown): string {
  if (!isObject(metadata)) return ''
  const texts = Object.keys(metadata).flatMap((name) => {
    const value = own(metadata, name)
    return typeof value === 'string' ? [`${JSON.stringify(name)}:${JSON.stringify(value)}`] : []
  })
  return texts.length === 0 ? '' : `,"metadata":{${texts.join(',')}}`
}

/** The data of a plain webhook's event: `{header, body, metadata}`. The body is JSON text. */
export const webhookData = (headers: DeliveryHeaders, body: string, metadata: unknown): string =>
  `{"header":${shownHeaders(headers)},"body":${body}${metadataPart(metadata)}}`

/** The data of a forge's event: `{headers, body, metadata}`. The body is JSON text. */
export const forgeData = (headers: DeliveryHeaders, body: string, metadata: unknown): string =>
  `{"headers":${shownHeaders(headers)},"body":${body}${metadataPart(metadata)}}`
