import type { Buffer } from 'node:buffer'
import type { Patch } from '../../kube/client.ts'
import { type ApiResult, failure, refuse, type Status } from '../../kube/status.ts'
import { decodeProtobuf } from '../../kube/protobuf/decode.ts'
import { MessageTable } from '../../kube/protobuf/messages.ts'
import { readData } from '../../lib/data-file.ts'
import type { Json } from '../../lib/json.ts'
import { isObject } from '../../lib/json.ts'
import { succeed } from '../../lib/result.ts'
import type { RequestOptions } from '../request.ts'
import { type Exchange, LARGEST_BODY } from './exchange.ts'
import { mediaType } from './negotiate.ts'
import { duplicateKeys } from './duplicate-keys.ts'
import { measure } from './depth.ts'
import { readYaml } from './yaml.ts'

/** A body as parsed, with what its text said twice. */
export interface ParsedBody {
  readonly value: unknown
  readonly problems: readonly string[]
}

const decoder = new TextDecoder('utf-8', { fatal: true })

/** Reads the body's bytes, or says why they do not come. */
export async function bodyOf(exchange: Exchange): Promise<ApiResult<Buffer>> {
  const read = await exchange.readBody()
  if (read.ok) return succeed(read.body)
  switch (read.because) {
    case 'too-large':
      return refuse('RequestEntityTooLarge', `the request is larger than the limit of ${LARGEST_BODY} bytes`)
    case 'too-slow':
      return refuse('Timeout', 'the body of the request did not arrive in time')
    case 'aborted':
      return refuse('BadRequest', 'the body of the request ended early')
  }
}

/** Reads a body in the form that its Content-Type names. */
export function parseBody(bytes: Buffer, contentType: string | undefined): ApiResult<ParsedBody> {
  const type = mediaType(contentType)
  if (type === 'application/vnd.kubernetes.protobuf') return fromProtobuf(bytes)
  if (type !== '' && type !== 'application/json' && type !== 'application/yaml')
    return { ok: false, error: unknownFormat(type) }
  const text = textOf(bytes)
  if (!text.ok) return text
  return type === 'application/yaml' ? fromYaml(text.value) : fromJson(text.value)
}

function textOf(bytes: Buffer): ApiResult<string> {
  try {
    return succeed(decoder.decode(bytes))
  } catch {
    return refuse('BadRequest', 'the body of the request is not valid UTF-8')
  }
}

function unknownFormat(type: string): Status {
  return failure(
    'UnsupportedMediaType',
    `the body of the request was in an unknown format (${type}) - accepted media types include: application/json, application/yaml, application/vnd.kubernetes.protobuf`,
  )
}

let messages: MessageTable | undefined

/** Typed clients write built-in kinds in protobuf; the table of field numbers is unpacked for the first of them. */
function fromProtobuf(bytes: Buffer): ApiResult<ParsedBody> {
  messages ??= new MessageTable(new TextDecoder().decode(readData('protobuf')))
  const decoded = decodeProtobuf(bytes, messages)
  if (!decoded.ok) return refuse('BadRequest', decoded.error.map(({ message }) => message).join('; '))
  return measure(decoded.value).isShallow ? succeed({ value: decoded.value, problems: [] }) : tooDeep
}

const tooDeep = refuse('BadRequest', 'the body of the request is nested too deeply')

/** At least as many as the text has field names: a quote and a colon may also stand inside a string. */
function namesIn(text: string): number {
  const name = /"\s*:/g
  let count = 0
  while (name.test(text)) count++
  return count
}

function fromJson(text: string): ApiResult<ParsedBody> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    return refuse('BadRequest', `error decoding the body: ${cause instanceof Error ? cause.message : 'not JSON'}`)
  }
  const { isShallow, fields } = measure(value)
  if (!isShallow) return tooDeep
  if (namesIn(text) === fields) return succeed({ value, problems: [] })
  return succeed({ value, problems: duplicateKeys(text).map((path) => `duplicate field ${JSON.stringify(path)}`) })
}

function fromYaml(text: string): ApiResult<ParsedBody> {
  const read = readYaml(text)
  if (!read.ok) return refuse('BadRequest', `error decoding the body: ${read.message}`)
  if (!measure(read.value).isShallow) return tooDeep
  return succeed({ value: read.value, problems: [] })
}

const patchTypes: ReadonlyMap<string, Patch['type']> = new Map([
  ['application/json-patch+json', 'json'],
  ['application/merge-patch+json', 'merge'],
  ['application/strategic-merge-patch+json', 'strategic'],
  ['application/apply-patch+yaml', 'apply'],
])

/** Reads the body of a PATCH by its Content-Type. */
export function parsePatch(
  bytes: Buffer,
  contentType: string | undefined,
): ApiResult<{ readonly patch: Patch; readonly problems: readonly string[] }> {
  const type = patchTypes.get(mediaType(contentType))
  if (!type) {
    return refuse(
      'UnsupportedMediaType',
      `the body of the request was in an unknown format - accepted media types include: ${[...patchTypes.keys()].join(', ')}`,
    )
  }
  const text = textOf(bytes)
  if (!text.ok) return text
  // An apply patch may be YAML; JSON is the common case and parses much faster.
  const parsed =
    type === 'apply' && !/^\s*[[{]/.test(text.value.slice(0, 200)) ? fromYaml(text.value) : fromJson(text.value)
  if (!parsed.ok) return parsed
  const { value, problems } = parsed.value
  if (type === 'json') {
    if (!Array.isArray(value)) return refuse('BadRequest', 'error decoding patch: a JSON patch is a list of operations')
    return succeed({ patch: { type, body: value as readonly Json[] }, problems })
  }
  if (type === 'apply') return succeed({ patch: { type, body: value }, problems })
  return succeed({ patch: { type, body: value as Json }, problems })
}

/** The options that the body of a DELETE carries. */
export function parseDeleteOptions(bytes: Buffer, contentType: string | undefined): ApiResult<RequestOptions> {
  if (bytes.length === 0) return succeed({})
  const parsed = parseBody(bytes, contentType)
  if (!parsed.ok) return parsed
  const { value } = parsed.value
  if (!isObject(value)) return refuse('BadRequest', 'the body of a DELETE must be a DeleteOptions object')
  const { kind, dryRun, gracePeriodSeconds, propagationPolicy, orphanDependents, preconditions } = value
  if (kind !== undefined && kind !== 'DeleteOptions')
    return refuse('BadRequest', 'decoded object cannot be converted to DeleteOptions')
  if (gracePeriodSeconds !== undefined && gracePeriodSeconds !== null && !Number.isSafeInteger(gracePeriodSeconds)) {
    return refuse('BadRequest', 'gracePeriodSeconds must be an integer')
  }
  const wanted = isObject(preconditions) ? preconditions : {}
  const { uid, resourceVersion } = wanted
  return succeed({
    ...(Array.isArray(dryRun) && dryRun.includes('All') ? { dryRun: true } : {}),
    ...(typeof gracePeriodSeconds === 'number' ? { gracePeriodSeconds } : {}),
    ...(typeof propagationPolicy === 'string' ? { propagationPolicy: propagationPolicy as 'Background' } : {}), // Checked by the verb.
    ...(typeof orphanDependents === 'boolean' ? { orphanDependents } : {}),
    ...(typeof uid === 'string' || typeof resourceVersion === 'string'
      ? {
          preconditions: {
            ...(typeof uid === 'string' ? { uid } : {}),
            ...(typeof resourceVersion === 'string' ? { resourceVersion } : {}),
          },
        }
      : {}),
  })
}
