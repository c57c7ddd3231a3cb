import type { KubeObject } from '../../kube/object.ts'
import { at, textAt } from '../health/reading.ts'

/** What a cluster said about an object. */
export interface Notice {
  readonly reason: string
  readonly message: string
  readonly isWarning: boolean
  readonly time: string
}

/** Events by the object that they are about, the latest first. */
export interface EventIndex {
  of(object: KubeObject): readonly Notice[]
  /** The latest warning with one of these reasons, or any. */
  warning(object: KubeObject, reasons?: readonly string[]): Notice | undefined
}

/** Sorts the Events of a namespace, or of all, by what they are about. */
export function eventIndex(events: readonly KubeObject[]): EventIndex {
  const byUid = new Map<string, Notice[]>()
  for (const event of events) {
    const uid = textAt(event, 'involvedObject.uid') ?? textAt(event, 'regarding.uid')
    if (uid === undefined) continue
    const notices = byUid.get(uid) ?? []
    byUid.set(uid, notices)
    notices.push({
      reason: textAt(event, 'reason') ?? '',
      message: textAt(event, 'message') ?? textAt(event, 'note') ?? '',
      isWarning: at(event, 'type') === 'Warning',
      time:
        textAt(event, 'lastTimestamp') ??
        textAt(event, 'series.lastObservedTime') ??
        textAt(event, 'eventTime') ??
        event.metadata.creationTimestamp ??
        '',
    })
  }
  for (const notices of byUid.values()) notices.sort((a, b) => (a.time < b.time ? 1 : a.time > b.time ? -1 : 0))
  const of = ({ metadata }: KubeObject): readonly Notice[] => byUid.get(metadata.uid ?? '') ?? []
  return {
    of,
    warning: (object, reasons) =>
      of(object).find(({ isWarning, reason }) => isWarning && (!reasons || reasons.includes(reason))),
  }
}
