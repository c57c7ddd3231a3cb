import type { TokenLimits } from '../logical.ts'
import type { Token } from './token.ts'

/** How long tokens of a mount live. */
export interface MountTtls {
  readonly defaultTtlSeconds: number
  readonly maxTtlSeconds: number
}

export interface Lifetime {
  readonly ttlSeconds: number
  readonly warnings: readonly string[]
}

const least = (...limits: readonly (number | undefined)[]): number => {
  const set = limits.filter((limit): limit is number => limit !== undefined && limit > 0)
  return set.length === 0 ? 0 : Math.min(...set)
}

const text = (seconds: number): string => {
  const [h, m, s] = [Math.floor(seconds / 3_600), Math.floor((seconds % 3_600) / 60), seconds % 60]
  return h > 0 ? `${h}h${m}m${s}s` : m > 0 ? `${m}m${s}s` : `${s}s`
}

/** How long a new token lives: what was asked for, at most what role and mount allow. A periodic one lives a period. */
export function newLifetime(wanted: number, limits: TokenLimits, mount: MountTtls): Lifetime {
  const warnings: string[] = []
  const period = limits.periodSeconds ?? 0
  const explicit = limits.explicitMaxTtlSeconds ?? 0
  const most = period > 0 ? explicit : least(limits.maxTtlSeconds, mount.maxTtlSeconds, explicit)
  const asked = period > 0 ? period : wanted > 0 ? wanted : (limits.ttlSeconds ?? 0) || mount.defaultTtlSeconds
  if (most === 0 || asked <= most) return { ttlSeconds: asked, warnings }
  if (wanted > 0 || (limits.ttlSeconds ?? 0) > 0) {
    warnings.push(
      `TTL of "${text(asked)}" exceeded the effective max_ttl of "${text(most)}"; TTL value is capped accordingly`,
    )
  }
  return { ttlSeconds: most, warnings }
}

/** How long a renewed token lives from now: never longer than its maximum, counted from its making. */
export function renewedLifetime(token: Token, increment: number, mount: MountTtls, nowMs: number): Lifetime {
  const { periodSeconds, explicitMaxSeconds, createdMs, ttlSeconds } = token
  const age = Math.floor((nowMs - createdMs) / 1_000)
  const most = periodSeconds > 0 ? explicitMaxSeconds : least(token.maxSeconds, mount.maxTtlSeconds, explicitMaxSeconds)
  const asked = periodSeconds > 0 ? periodSeconds : increment > 0 ? increment : ttlSeconds
  const left = most === 0 ? asked : Math.max(0, most - age)
  if (asked <= left) return { ttlSeconds: asked, warnings: [] }
  const because = `TTL of "${text(asked)}" exceeded the effective max_ttl of "${text(left)}"`
  return { ttlSeconds: left, warnings: [`${because}; TTL value is capped accordingly`] }
}
