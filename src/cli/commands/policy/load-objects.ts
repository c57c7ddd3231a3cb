import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { isObject, setOwn } from '../../../lib/json.ts'
import { explain } from '../../../lib/result.ts'
import { parseYamlDocuments } from '../../../lib/yaml.ts'
import type { KubeObject } from '../../../kube/object.ts'
import { fieldsOf, listOf, textOf } from '../../../policy/classic/read.ts'

/** A file that cannot be used, with its path: what the user is told. */
export class UnusableFile extends Error {}

/** Every document of a file, or of the YAML and JSON files below a folder. */
export function loadDocuments(path: string): readonly unknown[] {
  if (/^https?:\/\//.test(path))
    throw new UnusableFile(`${path}: files are not downloaded; keep a copy beside the test`)
  if (!existsSync(path)) throw new UnusableFile(`${path}: there is no such file`)
  if (statSync(path).isDirectory()) {
    return readdirSync(path, { withFileTypes: true })
      .toSorted((a, b) => (a.name < b.name ? -1 : 1))
      .filter((entry) => entry.isDirectory() || /\.(ya?ml|json)$/.test(entry.name))
      .flatMap((entry) => loadDocuments(join(path, entry.name)))
  }
  const parsed = parseYamlDocuments(readFileSync(path, 'utf8'))
  if (!parsed.ok) throw new UnusableFile(`${path}: ${parsed.error.map(explain).join('; ')}`)
  return parsed.value.map(({ value }) => value).filter((value) => value !== null && value !== undefined)
}

/** Tells where the objects of a kind live; undefined for kinds that are not known. */
export type IsNamespaced = (apiVersion: string, kind: string) => boolean | undefined

/** The objects of files; lists are taken apart, and what names no namespace is in `default`. */
export function loadObjects(paths: readonly string[], isNamespaced: IsNamespaced): readonly KubeObject[] {
  return paths.flatMap((path) => loadDocuments(path).flatMap((document) => objectsIn(document, isNamespaced)))
}

/** The objects that a document holds. */
export function objectsIn(document: unknown, isNamespaced: IsNamespaced): readonly KubeObject[] {
  const fields = fieldsOf(document)
  const kind = textOf(fields['kind'])
  if (kind.endsWith('List') && Array.isArray(fields['items'])) {
    return listOf(fields['items']).flatMap((item) => objectsIn(item, isNamespaced))
  }
  const apiVersion = textOf(fields['apiVersion'])
  if (kind === '' || apiVersion === '') return []
  const normal = fieldsOf(withoutNullMaps(fields, 0))
  const metadata = fieldsOf(normal['metadata'])
  const isPlaced = textOf(metadata['namespace']) !== '' || isNamespaced(apiVersion, kind) === false
  return [{ ...normal, apiVersion, kind, metadata: isPlaced ? metadata : { ...metadata, namespace: 'default' } }]
}

const maps: ReadonlySet<string> = new Set([
  'annotations',
  'labels',
  'matchLabels',
  'nodeSelector',
  'data',
  'stringData',
])
const DEEPEST = 500

/** Charts write `annotations:` with nothing after it, and mean an empty map. */
function withoutNullMaps(value: unknown, depth: number): unknown {
  if (depth > DEEPEST) throw new UnusableFile(`an object is nested deeper than ${DEEPEST} levels`)
  if (Array.isArray(value)) return value.map((item: unknown) => withoutNullMaps(item, depth + 1))
  if (!isObject(value)) return value
  const normal: Record<string, unknown> = {}
  for (const [key, below] of Object.entries(value)) {
    setOwn(normal, key, below === null && maps.has(key) ? {} : withoutNullMaps(below, depth + 1))
  }
  return normal
}
