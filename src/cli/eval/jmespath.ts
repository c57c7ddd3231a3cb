import { systemClock } from '../../lib/clock.ts'
import { seededIds, systemIds } from '../../lib/ids.ts'
import { isObject } from '../../lib/json.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import { compileJmesPath } from '../../lang/jmespath/jmespath.ts'
import type { JmesPathPorts } from '../../lang/jmespath/run.ts'
import type { EvalRequest } from './ops.ts'

const invalid = (message: string): Result<never> => fail({ code: 'eval-request-invalid', message })

function addressesOf(hosts: unknown, name: string): readonly string[] | undefined {
  if (!isObject(hosts) || !Object.hasOwn(hosts, name)) return undefined
  const addresses = hosts[name]
  return Array.isArray(addresses) ? addresses.map(String) : [String(addresses)]
}

function portsOf({ now, seed, hosts, defaultRegistry, enableDefaultRegistryMutation }: EvalRequest): JmesPathPorts {
  const nowMs = typeof now === 'string' ? Date.parse(now) : typeof now === 'number' ? now : undefined
  return {
    now: () => nowMs ?? systemClock.now(),
    ids: typeof seed === 'number' ? seededIds(seed) : systemIds,
    lookUpHost: (name) => addressesOf(hosts, name),
    ...(typeof defaultRegistry === 'string' ? { defaultRegistry } : {}),
    ...(typeof enableDefaultRegistryMutation === 'boolean' ? { enableDefaultRegistryMutation } : {}),
  }
}

/** Searches data with a JMESPath expression: `{expression, input, missing?, now?, seed?, hosts?}` (docs/eval.md). */
export function evaluate(request: EvalRequest): Result<unknown> {
  const { expression, input, missing = 'null' } = request
  if (typeof expression !== 'string') return invalid('expression must be a text')
  if (missing !== 'null' && missing !== 'error') return invalid('missing must be null or error')
  const path = compileJmesPath(expression)
  if (!path.ok) return path
  const found = path.value.search(input ?? null, portsOf(request))
  const isMissing = !found.ok && found.error[0]?.code === 'jmespath-key-unknown'
  return isMissing && missing === 'null' ? succeed(null) : found
}
