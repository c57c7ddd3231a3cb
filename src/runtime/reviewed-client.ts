import type { UserInfo } from '../kube/admission.ts'
import type { Client, Collection, Target } from '../kube/client.ts'
import { refuse, type Status } from '../kube/status.ts'
import { fieldsOf, isSet } from '../lib/fields.ts'

const reviews = { resource: { group: 'authorization.k8s.io', version: 'v1', plural: 'subjectaccessreviews' } }

type Refused = { readonly ok: false; readonly error: Status }

/**
 * A client that does only what somebody may: where nobody can be acted as, every call is asked for before it is made. Watches and
 * collections as a whole are not offered.
 */
export function reviewedClient(client: Client, user: UserInfo): Client {
  const may = async (
    verb: string,
    { resource, namespace }: Collection,
    more: { readonly name?: string | undefined; readonly subresource?: string | undefined } = {},
  ): Promise<Refused | undefined> => {
    const { group, plural } = resource
    const attributes = { verb, group, resource: plural, namespace, ...more }
    const answered = await client.create(reviews, {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      metadata: {},
      spec: { user: user.username, groups: user.groups, resourceAttributes: attributes },
    })
    if (!answered.ok) return { ok: false, error: answered.error }
    if (isSet(fieldsOf(answered.value, 'status'), 'allowed')) return undefined
    const where = namespace === undefined ? 'at the cluster scope' : `in the namespace ${JSON.stringify(namespace)}`
    const what = `cannot ${verb} resource ${JSON.stringify(plural)} in API group ${JSON.stringify(group)} ${where}`
    return refuse('Forbidden', `User ${JSON.stringify(user.username)} ${what}`)
  }
  const named = ({
    name,
    subresource,
  }: Target): { readonly name: string; readonly subresource: string | undefined } => ({
    name,
    subresource,
  })
  const notOffered = (): never => {
    throw new Error('a reviewed client reads and writes single objects only')
  }
  return {
    get: async (target, options) => (await may('get', target, named(target))) ?? client.get(target, options),
    list: async (collection, options) => (await may('list', collection)) ?? client.list(collection, options),
    create: async (collection, object, options) =>
      (await may('create', collection, { subresource: collection.subresource })) ??
      client.create(collection, object, options),
    update: async (target, object, options) =>
      (await may('update', target, named(target))) ?? client.update(target, object, options),
    patch: async (target, patch, options) =>
      (await may('patch', target, named(target))) ?? client.patch(target, patch, options),
    delete: async (target, options) => (await may('delete', target, named(target))) ?? client.delete(target, options),
    discover: (options) => client.discover(options),
    watch: notOffered,
    deleteCollection: notOffered,
  }
}
