import { failure } from '../../../kube/status.ts'
import type { ApiResult } from '../../../kube/status.ts'
import { type Container, podSpecOf } from '../../../kube/pod.ts'
import type { PodConnect } from '../../../apiserver/pod-runtime.ts'
import type { LogWish } from './container-log.ts'

export type Query = PodConnect['query']

export const first = (query: Query, name: string): string | undefined => query.get(name)?.[0]
export const isTrue = (query: Query, name: string): boolean => ['true', '1'].includes(first(query, name) ?? '')

/** The container that a request means: the named one, the one that is marked as usual, or the only one. */
export function containerOf({ pod, query }: PodConnect): ApiResult<Container> {
  const { containers = [], initContainers = [] } = podSpecOf(pod)
  const all = [...containers, ...initContainers]
  const named = first(query, 'container') ?? pod.metadata.annotations?.['kubectl.kubernetes.io/default-container']
  const { name = '' } = pod.metadata
  const choice = all.map((one) => one.name).join(', ')
  if (named !== undefined && named !== '') {
    const found = all.find((one) => one.name === named)
    if (found) return { ok: true, value: found }
    return {
      ok: false,
      error: failure('BadRequest', `container ${named} is not valid for pod ${name}; choose one of: ${choice}`),
    }
  }
  const [only] = containers
  if (only && containers.length === 1) return { ok: true, value: only }
  const message = `a container name must be specified for pod ${name}, choose one of: [${choice}]`
  return { ok: false, error: failure('BadRequest', message) }
}

const numberIn = (query: Query, name: string): number | undefined => {
  const text = first(query, name)
  return text === undefined || !/^\d+$/.test(text) ? undefined : Number(text)
}

/** What a request for logs asks for. */
export function logWishOf(query: Query, nowMs: number): LogWish {
  const tailLines = numberIn(query, 'tailLines')
  const limitBytes = numberIn(query, 'limitBytes')
  const seconds = numberIn(query, 'sinceSeconds')
  const time = Date.parse(first(query, 'sinceTime') ?? '')
  const sinceMs = seconds === undefined ? (Number.isNaN(time) ? undefined : time) : nowMs - seconds * 1_000
  const stream = first(query, 'stream')?.toLowerCase()
  return {
    timestamps: isTrue(query, 'timestamps'),
    ...(tailLines === undefined ? {} : { tailLines }),
    ...(limitBytes === undefined ? {} : { limitBytes }),
    ...(sinceMs === undefined ? {} : { sinceMs }),
    ...(stream === 'stdout' || stream === 'stderr' ? { stream } : {}),
  }
}
