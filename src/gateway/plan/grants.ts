import type { KubeObject } from '../../kube/object.ts'
import { GROUP, type GrantFields, namespaceOf, specOf } from './objects.ts'

/** A reference from one object to another. */
export interface Reference {
  readonly fromKind: string
  readonly fromNamespace: string
  readonly toGroup: string
  readonly toKind: string
  readonly toNamespace: string
  readonly toName: string
}

/** Tells which references across namespaces the owners of what they name have allowed. */
export class Grants {
  readonly #byNamespace = new Map<string, GrantFields[]>()

  constructor(grants: readonly KubeObject[]) {
    for (const grant of grants) {
      const namespace = namespaceOf(grant)
      this.#byNamespace.set(namespace, [...(this.#byNamespace.get(namespace) ?? []), specOf<GrantFields>(grant)])
    }
  }

  allows({ fromKind, fromNamespace, toGroup, toKind, toNamespace, toName }: Reference): boolean {
    if (fromNamespace === toNamespace) return true
    return (this.#byNamespace.get(toNamespace) ?? []).some(
      ({ from = [], to = [] }) =>
        from.some((one) => one.group === GROUP && one.kind === fromKind && one.namespace === fromNamespace) &&
        to.some((one) => one.group === toGroup && one.kind === toKind && ['', toName].includes(one.name ?? '')),
    )
  }
}
