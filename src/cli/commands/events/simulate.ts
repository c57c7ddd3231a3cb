import type { Command } from 'commander'
import { resolve } from 'node:path'
import { offlineCluster } from '../../../events/simulate/offline-cluster.ts'
import type { Feed } from '../../../events/simulate/incoming.ts'
import { onlineCluster } from '../../../events/simulate/online-cluster.ts'
import { simulate } from '../../../events/simulate/simulation.ts'
import { EventSourceKind } from '../../../events/eventsource/event-source.ts'
import { SensorKind } from '../../../events/sensor/sensor.ts'
import type { RemoteClient } from '../../../client/remote-client.ts'
import type { Client } from '../../../kube/client.ts'
import type { Kind } from '../../../kube/gvk.ts'
import type { KubeObject } from '../../../kube/object.ts'
import { systemClock } from '../../../lib/clock.ts'
import { readData } from '../../../lib/data-file.ts'
import { explain, fail, type Problem, type Result, succeed } from '../../../lib/result.ts'
import {
  addClusterOptions,
  type ClusterFlags,
  openCluster,
  outputFormat,
  printAs,
  withCluster,
} from '../../cluster-client.ts'
import type { Io } from '../../command.ts'
import { readObjects, readText } from './event-files.ts'
import { simulationText } from './simulation-text.ts'
import { simulationWorld } from './simulation-world.ts'

interface Options extends ClusterFlags {
  readonly file: readonly string[]
  readonly source: readonly string[]
  readonly header: readonly string[]
  readonly sensor?: readonly string[]
  readonly namespace?: string
  readonly as?: string
  readonly time?: string
  readonly output: string
}

const NAME = 'idp events simulate'
const all = (value: string, before: readonly string[] = []): readonly string[] => [...before, value]

/** `idp events simulate`: what Sensors would do with an event, without doing it. */
export function addSimulate(command: Command, io: Io): void {
  const simulateCommand = command
    .command('simulate')
    .summary('say what Sensors would do with an event, and do nothing of it')
    .requiredOption(
      '-f, --file <file>',
      'the event: a body as it is sent, or the data of an event; again for more',
      all,
    )
    .requiredOption('--source <eventsource/event>', 'where it comes from; as often as --file', all)
    .option(
      '--sensor <path>',
      'files or folders with Sensors, EventSources, Roles, ConfigMaps; instead of a cluster',
      all,
    )
    .option('-n, --namespace <name>', 'the namespace of the EventSource')
    .option('--header <name: value>', 'a header of the delivery, such as "X-GitHub-Event: push"', all, [])
    .option('--as <form>', 'what the file is: a delivery, as a webhook gets it, or the data, as Sensors see it')
    .option('--time <time>', 'when the event happened, in RFC 3339; now without it')
    .option('-o, --output <format>', 'text, json or yaml', 'text')
    .addHelpText(
      'after',
      `
Prints every comparison of every filter, the values of parameters, the exact object or request that would come of it, and whether the
Sensor's ServiceAccount may do it. With --sensor nothing but files is looked at; without, the cluster is asked.

Exit codes: 0 nothing is wrong, 1 a Sensor is broken, a trigger cannot be made or lacks a right, or nobody hears the event, 2 wrong usage.

Examples:
  idp events simulate -f alert.json --source alertmanager/slo-alerts --sensor K8s/events/playbooks
  idp events simulate -f pr.json --source github/pull-requests --header "X-GitHub-Event: pull_request"
  idp events simulate -f data.json --as data --source calendar/nightly --sensor sensor.yaml -o json`,
    )
    .action((options: Options) => run(options, io))
  addClusterOptions(simulateCommand)
}

/** What is simulated with: the objects, and what is asked about them. */
async function run(options: Options, io: Io): Promise<void> {
  const format = outputFormat(NAME, options.output, io)
  if (!format) return
  const feeds = feedsOf(options, io)
  if (!feeds.ok) return refuse(feeds.error, io, 2)
  const print = async (
    objects: { readonly sensors: readonly KubeObject[]; readonly sources: readonly KubeObject[] },
    ports: ReturnType<typeof offlineCluster>,
  ): Promise<0 | 1> => {
    const done = await simulate(feeds.value, objects, { world: simulationWorld, prepare: ports, may: ports.may })
    if (!done.ok) {
      for (const problem of done.error) io.err(`${NAME}: ${explain(problem)}\n`)
      return 1
    }
    printAs(format, done.value, () => simulationText(done.value), io)
    const { failures, sensors, events } = done.value
    return failures.length > 0 || (events.length > 0 && sensors.length === 0) ? 1 : 0
  }
  if (options.sensor) {
    const objects = readObjects(options.sensor.map((path) => resolve(io.cwd, path)))
    if (!objects.ok) return refuse(objects.error, io, 1)
    const of = (kind: string): readonly KubeObject[] => objects.value.filter((object) => object.kind === kind)
    const files = { sensors: of(SensorKind.kind), sources: of(EventSourceKind.kind) }
    io.exit(await print(files, offlineCluster(objects.value, systemClock.now(), readData)))
    return
  }
  await withCluster(NAME, options, io, async (client) => {
    const sensors = await listed(client, SensorKind)
    const sources = await listed(client, EventSourceKind)
    const clients: RemoteClient[] = []
    const ports = onlineCluster(client, systemClock, (user) => {
      const other = openCluster(options, io, user)
      if (!other.ok) throw new Error(other.error.map(explain).join('; '))
      clients.push(other.value)
      return other.value
    })
    try {
      return await print({ sensors, sources }, ports)
    } finally {
      await Promise.all(clients.map((one) => one.close()))
    }
  })
}

async function listed(client: Client, { group, version, plural }: Kind): Promise<readonly KubeObject[]> {
  const found = await client.list({ resource: { group, version, plural } })
  return found.ok ? found.value.items : []
}

function refuse(problems: readonly Problem[], io: Io, code: 1 | 2): void {
  for (const problem of problems) io.err(`${NAME}: ${explain(problem)}\n`)
  io.exit(code)
}

function feedsOf({ file, source, header, namespace, as, time }: Options, io: Io): Result<readonly Feed[]> {
  const wrong = (message: string): Result<never> => fail({ code: 'event-feed-invalid', message })
  if (source.length !== file.length && source.length !== 1)
    return wrong('--source has to be given once, or as often as --file')
  if (as !== undefined && as !== 'delivery' && as !== 'data') return wrong('--as must be delivery or data')
  if (time !== undefined && Number.isNaN(Date.parse(time))) return wrong(`--time ${JSON.stringify(time)} is no time`)
  const headers: Record<string, string> = {}
  for (const one of header) {
    const at = one.indexOf(':')
    if (at <= 0) return wrong(`--header ${JSON.stringify(one)} is not "NAME: VALUE"`)
    headers[one.slice(0, at).trim()] = one.slice(at + 1).trim()
  }
  const feeds: Feed[] = []
  for (const [index, path] of file.entries()) {
    const text = readText(resolve(io.cwd, path))
    if (!text.ok) return text
    feeds.push({
      source: source[index] ?? source[0] ?? '',
      text: text.value,
      headers,
      ...(namespace === undefined ? {} : { namespace }),
      ...(as === undefined ? {} : { as }),
      ...(time === undefined ? {} : { time }),
    })
  }
  return succeed(feeds)
}
