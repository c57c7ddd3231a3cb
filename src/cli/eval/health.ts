import { healthOf, kindHealth } from '../../gitops/health/health.ts'
import { compileLuaChecks } from '../../gitops/health/lua-health.ts'
import type { HealthStatus } from '../../gitops/health/status.ts'
import type { KubeObject } from '../../kube/object.ts'
import { isObject } from '../../lib/json.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import { parseYaml } from '../../lib/yaml.ts'
import type { EvalRequest } from './ops.ts'

const wrong = (at: string, message: string): Result<never> => fail({ code: 'eval-request-invalid', at, message })

/** How an object is: `{object, deletion?, lua?}` (docs/eval.md). */
export function evaluate({ object: given, deletion = 'first', lua }: EvalRequest): Result<unknown> {
  if (deletion !== 'first' && deletion !== 'ignored') return wrong('deletion', 'deletion must be first or ignored')
  const read = typeof given === 'string' ? parseYaml(given) : succeed(given)
  if (!read.ok) return read
  const object = read.value
  if (!isKubeObject(object)) return wrong('object', 'object must be a Kubernetes object, or its YAML')
  if (deletion === 'ignored') return succeed(answer(kindHealth(object)))
  if (lua !== undefined && typeof lua !== 'string') return wrong('lua', 'lua must be a script')
  const { override, problems } = compileLuaChecks(lua === undefined ? [] : [{ group: '*', kind: '*', healthLua: lua }])
  return problems.length > 0 ? { ok: false, error: problems } : succeed(answer(healthOf(object, override)))
}

function isKubeObject(value: unknown): value is KubeObject {
  if (!isObject(value)) return false
  const { apiVersion, kind, metadata } = value
  return typeof apiVersion === 'string' && typeof kind === 'string' && isObject(metadata)
}

/** A kind that nobody judges has no status. */
const answer = (found: HealthStatus | undefined): unknown =>
  found ? { status: found.status, message: found.message ?? '' } : { status: null, message: '' }
