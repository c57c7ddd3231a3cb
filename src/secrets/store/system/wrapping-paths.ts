import { textField } from '../fields.ts'
import { badRequest, dataReply, type MountRequest, nothing, reply, unsupportedOperation } from '../logical.ts'
import { timeText } from '../time-text.ts'
import type { Token } from '../token/token.ts'
import { isWrite, type SystemHandler, type SystemParts } from './system-parts.ts'

const INVALID = 'wrapping token is not valid or does not exist'

export const wrappingWrap: SystemHandler = (request) => {
  if (!isWrite(request)) return unsupportedOperation()
  if (!request.wrapSeconds) return badRequest('endpoint requires response wrapping to be used')
  return dataReply(Object.fromEntries(request.fields))
}

export const wrappingLookup: SystemHandler = (request, _, parts) => {
  if (!isWrite(request) && request.operation !== 'read') return unsupportedOperation()
  const token = wrappedBy(request, parts)
  const facts = token && parts.wrapping.facts(token)
  if (!facts) return badRequest(INVALID)
  return dataReply({
    creation_path: facts.creationPath,
    creation_time: timeText(facts.createdMs),
    creation_ttl: facts.ttlSeconds,
  })
}

export const wrappingUnwrap: SystemHandler = async (request, _, parts) => {
  if (!isWrite(request)) return unsupportedOperation()
  const token = wrappedBy(request, parts)
  if (!token) return badRequest(INVALID)
  const json = await parts.wrapping.open(token)
  if (json === undefined) return badRequest(INVALID)
  return json === '' ? nothing : reply({ rawJson: json })
}

export const wrappingRewrap: SystemHandler = async (request, _, parts) => {
  if (!isWrite(request)) return unsupportedOperation()
  const token = wrappedBy(request, parts)
  const facts = token && parts.wrapping.facts(token)
  const json = token && (await parts.wrapping.open(token))
  if (!facts || json === undefined) return badRequest(INVALID)
  const { creationPath, ttlSeconds, wrappedAccessor } = facts
  return reply({ wrap: await parts.wrapping.wrap(json, creationPath, ttlSeconds, wrappedAccessor) })
}

/** The wrapping token that is meant: the one in the body, or the one that the request was sent with. */
function wrappedBy({ fields, token }: MountRequest, { wrapping }: SystemParts): Token | undefined {
  const sent = textField(fields, 'token')
  if (sent.ok && sent.value) return wrapping.find(sent.value)
  return token && wrapping.facts(token) ? token : undefined
}
