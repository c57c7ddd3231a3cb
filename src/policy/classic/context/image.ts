import { isObject } from '../../../lib/json.ts'
import { compilePattern, type Pattern } from '../../../lib/re2.ts'
import type { KubeObject } from '../../../kube/object.ts'
import type { Evaluation } from '../evaluation.ts'
import { RuleFailure } from '../evaluation.ts'
import { at, type Fields, fieldsOf, listOf, textOf } from '../read.ts'
import { remembered } from '../../../lib/remembered.ts'

/** An image reference in parts, as variables see it. */
export interface ImageInfo {
  readonly registry?: string
  readonly name: string
  readonly path: string
  readonly tag?: string
  readonly digest?: string
  readonly reference: string
  readonly referenceWithTag: string
}

const COMPONENT = '(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])'
const HOST = `(?:${COMPONENT}(?:\\.${COMPONENT})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?`
const PATH_COMPONENT = '[a-z0-9]+(?:(?:[._]|__|[-]+)[a-z0-9]+)*'
const REFERENCE = `^(?:(${HOST})/)?(${PATH_COMPONENT}(?:/${PATH_COMPONENT})*)(?::([\\w][\\w.-]{0,127}))?(?:@([A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}))?$`
const LONGEST = 1_000
const DEFAULT_REGISTRY = 'docker.io'

let grammar: Pattern | undefined

function pattern(): Pattern {
  if (grammar) return grammar
  const compiled = compilePattern(REFERENCE)
  if (!compiled.ok) throw new Error('cannot compile the grammar of image references')
  return (grammar = compiled.value)
}

const MOST_REMEMBERED = 5_000

/** Reads an image reference; what has no registry is in docker.io. Undefined when it is none. */
export function parseImage(image: string): ImageInfo | undefined {
  return image.length <= LONGEST ? readShort(image) : read(image)
}

const readShort = remembered(MOST_REMEMBERED, read)

function read(image: string): ImageInfo | undefined {
  const slash = image.indexOf('/')
  const first = image.slice(0, Math.max(slash, 0))
  const isBare = slash < 0 || (!/[.:]/.test(first) && first !== 'localhost' && first.toLowerCase() === first)
  const full = isBare ? `${DEFAULT_REGISTRY}/${image}` : image
  const matcher = full.length > LONGEST ? undefined : pattern().matcher(full)
  if (!matcher?.find()) return undefined
  const [registry = '', path = '', written = '', digest = ''] = [1, 2, 3, 4].map((group) => matcher.group(group) ?? '')
  const tag = written === '' && digest === '' ? 'latest' : written
  const place = registry === '' ? path : `${registry}/${path}`
  return {
    ...(registry === '' ? {} : { registry }),
    name: path.slice(path.lastIndexOf('/') + 1),
    path,
    ...(tag === '' ? {} : { tag }),
    ...(digest === '' ? {} : { digest }),
    reference: digest === '' ? `${place}:${tag}` : `${place}@${digest}`,
    referenceWithTag: `${place}:${tag}`,
  }
}

/** Where a kind keeps images: the way to the maps that hold them, the field, and the field that names each. */
interface Extractor {
  readonly name: string
  readonly fields: readonly string[]
  readonly value: string
  readonly key: string
  readonly jmesPath: string
}

const podPaths: Readonly<Record<string, readonly string[]>> = {
  Pod: ['spec'],
  DaemonSet: ['spec', 'template', 'spec'],
  Deployment: ['spec', 'template', 'spec'],
  ReplicaSet: ['spec', 'template', 'spec'],
  ReplicationController: ['spec', 'template', 'spec'],
  StatefulSet: ['spec', 'template', 'spec'],
  Job: ['spec', 'template', 'spec'],
  CronJob: ['spec', 'jobTemplate', 'spec', 'template', 'spec'],
}

/** The way to the Pod spec of a kind that has one. */
export const podSpecPath = (kind: string): readonly string[] | undefined =>
  Object.hasOwn(podPaths, kind) ? podPaths[kind] : undefined

function extractorsOf(kind: string, configs: unknown): readonly Extractor[] {
  const configured = at(configs, kind)
  if (Array.isArray(configured)) return configured.map((config) => customExtractor(fieldsOf(config)))
  const path = podSpecPath(kind)
  if (!path) return []
  return ['initContainers', 'containers', 'ephemeralContainers'].map((name) => ({
    name,
    fields: [...path, name, '*'],
    value: 'image',
    key: 'name',
    jmesPath: '',
  }))
}

function customExtractor(config: Fields): Extractor {
  const fields = textOf(config['path'])
    .split('/')
    .map((part) => part.trim())
    .filter((part) => part !== '')
  const value = textOf(config['value']) || (fields.pop() ?? '')
  const name = textOf(config['name']) || 'custom'
  return { name, fields, value, key: textOf(config['key']), jmesPath: textOf(config['jmesPath']) }
}

/** The images of an object as `images` shows them: by list, by container. */
export function imagesOf(object: KubeObject, evaluation: Evaluation, configs?: unknown): Fields {
  const images: Record<string, Fields> = {}
  for (const extractor of extractorsOf(object.kind, configs)) {
    const found: Record<string, Fields> = {}
    extract({ value: object, path: [], fields: extractor.fields, pullSecrets: [] }, extractor, found, evaluation)
    if (Object.keys(found).length > 0) images[extractor.name] = found
  }
  return images
}

interface Place {
  readonly value: unknown
  readonly path: readonly string[]
  readonly fields: readonly string[]
  readonly pullSecrets: readonly string[]
}

function extract(place: Place, extractor: Extractor, found: Record<string, Fields>, evaluation: Evaluation): void {
  const { value, path, fields, pullSecrets } = place
  if (value === null || value === undefined) return
  const [field, ...rest] = fields
  if (field === '*') {
    evaluation.charge()
    if (typeof value !== 'object') throw new RuleFailure('invalid', `there are no images at /${path.join('/')}`)
    for (const [key, item] of Object.entries(value))
      extract({ value: item, path: [...path, key], fields: rest, pullSecrets }, extractor, found, evaluation)
    return
  }
  if (!isObject(value)) throw new RuleFailure('invalid', `there are no images at /${path.join('/')}`)
  const secrets = listOf(value['imagePullSecrets']).map((secret) => textOf(fieldsOf(secret)['name']))
  const known = [...pullSecrets, ...secrets.filter((name) => name !== '')]
  if (field !== undefined) {
    extract(
      { value: value[field], path: [...path, field], fields: rest, pullSecrets: known },
      extractor,
      found,
      evaluation,
    )
    return
  }
  const pointer = `/${[...path, extractor.value].join('/')}`
  const key = extractor.key === '' ? pointer : value[extractor.key]
  if (typeof key !== 'string') throw new RuleFailure('invalid', `the image at ${pointer} has no ${extractor.key}`)
  const written = value[extractor.value]
  if (typeof written !== 'string' || written.trim() === '') return
  const image = extractor.jmesPath === '' ? written : evaluation.search(extractor.jmesPath, written)
  const info = typeof image === 'string' ? parseImage(image) : undefined
  if (!info) throw new RuleFailure('invalid', `${JSON.stringify(image)} at ${pointer} is no image reference`)
  found[key] = { ...info, jsonPointer: pointer, imagePullSecrets: known }
}
