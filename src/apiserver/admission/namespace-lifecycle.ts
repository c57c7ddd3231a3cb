import type { AdmissionPlugin, AdmissionRequest } from '../../kube/admission.ts'
import { failure, type Status } from '../../kube/status.ts'
import type { ClusterReader } from './cluster-reader.ts'
import { forbidden, isAbout } from './denials.ts'

/** Without these a cluster cannot work: they are never deleted. */
const IMMORTAL: ReadonlySet<string> = new Set(['default', 'kube-system', 'kube-public'])
/** Reviews ask about a namespace; they put nothing into it. */
const reviewGroup = 'authorization.k8s.io'

/** Nothing is made in a namespace that is not there or is going away. */
export function namespaceLifecycle(reader: ClusterReader): AdmissionPlugin {
  return {
    name: 'NamespaceLifecycle',
    handles: (request) =>
      (request.operation === 'CREATE' && request.namespace !== undefined && request.resource.group !== reviewGroup) ||
      (request.operation === 'DELETE' && isAbout(request, 'namespaces')),
    validate(request) {
      const status = refusalOf(request, reader)
      return Promise.resolve(status ? { allowed: false, status } : { allowed: true })
    },
  }
}

function refusalOf(request: AdmissionRequest, reader: ClusterReader): Status | undefined {
  if (request.operation === 'DELETE') {
    return IMMORTAL.has(request.name) ? forbidden(request, 'this namespace may not be deleted') : undefined
  }
  const name = request.namespace ?? ''
  const namespace = reader.get('', 'namespaces', { name })
  if (!namespace)
    return failure('NotFound', `namespaces ${JSON.stringify(name)} not found`, { name, kind: 'namespaces' })
  const phase = (namespace['status'] as { readonly phase?: string } | undefined)?.phase
  if (namespace.metadata.deletionTimestamp === undefined && phase !== 'Terminating') return undefined
  const because = `unable to create new content in namespace ${name} because it is being terminated`
  return forbidden(request, because, [
    { reason: 'NamespaceTerminating', message: `namespace ${name} is being terminated`, field: 'metadata.namespace' },
  ])
}
