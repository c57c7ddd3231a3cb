/** How an object is, from best to worst; upstream's order (gitops-engine pkg/health, argo-cd 3.x). */
export const healthOrder = ['Healthy', 'Suspended', 'Progressing', 'Missing', 'Degraded', 'Unknown'] as const

export type HealthStatusCode = (typeof healthOrder)[number]

/** How one object is, and why. */
export interface HealthStatus {
  readonly status: HealthStatusCode
  readonly message?: string
}

/** Tells whether `next` is worse than `current`. */
export function isWorse(current: HealthStatusCode, next: HealthStatusCode): boolean {
  return healthOrder.indexOf(next) > healthOrder.indexOf(current)
}

/** Tells whether a text is one of the six codes. */
export function isHealthStatusCode(text: unknown): text is HealthStatusCode {
  return healthOrder.some((code) => code === text)
}
