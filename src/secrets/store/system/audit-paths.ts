import { booleanField, readAll, textField, textMapField } from '../fields.ts'
import { badRequest, dataReply, nothing, reply, unsupportedOperation } from '../logical.ts'
import { isWrite, type SystemHandler } from './system-parts.ts'

export const auditDevices: SystemHandler = async (request, rest, { audit }) => {
  const { operation, fields } = request
  if (rest === '') {
    if (operation !== 'read' && operation !== 'list') return unsupportedOperation()
    const data = Object.fromEntries(
      audit
        .devices()
        .map(({ path, description, options, type, local }) => [path, { path, type, description, options, local }]),
    )
    return reply({ data, alsoTopLevel: true })
  }
  const path = rest.endsWith('/') ? rest : `${rest}/`
  if (operation === 'delete') {
    await audit.disable(path)
    return nothing
  }
  if (!isWrite(request)) return unsupportedOperation()
  const read = readAll({
    type: textField(fields, 'type'),
    description: textField(fields, 'description'),
    options: textMapField(fields, 'options'),
    local: booleanField(fields, 'local'),
  })
  if (!read.ok) return read
  const enabled = await audit.enable({
    path,
    type: read.value.type ?? '',
    description: read.value.description ?? '',
    options: Object.fromEntries(read.value.options ?? []),
    local: read.value.local ?? false,
  })
  return enabled.ok ? nothing : badRequest(...enabled.error.map(({ message }) => message))
}

/** What a value is called in the audit log, for whoever looks for it there. */
export const auditHash: SystemHandler = (request, rest, { audit }) => {
  if (!isWrite(request)) return unsupportedOperation()
  const input = textField(request.fields, 'input')
  if (!input.ok) return input
  if (!input.value) return badRequest('the "input" parameter is empty')
  const hash = audit.hash(rest.endsWith('/') ? rest : `${rest}/`, input.value)
  return hash === undefined ? badRequest(`unknown audit backend ${JSON.stringify(rest)}`) : dataReply({ hash })
}
