import type { UserInfo } from '../../kube/admission.ts'
import type { KubeObject } from '../../kube/object.ts'
import type { PolicySource } from '../catalog/policy-source.ts'
import type { PolicyUser } from '../engine/policy-request.ts'

const RBAC = 'rbac.authorization.k8s.io'

interface Subject {
  readonly kind?: string
  readonly name?: string
  readonly namespace?: string
}

interface Index {
  readonly roles: ReadonlyMap<string, readonly string[]>
  readonly clusterRoles: ReadonlyMap<string, readonly string[]>
}

function subjectKeys(binding: KubeObject): readonly string[] {
  const subjects = (binding['subjects'] ?? []) as readonly Subject[]
  return subjects.map(({ kind, name = '', namespace = binding.metadata.namespace ?? '' }) => {
    if (kind === 'ServiceAccount') return `User system:serviceaccount:${namespace}:${name}`
    return `${kind ?? ''} ${name}`
  })
}

/** Which roles somebody holds, by their bindings; worked out anew after any binding has changed. */
export class UserRoles {
  readonly #source: PolicySource
  #seen: readonly (readonly KubeObject[])[] = []
  #index: Index = { roles: new Map(), clusterRoles: new Map() }

  constructor(source: PolicySource) {
    this.#source = source
  }

  of(user: UserInfo): PolicyUser {
    const { roles, clusterRoles } = this.#current()
    const keys = [`User ${user.username}`, ...user.groups.map((group) => `Group ${group}`)]
    const all = (index: ReadonlyMap<string, readonly string[]>): readonly string[] => [
      ...new Set(keys.flatMap((key) => index.get(key) ?? [])),
    ]
    return { ...user, roles: all(roles), clusterRoles: all(clusterRoles) }
  }

  #current(): Index {
    const lists = [this.#source.list(RBAC, 'rolebindings'), this.#source.list(RBAC, 'clusterrolebindings')]
    if (this.#seen.length > 0 && lists.every((list, at) => list === this.#seen[at])) return this.#index
    this.#seen = lists
    const roles = new Map<string, string[]>()
    const clusterRoles = new Map<string, string[]>()
    for (const binding of lists.flat()) {
      const { kind, name = '' } = (binding['roleRef'] ?? {}) as Subject
      const index = kind === 'ClusterRole' ? clusterRoles : roles
      const role = kind === 'ClusterRole' ? name : `${binding.metadata.namespace ?? ''}:${name}`
      for (const key of subjectKeys(binding)) {
        const known = index.get(key)
        if (known) known.push(role)
        else index.set(key, [role])
      }
    }
    this.#index = { roles, clusterRoles }
    return this.#index
  }
}
