import { expect, test } from 'vitest'
import { admin, configMap, inDefault, refusalOf, testServer, valueOf } from '../apiserver/apiserver.testkit.ts'
import type { Client } from '../kube/client.ts'
import { succeed } from '../lib/result.ts'
import { reviewedClient } from './reviewed-client.ts'

test('every call is asked for, in the name of whoever it is for, before it is made', async () => {
  const { client } = await testServer()
  const asked: unknown[] = []
  const reviewing: Client = {
    ...client,
    get: (target) => client.get(target),
    delete: (target) => client.delete(target),
    create(collection, object, options) {
      if (collection.resource.plural !== 'subjectaccessreviews') return client.create(collection, object, options)
      const { spec } = object as { readonly spec: { readonly resourceAttributes: { readonly verb: string } } }
      asked.push(spec)
      const allowed = spec.resourceAttributes.verb !== 'delete'
      return Promise.resolve(succeed({ apiVersion: 'v1', kind: 'x', metadata: {}, status: { allowed } }))
    },
  }
  const reviewed = reviewedClient(reviewing, { ...admin, username: 'ann' })
  const target = { ...inDefault, name: 'a' }
  valueOf(await reviewed.create(inDefault, configMap('a')))
  valueOf(await reviewed.get(target))
  expect(refusalOf(await reviewed.delete(target)).message).toBe(
    'User "ann" cannot delete resource "configmaps" in API group "" in the namespace "default"',
  )
  valueOf(await client.get(target))
  expect(asked).toMatchObject([
    { user: 'ann', resourceAttributes: { verb: 'create', resource: 'configmaps', namespace: 'default' } },
    { resourceAttributes: { verb: 'get', name: 'a' } },
    { resourceAttributes: { verb: 'delete', name: 'a' } },
  ])
})
