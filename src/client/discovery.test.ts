import { expect, test } from 'vitest'
import { refuse } from '../kube/status.ts'
import { succeed } from '../lib/result.ts'
import { type Ask, discoverResources } from './discovery.ts'

const verbs = ['get', 'list']
const deployments = {
  group: 'apps',
  version: 'v1',
  plural: 'deployments',
  kind: 'Deployment',
  singular: 'deployment',
  namespaced: true,
  verbs,
  shortNames: ['deploy'],
  categories: ['all'],
}
const scale = { ...deployments, kind: 'Scale', subresource: 'scale', verbs: ['get'], shortNames: [], categories: [] }
const pods = { ...deployments, group: '', plural: 'pods', kind: 'Pod', singular: '', shortNames: [], categories: [] }

function asking(documents: Readonly<Record<string, unknown>>): { readonly ask: Ask; readonly asked: string[] } {
  const asked: string[] = []
  return {
    asked,
    ask(path, accept) {
      asked.push(accept?.includes('apidiscovery') ? `${path} aggregated` : path)
      const document = documents[path]
      return Promise.resolve(document === undefined ? refuse('ServiceUnavailable', 'away') : succeed(document))
    },
  }
}

test('reads everything from the two aggregated documents where the server has them', async () => {
  const list = (...items: readonly object[]) => ({ kind: 'APIGroupDiscoveryList', items })
  const resource = (info: typeof deployments, subresources: readonly object[] = []) => ({
    resource: info.plural,
    responseKind: { group: '', version: '', kind: info.kind },
    scope: 'Namespaced',
    singularResource: info.singular,
    ...(info.shortNames.length > 0 ? { shortNames: info.shortNames, categories: info.categories } : {}),
    verbs: info.verbs,
    subresources,
  })
  const sub = { subresource: 'scale', responseKind: { kind: 'Scale' }, verbs: ['get'] }
  const { ask, asked } = asking({
    '/api': list({ metadata: {}, versions: [{ version: 'v1', resources: [resource(pods)] }] }),
    '/apis': list({
      metadata: { name: 'apps' },
      versions: [{ version: 'v1', resources: [resource(deployments, [sub])] }],
    }),
  })
  expect(await discoverResources(ask)).toEqual(succeed([pods, deployments, scale]))
  expect(asked).toEqual(['/api aggregated', '/apis aggregated'])
})

test('asks for one document of each version where it has not, and leaves out a group whose server is away', async () => {
  const resource = ({ plural, kind, singular, namespaced, shortNames, categories }: typeof deployments) => ({
    name: plural,
    kind,
    singularName: singular,
    namespaced,
    verbs,
    ...(shortNames.length > 0 ? { shortNames, categories } : {}),
  })
  const { ask } = asking({
    '/api': { kind: 'APIVersions', versions: ['v1'] },
    '/apis': {
      kind: 'APIGroupList',
      groups: [
        { name: 'apps', versions: [{ groupVersion: 'apps/v1' }] },
        { name: 'metrics.k8s.io', versions: [{ groupVersion: 'metrics.k8s.io/v1beta1' }] },
      ],
    },
    '/api/v1': { resources: [resource(pods)] },
    '/apis/apps/v1': {
      resources: [
        resource(deployments),
        { name: 'deployments/scale', singularName: 'deployment', kind: 'Scale', namespaced: true, verbs: ['get'] },
      ],
    },
  })
  expect(await discoverResources(ask)).toEqual(succeed([pods, deployments, scale]))
})

test('a server that is away altogether is told', async () => {
  expect(await discoverResources(asking({}).ask)).toMatchObject({ ok: false, error: { reason: 'ServiceUnavailable' } })
})
