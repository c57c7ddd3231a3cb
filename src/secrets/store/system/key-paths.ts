import { timeText } from '../time-text.ts'
import { dataReply, nothing, reply, unsupportedOperation } from '../logical.ts'
import { activeKey } from '../seal/keyring.ts'
import { isWrite, type SystemHandler } from './system-parts.ts'

export const rotate: SystemHandler = async (request, _, { seal }) => {
  if (!isWrite(request)) return unsupportedOperation()
  await seal.rotate()
  return nothing
}

export const keyStatus: SystemHandler = ({ operation }, _, { barrier }) => {
  if (operation !== 'read') return unsupportedOperation()
  const { term, installedMs } = activeKey(barrier.ring)
  const data = { term, install_time: timeText(installedMs), encryptions: barrier.encryptions }
  return reply({ data, alsoTopLevel: true })
}

/** When keys are replaced by themselves: they are not, and whoever asks is told so. */
export const rotateConfig: SystemHandler = ({ operation }) =>
  operation === 'read' ? dataReply({ enabled: false, interval: 0, max_operations: 0 }) : unsupportedOperation()

export const sealStore: SystemHandler = (request, _, { sealSoon }) => {
  if (!isWrite(request)) return unsupportedOperation()
  sealSoon()
  return nothing
}
