import { readdirSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { isObject } from '../../../lib/json.ts'
import { type Fields, fieldsOf, listOf, textOf, textsOf } from '../../../policy/classic/read.ts'
import { loadDocuments, UnusableFile } from './load-objects.ts'

/** One expectation of a test file. */
export interface Expectation {
  readonly policy: string
  readonly rule: string
  readonly result: string
  readonly operation: string
  readonly resources: readonly string[]
  readonly resourceSpecs: readonly Fields[]
  /** False when the test speaks of all objects. */
  readonly namesResources: boolean
  readonly patched: string
  readonly generated: readonly string[]
  readonly cloneSource: string
  readonly failsOnMissing: boolean
}

/** A test as it is written in a `kyverno-test.yaml`. */
export interface PolicyTest {
  /** The path as the user gave it, and which document of the file it is. */
  readonly path: string
  readonly folder: string
  readonly name: string
  readonly source: Fields
  readonly expectations: readonly Expectation[]
}

/** Every test of a file name below a folder. */
export function loadTests(folder: string, fileName: string): readonly PolicyTest[] {
  let entries
  try {
    entries = readdirSync(folder, { withFileTypes: true })
  } catch {
    throw new UnusableFile(`${folder}: there is no such folder`)
  }
  return entries
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) return loadTests(path, fileName)
      return entry.name === fileName ? testsIn(path) : []
    })
}

function testsIn(path: string): readonly PolicyTest[] {
  return loadDocuments(path).map((document, index) => {
    if (!isObject(document)) throw new UnusableFile(`${path}: a test must be an object`)
    return {
      path: index === 0 ? path : `${path}#${index}`,
      folder: dirname(path),
      name: textOf(fieldsOf(document['metadata'])['name']) || textOf(document['name']),
      source: document,
      expectations: listOf(document['results']).map((item) => expectationOf(fieldsOf(item))),
    }
  })
}

function expectationOf(source: Fields): Expectation {
  const generated = textsOf(source['generatedResources'])
  const resource = textOf(source['resource'])
  return {
    policy: textOf(source['policy']),
    rule: textOf(source['rule']),
    result: textOf(source['result']) || textOf(source['status']),
    operation: textOf(source['operation']),
    resources: source['resources'] === undefined && resource !== '' ? [resource] : textsOf(source['resources']),
    resourceSpecs: listOf(source['resourceSpecs']).map(fieldsOf),
    namesResources: Array.isArray(source['resources']) || resource !== '',
    patched: textOf(source['patchedResources']) || textOf(source['patchedResource']),
    generated: generated.length > 0 ? generated : [textOf(source['generatedResource'])].filter((path) => path !== ''),
    cloneSource: textOf(source['cloneSourceResource']),
    failsOnMissing: source['failOnMissingResources'] === true,
  }
}

/** Paths of a test as paths of the file system. */
export function pathsOf({ folder }: PolicyTest, value: unknown): readonly string[] {
  const given = typeof value === 'string' ? [value] : textsOf(value)
  return [...new Set(given)]
    .filter((path) => path !== '')
    .map((path) => (/^https?:\/\//.test(path) ? path : resolve(folder, path)))
}
