import type { ResourceInfo, Target } from '../../../src/kube/client.ts'
import { parseApiVersion } from '../../../src/kube/gvk.ts'
import type { KubeObject } from '../../../src/kube/object.ts'
import type { ApiResult } from '../../../src/kube/status.ts'
import type { RemoteClient } from '../../../src/client/remote-client.ts'
import { type Fields, wordOf } from './chainsaw-test.ts'

/** A cluster under test: its client, and what it serves. */
export class World {
  readonly client: RemoteClient
  readonly kubeconfig: string
  #served: readonly ResourceInfo[] = []

  constructor(client: RemoteClient, kubeconfig: string) {
    this.client = client
    this.kubeconfig = kubeconfig
  }

  /** The collection of a kind; looked up again when it is not known, since tests bring definitions. */
  async resourceOf(apiVersion: string, kind: string): Promise<ResourceInfo> {
    const { group, version } = parseApiVersion(apiVersion)
    const find = (): ResourceInfo | undefined =>
      this.#served.find(
        (info) =>
          info.group === group && info.version === version && info.kind === kind && info.subresource === undefined,
      )
    const known = find()
    if (known) return known
    const discovered = await this.client.discover()
    if (discovered.ok) this.#served = discovered.value
    const found = find()
    if (!found) throw new Error(`no matches for kind ${JSON.stringify(kind)} in version ${JSON.stringify(apiVersion)}`)
    return found
  }

  /** The resource in the test's namespace when it names none and lives in one. */
  async placed(resource: Fields, namespace: string): Promise<{ readonly resource: Fields; readonly target: Target }> {
    const info = await this.resourceOf(String(resource['apiVersion']), String(resource['kind']))
    const metadata = (resource['metadata'] ?? {}) as Fields
    const name = wordOf(metadata['name'])
    if (!info.namespaced) return { resource, target: { resource: info, name } }
    const inside = wordOf(metadata['namespace'] ?? namespace)
    return {
      resource: { ...resource, metadata: { ...metadata, namespace: inside } },
      target: { resource: info, namespace: inside, name },
    }
  }

  /** The one resource of a name, or all that a reference without a name stands for. */
  async candidates(resource: Fields, target: Target): Promise<ApiResult<readonly KubeObject[]>> {
    if (target.name !== '') {
      const got = await this.client.get(target)
      if (got.ok) return { ok: true, value: [got.value] }
      return got.error.reason === 'NotFound' ? { ok: true, value: [] } : got
    }
    const labels = Object.entries(((resource['metadata'] ?? {}) as Fields)['labels'] ?? {})
    const listed = await this.client.list(
      { resource: target.resource, ...(target.namespace === undefined ? {} : { namespace: target.namespace }) },
      labels.length > 0 ? { labelSelector: labels.map(([key, value]) => `${key}=${String(value)}`).join(',') } : {},
    )
    return listed.ok ? { ok: true, value: listed.value.items } : listed
  }
}
