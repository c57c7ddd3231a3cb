import type { Client } from '../kube/client.ts'
import { fail, type Problem, type Result, succeed } from '../lib/result.ts'

const NAME = 'idp:webhook-senders'
const RBAC = { group: 'rbac.authorization.k8s.io', version: 'v1' }

/** Lets everybody send to some paths; what is sent there proves its sender itself. What is there already is left alone. */
export async function allowSenders(paths: readonly string[], client: Client): Promise<Result<true>> {
  if (paths.length === 0) return succeed(true)
  const roleRef = { apiGroup: RBAC.group, kind: 'ClusterRole', name: NAME }
  const subjects = [{ kind: 'Group', apiGroup: RBAC.group, name: 'system:unauthenticated' }]
  const metadata = { name: NAME }
  const apiVersion = `${RBAC.group}/${RBAC.version}`
  const rules = [{ nonResourceURLs: paths, verbs: ['post'] }]
  const role = { apiVersion, kind: 'ClusterRole', metadata, rules }
  const binding = { apiVersion, kind: 'ClusterRoleBinding', metadata, roleRef, subjects }
  const made = [
    await client.create({ resource: { ...RBAC, plural: 'clusterroles' } }, role),
    await client.create({ resource: { ...RBAC, plural: 'clusterrolebindings' } }, binding),
  ]
  const refused = made.flatMap((one): Problem[] =>
    one.ok || one.error.reason === 'AlreadyExists'
      ? []
      : [
          {
            code: 'senders-not-allowed',
            message: `nobody may send webhooks to ${paths.join(', ')}: ${one.error.message}`,
          },
        ],
  )
  return refused.length === 0 ? succeed(true) : fail(...refused)
}
