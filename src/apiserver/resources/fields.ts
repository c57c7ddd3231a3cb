import type { KubeObject } from '../../kube/object.ts'
import { isObject, own } from '../../lib/json.ts'

type Read = (object: KubeObject) => string

/** Reads a dotted path as text; what is absent reads as ''. */
export function textAt(...path: readonly string[]): Read {
  return (object) => {
    let value: unknown = object
    for (const name of path) {
      if (!isObject(value)) return ''
      value = own(value, name)
    }
    if (typeof value === 'string') return value
    return typeof value === 'number' || typeof value === 'boolean' ? String(value) : ''
  }
}

const at = (path: string): readonly [string, Read] => [path, textAt(...path.split('.'))]
const flag = (path: string): readonly [string, Read] => {
  const read = textAt(...path.split('.'))
  return [path, (object) => read(object) || 'false']
}
const count = (path: string): readonly [string, Read] => {
  const read = textAt(...path.split('.'))
  return [path, (object) => read(object) || '0']
}

const involved = ['kind', 'namespace', 'name', 'uid', 'apiVersion', 'resourceVersion', 'fieldPath']

/** The fields of built-in kinds that field selectors may name, by group and kind. */
const known: ReadonlyMap<string, ReadonlyMap<string, Read>> = new Map([
  [
    '/Pod',
    new Map([
      at('spec.nodeName'),
      at('spec.restartPolicy'),
      at('spec.schedulerName'),
      at('spec.serviceAccountName'),
      flag('spec.hostNetwork'),
      at('status.phase'),
      at('status.podIP'),
      [
        'status.podIPs',
        ({ status }) => {
          const first: unknown = isObject(status) && Array.isArray(status['podIPs']) ? status['podIPs'][0] : undefined
          return isObject(first) && typeof first['ip'] === 'string' ? first['ip'] : ''
        },
      ],
      at('status.nominatedNodeName'),
    ]),
  ],
  ['/Node', new Map([flag('spec.unschedulable')])],
  ['/Namespace', new Map([at('status.phase')])],
  ['/Secret', new Map([at('type')])],
  ['/Service', new Map([at('spec.clusterIP'), at('spec.type')])],
  ['/ReplicationController', new Map([count('status.replicas')])],
  ['apps/ReplicaSet', new Map([count('status.replicas')])],
  ['batch/Job', new Map([count('status.successful')])],
  ['certificates.k8s.io/CertificateSigningRequest', new Map([at('spec.signerName')])],
  [
    '/Event',
    new Map([
      ...involved.map((name) => at(`involvedObject.${name}`)),
      at('reason'),
      at('reportingComponent'),
      ['source', (object) => textAt('source', 'component')(object) || textAt('reportingComponent')(object)],
      at('type'),
    ]),
  ],
  [
    'events.k8s.io/Event',
    new Map([
      ...involved.map((name) => at(`regarding.${name}`)),
      at('reason'),
      ['reportingController', textAt('reportingController')],
      at('type'),
    ]),
  ],
])

/** The fields of a kind that selectors may name, besides name and namespace. */
export function selectableFields({
  group,
  kind,
}: {
  readonly group: string
  readonly kind: string
}): ReadonlyMap<string, Read> {
  return known.get(`${group}/${kind}`) ?? new Map()
}
