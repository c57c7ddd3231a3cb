import { type Fill, type FillTable, withZero, zero } from '../defaulting.ts'

// Semantics: kubernetes 1.36, pkg/apis/rbac/v1/defaults.go.

const GROUP = 'rbac.authorization.k8s.io'

const subject: Fill = (object) =>
  object['kind'] === 'User' || object['kind'] === 'Group' ? withZero(object, { apiGroup: GROUP }) : object

/** Defaults of the RBAC group by type. */
export const rbacDefaults: FillTable = {
  'io.k8s.api.rbac.v1.RoleRef': zero({ apiGroup: GROUP }),
  'io.k8s.api.rbac.v1.Subject': subject,
}
