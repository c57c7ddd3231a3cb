import { Buffer } from 'node:buffer'
import { setOwn } from '../../../lib/json.ts'
import { compareQuantity, parseQuantity, type Quantity } from '../../quantity.ts'
import type { KubeObject } from '../../object.ts'
import { type Fields, fieldsOf, listOf, withField } from '../defaulting.ts'
import type { Preparation } from '../strategy.ts'

const withStatus = (object: KubeObject, status: Fields): KubeObject => ({ ...object, status })

/** Every container that the quality of service depends on. */
const containersOf = (spec: Fields): readonly Fields[] =>
  [...listOf(spec['initContainers']), ...listOf(spec['containers'])].map(fieldsOf)

function amounts(value: unknown): ReadonlyMap<string, Quantity> {
  const found = new Map<string, Quantity>()
  for (const name of ['cpu', 'memory']) {
    const text = fieldsOf(value)[name]
    const parsed = typeof text === 'string' ? parseQuantity(text) : undefined
    if (parsed?.ok && parsed.value.nano > 0n) found.set(name, parsed.value)
  }
  return found
}

/** Guaranteed: every container limits CPU and memory and asks for just that. BestEffort: nobody asks for anything. */
export function qosClassOf(spec: Fields): 'Guaranteed' | 'Burstable' | 'BestEffort' {
  const all = spec['resources'] === undefined ? containersOf(spec) : [spec]
  const needs = all.map(({ resources }) => ({
    limits: amounts(fieldsOf(resources)['limits']),
    requests: amounts(fieldsOf(resources)['requests']),
  }))
  if (needs.every(({ limits, requests }) => limits.size === 0 && requests.size === 0)) return 'BestEffort'
  const isGuaranteed = needs.every(
    ({ limits, requests }) =>
      limits.size === 2 &&
      [...limits].every(([name, limit]) => {
        const request = requests.get(name)
        return request === undefined || compareQuantity(limit, request) === 0
      }),
  )
  return isGuaranteed ? 'Guaranteed' : 'Burstable'
}

const gated: Fields = {
  type: 'PodScheduled',
  status: 'False',
  reason: 'SchedulingGated',
  message: 'Scheduling is blocked due to non-empty scheduling gates',
}

const pod: Preparation = {
  create(object) {
    const spec = fieldsOf(object['spec'])
    const isGated = listOf(spec['schedulingGates']).length > 0
    const status = { phase: 'Pending', qosClass: qosClassOf(spec), ...(isGated ? { conditions: [gated] } : {}) }
    return withStatus(object, status)
  },
}

const namespace: Preparation = {
  create(object) {
    const spec = fieldsOf(object['spec'])
    const finalizers = listOf(spec['finalizers'])
    const kept = finalizers.includes('kubernetes') ? finalizers : [...finalizers, 'kubernetes']
    return { ...object, spec: { ...spec, finalizers: kept }, status: { phase: 'Active' } }
  },
  /** Finalizers of a Namespace go through its `finalize` subresource only. */
  update(next, old) {
    const { finalizers } = fieldsOf(old['spec'])
    const { finalizers: _, ...rest } = fieldsOf(next['spec'])
    const spec = { ...rest, ...(finalizers === undefined ? {} : { finalizers }) }
    return Object.keys(spec).length === 0 ? next : { ...next, spec }
  },
}

const pending: Preparation = { create: (object) => withStatus(object, { phase: 'Pending' }) }

const balanced: readonly unknown[] = ['NodePort', 'LoadBalancer']

/** What the server assigned stays when an update leaves it out, as long as the type of the Service still needs it. */
const service: Preparation = {
  create: (object) => withStatus(object, { loadBalancer: {} }),
  update(next, old) {
    const before = fieldsOf(old['spec'])
    let spec = fieldsOf(next['spec'])
    const needsIp = spec['type'] !== 'ExternalName' && before['type'] !== 'ExternalName'
    if (needsIp) {
      if (!spec['clusterIP'] && listOf(spec['clusterIPs']).length === 0) {
        for (const field of ['clusterIP', 'clusterIPs']) {
          if (before[field] !== undefined) spec = withField(spec, field, before[field])
        }
      }
      for (const field of ['ipFamilies', 'ipFamilyPolicy']) {
        if (spec[field] === undefined && before[field] !== undefined) spec = withField(spec, field, before[field])
      }
    }
    if (balanced.includes(spec['type']) && balanced.includes(before['type'])) spec = withNodePorts(spec, before)
    if (isLocal(spec) && isLocal(before) && !spec['healthCheckNodePort'] && before['healthCheckNodePort']) {
      spec = withField(spec, 'healthCheckNodePort', before['healthCheckNodePort'])
    }
    return spec === next['spec'] ? next : { ...next, spec }
  },
}

const isLocal = (spec: Fields): boolean => spec['type'] === 'LoadBalancer' && spec['externalTrafficPolicy'] === 'Local'

function withNodePorts(spec: Fields, before: Fields): Fields {
  const identity = (port: Fields): string => `${String(port['protocol'])}/${String(port['port'])}`
  const known = new Map(listOf(before['ports']).map((port) => [identity(fieldsOf(port)), fieldsOf(port)['nodePort']]))
  const taken = new Set(listOf(spec['ports']).map((port) => fieldsOf(port)['nodePort']))
  const ports = listOf(spec['ports']).map((port) => {
    const nodePort = known.get(identity(fieldsOf(port)))
    if (fieldsOf(port)['nodePort'] || nodePort === undefined || taken.has(nodePort)) return port
    taken.add(nodePort)
    return { ...fieldsOf(port), nodePort }
  })
  return ports.some((port, at) => port !== listOf(spec['ports'])[at]) ? { ...spec, ports } : spec
}

/** What is written as text is kept as bytes, and wins over bytes of the same name. */
function withText(secret: KubeObject): KubeObject {
  const { stringData, ...rest } = secret
  if (stringData === undefined) return secret
  const texts = Object.entries(fieldsOf(stringData)).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  )
  if (texts.length === 0) return rest
  const data: Record<string, unknown> = { ...fieldsOf(secret['data']) }
  for (const [key, text] of texts) setOwn(data, key, Buffer.from(text, 'utf8').toString('base64'))
  return { ...rest, data }
}

const secret: Preparation = { create: withText, update: (next) => withText(next) }

/** What kinds of the core group change on the way into the store. */
export const corePreparations: Readonly<Record<string, Preparation>> = {
  '/Pod': pod,
  '/Namespace': namespace,
  '/PersistentVolume': pending,
  '/PersistentVolumeClaim': pending,
  '/Secret': secret,
  '/Service': service,
}
