import type { KubeObject } from '../../kube/object.ts'
import { type Endpoint, localEndpoints } from '../../kube/local-endpoints.ts'

/** How a Service is reached on this machine: the ports that it listens on, and what answers behind each. */
export interface ProxyPlan {
  readonly names: readonly string[]
  readonly ports: ReadonlyMap<number, readonly Endpoint[]>
}

/** The names under which Pods know a Service. */
export function namesOf(service: KubeObject): readonly string[] {
  const { name = '', namespace = '' } = service.metadata
  return ['', '.svc', '.svc.cluster.local'].map((suffix) => `${name}.${namespace}${suffix}`)
}

/** What has to listen for a Service; undefined when none of its ready endpoints really runs here. */
export function planProxy(service: KubeObject, slices: readonly KubeObject[]): ProxyPlan | undefined {
  const found = localEndpoints(service, slices)
  return found.size === 0 ? undefined : { names: namesOf(service), ports: found }
}
