import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { KubeObject } from '../../../kube/object.ts'
import { readData } from '../../../lib/data-file.ts'
import { diskTree } from '../../../lib/disk-tree.ts'
import { isObject } from '../../../lib/json.ts'
import { explain, fail, type Result, succeed } from '../../../lib/result.ts'
import { parseYamlDocuments } from '../../../lib/yaml.ts'
import { buildKustomization, kindTable } from '../../../render/kustomize/build-kustomization.ts'

/** How the files with fixtures are called. */
export const FIXTURE: RegExp = /\.fixture\.ya?ml$/
const MOST_BYTES = 16 * 1024 * 1024
const DEEPEST = 32

const unusable = (path: string, message: string): Result<never> =>
  fail({ code: 'event-file-unusable', at: path, message })

/** The text of a file. */
export function readText(path: string): Result<string> {
  if (!existsSync(path) || !statSync(path).isFile()) return unusable(path, 'there is no such file')
  if (statSync(path).size > MOST_BYTES) return unusable(path, `it is larger than ${MOST_BYTES} bytes`)
  return succeed(readFileSync(path, 'utf8'))
}

/** The documents of a YAML file, with nulls left out. */
export function readDocuments(path: string): Result<readonly unknown[]> {
  const text = readText(path)
  if (!text.ok) return text
  const parsed = parseYamlDocuments(text.value)
  if (!parsed.ok) return unusable(path, parsed.error.map(explain).join('; '))
  return succeed(parsed.value.flatMap(({ value }) => (value === null || value === undefined ? [] : [value])))
}

/** The files below a folder that are wanted, in order. */
export function filesBelow(folder: string, isWanted: (name: string) => boolean, depth: number = 0): readonly string[] {
  if (depth > DEEPEST) return []
  return readdirSync(folder, { withFileTypes: true })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) return entry.name.startsWith('.') ? [] : filesBelow(path, isWanted, depth + 1)
      return entry.isFile() && isWanted(entry.name) ? [path] : []
    })
}

const isManifest = (name: string): boolean =>
  /\.ya?ml$/.test(name) && !FIXTURE.test(name) && !/^kustomization\.ya?ml$/.test(name)

/**
 * The objects of files and of folders. A folder with a kustomization is what it renders to; of another one it is all YAML files, and
 * the folders below. What cannot be read is a problem.
 */
export function readObjects(paths: readonly string[]): Result<readonly KubeObject[]> {
  const objects: KubeObject[] = []
  for (const path of paths) {
    if (!existsSync(path)) return unusable(path, 'there is no such file or folder')
    const documents = statSync(path).isDirectory() ? documentsOf(path, 0) : readDocuments(path)
    if (!documents.ok) return documents
    objects.push(...documents.value.flatMap(objectsIn))
  }
  return succeed(objects)
}

function documentsOf(folder: string, depth: number): Result<readonly unknown[]> {
  if (existsSync(join(folder, 'kustomization.yaml'))) return rendered(folder)
  const documents: unknown[] = []
  for (const entry of readdirSync(folder, { withFileTypes: true }).toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name)
    const isBelow = entry.isDirectory() && !entry.name.startsWith('.') && depth < DEEPEST
    if (!isBelow && !(entry.isFile() && isManifest(entry.name))) continue
    const found = isBelow ? documentsOf(path, depth + 1) : readDocuments(path)
    if (!found.ok) return found
    documents.push(...found.value)
  }
  return succeed(documents)
}

let table: ReturnType<typeof kindTable> | undefined

function rendered(folder: string): Result<readonly unknown[]> {
  table ??= kindTable(readData)
  // Bases may lie beside or above the folder, so that the tree is the whole disk.
  const built = buildKustomization(diskTree('/'), relative('/', folder), { table })
  if (!built.ok) return unusable(folder, built.error.map(explain).join('; '))
  return succeed(built.value.manifests.map(({ manifest }) => manifest))
}

const clusterWide = new Set(['Namespace', 'ClusterRole', 'ClusterRoleBinding', 'CustomResourceDefinition'])

function objectsIn(document: unknown): readonly KubeObject[] {
  if (!isObject(document)) return []
  const { apiVersion, kind, items } = document
  if (typeof kind === 'string' && kind.endsWith('List') && Array.isArray(items)) return items.flatMap(objectsIn)
  if (typeof apiVersion !== 'string' || typeof kind !== 'string') return []
  const metadata = isObject(document['metadata']) ? document['metadata'] : {}
  const isPlaced = typeof metadata['namespace'] === 'string' || clusterWide.has(kind)
  return [{ ...document, apiVersion, kind, metadata: isPlaced ? metadata : { ...metadata, namespace: 'default' } }]
}
