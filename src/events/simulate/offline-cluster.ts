import { bootstrapClusterRoleBindings, bootstrapClusterRoles } from '../../apiserver/auth/bootstrap-roles.ts'
import { authorize, compileRbac } from '../../apiserver/auth/rbac.ts'
import type { ResourceInfo, Target } from '../../kube/client.ts'
import { parseApiVersion } from '../../kube/gvk.ts'
import type { KubeObject } from '../../kube/object.ts'
import { builtinSchemas } from '../../kube/schema/builtin.ts'
import { packedCrds, packedProjects } from '../../kube/schema/packed-crds.ts'
import { refuse } from '../../kube/status.ts'
import { fieldsOf, objectsOf, textOf } from '../../lib/fields.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import { accountUser } from '../triggers/executors.ts'
import type { PreparePorts } from '../triggers/prepare.ts'
import type { May } from './simulate.ts'

/** A cluster that is made of files: enough of one to say what triggers would do. */
export interface OfflineCluster extends PreparePorts {
  readonly may: May
}

type ReadData = (name: string) => Uint8Array

/** Stands files in for a cluster at a time. Nothing is fetched from anywhere. */
export function offlineCluster(objects: readonly KubeObject[], nowMs: number, readData: ReadData): OfflineCluster {
  const find = kindFinder(objects, readData)
  const client: PreparePorts['client'] = {
    async get(target: Target) {
      for (const object of objects) {
        const { name, namespace } = object.metadata
        if (name !== target.name || (target.namespace !== undefined && namespace !== target.namespace)) continue
        const served = await find(object.apiVersion, object.kind)
        if (served?.plural === target.resource.plural && served.group === target.resource.group)
          return succeed(encoded(object))
      }
      return refuse('NotFound', `${target.resource.plural} ${JSON.stringify(target.name)} is in none of the files`)
    },
  }
  return {
    client,
    find,
    asAccount: () => client,
    now: () => nowMs,
    readUrl: (url): Promise<Result<string>> =>
      Promise.resolve(fail({ code: 'trigger-unreachable', message: `${url} is not read offline` })),
    may: verdictsOf(objects),
  }
}

/** A Secret as the API answers it. */
function encoded(object: KubeObject): KubeObject {
  const texts = fieldsOf(object, 'stringData')
  if (object.kind !== 'Secret' || Object.keys(texts).length === 0) return object
  const data = Object.entries(texts).map(([key, text]) => [key, Buffer.from(String(text)).toString('base64')] as const)
  return { ...object, data: { ...fieldsOf(object, 'data'), ...Object.fromEntries(data) } }
}

function kindFinder(objects: readonly KubeObject[], readData: ReadData): PreparePorts['find'] {
  const known = new Map<string, ResourceInfo>()
  const add = (info: Pick<ResourceInfo, 'group' | 'version' | 'plural' | 'kind' | 'namespaced'>): void => {
    const key = `${info.group}/${info.version}/${info.kind}`
    if (!known.has(key)) known.set(key, { ...info, singular: '', verbs: [], shortNames: [], categories: [] })
  }
  for (const definition of objects) if (definition.kind === 'CustomResourceDefinition') addDefined(definition, add)
  for (const resource of builtinSchemas(readData).resources()) if (resource.subresource === undefined) add(resource)
  const projects = [...packedProjects]
  return (apiVersion, kind) => {
    const { group, version } = parseApiVersion(apiVersion)
    const search = (): ResourceInfo | undefined => known.get(`${group}/${version}/${kind}`)
    let found = search()
    // Unpacking a project takes a while: no more of them than are needed.
    while (!found && projects.length > 0) {
      const project = projects.shift()
      if (project) for (const definition of packedCrds(readData, project)) addDefined(definition, add)
      found = search()
    }
    return Promise.resolve(found)
  }
}

function addDefined(
  definition: KubeObject,
  add: (info: Omit<ResourceInfo, 'singular' | 'verbs' | 'shortNames' | 'categories'>) => void,
): void {
  const spec = fieldsOf(definition, 'spec')
  const names = fieldsOf(spec, 'names')
  for (const version of objectsOf(spec, 'versions') ?? []) {
    add({
      group: textOf(spec, 'group'),
      version: textOf(version, 'name'),
      plural: textOf(names, 'plural'),
      kind: textOf(names, 'kind'),
      namespaced: textOf(spec, 'scope') !== 'Cluster',
    })
  }
}

/** What the Roles and bindings among the objects say, on top of those that every cluster has; nothing where there are none. */
function verdictsOf(objects: readonly KubeObject[]): May {
  const of = (kind: string): readonly KubeObject[] => objects.filter((object) => object.kind === kind)
  const bindings = [...of('RoleBinding'), ...of('ClusterRoleBinding')]
  if (bindings.length === 0) return () => Promise.resolve(undefined)
  const index = compileRbac({
    roles: of('Role'),
    clusterRoles: [...bootstrapClusterRoles, ...of('ClusterRole')],
    roleBindings: of('RoleBinding'),
    clusterRoleBindings: [...bootstrapClusterRoleBindings, ...of('ClusterRoleBinding')],
  })
  return (account, { verb, group, resource, subresource, name, namespace }) =>
    Promise.resolve(
      authorize(index, {
        user: accountUser(account),
        verb,
        group,
        version: '*',
        plural: resource,
        ...(subresource === undefined ? {} : { subresource }),
        ...(name === undefined ? {} : { name }),
        ...(namespace === undefined ? {} : { namespace }),
      }),
    )
}
