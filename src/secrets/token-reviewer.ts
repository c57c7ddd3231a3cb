import type { Client } from '../kube/client.ts'
import { fieldsOf, isSet, textOf, textsOf } from '../lib/fields.ts'
import type { TokenReviewer } from './store/login/kubernetes.ts'

const tokenReviews = { resource: { group: 'authentication.k8s.io', version: 'v1', plural: 'tokenreviews' } }

/** Asks a cluster whose token somebody has. What the cluster refuses to say counts as nobody's. */
export function clusterTokenReviewer(client: Pick<Client, 'create'>): TokenReviewer {
  return async (jwt, audiences) => {
    const reviewed = await client.create(tokenReviews, {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenReview',
      metadata: {},
      spec: { token: jwt, ...(audiences.length > 0 ? { audiences } : {}) },
    })
    if (!reviewed.ok) return undefined
    const status = fieldsOf(reviewed.value, 'status')
    if (!isSet(status, 'authenticated')) return undefined
    const user = fieldsOf(status, 'user')
    return {
      username: textOf(user, 'username'),
      uid: textOf(user, 'uid'),
      audiences: textsOf(status, 'audiences') ?? [],
    }
  }
}
