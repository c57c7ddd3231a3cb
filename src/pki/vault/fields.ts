import type { VaultIssuer } from '../objects.ts'

/** What is wrong with the fields of a Vault issuer, in the words of its condition; undefined where nothing is. */
export function vaultProblem({ server, path, auth = {} }: VaultIssuer): string | undefined {
  if (!server || !path) return 'Vault server and path are required fields'
  const { tokenSecretRef, appRole, clientCertificate, kubernetes, aws } = auth
  const methods = [tokenSecretRef, appRole, clientCertificate, kubernetes, aws].filter((method) => method !== undefined)
  if (methods.length === 0) return 'Vault tokenSecretRef, appRole, clientCertificate, kubernetes, or aws is required'
  if (methods.length > 1) return 'Multiple auth methods cannot be set on the same Vault issuer'
  if (aws)
    return 'Vault AWS auth is accepted but not served: use tokenSecretRef, appRole, clientCertificate or kubernetes'
  if (tokenSecretRef && !tokenSecretRef.name) return 'Vault Token auth requires tokenSecretRef.name'
  if (appRole && (!appRole.roleId || !appRole.secretRef?.name)) {
    return 'Vault AppRole auth requires both roleId and tokenSecretRef.name'
  }
  if (appRole && !appRole.secretRef?.key) return 'Vault AppRole auth requires secretRef.key'
  return kubernetes && kubernetesProblem(kubernetes)
}

function kubernetesProblem({
  role,
  secretRef,
  serviceAccountRef,
}: NonNullable<NonNullable<VaultIssuer['auth']>['kubernetes']>): string | undefined {
  if (!role) return 'Vault Kubernetes auth requires a role to be set'
  if (!secretRef?.name && !serviceAccountRef) {
    return 'Vault Kubernetes auth requires either secretRef.name or serviceAccountRef.name to be set'
  }
  if (secretRef?.name && serviceAccountRef) {
    return 'Vault Kubernetes auth cannot be used with both secretRef.name and serviceAccountRef.name'
  }
  return undefined
}
