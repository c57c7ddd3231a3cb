import type { Client } from '../../kube/client.ts'
import type { Clock } from '../../lib/clock.ts'
import { fieldsOf, isSet } from '../../lib/fields.ts'
import type { Problem } from '../../lib/result.ts'
import type { Right } from './trigger.ts'

const reviews = { resource: { group: 'authorization.k8s.io', version: 'v1', plural: 'subjectaccessreviews' } }

/** What was allowed a moment ago is not asked again. */
const REMEMBERED_MS = 10_000
const REMEMBERED = 5_000

/** Asks the cluster what ServiceAccounts may do. */
export class RightsChecker {
  readonly #client: Client
  readonly #clock: Clock
  readonly #allowed = new Map<string, number>()

  readonly #isAllowedUnsaid: boolean

  /** Where the cluster does not answer, what is asked for counts as allowed unless that is ruled out: the write itself asks again. */
  constructor(client: Client, clock: Clock, { isAllowedUnsaid = true }: { readonly isAllowedUnsaid?: boolean } = {}) {
    this.#client = client
    this.#clock = clock
    this.#isAllowedUnsaid = isAllowedUnsaid
  }

  /** Forgets what was allowed: roles have changed. */
  forget(): void {
    this.#allowed.clear()
  }

  /** What of these a ServiceAccount may not do, each with the rule that would let it. */
  async missing(
    account: { readonly namespace: string; readonly name: string },
    rights: readonly Right[],
    signal: AbortSignal,
  ): Promise<readonly Problem[]> {
    const missing: Problem[] = []
    for (const right of rights) {
      if (await this.#isAllowed(account, right, signal)) continue
      missing.push({
        code: 'trigger-forbidden',
        message: `ServiceAccount ${account.namespace}/${account.name} may not ${describe(right)}`,
        cure: `give it ${ruleText(right)}`,
      })
    }
    return missing
  }

  async #isAllowed(
    account: { readonly namespace: string; readonly name: string },
    right: Right,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { namespace, name } = account
    const key = JSON.stringify([namespace, name, right])
    const now = this.#clock.now()
    if (now - (this.#allowed.get(key) ?? Number.NEGATIVE_INFINITY) < REMEMBERED_MS) return true
    const review = {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      metadata: {},
      spec: {
        user: `system:serviceaccount:${namespace}:${name}`,
        groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
        resourceAttributes: right,
      },
    }
    const answered = await this.#client.create(reviews, review, { signal })
    const isAllowed = answered.ok ? isSet(fieldsOf(answered.value, 'status'), 'allowed') : this.#isAllowedUnsaid
    if (this.#allowed.size >= REMEMBERED) this.#allowed.clear()
    if (isAllowed && answered.ok) this.#allowed.set(key, now)
    return isAllowed
  }
}

/** `create workflows.argoproj.io in namespace ci`. */
function describe({ verb, group, resource, subresource, name, namespace }: Right): string {
  const full = `${resource}${subresource === undefined ? '' : `/${subresource}`}${group === '' ? '' : `.${group}`}`
  const which = name === undefined ? full : `${full} ${JSON.stringify(name)}`
  return `${verb} ${which}${namespace === undefined ? '' : ` in namespace ${namespace}`}`
}

function ruleText({ verb, group, resource, subresource, name, namespace }: Right): string {
  const kind = namespace === undefined ? 'a ClusterRole' : `a Role in namespace ${namespace}`
  const plural = subresource === undefined ? resource : `${resource}/${subresource}`
  const names = name === undefined ? '' : ` resourceNames: [${JSON.stringify(name)}]`
  return `${kind} with apiGroups: [${JSON.stringify(group)}] resources: [${JSON.stringify(plural)}] verbs: [${JSON.stringify(verb)}]${names}`
}
