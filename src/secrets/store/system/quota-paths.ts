import { integerField, readAll, secondsField, textField } from '../fields.ts'
import {
  badRequest,
  dataReply,
  listReply,
  type MountRequest,
  nothing,
  type Outcome,
  unsupportedOperation,
} from '../logical.ts'
import type { RateLimit } from '../rate-limits.ts'
import { isWrite, type SystemHandler, type SystemParts } from './system-parts.ts'

export const rateLimitQuotas: SystemHandler = async (request, name, { limits, mounts }) => {
  const { operation } = request
  if (name === '') return operation === 'list' ? listReply(limits.names()) : unsupportedOperation()
  if (name.includes('/')) return badRequest('names of quotas have no slash')
  const known = limits.get(name)
  if (operation === 'read') {
    if (!known) return nothing
    return dataReply({
      type: 'rate-limit',
      name,
      path: known.path,
      rate: known.rate,
      interval: known.intervalSeconds,
      block_interval: known.blockSeconds,
      role: '',
    })
  }
  if (operation === 'delete') {
    await limits.delete(name)
    return nothing
  }
  return isWrite(request) ? write(request, name, { limits, mounts }) : unsupportedOperation()
}

async function write(
  { fields }: MountRequest,
  name: string,
  { limits, mounts }: Pick<SystemParts, 'limits' | 'mounts'>,
): Promise<Outcome> {
  const read = readAll({
    path: textField(fields, 'path'),
    rate: integerField(fields, 'rate'),
    intervalSeconds: secondsField(fields, 'interval'),
    blockSeconds: secondsField(fields, 'block_interval'),
  })
  if (!read.ok) return read
  const given = Object.fromEntries(Object.entries(read.value).filter(([, value]) => value !== undefined))
  const known = limits.get(name) ?? { name, path: '', rate: 0, intervalSeconds: 1, blockSeconds: 0 }
  const limit: RateLimit = { ...known, ...given }
  if (limit.rate <= 0) return badRequest("'rate' is invalid: it has to be greater than 0")
  if (limit.intervalSeconds <= 0) return badRequest("'interval' is invalid: it has to be at least a second")
  if (limit.path !== '' && !mounts().route(limit.path)) {
    return badRequest(`invalid mount path ${JSON.stringify(limit.path)}`)
  }
  await limits.put(limit)
  return nothing
}
