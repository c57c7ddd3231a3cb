import { Ajv } from 'ajv'
import { checkBuiltin } from '../../src/kube/builtin/checks/index.ts'
import { applyBuiltinDefaults } from '../../src/kube/builtin/defaults.ts'
import type { KubeObject } from '../../src/kube/object.ts'
import { builtinSchemas } from '../../src/kube/schema/builtin.ts'
import { decodeBuiltin } from '../../src/kube/schema/decode.ts'
import { applyDefaults } from '../../src/kube/schema/default.ts'
import { packedCrds } from '../../src/kube/schema/packed-crds.ts'
import { prune } from '../../src/kube/schema/prune.ts'
import { Definitions } from '../../src/kube/schema/publish.ts'
import type { Schema } from '../../src/kube/schema/schema.ts'
import { readStructural } from '../../src/kube/schema/structural.ts'
import { validate } from '../../src/kube/schema/validate.ts'
import { readData } from '../../src/lib/data-file.ts'
import { type Figure, perSecond } from '../figure.ts'

/** Three containers with what people write: about 4 KB of JSON, in the canonical form and without status. */
function deployment(): KubeObject {
  const container = (index: number): object => ({
    name: `c${index}`,
    image: `registry.example/team/app-${index}:1.2.3`,
    args: ['--listen', ':8080', '--level', 'info'],
    env: Array.from({ length: 8 }, (_, n) => ({ name: `SETTING_${n}`, value: `value of ${n} in ${index}` })),
    ports: [{ name: 'http', containerPort: 8000 + index, protocol: 'TCP' }],
    resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { cpu: '1', memory: '512Mi' } },
    livenessProbe: { httpGet: { path: '/live', port: 'http' }, periodSeconds: 10, failureThreshold: 3 },
    readinessProbe: { httpGet: { path: '/ready', port: 'http' }, periodSeconds: 5 },
    volumeMounts: [{ name: 'config', mountPath: '/etc/app' }],
    securityContext: { runAsNonRoot: true, allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
  })
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'app', namespace: 'team', labels: { app: 'app' }, annotations: { note: 'a bench' } },
    spec: {
      replicas: 3,
      selector: { matchLabels: { app: 'app' } },
      template: {
        metadata: { labels: { app: 'app' } },
        spec: { containers: [0, 1, 2].map(container), volumes: [{ name: 'config', configMap: { name: 'app' } }] },
      },
    },
  }
}

/** The peer's validator, compiled from the very document that we publish. */
function peerOf(schema: Schema): (value: unknown) => boolean {
  const definitions = new Definitions('v3', () => [])
  const root = definitions.refer(schema)
  const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true })
  return ajv.compile({ ...(root as object), components: { schemas: definitions.all() } })
}

function heapOf(work: () => unknown): number {
  globalThis.gc?.()
  const before = process.memoryUsage().heapUsed
  const kept = work()
  globalThis.gc?.()
  const megabytes = (process.memoryUsage().heapUsed - before) / 1_048_576
  if (kept === undefined) throw new Error('nothing was kept')
  return megabytes
}

/** Decoding, defaulting, checking, pruning; and what the facts about the kinds take. */
export function schemaFigures(report: (figure: Figure) => void): void {
  let schemas = builtinSchemas(readData)
  const index = heapOf(() => (schemas = builtinSchemas(readData)).resources())
  report({ name: 'schema: heap of the resource table', value: index, unit: 'MB', budget: 'under 5 MB' })
  const gvk = { group: 'apps', version: 'v1', kind: 'Deployment' }
  report({ name: 'schema: heap of the apps group', value: heapOf(() => schemas.schemaOf(gvk)), unit: 'MB' })

  const schema = schemas.schemaOf(gvk) ?? {}
  const object = deployment()
  const filled = applyBuiltinDefaults(object, schema)
  const peer = peerOf(schema)
  if (!peer(object)) throw new Error('the peer refuses the bench object')
  const ajv = perSecond(() => peer(object))
  report({
    name: 'schema: validate a Deployment',
    value: perSecond(() => validate(object, schema)),
    unit: '/s',
    peers: { ajv },
  })
  report({
    name: 'schema: decode a Deployment (types, unknown fields, normal form)',
    value: perSecond(() => decodeBuiltin(object, schema)),
    unit: '/s',
    peers: { 'ajv (types only)': ajv },
  })
  report({
    name: 'schema: default a Deployment',
    value: perSecond(() => applyBuiltinDefaults(object, schema)),
    unit: '/s',
  })
  const written = { kind: gvk, namespaced: true, schema, object: filled }
  if (checkBuiltin(written).length > 0) throw new Error('the bench object is refused')
  report({
    name: 'schema: check a Deployment (all rules of the kind)',
    value: perSecond(() => checkBuiltin(written)),
    unit: '/s',
  })

  const crd = packedCrds(readData, 'argo-cd').find(({ metadata }) => metadata.name === 'applications.argoproj.io')
  const versions = (
    crd?.['spec'] as
      | { readonly versions: readonly { readonly schema: { readonly openAPIV3Schema: unknown } }[] }
      | undefined
  )?.versions
  const structural = readStructural(versions?.[0]?.schema.openAPIV3Schema)
  const application = {
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Application',
    metadata: { name: 'app', namespace: 'argocd' },
    spec: {
      project: 'default',
      destination: { server: 'https://kubernetes.default.svc', namespace: 'app' },
      source: {
        repoURL: 'https://git.example/app.git',
        path: 'deploy',
        targetRevision: 'main',
        helm: { parameters: [{ name: 'a', value: 'b' }] },
      },
      syncPolicy: { automated: { prune: true, selfHeal: true }, syncOptions: ['CreateNamespace=true'] },
    },
  }
  report({ name: 'schema: prune an Application', value: perSecond(() => prune(application, structural)), unit: '/s' })
  report({
    name: 'schema: default an Application',
    value: perSecond(() => applyDefaults(application, structural)),
    unit: '/s',
  })
  report({
    name: 'schema: validate an Application',
    value: perSecond(() => validate(application, structural)),
    unit: '/s',
  })
}
