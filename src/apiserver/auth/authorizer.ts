import type { UserInfo } from '../../kube/admission.ts'
import { type Attributes, type Authorizer, type Decision } from './attributes.ts'
import { authorize, compileRbac, grantsOf, type PolicyRule, type RbacIndex, type RbacObjects } from './rbac.ts'

/** RBAC over the objects as they are now. The index is compiled at the first question after a change. */
export class RbacAuthorizer {
  readonly #objects: () => RbacObjects
  #index: RbacIndex | undefined

  constructor(objects: () => RbacObjects) {
    this.#objects = objects
  }

  /** To be called whenever an RBAC object has changed. */
  invalidate(): void {
    this.#index = undefined
  }

  get index(): RbacIndex {
    this.#index ??= compileRbac(this.#objects())
    return this.#index
  }

  readonly authorize: Authorizer = (attributes: Attributes): Decision => authorize(this.index, attributes)

  /** Everything somebody may do in a namespace, as `kubectl auth can-i --list` shows it. */
  rulesFor(user: UserInfo, namespace: string): readonly PolicyRule[] {
    return [...grantsOf(this.index, user, namespace)].flatMap((grant) => grant.rules)
  }
}
