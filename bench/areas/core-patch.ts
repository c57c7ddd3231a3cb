import { applyPatch } from '../../src/kube/patch/managed-fields.ts'
import { applyJsonPatch } from '../../src/kube/patch/json-patch.ts'
import { applyStrategicPatch } from '../../src/kube/patch/strategic-patch.ts'
import { trackUpdate } from '../../src/kube/patch/managed-fields.ts'
import type { KubeObject } from '../../src/kube/object.ts'
import { builtinSchemas } from '../../src/kube/schema/builtin.ts'
import { readData } from '../../src/lib/data-file.ts'
import { type Figure, perSecond } from '../figure.ts'

const apiVersion = 'apps/v1'
const schema = builtinSchemas(readData).schemaOf({ group: 'apps', version: 'v1', kind: 'Deployment' })

/** Four containers with probes, ports, mounts and settings: about 10 KB of JSON with its managedFields. */
function deployment(image: string): KubeObject {
  const container = (index: number): object => ({
    name: `c${index}`,
    image: `registry.example/team/app-${index}:${image}`,
    args: ['--listen', `:80${index}`, '--level', 'info'],
    env: Array.from({ length: 8 }, (_, n) => ({ name: `SETTING_${n}`, value: `value of ${n} in ${index}` })),
    ports: [
      { name: 'http', containerPort: 8000 + index, protocol: 'TCP' },
      { name: 'metrics', containerPort: 9000 + index, protocol: 'TCP' },
    ],
    resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { cpu: '1', memory: '512Mi' } },
    livenessProbe: { httpGet: { path: '/live', port: 'http' }, periodSeconds: 10, failureThreshold: 3 },
    readinessProbe: { httpGet: { path: '/ready', port: 'http' }, periodSeconds: 5 },
    volumeMounts: [{ name: 'config', mountPath: '/etc/app' }],
  })
  return {
    apiVersion,
    kind: 'Deployment',
    metadata: { name: 'app', namespace: 'team', labels: { app: 'app', 'part-of': 'bench' } },
    spec: {
      replicas: 3,
      selector: { matchLabels: { app: 'app' } },
      template: {
        metadata: { labels: { app: 'app' } },
        spec: {
          containers: [0, 1, 2, 3].map(container),
          volumes: [{ name: 'config', configMap: { name: 'app' } }],
        },
      },
    },
  }
}

/** The deployment as a cluster has it: applied from Git, scaled, annotated and with a status, each by somebody else. */
function live(): KubeObject {
  const created = applied(undefined, deployment('1'), 'gitops', '2026-01-01T00:00:00Z')
  const stored: KubeObject = { ...created, metadata: { ...created.metadata, uid: 'u' } }
  const labelled = { ...stored, metadata: { ...stored.metadata, annotations: { 'team.example/owner': 'core' } } }
  const spec = { ...(stored['spec'] as object), revisionHistoryLimit: 3 }
  const steps: readonly (readonly [string, KubeObject])[] = [
    ['annotator', labelled],
    ['scaler', { ...labelled, spec }],
    ['controller', { ...labelled, spec, status: { replicas: 3, readyReplicas: 3, observedGeneration: 1 } }],
  ]
  let object: KubeObject = stored
  for (const [manager, next] of steps) {
    const { managedFields = [] } = object.metadata
    object = trackUpdate({
      live: object,
      next: { ...next, metadata: { ...next.metadata, managedFields } },
      manager,
      apiVersion,
      schema,
      now: '2026-01-01T00:00:01Z',
    })
  }
  return object
}

function applied(before: KubeObject | undefined, patch: KubeObject, manager: string, now: string): KubeObject {
  const result = applyPatch({ live: before, patch, manager, apiVersion, schema, now })
  if (!result.ok) throw new Error(JSON.stringify(result.error))
  return result.value.object
}

/** Server-side apply, strategic merge and JSON patch of one Deployment. */
export function patchFigures(report: (figure: Figure) => void): void {
  const object = live()
  const kilobytes = JSON.stringify(object).length / 1_000
  const managers = object.metadata.managedFields?.length ?? 0
  const about = `a ${kilobytes.toFixed(0)} KB Deployment with ${managers} managers`
  const next = deployment('2')
  const same = deployment('1')
  report({
    name: `server-side apply that changes ${about}`,
    value: perSecond(() => applied(object, next, 'gitops', '2026-01-01T00:00:02Z')),
    unit: 'applies/s',
  })
  report({
    name: `server-side apply that changes nothing in it`,
    value: perSecond(() => applied(object, same, 'gitops', '2026-01-01T00:00:02Z')),
    unit: 'applies/s',
  })
  // An object that was just decoded has nothing cached.
  const text = JSON.stringify(object)
  report({
    name: 'server-side apply to it, decoded afresh',
    value: perSecond(() => applied(JSON.parse(text) as KubeObject, next, 'gitops', '2026-01-01T00:00:02Z')),
    unit: 'applies/s',
  })
  const strategic = {
    spec: {
      replicas: 4,
      template: { spec: { containers: [{ name: 'c2', image: 'other', env: [{ name: 'SETTING_3', value: 'x' }] }] } },
    },
  }
  report({
    name: 'strategic merge patch of it',
    value: perSecond(() => applyStrategicPatch(object, strategic, schema)),
    unit: 'patches/s',
  })
  const operations = [
    { op: 'test', path: '/spec/replicas', value: 3 },
    { op: 'replace', path: '/spec/replicas', value: 4 },
    { op: 'add', path: '/metadata/labels/tier', value: 'web' },
    { op: 'replace', path: '/spec/template/spec/containers/2/image', value: 'other' },
  ]
  report({
    name: 'JSON patch of it, 4 operations',
    value: perSecond(() => applyJsonPatch(object, operations)),
    unit: 'patches/s',
  })
}
