import { fieldsOf, objectsOf, textOf } from '../../../lib/fields.ts'
import { own } from '../../../lib/json.ts'

/** A port of the Service of an EventSource, and the port of the sources that answer there. */
export interface ServedPort {
  readonly name: string
  readonly port: number
  readonly target: number
}

/**
 * The ports of the Service: those that the EventSource asks for, and one for every source that would not be reached
 * otherwise. Without a Service a source would be deaf here: there is no Pod to send to.
 */
export function planPorts(spec: unknown, listened: readonly number[]): readonly ServedPort[] {
  const asked = (objectsOf(fieldsOf(spec, 'service'), 'ports') ?? []).flatMap((given): ServedPort[] => {
    const port = Number(own(given, 'port'))
    const target = targetOf(own(given, 'targetPort'), port)
    return listened.includes(target) ? [{ name: textOf(given, 'name') || `port-${port}`, port, target }] : []
  })
  const reached = new Set(asked.map(({ target }) => target))
  const taken = new Set(asked.map(({ port }) => port))
  const others = [...new Set(listened)].filter((port) => !reached.has(port) && !taken.has(port))
  const all = [...asked, ...others.map((port) => ({ name: `port-${port}`, port, target: port }))]
  // A port is there once, whatever the EventSource repeats.
  return all.filter(({ port, name }, at) => all.findIndex((one) => one.port === port || one.name === name) === at)
}

function targetOf(given: unknown, port: number): number {
  const number = typeof given === 'string' && /^\d+$/.test(given) ? Number(given) : given
  return typeof number === 'number' && number > 0 ? number : port
}
