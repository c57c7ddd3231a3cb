import { isGiven, listField, textField } from '../fields.ts'
import {
  badRequest,
  type MountRequest,
  type Outcome,
  permissionDenied,
  reply,
  unsupportedOperation,
} from '../logical.ts'
import type { Token } from '../token/token.ts'
import { isWrite, type SystemHandler, type SystemParts } from './system-parts.ts'

export const capabilitiesSelf: SystemHandler = (request, _, parts) => {
  if (!isWrite(request)) return unsupportedOperation()
  return request.token ? show(request, request.token, parts) : permissionDenied()
}

export const capabilitiesOf: SystemHandler = (request, _, parts) => {
  if (!isWrite(request)) return unsupportedOperation()
  const sent = textField(request.fields, 'token')
  if (!sent.ok) return sent
  if (!sent.value) return badRequest('missing token')
  const token = parts.tokens.byText(sent.value)
  return token ? show(request, token, parts) : badRequest('invalid token')
}

export const capabilitiesByAccessor: SystemHandler = (request, _, parts) => {
  if (!isWrite(request)) return unsupportedOperation()
  const accessor = textField(request.fields, 'accessor')
  if (!accessor.ok) return accessor
  const token = parts.tokens.byAccessor(accessor.value ?? '')
  return token ? show(request, token, parts) : badRequest('invalid accessor')
}

function show({ fields }: MountRequest, token: Token, { aclOf }: SystemParts): Outcome {
  const paths = listField(fields, isGiven(fields, 'paths') ? 'paths' : 'path')
  if (!paths.ok) return paths
  const [first] = paths.value ?? []
  if (!paths.value || first === undefined) return badRequest('paths must be supplied')
  const acl = aclOf(token)
  const data = new Map<string, unknown>(paths.value.map((path) => [path, acl.capabilities(path.replace(/^\/+/, ''))]))
  if (paths.value.length === 1) data.set('capabilities', data.get(first))
  return reply({ data: Object.fromEntries(data), alsoTopLevel: true })
}
