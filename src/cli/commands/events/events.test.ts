import { Command } from 'commander'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { EventSourceKind } from '../../../events/eventsource/event-source.ts'
import { judgeEventSource } from '../../../events/eventsource/validate.ts'
import { compileSensor } from '../../../events/sensor/compile-sensor.ts'
import { SensorKind } from '../../../events/sensor/sensor.ts'
import { define } from '../events.ts'
import { readObjects } from './event-files.ts'
import { simulationWorld } from './simulation-world.ts'
import { testFixtures } from './test.ts'

const blueprint = join(import.meta.dirname, '../../../../blueprint')
const playbooks = join(blueprint, 'K8s/events/playbooks')

test('every playbook of the blueprint does what its fixtures say', async () => {
  const rows = await testFixtures([playbooks], blueprint)
  if (!rows.ok) throw new Error(JSON.stringify(rows.error))
  expect(rows.value.filter(({ passes }) => !passes)).toEqual([])
  const shown = new Set(rows.value.map(({ file }) => file.split('/').at(-2)))
  expect([...shown]).toEqual(['heal-drift', 'pull-request', 'refresh-secrets', 'slo-rollback'])
})

test('nothing is wrong with their EventSources and Sensors, and nothing in them is ignored', () => {
  const objects = readObjects([playbooks])
  if (!objects.ok) throw new Error(JSON.stringify(objects.error))
  const sources = objects.value.filter(({ kind }) => kind === EventSourceKind.kind)
  const sensors = objects.value.filter(({ kind }) => kind === SensorKind.kind)
  expect([sources.length, sensors.length]).toEqual([4, 4])
  for (const source of sources) expect(judgeEventSource(source).problems, source.metadata.name).toEqual([])
  for (const sensor of sensors) {
    const { compiled, dependencies, triggers, warnings } = compileSensor(sensor, simulationWorld)
    expect([...dependencies, ...triggers, ...warnings], sensor.metadata.name).toEqual([])
    expect(compiled?.serviceAccount).toBe(sensor.metadata.name)
  }
})

interface Ended {
  readonly code: number
  readonly out: string
  readonly err: string
}

async function idp(...words: readonly string[]): Promise<Ended> {
  const ended = { code: 0, out: '', err: '' }
  const io = {
    stdin: process.stdin,
    out: (text: string) => void (ended.out += text),
    err: (text: string) => void (ended.err += text),
    env: {},
    cwd: blueprint,
    signal: new AbortController().signal,
    exit: (code: 0 | 1 | 2) => void (ended.code = code),
  }
  const command = new Command('events')
  define(command, io)
  await command.parseAsync(words, { from: 'user' })
  return ended
}

const alert = 'K8s/events/playbooks/slo-rollback/alert.json'
const simulate = ['simulate', '--source', 'alertmanager/slo-alerts', '-f', alert]

test('simulate prints the comparisons, the object and the verdict on rights, and ends well', async () => {
  const rights = ['--sensor', 'K8s/events/playbooks', '--sensor', 'IT/4-gitops/playbook-rights.yaml']
  const { code, out } = await idp(...simulate, ...rights)
  expect(out).toContain('true   data     body.commonLabels.severity')
  expect(out).toContain('=> fires as ServiceAccount events/slo-rollback: rollback Application argocd/demo-web')
  expect(out).toContain('may patch applications.argoproj.io in argocd')
  expect(code).toBe(0)
  const json = await idp(...simulate, ...rights, '-o', 'json')
  expect(JSON.parse(json.out)).toMatchObject({ failures: [], sensors: [{ sensor: 'events/slo-rollback' }] })
})

test('simulate fails for a Sensor that is broken, and says where', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'idp-events-'))
  const file = join(folder, 'sensor.yaml')
  const sensor = {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Sensor',
    metadata: { name: 'broken', namespace: 'events' },
    spec: {
      dependencies: [{ name: 'burn', eventSourceName: 'alertmanager', eventName: 'slo-alerts' }],
      triggers: [{ template: { name: 'x', conditions: 'burn && burn.labels.slo == "web"', log: {} } }],
    },
  }
  writeFileSync(file, JSON.stringify(sensor))
  const { code, out } = await idp(...simulate, '--sensor', file)
  expect(code).toBe(1)
  expect(out).toContain('events/broken is broken: spec.triggers[0].template.conditions')
})

test.each<readonly [string, readonly string[], number, string]>([
  [
    'a file that is not there',
    ['simulate', '--source', 'a/b', '-f', 'no.json', '--sensor', 'K8s'],
    2,
    'there is no such file',
  ],
  ['a header that is none', [...simulate, '--sensor', 'K8s/events', '--header', 'x'], 2, 'is not "NAME: VALUE"'],
  ['a format that there is not', [...simulate, '--sensor', 'K8s/events', '-o', 'xml'], 2, 'there is no format "xml"'],
  ['no cluster', [...simulate, '--state', '/nowhere'], 1, 'there is no embedded cluster'],
  ['fixtures that are not there', ['test', 'nowhere'], 1, 'there is no such file or folder'],
])('%s is told', async (_, words, code, message) => {
  const ended = await idp(...words)
  expect(ended.err).toContain(message)
  expect(ended.code).toBe(code)
})
