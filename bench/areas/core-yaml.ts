import jsYaml from 'js-yaml'
import { parseAllDocuments, stringify } from 'yaml'
import { createYamlCache, emitYaml, parseYamlDocuments } from '../../src/lib/yaml.ts'
import { type Figure, perSecond } from '../figure.ts'

/** Deployments as a repository holds them, about 100 kB. */
function sample(): string {
  const documents = Array.from({ length: 100 }, (_, at) => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name: `app-${at}`,
      namespace: 'team',
      labels: { app: `app-${at}`, 'app.kubernetes.io/part-of': 'platform' },
    },
    spec: {
      replicas: at % 5,
      selector: { matchLabels: { app: `app-${at}` } },
      template: {
        metadata: { labels: { app: `app-${at}` } },
        spec: {
          containers: [
            {
              name: 'main',
              image: `registry.example.com/team/app:${at}.0.1`,
              command: ['/bin/sh', '-c', 'set -e\necho "starting"\nexec app --flag=value\n'],
              env: [
                { name: 'LOG_LEVEL', value: 'info' },
                { name: 'URL', value: `https://example.com/${at}?a=b#c` },
              ],
              ports: [{ containerPort: 8080, name: 'http' }],
              resources: { limits: { cpu: '500m', memory: '256Mi' } },
            },
          ],
        },
      },
    },
  }))
  return documents.map((document) => emitYaml(document)).join('---\n')
}

/** Reading and writing YAML, in MB of text a second. */
export function yamlFigures(report: (figure: Figure) => void): void {
  const text = sample()
  const megabytes = Buffer.byteLength(text) / 1e6
  const values = jsYaml.loadAll(text)
  const speed = (work: () => unknown): number => perSecond(work, 600) * megabytes
  report({
    name: 'YAML: read',
    value: speed(() => parseYamlDocuments(text)),
    unit: 'MB/s',
    peers: {
      'js-yaml': speed(() => jsYaml.loadAll(text)),
      yaml: speed(() => parseAllDocuments(text).map((document) => document.toJS() as unknown)),
    },
  })
  const cache = createYamlCache()
  report({ name: 'YAML: read again from the cache', value: speed(() => cache.documents(text)), unit: 'MB/s' })
  report({
    name: 'YAML: write',
    value: speed(() => values.map((value) => emitYaml(value))),
    unit: 'MB/s',
    peers: {
      'js-yaml': speed(() => values.map((value) => jsYaml.dump(value))),
      yaml: speed(() => values.map((value) => stringify(value))),
    },
  })
}
