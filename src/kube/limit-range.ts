import type { KubeObject } from './object.ts'
import { type Amounts, amountsOf, type Container, podAmounts, type PodSpec, type ResourceList } from './pod.ts'
import { compareQuantity, formatQuantity, type Quantity } from './quantity.ts'

/** One item of a LimitRange. */
export interface LimitItem {
  readonly type: string
  readonly min?: ResourceList
  readonly max?: ResourceList
  readonly default?: ResourceList
  readonly defaultRequest?: ResourceList
  readonly maxLimitRequestRatio?: ResourceList
}

/** The items of a LimitRange object. */
export function limitItemsOf(limitRange: KubeObject): readonly LimitItem[] {
  return (limitRange['spec'] as { readonly limits?: readonly LimitItem[] } | undefined)?.limits ?? []
}

/** The Pod's spec with default requests and limits in every container that gives none, and the sentences that tell of it. */
export function withDefaultAmounts(
  spec: PodSpec,
  items: readonly LimitItem[],
): { readonly spec: PodSpec; readonly told: readonly string[] } {
  const defaults = items.filter(({ type }) => type === 'Container')
  if (!defaults.some((item) => item.default ?? item.defaultRequest)) return { spec, told: [] }
  const told: string[] = []
  const fill =
    (kind: string) =>
    (container: Container): Container => {
      let filled = container
      for (const item of defaults)
        filled = fillContainer(filled, item, (what) => told.push(`${what} for ${kind} ${container.name}`))
      return filled
    }
  const containers = (spec.containers ?? []).map(fill('container'))
  const initContainers = spec.initContainers?.map(fill('init container'))
  return { spec: { ...spec, containers, ...(initContainers ? { initContainers } : {}) }, told }
}

function fillContainer(container: Container, item: LimitItem, tell: (what: string) => void): Container {
  const requests: Record<string, string | number> = { ...container.resources?.requests }
  const limits: Record<string, string | number> = { ...container.resources?.limits }
  const add = (into: Record<string, string | number>, from: ResourceList | undefined, which: string): void => {
    const added = Object.entries(from ?? {}).filter(([name]) => !Object.hasOwn(into, name))
    for (const [name, amount] of added) into[name] = amount
    if (added.length > 0)
      tell(
        `${added
          .map(([name]) => name)
          .toSorted()
          .join(', ')} ${which}`,
      )
  }
  // A request that only the limit implies is the limit: it is decided before the default request is looked at.
  for (const [name, amount] of Object.entries(limits)) if (!Object.hasOwn(requests, name)) requests[name] = amount
  add(requests, item.defaultRequest, 'request')
  add(limits, item.default, 'limit')
  const resources = {
    ...container.resources,
    ...(Object.keys(limits).length > 0 ? { limits } : {}),
    ...(Object.keys(requests).length > 0 ? { requests } : {}),
  }
  return { ...container, resources }
}

/** Everything about a Pod that the limits do not allow, one sentence each. */
export function podLimitViolations(spec: PodSpec, items: readonly LimitItem[]): readonly string[] {
  const containers = [...(spec.containers ?? []), ...(spec.initContainers ?? [])]
  return items.flatMap((item) => {
    if (item.type === 'Container') {
      return containers.flatMap((container) =>
        violations(item, amountsOf(container.resources?.requests), amountsOf(container.resources?.limits)),
      )
    }
    return item.type === 'Pod' ? violations(item, podAmounts(spec, 'requests'), totalLimits(spec)) : []
  })
}

/** A Pod's limit is only known for what every container limits. */
function totalLimits(spec: PodSpec): Amounts {
  const containers = spec.containers ?? []
  const total = podAmounts(spec, 'limits')
  return new Map(
    [...total].filter(([name]) => containers.every((container) => container.resources?.limits?.[name] !== undefined)),
  )
}

/** Everything about a claim that the limits do not allow. */
export function claimLimitViolations(claim: KubeObject, items: readonly LimitItem[]): readonly string[] {
  const spec = (claim['spec'] ?? {}) as { readonly resources?: { readonly requests?: ResourceList } }
  const requests = amountsOf(spec.resources?.requests)
  return items
    .filter(({ type }) => type === 'PersistentVolumeClaim')
    .flatMap((item) => violations(item, requests, requests))
}

function violations(item: LimitItem, requests: Amounts, limits: Amounts): readonly string[] {
  const found: string[] = []
  const { type } = item
  for (const [name, least] of amountsOf(item.min)) {
    const request = requests.get(name)
    const limit = limits.get(name)
    if (!request) found.push(`minimum ${name} usage per ${type} is ${formatQuantity(least)}. No request is specified`)
    else if (compareQuantity(request, least) < 0)
      found.push(
        `minimum ${name} usage per ${type} is ${formatQuantity(least)}, but request is ${formatQuantity(request)}`,
      )
    if (limit && compareQuantity(limit, least) < 0)
      found.push(`minimum ${name} usage per ${type} is ${formatQuantity(least)}, but limit is ${formatQuantity(limit)}`)
  }
  for (const [name, most] of amountsOf(item.max)) {
    const request = requests.get(name)
    const limit = limits.get(name)
    if (!limit) found.push(`maximum ${name} usage per ${type} is ${formatQuantity(most)}. No limit is specified`)
    else if (compareQuantity(limit, most) > 0)
      found.push(`maximum ${name} usage per ${type} is ${formatQuantity(most)}, but limit is ${formatQuantity(limit)}`)
    if (request && compareQuantity(request, most) > 0)
      found.push(
        `maximum ${name} usage per ${type} is ${formatQuantity(most)}, but request is ${formatQuantity(request)}`,
      )
  }
  for (const [name, ratio] of amountsOf(item.maxLimitRequestRatio)) {
    const because = ratioViolation(ratio, requests.get(name), limits.get(name))
    if (because)
      found.push(`${name} max limit to request ratio per ${type} is ${formatQuantity(ratio)}, but ${because}`)
  }
  return found
}

function ratioViolation(
  ratio: Quantity,
  request: Quantity | undefined,
  limit: Quantity | undefined,
): string | undefined {
  if (!request || request.nano === 0n) return 'no request is specified or request is 0'
  if (!limit || limit.nano === 0n) return 'no limit is specified or limit is 0'
  // limit / request > ratio, without leaving whole numbers; the ratio is in billionths.
  if (limit.nano * 1_000_000_000n <= ratio.nano * request.nano) return undefined
  return `provided ratio is ${Number((limit.nano * 1000n) / request.nano) / 1000}`
}
