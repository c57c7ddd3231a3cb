import type { Command } from 'commander'
import { existsSync, statSync } from 'node:fs'
import { dirname, resolve, relative } from 'node:path'
import { EventSourceKind } from '../../../events/eventsource/event-source.ts'
import { SensorKind } from '../../../events/sensor/sensor.ts'
import { checkFixture, type Fixture, readFixture } from '../../../events/simulate/fixture.ts'
import type { Feed } from '../../../events/simulate/incoming.ts'
import { offlineCluster } from '../../../events/simulate/offline-cluster.ts'
import { simulate } from '../../../events/simulate/simulation.ts'
import { systemClock } from '../../../lib/clock.ts'
import { readData } from '../../../lib/data-file.ts'
import { explain, type Problem, type Result, succeed } from '../../../lib/result.ts'
import { outputFormat, printAs } from '../../cluster-client.ts'
import type { Io } from '../../command.ts'
import { FIXTURE, filesBelow, readDocuments, readObjects, readText } from './event-files.ts'
import { simulationWorld } from './simulation-world.ts'

/** What came of one fixture. */
export interface FixtureRow {
  readonly file: string
  readonly name: string
  readonly passes: boolean
  readonly because: readonly string[]
}

const NAME = 'idp events test'

/** `idp events test DIR...`: runs the fixtures of playbooks. */
export function addTest(command: Command, io: Io): void {
  command
    .command('test')
    .summary('run the *.fixture.yaml files below folders')
    .argument('<paths...>', 'folders, or files with fixtures')
    .option('-o, --output <format>', 'text, json or yaml', 'text')
    .addHelpText(
      'after',
      `
A fixture says which events come in, which triggers fire and what they make (docs/events.md). The objects are those that the kustomization in
the folder of the fixture renders to, or those of its YAML files. A trigger that fires without being expected fails, and so does one that may not do what it does.

Exit codes: 0 all pass, 1 some fail or there are none, 2 wrong usage.

Examples:
  idp events test K8s/events/playbooks
  idp events test playbooks/slo-burn/rollback.fixture.yaml -o json`,
    )
    .action(async (paths: readonly string[], options: { readonly output: string }) => {
      const format = outputFormat(NAME, options.output, io)
      if (!format) return
      const rows = await testFixtures(
        paths.map((path) => resolve(io.cwd, path)),
        io.cwd,
      )
      if (!rows.ok) {
        for (const problem of rows.error) io.err(`${NAME}: ${explain(problem)}\n`)
        io.exit(1)
        return
      }
      printAs(format, rows.value, () => rowsText(rows.value), io)
      io.exit(rows.value.length > 0 && rows.value.every(({ passes }) => passes) ? 0 : 1)
    })
}

function rowsText(rows: readonly FixtureRow[]): string {
  const lines = rows.flatMap(({ file, name, passes, because }) => [
    `${passes ? 'pass' : 'FAIL'}  ${file}: ${name}`,
    ...because.map((each) => `      ${each}`),
  ])
  const failed = rows.filter(({ passes }) => !passes).length
  const counted = rows.length === 0 ? 'there are no fixtures here' : `${rows.length - failed} of ${rows.length} pass`
  return `${[...lines, counted].join('\n')}\n`
}

/** Runs the fixtures of files, and of the files below folders. */
export async function testFixtures(paths: readonly string[], cwd: string): Promise<Result<readonly FixtureRow[]>> {
  const rows: FixtureRow[] = []
  for (const path of paths) {
    if (!existsSync(path)) {
      const missing: Problem = { code: 'event-file-unusable', at: path, message: 'there is no such file or folder' }
      return { ok: false, error: [missing] }
    }
    const files = statSync(path).isDirectory() ? filesBelow(path, (name) => FIXTURE.test(name)) : [path]
    for (const file of files) rows.push(...(await testFile(file, relative(cwd, file))))
  }
  return succeed(rows)
}

async function testFile(file: string, shown: string): Promise<readonly FixtureRow[]> {
  const documents = readDocuments(file)
  const broken = (name: string, problems: readonly Problem[]): FixtureRow => ({
    file: shown,
    name,
    passes: false,
    because: problems.map(explain),
  })
  if (!documents.ok) return [broken('cannot be read', documents.error)]
  const rows: FixtureRow[] = []
  for (const document of documents.value) {
    const fixture = readFixture(document)
    if (!fixture.ok) {
      rows.push(broken('cannot be read', fixture.error))
      continue
    }
    const { name } = fixture.value
    const because = await runFixture(fixture.value, dirname(file))
    rows.push(
      because.ok
        ? { file: shown, name, passes: because.value.length === 0, because: because.value }
        : broken(name, because.error),
    )
  }
  return rows
}

async function runFixture(fixture: Fixture, folder: string): Promise<Result<readonly string[]>> {
  const objects = readObjects([folder, ...fixture.resources.map((path) => resolve(folder, path))])
  if (!objects.ok) return objects
  const feeds: Feed[] = []
  for (const { file, body, ...event } of fixture.events) {
    const text = file === undefined ? succeed(JSON.stringify(body)) : readText(resolve(folder, file))
    if (!text.ok) return text
    feeds.push({ ...event, text: text.value })
  }
  const [first] = fixture.events
  const nowMs = Date.parse(first?.time ?? '') || systemClock.now()
  const ports = offlineCluster(objects.value, nowMs, readData)
  const of = (kind: string): typeof objects.value => objects.value.filter((object) => object.kind === kind)
  const simulation = await simulate(
    feeds,
    { sensors: of(SensorKind.kind), sources: of(EventSourceKind.kind) },
    { world: simulationWorld, prepare: ports, may: ports.may },
  )
  return simulation.ok ? succeed(checkFixture(fixture, simulation.value)) : simulation
}
