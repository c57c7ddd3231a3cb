/** YAML as Kubernetes' tools read and write it. */
export * from '../lib/yaml.ts'
