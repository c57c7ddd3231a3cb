import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { readData } from '../../src/lib/data-file.ts'
import { diskTree } from '../../src/lib/disk-tree.ts'
import { type FileTree, memoryTree } from '../../src/lib/file-tree.ts'
import { buildKustomization, kindTable } from '../../src/render/kustomize/build-kustomization.ts'
import { type Figure, percentile } from '../figure.ts'

declare const IDP_ROOT: string

const OVERLAYS = 200

const service = (index: number): string => `apiVersion: apps/v1
kind: Deployment
metadata: {name: app-${index}}
spec:
  replicas: 1
  selector: {matchLabels: {app: app-${index}}}
  template:
    metadata: {labels: {app: app-${index}}}
    spec:
      serviceAccountName: bot
      containers:
      - name: app
        image: registry.example/app-${index}:1.0
        envFrom: [{configMapRef: {name: settings}}]
        ports: [{containerPort: 8080, name: http}]
        readinessProbe: {httpGet: {path: /ready, port: http}}
        resources: {requests: {cpu: 100m, memory: 128Mi}}
---
apiVersion: v1
kind: Service
metadata: {name: app-${index}}
spec: {selector: {app: app-${index}}, ports: [{port: 80, targetPort: http}]}
`

/** A base of ten services with their settings, and overlays that name, place, label, patch and scale it. */
function repository(): Readonly<Record<string, string>> {
  const services = Array.from({ length: 10 }, (_, index) => [`base/app-${index}.yaml`, service(index)] as const)
  const overlays = Array.from({ length: OVERLAYS }, (_, index) => [
    `overlays/o${index}/kustomization.yaml`,
    `resources: [../../base]
namespace: team-${index}
namePrefix: t${index}-
labels: [{pairs: {team: t${index}}, includeTemplates: true}]
images: [{name: registry.example/app-1, newTag: "2.${index}"}]
replicas: [{name: app-0, count: ${index}}]
configMapGenerator: [{name: settings, behavior: merge, literals: [TEAM=t${index}]}]
patches:
- target: {kind: Deployment, name: "app-[0-4]"}
  patch: |-
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: x}
    spec: {template: {spec: {containers: [{name: app, env: [{name: TEAM, value: t${index}}]}]}}}
- target: {kind: Service}
  patch: '[{"op": "add", "path": "/spec/type", "value": "ClusterIP"}]'
`,
  ])
  const names = services.map(([path]) => path.replace('base/', ''))
  const kustomization = `resources: [${names.join(', ')}, account.yaml]
configMapGenerator: [{name: settings, literals: [LEVEL=info, REGION=eu]}]
`
  const account = 'apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: bot}\n'
  return {
    ...Object.fromEntries([...services, ...overlays]),
    'base/kustomization.yaml': kustomization,
    'base/account.yaml': account,
  }
}

function timesOf(work: (index: number) => void): readonly number[] {
  return Array.from({ length: OVERLAYS }, (_, index) => {
    const began = performance.now()
    work(index)
    return performance.now() - began
  })
}

const kubectl = ['/usr/lib/google-cloud-sdk/bin/kubectl.1.33', 'kubectl'].find(
  (program) => spawnSync(program, ['version', '--client']).status === 0,
)

/** The median of whole processes over the first overlays. */
function processMs(command: string, args: readonly string[], folder: string): number {
  const took = Array.from({ length: 7 }, (_, index) => {
    const began = performance.now()
    const done = spawnSync(command, [...args, join(folder, 'overlays', `o${index}`)])
    if (done.status !== 0) throw new Error(String(done.stderr))
    return performance.now() - began
  })
  return percentile(took, 0.5)
}

/** Building 200 overlays over one base, next to `kubectl kustomize` where it is installed. */
export function kustomizeFigures(report: (figure: Figure) => void): void {
  const files = repository()
  const table = kindTable(readData)
  const build = (tree: FileTree, index: number): void => {
    const built = buildKustomization(tree, `overlays/o${index}`, { table })
    if (!built.ok) throw new Error(built.error[0]?.message)
  }
  const folder = mkdtempSync(join(tmpdir(), 'idp-bench-kustomize-'))
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), text)
    }
    const peers = kubectl ? { 'kubectl kustomize process': processMs(kubectl, ['kustomize'], folder) } : {}
    const memory = memoryTree(files)
    timesOf((index) => build(memory, index))
    const warm = timesOf((index) => build(memory, index))
    const disk = diskTree(folder)
    const fromDisk = timesOf((index) => build(disk, index))
    const sum = warm.reduce((total, ms) => total + ms, 0)
    report({
      name: 'kustomize: one overlay over ten services, warm in process',
      value: percentile(warm, 0.5),
      unit: 'ms',
      peers,
    })
    report({ name: 'kustomize: 200 overlays over one base, warm in process', value: sum, unit: 'ms' })
    report({ name: 'kustomize: one overlay from disk, warm', value: percentile(fromDisk, 0.5), unit: 'ms', peers })
    const idp = join(IDP_ROOT, 'dist', 'idp.js')
    if (!existsSync(idp)) return
    const value = processMs(process.execPath, [idp, 'render', 'kustomize'], folder)
    report({ name: 'kustomize: idp render kustomize, whole process', value, unit: 'ms', peers })
  } finally {
    rmSync(folder, { recursive: true })
  }
}
