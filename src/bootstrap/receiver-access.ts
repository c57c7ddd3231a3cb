import type { Client } from '../kube/client.ts'

const NAME = 'idp:webhook-senders'
const RBAC = { group: 'rbac.authorization.k8s.io', version: 'v1' }

/** Lets everybody send to some paths; what is sent there proves its sender itself. What is there already is left alone. */
export async function allowSenders(paths: readonly string[], client: Client): Promise<void> {
  if (paths.length === 0) return
  const roleRef = { apiGroup: RBAC.group, kind: 'ClusterRole', name: NAME }
  const subjects = [{ kind: 'Group', apiGroup: RBAC.group, name: 'system:unauthenticated' }]
  const metadata = { name: NAME }
  const apiVersion = `${RBAC.group}/${RBAC.version}`
  const rules = [{ nonResourceURLs: paths, verbs: ['post'] }]
  await client.create(
    { resource: { ...RBAC, plural: 'clusterroles' } },
    { apiVersion, kind: 'ClusterRole', metadata, rules },
  )
  const binding = { apiVersion, kind: 'ClusterRoleBinding', metadata, roleRef, subjects }
  await client.create({ resource: { ...RBAC, plural: 'clusterrolebindings' } }, binding)
}
