import type { UserInfo } from '../../kube/admission.ts'
import type { Client } from '../../kube/client.ts'
import type { Clock } from '../../lib/clock.ts'
import { fieldsOf, isSet, textOf } from '../../lib/fields.ts'
import { fail, type Result } from '../../lib/result.ts'
import { ServedKinds } from '../../runtime/served-kinds.ts'
import { accountUser } from '../triggers/executors.ts'
import type { OfflineCluster } from './offline-cluster.ts'

const reviews = { resource: { group: 'authorization.k8s.io', version: 'v1', plural: 'subjectaccessreviews' } }

/** A cluster that is only looked at: what it serves, what is in it and who may do what. */
export function onlineCluster(client: Client, clock: Clock, clientAs: (user: UserInfo) => Client): OfflineCluster {
  const kinds = new ServedKinds(client, () => clock.now())
  const accounts = new Map<string, Client>()
  return {
    client,
    find: (apiVersion, kind) => kinds.find(apiVersion, kind),
    asAccount({ sensor, serviceAccount }) {
      const user = accountUser({ namespace: sensor.namespace, name: serviceAccount })
      const known = accounts.get(user.username) ?? clientAs(user)
      accounts.set(user.username, known)
      return known
    },
    now: () => clock.now(),
    readUrl: (url): Promise<Result<string>> =>
      Promise.resolve(fail({ code: 'trigger-unreachable', message: `${url} is not read by a simulation` })),
    async may(account, { verb, group, resource, subresource, name, namespace }) {
      const { username, groups } = accountUser(account)
      const attributes = { verb, group, resource, subresource, name, namespace }
      const review = {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SubjectAccessReview',
        metadata: {},
        spec: { user: username, groups, resourceAttributes: attributes },
      }
      const answered = await client.create(reviews, review)
      if (!answered.ok) return undefined
      const status = fieldsOf(answered.value, 'status')
      return { allowed: isSet(status, 'allowed'), because: textOf(status, 'reason') }
    },
  }
}
