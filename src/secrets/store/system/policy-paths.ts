import { textField } from '../fields.ts'
import {
  badRequest,
  dataReply,
  type MountRequest,
  nothing,
  type Outcome,
  reply,
  unsupportedOperation,
} from '../logical.ts'
import { isWrite, type SystemHandler, type SystemParts } from './system-parts.ts'

/** `policies/acl`: as it is today. */
export const policiesAcl: SystemHandler = (request, name, parts) => {
  if (name === '') return request.operation === 'list' ? list(parts) : unsupportedOperation()
  return one(request, name, parts, (text, shown) => dataReply({ name: shown, policy: text }))
}

/** `policy`: as it was before, which many clients still use. */
export const policyOld: SystemHandler = (request, name, parts) => {
  if (name === '') {
    const names = parts.policies.names()
    const isRead = request.operation === 'read' || request.operation === 'list'
    return isRead ? reply({ data: { policies: names, keys: names }, alsoTopLevel: true }) : unsupportedOperation()
  }
  return one(request, name, parts, (text, shown) => reply({ data: { name: shown, rules: text }, alsoTopLevel: true }))
}

const list = ({ policies }: SystemParts): Outcome => dataReply({ keys: policies.names() })

async function one(
  request: MountRequest,
  asked: string,
  { policies }: SystemParts,
  show: (text: string, name: string) => Outcome,
): Promise<Outcome> {
  const name = asked.toLowerCase()
  if (name.includes('/') || name.length > 256)
    return badRequest('policy names have at most 256 characters and no slash')
  if (request.operation === 'read') {
    const text = policies.text(name)
    return text === undefined ? nothing : show(text, name)
  }
  if (request.operation === 'delete') {
    const deleted = await policies.delete(name)
    return deleted.ok ? nothing : badRequest(...deleted.error.map(({ message }) => message))
  }
  if (!isWrite(request)) return unsupportedOperation()
  const sent = textField(request.fields, request.fields.has('policy') ? 'policy' : 'rules')
  if (!sent.ok) return sent
  if (!sent.value) return badRequest("'policy' parameter not supplied or empty")
  const put = await policies.put(name, decoded(sent.value))
  return put.ok ? nothing : badRequest(...put.error.map(({ at, message }) => (at ? `${message} (${at})` : message)))
}

/** A policy may be sent in base64. */
function decoded(text: string): string {
  if (!/^[A-Za-z0-9+/=\s]+$/.test(text) || text.trim().length % 4 !== 0) return text
  const plain = Buffer.from(text, 'base64').toString()
  return plain.includes('\ufffd') ? text : plain
}
