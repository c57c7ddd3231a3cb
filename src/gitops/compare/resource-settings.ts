import { isObject, own } from '../../lib/json.ts'
import type { Problem } from '../../lib/result.ts'
import { parseYaml } from '../../lib/yaml.ts'
import type { IgnoreDifference } from '../application/application.ts'
import { objectsOf, textOf, textsOf } from '../fields.ts'
import { type FilteredResource, type ResourceFilter, resourceFilter } from './resource-filter.ts'
import { type Tracking, type TrackingMethod, usualTracking } from './tracking.ts'

/** What `argocd-cm` says about one kind; the kind may be a glob. */
export interface ResourceOverride {
  readonly group: string
  readonly kind: string
  readonly healthLua?: string
  readonly actions?: string
  readonly ignoreDifferences?: IgnoreDifference
  readonly ignoreResourceUpdates?: IgnoreDifference
  readonly knownTypeFields: readonly { readonly field: string; readonly type: string }[]
}

/** What `argocd-cm` says about objects: how they are marked, compared, judged and left out. */
export interface ResourceSettings {
  readonly tracking: Tracking
  readonly overrides: readonly ResourceOverride[]
  /** Rules for every Application, those for `status` included. */
  readonly ignoreDifferences: readonly IgnoreDifference[]
  /** Rules for what is no news when an object changes. */
  readonly ignoreResourceUpdates: readonly IgnoreDifference[]
  readonly ignoresResourceUpdates: boolean
  readonly filter: ResourceFilter
  /** Annotations of Secrets whose values are not shown. */
  readonly maskedAnnotations: ReadonlySet<string>
  /** Labels that are shown beside objects. */
  readonly customLabels: readonly string[]
  /** Settings that could not be read: each is left out. */
  readonly problems: readonly Problem[]
}

const PREFIX = 'resource.customizations'

type Data = Readonly<Record<string, string>>

/** Reads the `data` of the ConfigMap `argocd-cm` (argo-cd 3.x, util/settings). Nothing at all gives the usual settings. */
export function readResourceSettings(data: Data): ResourceSettings {
  const problems: Problem[] = []
  const overrides = readOverrides(data, problems)
  const options = yamlOf(data, 'resource.compareoptions', problems)
  const status = statusIgnored(textOrFlag(options, 'ignoreResourceStatusField'))
  const differences = overrides.flatMap(({ ignoreDifferences }) => ignoreDifferences ?? [])
  const asUpdates = isObject(options) && options['ignoreDifferencesOnResourceUpdates'] === false ? [] : differences
  return {
    tracking: readTracking(data, problems),
    overrides,
    ignoreDifferences: [...differences, ...status],
    ignoreResourceUpdates: [
      ...overrides.flatMap(({ ignoreResourceUpdates }) => ignoreResourceUpdates ?? []),
      ...asUpdates,
      {
        group: '*',
        kind: '*',
        jsonPointers: ['/metadata/resourceVersion', '/metadata/generation', '/metadata/managedFields'],
      },
    ],
    ignoresResourceUpdates: own(data, 'resource.ignoreResourceUpdatesEnabled') !== 'false',
    filter: resourceFilter(
      filters(data, 'resource.exclusions', problems),
      filters(data, 'resource.inclusions', problems),
    ),
    maskedAnnotations: new Set(words(own(data, 'resource.sensitive.mask.annotations'))),
    customLabels: words(own(data, 'resource.customLabels')),
    problems,
  }
}

const words = (text: string | undefined): readonly string[] =>
  (text ?? '').split(',').flatMap((word) => word.trim() || [])

const invalid = (key: string, message: string): Problem => ({ code: 'argocd-setting-invalid', at: key, message })

function yamlOf(data: Data, key: string, problems: Problem[]): unknown {
  const text = own(data, key)
  if (text === undefined || text.trim() === '') return undefined
  const read = parseYaml(text)
  if (read.ok) return read.value
  problems.push(invalid(key, `${key} of argocd-cm is not YAML: ${read.error[0]?.message ?? ''}`))
  return undefined
}

const methods: readonly TrackingMethod[] = ['annotation', 'label', 'annotation+label']

function readTracking(data: Data, problems: Problem[]): Tracking {
  const named = own(data, 'application.resourceTrackingMethod') ?? ''
  const method = methods.find((one) => one === named)
  if (!method && named !== '') {
    problems.push(
      invalid(
        'application.resourceTrackingMethod',
        `application.resourceTrackingMethod is ${JSON.stringify(named)}; it must be one of ${methods.join(', ')}`,
      ),
    )
  }
  return {
    method: method ?? usualTracking.method,
    labelKey: own(data, 'application.instanceLabelKey') || usualTracking.labelKey,
    installationId: own(data, 'installationID') ?? '',
  }
}

const textOrFlag = (options: unknown, key: string): string => {
  const value = isObject(options) ? own(options, key) : undefined
  return value === false ? 'false' : typeof value === 'string' ? value : ''
}

/** Nobody's Git holds what controllers report, unless settings say that it does. */
function statusIgnored(value: string): readonly IgnoreDifference[] {
  if (value === 'none' || value === 'off' || value === 'false') return []
  const [group, kind] = value === 'crd' ? ['apiextensions.k8s.io', 'CustomResourceDefinition'] : ['*', '*']
  return [{ group, kind, jsonPointers: ['/status'] }]
}

function filters(data: Data, key: string, problems: Problem[]): readonly FilteredResource[] {
  const list = yamlOf(data, key, problems)
  if (list === undefined || list === null) return []
  if (!Array.isArray(list)) {
    problems.push(invalid(key, `${key} of argocd-cm must be a list`))
    return []
  }
  return list.filter(isObject).map((item) => ({
    apiGroups: textsOf(item, 'apiGroups') ?? [],
    kinds: textsOf(item, 'kinds') ?? [],
    clusters: textsOf(item, 'clusters') ?? [],
  }))
}

type Draft = { -readonly [K in keyof ResourceOverride]: ResourceOverride[K] }

function readOverrides(data: Data, problems: Problem[]): readonly ResourceOverride[] {
  const drafts = new Map<string, Draft>()
  const draftOf = (key: string): Draft => {
    const slash = key.indexOf('/')
    const [group, kind] = slash < 0 ? ['', key] : [key.slice(0, slash), key.slice(slash + 1)]
    const known = drafts.get(`${group}/${kind}`)
    if (known) return known
    const made: Draft = { group, kind, knownTypeFields: [] }
    drafts.set(`${group}/${kind}`, made)
    return made
  }
  const whole = yamlOf(data, PREFIX, problems)
  if (isObject(whole)) {
    for (const [key, value] of Object.entries(whole)) readWhole(draftOf(key === 'all' ? '*/*' : key), value, problems)
  }
  for (const key of Object.keys(data).toSorted()) {
    const parts = key.startsWith(`${PREFIX}.`) ? key.slice(PREFIX.length + 1) : ''
    const dot = parts.indexOf('.')
    if (dot < 0) continue
    const target = overrideKey(parts.slice(dot + 1))
    if (target === undefined) {
      problems.push(invalid(key, `${key} must end in a kind, or in a group and a kind joined by _`))
      continue
    }
    readSplit(draftOf(target), parts.slice(0, dot), { key, data }, problems)
  }
  return [...drafts.values()]
}

/** `cert-manager.io_Certificate` -> `cert-manager.io/Certificate`; `all` is every kind. */
function overrideKey(text: string): string | undefined {
  if (text === 'all') return '*/*'
  const parts = text.split('_')
  if (parts.length > 2 || parts.includes('')) return undefined
  return parts.join('/')
}

/** The older form: one YAML document for all kinds. Its parts may be texts of YAML themselves. */
function readWhole(draft: Draft, value: unknown, problems: Problem[]): void {
  if (!isObject(value)) return
  const healthLua = textOf(value, 'health.lua')
  if (healthLua !== '') draft.healthLua = healthLua
  const actions = textOf(value, 'actions')
  if (actions !== '') draft.actions = actions
  const nested = (name: string): unknown => {
    const part = own(value, name)
    return typeof part === 'string' ? yamlOf({ [name]: part }, name, problems) : part
  }
  setRules(draft, 'ignoreDifferences', nested('ignoreDifferences'))
  setRules(draft, 'ignoreResourceUpdates', nested('ignoreResourceUpdates'))
  setKnownTypes(draft, nested('knownTypeFields'))
}

function readSplit(
  draft: Draft,
  type: string,
  { key, data }: { readonly key: string; readonly data: Data },
  problems: Problem[],
): void {
  const text = own(data, key) ?? ''
  switch (type) {
    case 'health':
      draft.healthLua = text
      return
    case 'actions':
      draft.actions = text
      return
    case 'useOpenLibs':
      // Nothing of Lua's libraries reaches outside here, so they are always there.
      return
    case 'ignoreDifferences':
    case 'ignoreResourceUpdates':
      setRules(draft, type, yamlOf(data, key, problems))
      return
    case 'knownTypeFields':
      setKnownTypes(draft, yamlOf(data, key, problems))
      return
    default:
      problems.push(invalid(key, `${key}: there is no customization of type ${JSON.stringify(type)}`))
  }
}

function setRules(draft: Draft, name: 'ignoreDifferences' | 'ignoreResourceUpdates', value: unknown): void {
  if (!isObject(value)) return
  draft[name] = {
    group: draft.group,
    kind: draft.kind,
    jsonPointers: textsOf(value, 'jsonPointers') ?? [],
    jqPathExpressions: textsOf(value, 'jqPathExpressions') ?? [],
    managedFieldsManagers: textsOf(value, 'managedFieldsManagers') ?? [],
  }
}

function setKnownTypes(draft: Draft, value: unknown): void {
  const list = objectsOf({ list: value }, 'list')
  if (!list) return
  draft.knownTypeFields = list.map((item) => ({ field: textOf(item, 'field'), type: textOf(item, 'type') }))
}
