import { matchesLabels } from '../../kube/selector.ts'
import { parseYaml } from '../../lib/yaml.ts'
import { objectsOf, textOf, textsOf } from '../fields.ts'
import type { NotificationsConfig } from './config.ts'

/** Where a notification goes. */
export interface Destination {
  readonly service: string
  readonly recipient: string
}

const PREFIX = 'notifications.argoproj.io'

/** The annotation that remembers what was sent. */
export const NOTIFIED = 'notified.notifications.argoproj.io'

type Texts = Readonly<Record<string, string>>
type Triggers = Pick<NotificationsConfig, 'defaultTriggers' | 'serviceDefaultTriggers' | 'subscriptions'>

/** Who hears of which trigger: by annotations of the Application and of its project, and by what holds for all. */
export function destinationsOf(
  application: { readonly labels?: Texts; readonly annotations?: Texts },
  projectAnnotations: Texts,
  config: Triggers,
): ReadonlyMap<string, readonly Destination[]> {
  const byTrigger = new Map<string, Map<string, Destination>>()
  const add = (trigger: string, destination: Destination): void => {
    const known = byTrigger.get(trigger) ?? new Map<string, Destination>()
    byTrigger.set(trigger, known.set(`${destination.service}:${destination.recipient}`, destination))
  }
  for (const { triggers, recipients, selector } of config.subscriptions) {
    if (!matchesLabels(selector, application.labels)) continue
    for (const trigger of triggers.length > 0 ? triggers : config.defaultTriggers) {
      for (const recipient of recipients) add(trigger, destinationFrom(recipient))
    }
  }
  for (const annotations of [application.annotations ?? {}, projectAnnotations]) {
    for (const { trigger, service, recipients } of subscribedIn(annotations)) {
      const usual = config.serviceDefaultTriggers.get(service) ?? config.defaultTriggers
      for (const each of trigger === '' ? usual : [trigger]) {
        for (const recipient of recipients) add(each, { service, recipient })
      }
    }
  }
  return new Map(
    [...byTrigger].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, found]) => [key, [...found.values()]]),
  )
}

/** `service:recipient`; what follows a second colon is dropped, as upstream does. */
function destinationFrom(text: string): Destination {
  const [service = '', recipient = ''] = text.split(':')
  return { service, recipient }
}

interface Subscribed {
  readonly trigger: string
  readonly service: string
  readonly recipients: readonly string[]
}

function subscribedIn(annotations: Texts): readonly Subscribed[] {
  return Object.entries(annotations)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([key, value]): readonly Subscribed[] => {
      if (key.startsWith(`${PREFIX}/subscribe.`)) {
        const [first = '', second] = key.slice(`${PREFIX}/subscribe.`.length).split('.')
        const recipients = value === '' ? [''] : recipientsIn(value)
        return [{ trigger: second === undefined ? '' : first, service: second ?? first, recipients }]
      }
      return key.startsWith(`${PREFIX}/subscriptions`) ? documentIn(value) : []
    })
}

const recipientsIn = (text: string): readonly string[] =>
  text
    .split(';')
    .map((item) => item.trim())
    .filter((item) => item !== '')

function documentIn(text: string): readonly Subscribed[] {
  const read = parseYaml(text)
  if (!read.ok) return []
  return (objectsOf({ list: read.value }, 'list') ?? []).flatMap((item) => {
    const triggers = textsOf(item, 'trigger') ?? []
    return (objectsOf(item, 'destinations') ?? []).flatMap((destination) =>
      (triggers.length > 0 ? triggers : ['']).map((trigger) => ({
        trigger,
        service: textOf(destination, 'service'),
        recipients: textsOf(destination, 'recipients') ?? [],
      })),
    )
  })
}
