import type { AdmissionPlugin, AdmissionRequest } from '../../kube/admission.ts'
import type { KubeObject } from '../../kube/object.ts'
import { type ApiResult, failure, type Status } from '../../kube/status.ts'
import { succeed } from '../../lib/result.ts'

const never = new AbortController().signal

/** The plugins that a request concerns, in order. */
export function concerned(plugins: readonly AdmissionPlugin[], request: AdmissionRequest): readonly AdmissionPlugin[] {
  return plugins.length === 0 ? plugins : plugins.filter((plugin) => plugin.handles(request))
}

/** Lets every mutating plugin change the object in the listed order; the first denial ends it. */
export async function runMutating(
  plugins: readonly AdmissionPlugin[],
  request: AdmissionRequest,
  warn: (warning: string) => void,
  signal: AbortSignal = never,
): Promise<ApiResult<KubeObject | undefined>> {
  let object = request.object
  for (const plugin of plugins) {
    if (!plugin.mutate) continue
    const mutation = await plugin.mutate(
      object === request.object ? request : { ...request, ...(object ? { object } : {}) },
      signal,
    )
    mutation.warnings?.forEach(warn)
    if (!mutation.allowed) return { ok: false, error: mutation.status }
    if (mutation.object) object = mutation.object
  }
  return succeed(object)
}

/** Asks every validating plugin, so that all denials are told at once. */
export async function runValidating(
  plugins: readonly AdmissionPlugin[],
  request: AdmissionRequest,
  warn: (warning: string) => void,
  signal: AbortSignal = never,
): Promise<ApiResult<undefined>> {
  const denials: Status[] = []
  for (const plugin of plugins) {
    if (!plugin.validate) continue
    const verdict = await plugin.validate(request, signal)
    verdict.warnings?.forEach(warn)
    if (!verdict.allowed) denials.push(verdict.status)
  }
  const [first, ...more] = denials
  if (!first) return succeed(undefined)
  return { ok: false, error: more.length === 0 ? first : together(first, more) }
}

/** Several denials as one Status: the first one's code, everybody's words. */
function together(first: Status, more: readonly Status[]): Status {
  const message = [first, ...more].map((status) => status.message).join('; ')
  const causes = [first, ...more].flatMap((status) => status.details?.causes ?? [])
  const merged = failure(first.reason, message, { ...first.details, ...(causes.length > 0 ? { causes } : {}) })
  return { ...merged, code: first.code }
}
