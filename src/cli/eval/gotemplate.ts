import { hermeticFunctions, sprigFunctions, type SprigPorts } from '../../lang/gotemplate/sprig/sprig.ts'
import type { FunctionTable } from '../../lang/gotemplate/function.ts'
import { execute, parseTemplates, type TemplateFile } from '../../lang/gotemplate/template-set.ts'
import type { MissingKey } from '../../lang/gotemplate/run.ts'
import { certificateMaker } from '../../lib/certificates.ts'
import { systemClock } from '../../lib/clock.ts'
import { seededIds, systemIds } from '../../lib/ids.ts'
import { isObject } from '../../lib/json.ts'
import { isDeeperThan } from '../../kube/schema/walk.ts'
import { fail, type Result } from '../../lib/result.ts'
import type { EvalRequest } from './ops.ts'
import { goValue } from './go-value.ts'

const MAIN = 'gotemplate'
/** Deeper values are refused: templates walk them by recursion. */
const DEEPEST = 500

const invalid = (message: string): Result<never> => fail({ code: 'eval-request-invalid', message })

const isMissingKey = (value: unknown): value is MissingKey =>
  value === 'default' || value === 'invalid' || value === 'zero' || value === 'error'

const textsOf = (value: unknown): Readonly<Record<string, string>> =>
  isObject(value) ? Object.fromEntries(Object.entries(value).map(([key, text]) => [key, String(text)])) : {}

function portsOf(request: EvalRequest): SprigPorts {
  const { now, seed, zone, hosts } = request
  const nowMs = typeof now === 'string' ? Date.parse(now) : typeof now === 'number' ? now : undefined
  const addresses = textsOf(hosts)
  return {
    clock: nowMs === undefined ? systemClock : { now: () => nowMs },
    ids: typeof seed === 'number' ? seededIds(seed) : systemIds,
    certificates: certificateMaker,
    env: textsOf(request['env']),
    zone: typeof zone === 'string' ? zone : 'UTC',
    lookUpHost: (name) => (Object.hasOwn(addresses, name) ? [addresses[name] ?? ''] : []),
    system: request['system'] === 'windows' ? 'windows' : 'unix',
  }
}

/** Tables by what they were made from, so that compiled templates are used again. */
const tables = new Map<string, FunctionTable>()
const KEPT_TABLES = 20

function tableOf(request: EvalRequest): FunctionTable {
  const { dialect, now, seed, zone, hosts, env, system } = request
  const key = JSON.stringify([dialect, now, zone, hosts, env, system])
  const known = seed === undefined ? tables.get(key) : undefined
  if (known) return known
  const ports = portsOf(request)
  const table = dialect === 'text' ? {} : dialect === 'hermetic' ? hermeticFunctions(ports) : sprigFunctions(ports)
  if (tables.size >= KEPT_TABLES) tables.clear()
  if (seed === undefined) tables.set(key, table)
  return table
}

/** Renders a Go template: `{template, values, files?, missingkey?, dialect?, ...}` (docs/eval.md). */
export function evaluate(request: EvalRequest): Result<unknown> {
  const { template, values, files, missingkey, dialect = 'sprig', types } = request
  if (typeof template !== 'string') return invalid('template must be a text')
  if (dialect !== 'text' && dialect !== 'sprig' && dialect !== 'hermetic') {
    return invalid('dialect must be text, sprig or hermetic')
  }
  if (missingkey !== undefined && !isMissingKey(missingkey)) {
    return invalid('missingkey must be default, invalid, zero or error')
  }
  const named: TemplateFile[] = Object.entries(textsOf(files)).map(([name, text]) => ({ name, text }))
  const set = parseTemplates([...named, { name: MAIN, text: template }], tableOf(request))
  if (!set.ok) return set
  if (isDeeperThan(values, DEEPEST)) {
    return fail({ code: 'document-too-deep', at: 'values', message: `values are nested deeper than ${DEEPEST} levels` })
  }
  const data = goValue(values, { wholeNumbersAreInts: request['numbers'] === 'int', types: textsOf(types) })
  return execute(set.value, MAIN, data, { missingKey: missingkey ?? 'default' })
}
