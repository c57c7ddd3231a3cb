import { badRequest, dataReply, nothing, unsupportedOperation } from '../logical.ts'
import { isWrite, type SystemHandler } from './system-parts.ts'

/** Names that were tried with wrong secrets too often: which there are, and how one gets in again before its time. */
export const lockedUsers: SystemHandler = (request, rest, { lockout, mounts }) => {
  if (rest === '') {
    if (request.operation !== 'read') return unsupportedOperation()
    const locked = lockout.locked()
    const accessors = [...new Set(locked.map(({ mount }) => mount))]
    const shown = accessors.map((accessor) => {
      const names = locked.flatMap(({ mount, name }) => (mount === accessor ? [name] : []))
      return { mount_accessor: accessor, counts: names.length, alias_identifiers: names }
    })
    return dataReply({ total: locked.length, by_mount_accessor: shown })
  }
  const [, accessor = '', name = ''] = /^([^/]+)\/unlock\/(.+)$/.exec(rest) ?? []
  if (!isWrite(request) || name === '') return unsupportedOperation()
  if (!mounts().byAccessor(accessor)) return badRequest(`mount accessor ${JSON.stringify(accessor)} is not there`)
  lockout.unlock(accessor, name)
  return nothing
}
