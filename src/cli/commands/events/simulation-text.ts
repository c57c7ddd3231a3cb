import type {
  SimulatedFiring,
  SimulatedSensor,
  SimulatedStep,
  SimulatedTrigger,
} from '../../../events/simulate/simulate.ts'
import type { Simulation } from '../../../events/simulate/simulation.ts'
import { ruleOf, resourceName } from '../../../events/triggers/refusal.ts'
import { emitYaml } from '../../../lib/yaml.ts'
import { explain } from '../../../lib/result.ts'

const indent = (text: string, by: string): string =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => `${by}${line}`)
    .join('\n')

/** A simulation for people: every comparison, what it comes to, and the exact object or request. */
export function simulationText({ events, sensors, failures }: Simulation): string {
  const lines = events.map(({ source, namespace, id }) => `event ${source} in namespace ${namespace}, id ${id}`)
  if (events.length === 0) lines.push("no event: the source's own filter does not want it")
  else if (sensors.length === 0) lines.push('no Sensor hears it')
  for (const sensor of sensors) lines.push('', ...sensorLines(sensor))
  if (failures.length > 0) lines.push('', 'what is wrong:', ...failures.map((failure) => `  ${failure}`))
  return `${lines.join('\n')}\n`
}

function sensorLines({ sensor, isBroken, problems, warnings, triggers }: SimulatedSensor): readonly string[] {
  return [
    `Sensor ${sensor}${isBroken ? ': broken' : ''}`,
    ...problems.map((problem) => `  error: ${explain(problem)}`),
    ...warnings.map((warning) => `  warning: ${warning}`),
    ...triggers.flatMap(triggerLines),
  ]
}

function triggerLines({ trigger, kind, condition, steps, firings, holds }: SimulatedTrigger): readonly string[] {
  const lines = [`  trigger ${trigger} (${kind}), when ${condition}`, ...steps.flatMap(stepLines)]
  if (steps.length === 0) lines.push('    hears none of the events')
  if (firings.length === 0 && steps.length > 0)
    lines.push(`    => does not fire${holds.length === 0 ? '' : `: ${holds.join(', ')} wait for the others`}`)
  return [...lines, ...firings.flatMap(firingLines)]
}

function stepLines({ event, dependency, passes, because, checks }: SimulatedStep): readonly string[] {
  const width = Math.max(0, ...checks.map(({ at }) => Math.min(at.length, 48)))
  return [
    `    ${dependency} <- ${event}: ${passes ? 'passes' : 'does not pass'}, ${because}`,
    ...checks.map(
      (check) =>
        `      ${check.passes ? 'true ' : 'false'}  ${check.filter.padEnd(7)}  ${check.at.padEnd(width)}  ${check.because}`,
    ),
  ]
}

function firingLines({ serviceAccount, parameters, action, rights, problems }: SimulatedFiring): readonly string[] {
  const lines = [`    => fires as ServiceAccount ${serviceAccount}: ${action?.does ?? 'cannot'}`]
  for (const problem of problems) lines.push(`       error: ${explain(problem)}`)
  for (const { dest, from, value } of parameters)
    lines.push(`       ${dest === '' ? 'the whole payload' : dest} = ${JSON.stringify(value)}  (${from})`)
  for (const { right, allowed, because } of rights) {
    const word = allowed === undefined ? 'unknown' : allowed ? 'may' : 'MAY NOT'
    const where = right.namespace === undefined ? '' : ` in ${right.namespace}`
    const more = allowed === false ? `add the rule ${ruleOf(right)}` : because
    lines.push(`       ${word} ${right.verb} ${resourceName(right)}${where}  (${more})`)
  }
  for (const part of ['object', 'request', 'message'] as const) {
    const value = action?.[part]
    if (value !== undefined) lines.push(`       ${part}:`, indent(emitYaml(value), '         '))
  }
  return lines
}
