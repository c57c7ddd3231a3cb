import { expect, test } from 'vitest'
import type { KubeObject } from '../../kube/object.ts'
import { sprigFunctions } from '../../lang/gotemplate/sprig/sprig.ts'
import { certificateMaker } from '../../lib/certificates.ts'
import { movableClock } from '../../lib/clock.ts'
import { readData } from '../../lib/data-file.ts'
import { seededIds } from '../../lib/ids.ts'
import { isObject } from '../../lib/json.ts'
import { explain } from '../../lib/result.ts'
import { parseYaml, parseYamlDocuments } from '../../lib/yaml.ts'
import { templateChecker, templateFiller } from '../template.ts'
import { triggerChecks } from '../triggers/checks.ts'
import { checkFixture, readFixture } from './fixture.ts'
import type { Feed } from './incoming.ts'
import { offlineCluster } from './offline-cluster.ts'
import { simulate, type Simulation } from './simulation.ts'

const functions = sprigFunctions({ clock: movableClock(), ids: seededIds(), certificates: certificateMaker })
const world = { fill: templateFiller(functions), template: templateChecker(functions), checks: triggerChecks }

const playbook = `
apiVersion: argoproj.io/v1alpha1
kind: EventSource
metadata: { name: alertmanager, namespace: events }
spec:
  webhook:
    slo-alerts: { port: "12000", endpoint: /slo, method: POST, filter: { expression: 'body.status != "ignored"' } }
---
apiVersion: argoproj.io/v1alpha1
kind: Sensor
metadata: { name: heal, namespace: events }
spec:
  template: { serviceAccountName: healer }
  dependencies:
    - name: burn
      eventSourceName: alertmanager
      eventName: slo-alerts
      filters:
        data:
          - { path: body.status, type: string, value: [firing] }
          - { path: body.commonLabels.severity, type: string, value: [critical] }
  triggers:
    - template:
        name: note
        k8s:
          source:
            resource:
              apiVersion: v1
              kind: ConfigMap
              metadata: { generateName: burn- }
          parameters:
            - { src: { dependencyName: burn, dataKey: body.commonLabels.app }, dest: data.app }
    - template:
        name: tell
        http:
          url: https://hooks.example.com/x
          secureHeaders: [{ name: Authorization, valueFrom: { secretKeyRef: { name: hooks, key: token } } }]
          payload: [{ src: { dependencyName: burn, dataKey: body.commonLabels.app }, dest: app }]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: { name: healer, namespace: events }
rules: [{ apiGroups: [""], resources: [configmaps], verbs: [create] }]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: { name: healer, namespace: events }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: healer }
subjects: [{ kind: ServiceAccount, name: healer, namespace: events }]
`

const body = { status: 'firing', commonLabels: { severity: 'critical', app: 'web' } }

async function run(feeds: readonly Partial<Feed>[], text: string = playbook): Promise<Simulation> {
  const documents = parseYamlDocuments(text)
  if (!documents.ok) throw new Error(documents.error.map(explain).join('; '))
  const objects = documents.value.flatMap(({ value }) => (isObject(value) ? [value as unknown as KubeObject] : []))
  const ports = offlineCluster(objects, Date.UTC(2026, 0, 1), readData)
  const of = (kind: string): readonly KubeObject[] => objects.filter((object) => object.kind === kind)
  const given = feeds.map((feed) => ({ source: 'alertmanager/slo-alerts', text: JSON.stringify(body), ...feed }))
  const done = await simulate(
    given,
    { sensors: of('Sensor'), sources: of('EventSource') },
    { world, prepare: ports, may: ports.may },
  )
  if (!done.ok) throw new Error(done.error.map(explain).join('; '))
  return done.value
}

test('a delivery is read as its source reads it, compared, and made into the exact object and request', async () => {
  const { sensors, failures } = await run([{}])
  expect(failures).toEqual([])
  expect(sensors).toMatchObject([
    {
      sensor: 'events/heal',
      isBroken: false,
      triggers: [
        {
          trigger: 'note',
          steps: [
            {
              dependency: 'burn',
              passes: true,
              does: 'fire',
              checks: [{ because: '"firing" = firing' }, { passes: true }],
            },
          ],
          firings: [
            {
              serviceAccount: 'events/healer',
              parameters: [{ dest: 'data.app', value: 'web' }],
              action: { object: { kind: 'ConfigMap', metadata: { namespace: 'events' }, data: { app: 'web' } } },
              rights: [{ right: { verb: 'create', resource: 'configmaps' }, allowed: true }],
            },
          ],
        },
        {
          trigger: 'tell',
          firings: [
            {
              action: {
                does: 'POST https://hooks.example.com/x',
                request: { headers: { Authorization: '(token of Secret hooks)' }, body: { app: 'web' } },
              },
            },
          ],
        },
      ],
    },
  ])
})

test('what does not pass says what was compared', async () => {
  const { sensors } = await run([{ text: JSON.stringify({ ...body, status: 'resolved' }) }])
  expect(sensors[0]?.triggers[0]).toMatchObject({
    steps: [{ passes: false, checks: [{ at: 'body.status', passes: false, because: '"resolved" is not = firing' }] }],
    firings: [],
  })
})

test('the filter of a source leaves events out, and what nobody hears is heard by nobody', async () => {
  expect(await run([{ text: '{"status":"ignored"}' }])).toMatchObject({ events: [], sensors: [] })
  const other = await run([{ source: 'other/thing', as: 'data' }])
  expect(other).toMatchObject({ events: [{ source: 'other/thing', namespace: 'events' }], sensors: [] })
})

test('a broken Sensor, a lack of rights and a trigger that cannot be made are failures', async () => {
  const broken = playbook.replace('name: note\n', 'name: note\n        conditions: burn && burn.labels\n')
  expect((await run([{}], broken)).failures.join()).toContain(
    'events/heal is broken: spec.triggers[0].template.conditions',
  )
  const forbidden = playbook.replace('verbs: [create]', 'verbs: [get]')
  expect((await run([{}], forbidden)).failures).toEqual([
    'events/heal, trigger note: ServiceAccount events/healer may not create configmaps in events',
  ])
  const unmade = playbook.replace(
    'dataKey: body.commonLabels.app }, dest: data.app',
    'dataKey: body.no }, dest: data.app',
  )
  expect((await run([{}], unmade)).failures.join()).toContain('nothing is at "body.no"')
})

test.each([
  [{ source: 'alertmanager' }, 'names no source'],
  [{ source: 'alertmanager/other' }, 'has no event "other"'],
  [{ text: 'just words' }, 'neither JSON nor YAML of an object'],
  [{ source: 'other/thing', as: 'delivery' as const }, 'nobody knows how'],
])('%j cannot be fed in', async (feed, message) => {
  await expect(run([feed])).rejects.toThrow(message)
})

const fixture = (expectations: string): string => `
name: a burn is noted
events: [{ source: alertmanager/slo-alerts, body: ${JSON.stringify(body)} }]
expect:
${expectations}`

test.each<readonly [string, string, readonly string[]]>([
  [
    'all is as expected',
    '- { trigger: note, object: { data: { app: web } } }\n- { trigger: tell, sensor: heal, fires: 1 }',
    [],
  ],
  [
    'something fires that nobody expects',
    '- { trigger: note }',
    ['events/heal, trigger tell: fires, and nobody expects it'],
  ],
  [
    'something else is made',
    '- { trigger: note, object: { data: { app: api } } }\n- { trigger: tell }',
    ['note: object.data.app should be "api", and is "web"'],
  ],
  [
    'something should not fire',
    '- { trigger: note, fires: false }\n- { trigger: tell }',
    ['note: should fire never, and fires once'],
  ],
  [
    'a trigger is not there',
    '- { trigger: nobody }\n- { trigger: note }\n- { trigger: tell }',
    ['no Sensor that hears the events has a trigger "nobody"'],
  ],
])('a fixture in which %s', async (_, expectations, want) => {
  const document = parseYaml(fixture(expectations))
  const read = readFixture(document.ok ? document.value : undefined)
  if (!read.ok) throw new Error(read.error.map(explain).join('; '))
  expect(checkFixture(read.value, await run([{}]))).toEqual(want)
})

test('a fixture that is not well formed says everything that is wrong with it', () => {
  const read = readFixture({ name: '', events: [{ source: 1, more: true }], expect: [{ fires: 'often' }], extra: 1 })
  expect(read.ok ? [] : read.error.map(({ at }) => at)).toEqual([
    'extra',
    'events[0].more',
    'events[0].source',
    'events[0]',
    'expect[0].trigger',
    'expect[0].fires',
    'name',
  ])
})
