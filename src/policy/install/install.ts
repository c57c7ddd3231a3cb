import type { Client, Collection } from '../../kube/client.ts'
import { parseApiVersion } from '../../kube/gvk.ts'
import type { KubeObject } from '../../kube/object.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Log } from '../../lib/log.ts'
import { kyvernoObjects } from './kyverno-objects.ts'

const plurals: Readonly<Record<string, string>> = {
  Namespace: 'namespaces',
  ConfigMap: 'configmaps',
  ServiceAccount: 'serviceaccounts',
  ClusterRole: 'clusterroles',
  ClusterRoleBinding: 'clusterrolebindings',
}

const collectionOf = ({ apiVersion, kind, metadata }: KubeObject): Collection => ({
  resource: { ...parseApiVersion(apiVersion), plural: plurals[kind] ?? '' },
  ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
})

const RETRY_MS = 1_000
const ATTEMPTS = 30

/** Makes what is missing of Kyverno's own objects; what is there stays as somebody left it. */
export async function installKyverno(
  client: Client,
  { clock, log, signal }: { readonly clock: Clock; readonly log: Log; readonly signal: AbortSignal },
): Promise<void> {
  for (const object of kyvernoObjects) {
    for (let attempt = 1; attempt <= ATTEMPTS && !signal.aborted; attempt++) {
      const made = await client.create(collectionOf(object), object, { signal })
      if (made.ok || made.error.reason === 'AlreadyExists') break
      log.warn('an object of Kyverno cannot be made', {
        kind: object.kind,
        name: object.metadata.name,
        because: made.error.message,
      })
      await clock.sleep(RETRY_MS, { signal })
    }
  }
}
