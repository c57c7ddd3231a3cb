// Run by foreign-clients.test.ts with the folder of @kubernetes/client-node and a kubeconfig: an informer as its users write it.
// Prints one JSON line a second with the newest counter seen of every ConfigMap and how many changes arrived, until its input ends.
import { createRequire } from 'node:module'
import { join } from 'node:path'

const [folder, kubeconfig] = process.argv.slice(2)
const k8s = createRequire(join(folder, 'index.js'))('@kubernetes/client-node')

const config = new k8s.KubeConfig()
config.loadFromFile(kubeconfig)
const core = config.makeApiClient(k8s.CoreV1Api)
const path = '/api/v1/namespaces/default/configmaps'
const informer = k8s.makeInformer(config, path, () => core.listNamespacedConfigMap({ namespace: 'default' }))
const seen = new Map()
let changes = 0
let restarts = 0
const note = (object) => {
  if (!object.metadata.name.startsWith('counter-')) return
  changes++
  seen.set(object.metadata.name, object.data?.count)
}
informer.on('add', note)
informer.on('update', note)
informer.on('delete', (object) => seen.delete(object.metadata.name))
informer.on('error', () => {
  restarts++
  setTimeout(() => void informer.start(), 200)
})
const report = () => process.stdout.write(`${JSON.stringify({ changes, restarts, seen: Object.fromEntries(seen) })}\n`)
await informer.start()
report()
const timer = setInterval(report, 250)
process.stdin.resume()
process.stdin.on('end', () => {
  clearInterval(timer)
  report()
  process.exit(0)
})
