import type { Command } from 'commander'
import type { DeadLetter } from '../../../events/bus/record.ts'
import { SensorKind } from '../../../events/sensor/sensor.ts'
import type { Outcome } from '../../../events/trace/outcome.ts'
import type { Trace, TraceSummary } from '../../../events/trace/trace.ts'
import type { Condition } from '../../../kube/condition.ts'
import { systemClock } from '../../../lib/clock.ts'
import { fieldsOf, objectsOf } from '../../../lib/fields.ts'
import { isObject } from '../../../lib/json.ts'
import { columns, printAs } from '../../cluster-client.ts'
import type { Io } from '../../command.ts'
import { addAsk, askDesk, type AskFlags, complain, shownTime } from './ask-events.ts'

interface ListFlags extends AskFlags {
  readonly source?: string
  readonly sensor?: string
  readonly failed?: boolean
  readonly limit: string
  readonly allNamespaces?: boolean
}

const narrowing = (command: Command): void => {
  command
    .option('--source <eventsource/event>', 'only events of this source')
    .option('--sensor <name>', 'only events that this Sensor had to do with')
    .option('--failed', 'only events of which something failed')
    .option('--limit <count>', 'at most so many', '50')
    .option('-A, --all-namespaces', 'of every namespace')
}

const queryOf = ({
  namespace,
  source,
  sensor,
  failed,
  limit,
  allNamespaces,
}: ListFlags): Record<string, string | undefined> => ({
  namespace: allNamespaces === true ? undefined : namespace,
  source,
  sensor,
  failed: failed === true ? 'true' : undefined,
  limit,
})

const row = (one: TraceSummary): readonly string[] => [
  shownTime(one.firstMs),
  one.source ?? '',
  one.eventId,
  one.sensors.map((name) => name.split('/').at(-1) ?? name).join(','),
  one.deadLetters > 0
    ? 'dead letter'
    : one.failed > one.fired
      ? 'failed'
      : one.fired > 0
        ? `fired ${one.fired}`
        : 'nothing',
  one.because,
]
const headings = ['TIME', 'SOURCE', 'EVENT', 'SENSORS', 'CAME TO', 'BECAUSE']

/** The commands that only look: list, trace, tail, dead-letters, why. */
export function addLookers(parent: Command, io: Io): void {
  addAsk<ListFlags>(
    parent,
    {
      name: 'list',
      summary: 'list the newest events and what came of them',
      options: narrowing,
      help: 'The platform remembers the ways of the newest 5,000 events.',
      examples: ['idp events list', 'idp events list --failed --sensor slo-rollback'],
      async run({ client, flags, format, io: out }) {
        const found = await askDesk<readonly TraceSummary[]>(client, 'GET', 'traces', { query: queryOf(flags) })
        if (!found.ok) return complain('list', found.error, out)
        printAs(format, found.value, () => columns(headings, found.value.map(row)), out)
        return 0
      },
    },
    io,
  )
  addAsk<AskFlags>(
    parent,
    {
      name: 'trace',
      summary: 'follow one event: source, filters with the values compared, triggers, what became of it',
      arguments: [['<event>', 'the id of the event']],
      help: 'What became of an object is read from the object as it is now. Secrets are left out.',
      examples: ['idp events trace 3f2a9c', 'idp events trace 3f2a9c -o json'],
      async run({ client, words: [event = ''], format, io: out }) {
        const found = await askDesk<Trace & { readonly outcomes: readonly Outcome[] }>(
          client,
          'GET',
          `traces/${encodeURIComponent(event)}`,
        )
        if (!found.ok) return complain('trace', found.error, out)
        printAs(format, found.value, () => traceText(found.value), out)
        return 0
      },
    },
    io,
  )
  addAsk<ListFlags>(
    parent,
    {
      name: 'tail',
      summary: 'print events as they come in, until it is stopped',
      options: narrowing,
      help: 'Prints a line for an event when something new has happened to it.',
      examples: ['idp events tail', 'idp events tail --source github/pull-requests'],
      async run({ client, flags, format, io: out }) {
        let after = systemClock.now()
        while (!out.signal.aborted) {
          const query = { ...queryOf(flags), after: String(after), limit: '500' }
          const found = await askDesk<readonly TraceSummary[]>(client, 'GET', 'traces', { query })
          if (!found.ok) return complain('tail', found.error, out)
          for (const one of found.value.toReversed()) {
            after = Math.max(after, one.lastMs)
            out.out(format === 'text' ? `${row(one).join('  ')}\n` : `${JSON.stringify(one)}\n`)
          }
          await systemClock.sleep(500, { signal: out.signal }).catch(() => {
            // It is stopped: that is how it ends.
          })
        }
        return 0
      },
    },
    io,
  )
  addAsk<AskFlags & { readonly sensor?: string }>(
    parent,
    {
      name: 'dead-letters',
      summary: 'list what triggers were given up on, and why',
      options: (command) => void command.option('--sensor <name>', 'only those of this Sensor'),
      help: 'They stay until they are replayed, or dropped with `idp events replay --drop`.',
      examples: ['idp events dead-letters', 'idp events dead-letters --sensor pull-request -o yaml'],
      async run({ client, flags: { namespace, sensor }, format, io: out }) {
        const found = await askDesk<readonly DeadLetter[]>(client, 'GET', 'dead-letters', {
          query: { namespace, sensor },
        })
        if (!found.ok) return complain('dead-letters', found.error, out)
        const rows = found.value.map((one) => [
          shownTime(one.atMs),
          one.sensor,
          one.trigger,
          one.id,
          String(one.attempts),
          one.because,
        ])
        printAs(
          format,
          found.value,
          () => columns(['TIME', 'SENSOR', 'TRIGGER', 'DEAD LETTER', 'TRIED', 'BECAUSE'], rows),
          out,
        )
        return 0
      },
    },
    io,
  )
  addAsk<AskFlags>(
    parent,
    {
      name: 'why',
      summary: 'say why a Sensor does not do what it should',
      arguments: [['<sensor>', 'the name of the Sensor']],
      help: 'Its conditions, its dead letters, and the last events that it heard.',
      examples: ['idp events why slo-rollback'],
      run: why,
    },
    io,
  )
}

async function why({
  client,
  flags: { namespace },
  words: [name = ''],
  format,
  io,
}: Parameters<Parameters<typeof addAsk<AskFlags>>[1]['run']>[0]): Promise<0 | 1> {
  const found = await client.get({ resource: SensorKind, namespace, name })
  if (!found.ok) return complain('why', [{ code: 'event-unknown', message: found.error.message }], io)
  const conditions = (objectsOf(found.value['status'], 'conditions') ?? []) as unknown as readonly Condition[] // only texts are read
  const letters = await askDesk<readonly DeadLetter[]>(client, 'GET', 'dead-letters', {
    query: { namespace, sensor: name },
  })
  const recent = await askDesk<readonly TraceSummary[]>(client, 'GET', 'traces', {
    query: { namespace, sensor: name, limit: '10' },
  })
  const told = {
    sensor: `${namespace}/${name}`,
    conditions: conditions.map(({ type, status, reason = '', message = '' }) => ({ type, status, reason, message })),
    deadLetters: letters.ok ? letters.value.length : 0,
    recent: recent.ok ? recent.value : [],
  }
  const text = (): string =>
    [
      `Sensor ${told.sensor}`,
      ...told.conditions.map(
        ({ type, status, reason, message }) =>
          `  ${type} is ${status}${reason === '' ? '' : `, ${reason}`}${message === '' ? '' : `: ${message}`}`,
      ),
      told.deadLetters === 0
        ? '  no dead letters'
        : `  ${told.deadLetters} dead letters: idp events dead-letters -n ${namespace} --sensor ${name}`,
      told.recent.length === 0 ? '  no event has come to it lately' : '  the last events:',
      ...told.recent.map((one) => `    ${row(one).join('  ')}`),
      '',
    ].join('\n')
  printAs(format, told, text, io)
  return told.conditions.some(({ type, status }) => type === 'Ready' && status === 'True') ? 0 : 1
}

function traceText({
  eventId,
  source = 'unknown',
  namespace = '',
  firstMs,
  steps,
  left,
  outcomes,
}: Trace & { readonly outcomes: readonly Outcome[] }): string {
  const lines = [`event ${eventId} of ${source} in namespace ${namespace}, ${shownTime(firstMs)}`]
  let head = ''
  for (const { atMs, step, sensor, trigger, dependency, because, values } of steps) {
    const of = sensor === undefined ? '' : `Sensor ${sensor}${trigger === undefined ? '' : `, trigger ${trigger}`}`
    if (of !== head && of !== '') lines.push(of)
    head = of
    lines.push(
      `  +${String(atMs - firstMs).padStart(5)} ms  ${step.padEnd(11)}  ${dependency === undefined ? '' : `${dependency}: `}${because}`,
    )
    const checks = values?.['checks']
    for (const check of Array.isArray(checks) ? checks : []) {
      const { filter, at, passes, because: why } = fieldsOf({ check }, 'check')
      if (isObject(check))
        lines.push(
          `${' '.repeat(26)}${passes === true ? 'true ' : 'false'}  ${String(filter)} ${String(at)}: ${String(why)}`,
        )
    }
  }
  if (left > 0) lines.push(`  and ${left} more steps that there was no room for`)
  if (outcomes.length > 0) lines.push('what became of it:', ...outcomes.map(({ object, now }) => `  ${object}: ${now}`))
  return `${lines.join('\n')}\n`
}
