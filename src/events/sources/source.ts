import type { KubeObject } from '../../kube/object.ts'
import type { SourceEntry } from '../eventsource/event-source.ts'
import type { Dispatch } from './dispatch.ts'

/** A source that goes and finds its events, rather than being told them. */
export interface Source {
  /** What keeps it from its work, in words; undefined where nothing does. */
  trouble(): string | undefined
  /** Whether it has only begun, so that nobody can say yet how it stands. */
  isStarting?(): boolean
  /** Works until the signal is aborted. */
  run(signal: AbortSignal): Promise<void>
  /** Takes back what it has left in the world outside, when it is no longer wanted; what takes its place may go on with it. */
  retire?(next: Source | undefined): Promise<void>
}

/** What a source is made with. */
export interface SourceGiven {
  readonly entry: SourceEntry
  /** The EventSource that it belongs to. */
  readonly object: KubeObject
  readonly dispatch: Dispatch
  /** To be called when its trouble has become another. */
  readonly onTrouble: () => void
}

export type MakeSource = (given: SourceGiven) => Source
