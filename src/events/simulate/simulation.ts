import type { KubeObject } from '../../kube/object.ts'
import { type Problem, type Result, succeed } from '../../lib/result.ts'
import { type Feed, incomingEvents } from './incoming.ts'
import { hears, type IncomingEvent, type SimulatedSensor, simulateSensor, type SimulationPorts } from './simulate.ts'

/** What a simulation says, Sensor by Sensor. */
export interface Simulation {
  readonly events: readonly {
    readonly source: string
    readonly namespace: string
    readonly id: string
    readonly time: string
  }[]
  readonly sensors: readonly SimulatedSensor[]
  /** What is wrong whatever the event: Sensors that are broken, triggers that could not do what they should. */
  readonly failures: readonly string[]
}

/** Feeds events to the Sensors that hear them, and says all that would come of it. */
export async function simulate(
  feeds: readonly Feed[],
  { sensors, sources }: { readonly sensors: readonly KubeObject[]; readonly sources: readonly KubeObject[] },
  ports: SimulationPorts,
): Promise<Result<Simulation>> {
  const events: IncomingEvent[] = []
  const nowMs = ports.prepare.now()
  for (const feed of feeds) {
    const namespace = feed.namespace ?? namespaceFor(feed, sensors, sources)
    const made = await incomingEvents({ ...feed, ...(namespace === undefined ? {} : { namespace }) }, sources, nowMs)
    if (!made.ok) return made
    events.push(...made.value)
  }
  const simulated: SimulatedSensor[] = []
  for (const sensor of sensors) {
    if (events.some((event) => hears(sensor, event, ports.world)))
      simulated.push(await simulateSensor(sensor, events, ports))
  }
  return succeed({
    events: events.map(({ namespace, eventSourceName, eventName, event: { context } }) => ({
      source: `${eventSourceName}/${eventName}`,
      namespace,
      id: context.id ?? '',
      time: context.time ?? '',
    })),
    sensors: simulated,
    failures: simulated.flatMap(failuresOf),
  })
}

/** Where nobody has the EventSource, its events are in the namespace of the Sensors, if that is one. */
function namespaceFor(
  { source }: Feed,
  sensors: readonly KubeObject[],
  sources: readonly KubeObject[],
): string | undefined {
  const [name = ''] = source.split('/')
  if (sources.some(({ metadata }) => metadata.name === name)) return undefined
  const [namespace, ...others] = new Set(sensors.map(({ metadata }) => metadata.namespace ?? 'default'))
  return others.length === 0 ? namespace : undefined
}

const told = ({ at, message, cure }: Problem): string =>
  `${at === undefined ? '' : `${at}: `}${message}${cure === undefined ? '' : ` (${cure})`}`

function failuresOf({ sensor, isBroken, problems, triggers }: SimulatedSensor): readonly string[] {
  if (isBroken) return problems.map((problem) => `${sensor} is broken: ${told(problem)}`)
  return triggers.flatMap(({ trigger, firings }) =>
    firings.flatMap(({ problems: own, rights, serviceAccount }) => [
      ...own.map((problem) => `${sensor}, trigger ${trigger}: ${told(problem)}`),
      ...rights
        .filter(({ allowed }) => allowed === false)
        .map(
          ({ right }) =>
            `${sensor}, trigger ${trigger}: ServiceAccount ${serviceAccount} may not ${right.verb} ${right.resource}${right.group === '' ? '' : `.${right.group}`} in ${right.namespace ?? 'the cluster'}`,
        ),
    ]),
  )
}
