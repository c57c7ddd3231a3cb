import type { Client } from '../../../../kube/client.ts'
import { fieldsOf, isSet, textOf, textsOf } from '../../../../lib/fields.ts'
import { succeed } from '../../../../lib/result.ts'
import { failed, type Fetched } from '../../data/trouble.ts'

/** Somebody in this cluster. */
export interface Subject {
  readonly user: string
  readonly groups: readonly string[]
}

const reviews = (plural: string, group: string) => ({ resource: { group, version: 'v1', plural } })

/** Whose token it is. */
export async function subjectOfToken(client: Client, token: string, signal: AbortSignal): Promise<Fetched<Subject>> {
  const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token } }
  const made = await client.create(reviews('tokenreviews', 'authentication.k8s.io'), review, { signal })
  const status = made.ok ? fieldsOf(made.value, 'status') : {}
  if (!made.ok || !isSet(status, 'authenticated')) return failed('the token of the store is not one of this cluster')
  const user = fieldsOf(status, 'user')
  return succeed({ user: textOf(user, 'username'), groups: textsOf(user, 'groups') ?? [] })
}

/** Trouble where somebody may not do something with Secrets of a namespace. */
export async function mayUse(
  client: Client,
  { user, groups }: Subject,
  { verb, namespace, signal }: { readonly verb: string; readonly namespace: string; readonly signal: AbortSignal },
): Promise<Fetched<undefined>> {
  const review = {
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SubjectAccessReview',
    spec: { user, groups, resourceAttributes: { verb, namespace, resource: 'secrets', version: 'v1' } },
  }
  const made = await client.create(reviews('subjectaccessreviews', 'authorization.k8s.io'), review, { signal })
  if (!made.ok) return failed(`could not verify if client is valid: ${made.error.message}`)
  if (isSet(fieldsOf(made.value, 'status'), 'allowed')) return succeed(undefined)
  return failed(`client is not allowed to ${verb} secrets: ${user} has no right to it in namespace ${namespace}`)
}
