import type { Patch } from '../../kube/client.ts'
import { refuse } from '../../kube/status.ts'
import type { Proposal } from './update.ts'
import type { Write } from './write.ts'

/** How a server-side apply arrives at its object. */
export function applyProposal(_write: Write, _patch: Extract<Patch, { type: 'apply' }>): Proposal {
  const refuseAll = () => refuse('UnsupportedMediaType', 'server-side apply is not served yet')
  return { propose: refuseAll, create: refuseAll, isTracked: true }
}
