import type { Clock } from '../../../lib/clock.ts'
import { applyMergePatch } from '../../../kube/patch/merge-patch.ts'
import { isObject, setOwn } from '../../../lib/json.ts'
import type { View } from '../barrier.ts'
import {
  booleanField,
  integerField,
  integerOf,
  objectField,
  readAll,
  secondsField,
  signedSecondsField,
  textMapField,
} from '../fields.ts'
import { KeyedLock } from '../keyed-lock.ts'
import {
  type Backend,
  badRequest,
  dataReply,
  listReply,
  type MountRequest,
  nothing,
  type Outcome,
  refused,
  reply,
  unsupportedOperation,
} from '../logical.ts'
import {
  checkCustom,
  deletionTime,
  durationText,
  isDeleted,
  type KeyMetadata,
  type KvSettings,
  metadataData,
  newMetadata,
  usualSettings,
  versionData,
  type VersionMetadata,
  withVersion,
} from './key-metadata.ts'
import type { OnChange } from './kv-v1.ts'
import { subkeysOf } from './subkeys.ts'

type Data = Readonly<Record<string, unknown>>

const metaKey = (path: string): string => `m/${path}`
const versionKey = (path: string, version: number): string => `v/${version}/${path}`

/**
 * Key-value version 2. The values of a version are written before the metadata that names them, and removed after the
 * metadata no longer does: a crash leaves values that nobody can ask for, never a version without values. What is asked for in
 * one turn is kept in its order, so that it can be asked for at once.
 */
export class KvV2 implements Backend {
  readonly #clock: Pick<Clock, 'now'>
  readonly #onChange: OnChange
  readonly #locks = new KeyedLock()

  constructor(clock: Pick<Clock, 'now'>, onChange: OnChange) {
    this.#clock = clock
    this.#onChange = onChange
  }

  exists({ path, view }: MountRequest): boolean {
    const [word, key] = split(path)
    // As in Vault: only these tell a new secret from one that is there.
    return (word !== 'data' && word !== 'metadata') || view.get(metaKey(key)) !== undefined
  }

  async handle(request: MountRequest): Promise<Outcome> {
    const [word, key] = split(request.path)
    const { operation } = request
    if (word === 'config' && key === '') return this.#config(request)
    if (operation === 'list') {
      return word === 'metadata' ? this.#list(request.view, key) : invalidPath(request.path)
    }
    if (key === '') return invalidPath(request.path)
    const isWrite = operation === 'create' || operation === 'update'
    switch (word) {
      case 'data':
        return this.#data(request, key, isWrite)
      case 'metadata':
        return this.#metadata(request, key, isWrite)
      case 'subkeys':
        return operation === 'read' ? this.#subkeys(request, key) : unsupportedOperation()
      case 'delete':
      case 'undelete':
      case 'destroy':
        return isWrite ? this.#marks(request, key, word) : unsupportedOperation()
      default:
        return invalidPath(request.path)
    }
  }

  async #config({ operation, view, fields }: MountRequest): Promise<Outcome> {
    const settings = settingsOf(view)
    if (operation === 'read') {
      return dataReply({
        max_versions: settings.maxVersions,
        cas_required: settings.casRequired,
        delete_version_after: durationText(settings.deleteAfter),
      })
    }
    if (operation !== 'create' && operation !== 'update') return unsupportedOperation()
    const read = readAll({
      maxVersions: integerField(fields, 'max_versions'),
      casRequired: booleanField(fields, 'cas_required'),
      deleteAfter: signedSecondsField(fields, 'delete_version_after'),
    })
    if (!read.ok) return read
    const { maxVersions = settings.maxVersions, casRequired = settings.casRequired } = read.value
    const deleteAfter = read.value.deleteAfter ?? settings.deleteAfter
    if (maxVersions < 0) return badRequest('max_versions cannot be negative')
    await view.put('config', { maxVersions, casRequired, deleteAfter: Math.max(deleteAfter, -1) } satisfies KvSettings)
    return nothing
  }

  #list(view: View, key: string): Outcome {
    return listReply(view.list(metaKey(key === '' || key.endsWith('/') ? key : `${key}/`)))
  }

  #data(request: MountRequest, key: string, isWrite: boolean): Outcome | Promise<Outcome> {
    if (request.operation === 'read') return this.#read(request, key)
    const serial = (work: () => Promise<Outcome>): Promise<Outcome> =>
      this.#locks.run(request.mount.accessor + key, work)
    if (isWrite) return serial(() => this.#write(request, key))
    if (request.operation === 'patch') return serial(() => this.#patch(request, key))
    if (request.operation === 'delete') return serial(() => this.#deleteLatest(request, key))
    return unsupportedOperation()
  }

  #read({ view, fields }: MountRequest, key: string): Outcome {
    const found = this.#version(view, key, integerField(fields, 'version'))
    if ('ok' in found) return found
    const metadata = versionData(found.number, found.version, found.meta)
    if (this.#isGone(found.version)) return reply({ status: 404, data: { data: null, metadata } })
    return dataReply({ data: valuesOf(view, key, found.number), metadata })
  }

  #subkeys({ view, fields }: MountRequest, key: string): Outcome {
    const depth = integerField(fields, 'depth')
    if (!depth.ok) return depth
    const found = this.#version(view, key, integerField(fields, 'version'))
    if ('ok' in found) return found
    const metadata = versionData(found.number, found.version, found.meta)
    if (this.#isGone(found.version)) return reply({ status: 404, data: { subkeys: null, metadata } })
    return dataReply({ subkeys: subkeysOf(valuesOf(view, key, found.number), depth.value ?? 0), metadata })
  }

  #version(
    view: View,
    key: string,
    wanted: ReturnType<typeof integerField>,
  ): { readonly meta: KeyMetadata; readonly number: number; readonly version: VersionMetadata } | Outcome {
    if (!wanted.ok) return wanted
    const meta = metadataOf(view, key)
    if (!meta) return nothing
    const number = wanted.value !== undefined && wanted.value > 0 ? wanted.value : meta.current
    const version = meta.versions[number]
    return version ? { meta, number, version } : nothing
  }

  #isGone(version: VersionMetadata): boolean {
    return version.destroyed === true || isDeleted(version, this.#clock.now())
  }

  async #write(request: MountRequest, key: string): Promise<Outcome> {
    const data = objectField(request.fields, 'data')
    if (!data.ok) return data
    if (!data.value) return badRequest('no data provided')
    const settings = settingsOf(request.view)
    const meta = metadataOf(request.view, key) ?? newMetadata(this.#clock.now())
    const mismatch = casProblem(request, settings, meta)
    return mismatch ?? this.#addVersion(request, key, meta, data.value)
  }

  async #patch(request: MountRequest, key: string): Promise<Outcome> {
    const patch = objectField(request.fields, 'data')
    if (!patch.ok) return patch
    if (!patch.value) return badRequest('no data provided')
    const { view } = request
    const meta = metadataOf(view, key)
    const version = meta?.versions[meta.current]
    if (!meta || !version) return refused(404)
    const mismatch = casProblem(request, settingsOf(view), meta)
    if (mismatch) return mismatch
    if (this.#isGone(version)) return reply({ status: 404, data: versionData(meta.current, version, meta) })
    const merged = applyMergePatch(valuesOf(view, key, meta.current), patch.value)
    if (!merged.ok || !isObject(merged.value)) return badRequest('the patch cannot be applied')
    return this.#addVersion(request, key, meta, merged.value)
  }

  async #addVersion({ view, mount }: MountRequest, key: string, known: KeyMetadata, data: Data): Promise<Outcome> {
    const nowMs = this.#clock.now()
    const settings = settingsOf(view)
    const deletedMs = deletionTime(nowMs, settings, known)
    const version: VersionMetadata = { createdMs: nowMs, ...(deletedMs === undefined ? {} : { deletedMs }) }
    const { meta, gone } = withVersion(known, version, settings)
    await Promise.all([
      view.put(versionKey(key, meta.current), data),
      view.put(metaKey(key), meta),
      ...gone.map((number) => view.delete(versionKey(key, number))),
    ])
    this.#onChange(mount.path, key)
    return dataReply(versionData(meta.current, version, meta))
  }

  async #deleteLatest({ view, mount }: MountRequest, key: string): Promise<Outcome> {
    const meta = metadataOf(view, key)
    const version = meta?.versions[meta.current]
    if (!meta || !version || this.#isGone(version)) return nothing
    await view.put(metaKey(key), withMarks(meta, [[meta.current, { ...version, deletedMs: this.#clock.now() }]]))
    this.#onChange(mount.path, key)
    return nothing
  }

  #marks(request: MountRequest, key: string, what: 'delete' | 'undelete' | 'destroy'): Promise<Outcome> | Outcome {
    const versions = versionsOf(request.fields.get('versions'))
    if (!versions) return badRequest('error converting input for field "versions": expected a list of integers')
    if (versions.length === 0) return badRequest('No version number provided')
    return this.#locks.run(request.mount.accessor + key, () => this.#mark(request, key, what, versions))
  }

  async #mark(
    { view, mount }: MountRequest,
    key: string,
    what: 'delete' | 'undelete' | 'destroy',
    numbers: readonly number[],
  ): Promise<Outcome> {
    const meta = metadataOf(view, key)
    if (!meta) return nothing
    const nowMs = this.#clock.now()
    const marks = numbers.flatMap((number): readonly (readonly [number, VersionMetadata])[] => {
      const version = meta.versions[number]
      if (!version || version.destroyed) return []
      if (what === 'destroy') return [[number, { ...version, destroyed: true }]]
      if (what === 'delete') return isDeleted(version, nowMs) ? [] : [[number, { ...version, deletedMs: nowMs }]]
      return [[number, { createdMs: version.createdMs }]]
    })
    if (marks.length === 0) return nothing
    const destroyed = what === 'destroy' ? marks.map(([number]) => versionKey(key, number)) : []
    await Promise.all([view.put(metaKey(key), withMarks(meta, marks)), ...destroyed.map((one) => view.delete(one))])
    this.#onChange(mount.path, key)
    return nothing
  }

  #metadata(request: MountRequest, key: string, isWrite: boolean): Outcome | Promise<Outcome> {
    const { operation, view } = request
    if (operation === 'read') {
      const meta = metadataOf(view, key)
      return meta ? dataReply(metadataData(meta)) : nothing
    }
    const serial = (work: () => Promise<Outcome>): Promise<Outcome> =>
      this.#locks.run(request.mount.accessor + key, work)
    if (isWrite || operation === 'patch') return serial(() => this.#writeMetadata(request, key))
    if (operation === 'delete') return serial(() => this.#deleteAll(request, key))
    return unsupportedOperation()
  }

  async #writeMetadata({ view, fields, operation, mount }: MountRequest, key: string): Promise<Outcome> {
    const isPatch = operation === 'patch'
    const known = metadataOf(view, key)
    if (isPatch && !known) return refused(404)
    const sent = ['max_versions', 'cas_required', 'delete_version_after', 'custom_metadata']
    if (!sent.some((name) => fields.has(name))) return nothing
    const meta = known ?? newMetadata(this.#clock.now())
    const custom = customOf(fields.get('custom_metadata'), isPatch ? meta.custom : null)
    const read = readAll({
      maxVersions: integerField(fields, 'max_versions'),
      casRequired: booleanField(fields, 'cas_required'),
      deleteAfter: secondsField(fields, 'delete_version_after'),
      custom: textMapField(new Map([['custom_metadata', custom]]), 'custom_metadata'),
    })
    if (!read.ok) return read
    const { maxVersions, casRequired, deleteAfter } = read.value
    if ((maxVersions ?? 0) < 0) return badRequest('max_versions cannot be negative')
    const problem = read.value.custom && checkCustom(read.value.custom)
    if (problem !== undefined) return badRequest(problem)
    // In a patch, null takes back what was set.
    const isReset = (name: string): boolean => isPatch && fields.get(name) === null
    const changed: KeyMetadata = {
      ...meta,
      updatedMs: this.#clock.now(),
      maxVersions: isReset('max_versions') ? 0 : (maxVersions ?? meta.maxVersions),
      casRequired: isReset('cas_required') ? false : (casRequired ?? meta.casRequired),
      deleteAfter: isReset('delete_version_after') ? 0 : (deleteAfter ?? meta.deleteAfter),
      custom: fields.has('custom_metadata') ? objectFrom(read.value.custom) : meta.custom,
    }
    await view.put(metaKey(key), changed)
    this.#onChange(mount.path, key)
    if (casRequired === false && settingsOf(view).casRequired) {
      const warning = '"cas_required" set to false, but is mandated by backend config. This value will be ignored.'
      return reply({ warnings: [warning] })
    }
    return nothing
  }

  async #deleteAll({ view, mount }: MountRequest, key: string): Promise<Outcome> {
    const meta = metadataOf(view, key)
    if (!meta) return nothing
    const versions = Object.keys(meta.versions).map((number) => versionKey(key, Number(number)))
    await Promise.all([view.delete(metaKey(key)), ...versions.map((one) => view.delete(one))])
    this.#onChange(mount.path, key)
    return nothing
  }
}

// What this file wrote, authenticated by the barrier.
const metadataOf = (view: View, key: string): KeyMetadata | undefined =>
  view.get(metaKey(key)) as KeyMetadata | undefined

const settingsOf = (view: View): KvSettings => (view.get('config') as KvSettings | undefined) ?? usualSettings

function valuesOf(view: View, key: string, version: number): Data {
  const data = view.get(versionKey(key, version))
  if (!isObject(data)) throw new Error(`the values of version ${version} are missing`)
  return data
}

const split = (path: string): readonly [string, string] => {
  const slash = path.indexOf('/')
  return slash < 0 ? [path, ''] : [path.slice(0, slash), path.slice(slash + 1)]
}

const withMarks = (meta: KeyMetadata, marks: readonly (readonly [number, VersionMetadata])[]): KeyMetadata => ({
  ...meta,
  versions: { ...meta.versions, ...Object.fromEntries(marks) },
})

function casProblem({ fields }: MountRequest, settings: KvSettings, meta: KeyMetadata): Outcome | undefined {
  const options = objectField(fields, 'options')
  if (!options.ok) return options
  const cas = options.value && Object.hasOwn(options.value, 'cas') ? options.value['cas'] : undefined
  if (cas === undefined) {
    const isRequired = settings.casRequired || meta.casRequired
    return isRequired ? badRequest('check-and-set parameter required for this call') : undefined
  }
  const wanted = integerOf(cas)
  if (wanted === undefined) return badRequest('error parsing check-and-set parameter')
  return wanted === meta.current ? undefined : badRequest('check-and-set parameter did not match the current version')
}

function versionsOf(value: unknown): readonly number[] | undefined {
  const items: readonly unknown[] = Array.isArray(value)
    ? value
    : typeof value === 'string'
      ? value.split(',').filter((one) => one.trim() !== '')
      : value === undefined || value === null
        ? []
        : [value]
  const numbers = items.map((item) => integerOf(typeof item === 'string' ? item.trim() : item))
  return numbers.every((number): number is number => number !== undefined) ? numbers : undefined
}

/** The custom metadata that there will be: what was sent, or in a patch what there is with what was sent. */
function customOf(sent: unknown, known: KeyMetadata['custom']): unknown {
  if (!known || !isObject(sent)) return sent
  const merged: Record<string, unknown> = { ...known }
  for (const [name, value] of Object.entries(sent)) {
    if (value === null) delete merged[name]
    else setOwn(merged, name, value)
  }
  return merged
}

function objectFrom(custom: ReadonlyMap<string, string> | undefined): KeyMetadata['custom'] {
  return custom && custom.size > 0 ? Object.fromEntries(custom) : null
}

function invalidPath(path: string): Outcome {
  const isRoot = ['data', 'metadata', 'delete', 'undelete', 'destroy', 'subkeys'].includes(path.replace(/\/$/, ''))
  const warning = isRoot
    ? 'Non-listing operations on the root of a K/V v2 mount are not supported.'
    : 'Invalid path for a versioned K/V secrets engine: it begins with data/, metadata/, delete/, undelete/, destroy/ or subkeys/.'
  return reply({ status: 404, warnings: [warning] })
}
