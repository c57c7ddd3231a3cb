import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { own } from '../lib/json.ts'
import { fail, type Result, succeed } from '../lib/result.ts'
import type { ClusterAccess } from './access.ts'
import type { Environment } from './exec-plugin.ts'

const ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount'

/** How a Pod reaches the cluster that it runs in, as its ServiceAccount. */
export function inClusterAccess(environment: Environment, folder: string = ACCOUNT): Result<ClusterAccess> {
  const host = own(environment, 'KUBERNETES_SERVICE_HOST')
  const port = own(environment, 'KUBERNETES_SERVICE_PORT')
  const token = join(folder, 'token')
  if (!host || !port || !existsSync(token)) {
    return fail({
      code: 'not-in-cluster',
      message:
        'cannot use the in-cluster configuration: this process does not run in a Pod with a ServiceAccount token',
      cure: 'name a context of a kubeconfig',
    })
  }
  const read = (name: string): string | undefined => {
    const path = join(folder, name)
    return existsSync(path) ? readFileSync(path, 'utf8') : undefined
  }
  const ca = read('ca.crt')
  return succeed({
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    namespace: read('namespace')?.trim() || 'default',
    tls: ca ? { ca } : {},
    credentials: { by: 'token-file', path: token },
  })
}
