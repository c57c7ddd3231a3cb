import { setMaxListeners } from 'node:events'
import type { ControllerPart, ControllerPorts, NamedController } from './controller-part.ts'
import { type EventRecorder, eventRecorder } from './event-recorder.ts'
import { Informers } from './informers.ts'

/** What somebody who starts controllers has to bring: informers and recorders are made here. */
export type OuterPorts<Ports extends ControllerPorts> = Omit<Ports, 'informers' | 'events'>

/** Controllers that run, together with their informers and the Events they write. */
export interface RunningControllers {
  readonly names: readonly string[]
  run(signal: AbortSignal): Promise<void>
  /** What is not at rest, by controller. */
  pending(): ReadonlyMap<string, ReturnType<ControllerPart['pending']>>
}

/** Makes the controllers, sharing informers and recorders. Nothing runs before `run`. */
export function makeControllers<Ports extends ControllerPorts>(
  chosen: readonly NamedController<Ports>[],
  outer: OuterPorts<Ports>,
): RunningControllers {
  const given = outer as Omit<ControllerPorts, 'informers' | 'events'>
  const informers = new Informers({ ...given, watchSeconds: 0 })
  const recorders = new Map<string, EventRecorder>()
  let started: AbortSignal | undefined
  const late: Promise<void>[] = []
  const events = (component: string): EventRecorder => {
    const known = recorders.get(component)
    if (known) return known
    const made = eventRecorder({ ...given, component })
    recorders.set(component, made)
    // A part that opens something first asks for its recorder when the others run already.
    if (started) late.push(made.run(started))
    return made
  }
  const ports = { ...outer, informers, events } as unknown as Ports // what was left out is put back
  const parts = chosen.map(({ name, make }) => ({ name, part: make(ports) }))
  return {
    names: parts.map(({ name }) => name),
    pending: () => new Map(parts.map(({ name, part }) => [name, part.pending()])),
    async run(outside) {
      const stopping = new AbortController()
      const { signal } = stopping
      // Every informer and queue listens to it.
      setMaxListeners(0, signal)
      const stop = (): void => stopping.abort(outside.reason)
      if (outside.aborted) stop()
      outside.addEventListener('abort', stop, { once: true })
      const running = [informers, ...recorders.values(), ...parts.map(({ part }) => part)]
      started = signal
      await Promise.all(running.map((one) => one.run(signal)))
      await Promise.all(late)
    },
  }
}
