import type { ResourceInfo } from '../kube/client.ts'
import { parseApiVersion } from '../kube/gvk.ts'
import type { ApiResult } from '../kube/status.ts'
import { isObject } from '../lib/json.ts'
import { succeed } from '../lib/result.ts'

/** Asks the server for one document. */
export type Ask = (path: string, accept?: string) => Promise<ApiResult<unknown>>

const AGGREGATED = ['v2', 'v2beta1']
  .map((version) => `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`)
  .concat('application/json')
  .join(',')

/** Everything that a server has, in one document of each root where it can, else one of each group version. */
export async function discoverResources(ask: Ask): Promise<ApiResult<readonly ResourceInfo[]>> {
  const found: ResourceInfo[] = []
  for (const root of ['/api', '/apis']) {
    const answer = await ask(root, AGGREGATED)
    if (!answer.ok) return answer
    const { kind } = answer.value as { readonly kind?: unknown }
    const more = kind === 'APIGroupDiscoveryList' ? aggregated(answer.value) : await oneByOne(root, answer.value, ask)
    found.push(...more)
  }
  return succeed(found)
}

const listAt = (value: unknown, field: string): readonly Readonly<Record<string, unknown>>[] => {
  const list = isObject(value) ? value[field] : undefined
  return Array.isArray(list) ? list.filter(isObject) : []
}
const textAt = (value: unknown, field: string): string => {
  const text = isObject(value) ? value[field] : undefined
  return typeof text === 'string' ? text : ''
}
const textsAt = (value: Readonly<Record<string, unknown>>, field: string): readonly string[] => {
  const list = value[field]
  return Array.isArray(list) ? list.filter((one): one is string => typeof one === 'string') : []
}

function aggregated(document: unknown): readonly ResourceInfo[] {
  const found: ResourceInfo[] = []
  for (const item of listAt(document, 'items')) {
    const group = textAt(item['metadata'], 'name')
    for (const version of listAt(item, 'versions')) {
      for (const resource of listAt(version, 'resources')) {
        const info = {
          group,
          version: textAt(version, 'version'),
          plural: textAt(resource, 'resource'),
          kind: textAt(resource['responseKind'], 'kind'),
          singular: textAt(resource, 'singularResource'),
          namespaced: resource['scope'] === 'Namespaced',
          verbs: textsAt(resource, 'verbs'),
          shortNames: textsAt(resource, 'shortNames'),
          categories: textsAt(resource, 'categories'),
        }
        found.push(info)
        for (const sub of listAt(resource, 'subresources')) {
          const kind = textAt(sub['responseKind'], 'kind')
          const subresource = textAt(sub, 'subresource')
          found.push({ ...info, kind, subresource, verbs: textsAt(sub, 'verbs'), shortNames: [], categories: [] })
        }
      }
    }
  }
  return found
}

async function oneByOne(root: string, document: unknown, ask: Ask): Promise<readonly ResourceInfo[]> {
  const versions =
    root === '/api'
      ? textsAt(isObject(document) ? document : {}, 'versions')
      : listAt(document, 'groups').flatMap((group) =>
          listAt(group, 'versions').map((one) => textAt(one, 'groupVersion')),
        )
  const lists = await Promise.all(versions.map((version) => ask(`${root}/${version}`)))
  return lists.flatMap((answer, index) => {
    // A group whose server is away is left out; the others are still there.
    if (!answer.ok) return []
    const { group, version } = parseApiVersion(versions[index] ?? '')
    return listAt(answer.value, 'resources').map((resource): ResourceInfo => {
      const [plural = '', ...rest] = textAt(resource, 'name').split('/')
      return {
        group,
        version,
        plural,
        kind: textAt(resource, 'kind'),
        singular: textAt(resource, 'singularName'),
        namespaced: resource['namespaced'] === true,
        verbs: textsAt(resource, 'verbs'),
        shortNames: textsAt(resource, 'shortNames'),
        categories: textsAt(resource, 'categories'),
        ...(rest.length > 0 ? { subresource: rest.join('/') } : {}),
      }
    })
  })
}
