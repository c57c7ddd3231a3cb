import { jsonString, marshalJson } from '../../lang/gotemplate/json.ts'
import { fn } from '../../lang/gotemplate/function.ts'
import {
  failWith,
  type GoFunction,
  type GoType,
  HostObject,
  int,
  INTS,
  STRING,
  STRINGS,
  stringList,
  withType,
} from '../../lang/gotemplate/value.ts'
import { compileGlob } from '../../lib/glob.ts'
import { stringOf } from '../../lib/go-string.ts'
import { setOwn } from '../../lib/json.ts'
import { emitYaml } from '../../lib/yaml.ts'
import type { ChartFile } from './chart.ts'
import { type ChartNode, ImportPair, type Requirement } from './dependencies.ts'
import { dialects, type HelmDialect } from './dialect.ts'
import type { JsonFields } from './json-form.ts'
import type { Maintainer } from './metadata.ts'

type Fields = readonly (readonly [name: string, json: string, value: unknown])[]

const BYTES: GoType = { name: '[]uint8', kind: 'slice', elem: INTS.uint8 }
const TEXTS: GoType = { name: 'map[string]string', kind: 'map', key: STRING, elem: STRING }
const NIL_TEXTS: GoType = { ...TEXTS, isNil: true }
const NIL_STRINGS: GoType = { ...STRINGS, isNil: true }

const isEmpty = (value: unknown): boolean =>
  value === '' || value === false || (Array.isArray(value) && value.length === 0)

/** A struct with Go names for templates and JSON names for writers; fields whose JSON name ends in `?` are left out when empty. */
function struct(type: GoType, fields: Fields): HostObject {
  const json = fields.flatMap(([, name, value]) => {
    if (!name.endsWith('?')) return [[name, value] as const]
    return isEmpty(value) || isNilText(value) ? [] : [[name.slice(0, -1), value] as const]
  })
  const inner: JsonFields = { json }
  return new HostObject({ ...type, json: structJson }, new Map(fields.map(([name, , value]) => [name, value])), inner)
}

/** A struct as encoding/json writes it: its fields in their order. */
const structJson = (self: unknown): string => {
  const { json } = (self as HostObject).inner as JsonFields // only structs of this file have this type
  const parts = json.map(([name, value]) => {
    const text = marshalJson(value)
    return `${jsonString(name)}:${typeof text === 'string' ? text : 'null'}`
  })
  return `{${parts.join(',')}}`
}

const isNilText = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !(value instanceof HostObject) && Object.keys(value).length === 0

const texts = (values: readonly string[] | undefined): readonly string[] =>
  values ? stringList(values) : withType<string[]>([], NIL_STRINGS)

const textMap = (values: Readonly<Record<string, string>> | undefined): object =>
  values ? withType({ ...values }, TEXTS) : withType({}, NIL_TEXTS)

/** What templates see of the cluster: `.Capabilities`. */
export interface Capabilities {
  readonly kubeVersion: KubeVersion
  readonly apiVersions: readonly string[]
}

export interface KubeVersion {
  /** `v1.32.0`, or with helm 4 whatever was written. */
  readonly version: string
  /** What constraints are compared with and what prints. */
  readonly plain: string
  readonly major: string
  readonly minor: string
}

function kubeVersionObject(version: KubeVersion, dialect: HelmDialect): HostObject {
  const type: GoType = {
    name: `${dialects[dialect].valuesPackage}.KubeVersion`,
    kind: 'struct',
    text: () => version.plain,
    methods: new Map([
      ['String', () => fn([], 'any', () => version.plain)],
      ['GitVersion', () => fn([], 'any', () => version.version)],
    ]),
  }
  return struct(type, [
    ['Version', 'Version', version.version],
    ['Major', 'Major', version.major],
    ['Minor', 'Minor', version.minor],
  ])
}

const HAS = (self: unknown): GoFunction =>
  fn(['string'], 'any', (version) => (self as readonly string[]).includes(version))

/** Makes `.Capabilities`. */
export function capabilitiesObject({ kubeVersion, apiVersions }: Capabilities, dialect: HelmDialect): HostObject {
  const facts = dialects[dialect]
  const versions = withType([...apiVersions], {
    name: `${facts.valuesPackage}.VersionSet`,
    kind: 'slice',
    elem: STRING,
    methods: new Map([['Has', HAS]]),
  })
  const helm = struct({ name: 'version.BuildInfo', kind: 'struct' }, [
    ['Version', 'version?', facts.version],
    ['GitCommit', 'git_commit?', facts.gitCommit],
    ['GitTreeState', 'git_tree_state?', 'clean'],
    ['GoVersion', 'go_version?', facts.goVersion],
    ...(facts.kubeClientVersion === undefined
      ? []
      : [['KubeClientVersion', 'kube_client_version?', facts.kubeClientVersion] as const]),
  ])
  return struct({ name: `*${facts.valuesPackage}.Capabilities`, kind: 'ptr' }, [
    ['KubeVersion', 'KubeVersion', kubeVersionObject(kubeVersion, dialect)],
    ['APIVersions', 'APIVersions', versions],
    ['HelmVersion', 'HelmVersion', helm],
  ])
}

const importValue = (value: unknown): unknown =>
  value instanceof ImportPair ? withType({ child: value.child, parent: value.parent }, TEXTS) : value

const dependencyFields = (requirement: Requirement): Fields => [
  ['Name', 'name', requirement.name],
  ['Version', 'version?', requirement.version],
  ['Repository', 'repository', requirement.repository],
  ['Condition', 'condition?', requirement.condition],
  ['Tags', 'tags?', texts(requirement.tags.length > 0 ? requirement.tags : undefined)],
  ['Enabled', 'enabled?', requirement.enabled],
  ['ImportValues', 'import-values?', requirement.importValues.map(importValue)],
  ['Alias', 'alias?', requirement.alias],
]

const maintainerFields = ({ name, email, url }: Maintainer): Fields => [
  ['Name', 'name?', name],
  ['Email', 'email?', email],
  ['URL', 'url?', url],
]

const pointers = (name: string, all: readonly Fields[] | undefined): readonly unknown[] => {
  const type: GoType = { name: `[]*chart.${name}`, kind: 'slice', elem: { name: `*chart.${name}`, kind: 'ptr' } }
  const items = (all ?? []).map((fields) => struct({ name: `*chart.${name}`, kind: 'ptr' }, fields))
  return withType(items, all ? type : { ...type, isNil: true })
}

function metadataFields(node: ChartNode): Fields {
  const { metadata } = node
  return [
    ['Name', 'name?', node.name],
    ['Home', 'home?', metadata.home],
    ['Sources', 'sources?', texts(metadata.sources)],
    ['Version', 'version?', metadata.version],
    ['Description', 'description?', metadata.description],
    ['Keywords', 'keywords?', texts(metadata.keywords)],
    ['Maintainers', 'maintainers?', pointers('Maintainer', metadata.maintainers?.map(maintainerFields))],
    ['Icon', 'icon?', metadata.icon],
    ['APIVersion', 'apiVersion?', metadata.apiVersion],
    ['Condition', 'condition?', metadata.condition],
    ['Tags', 'tags?', metadata.tags],
    ['AppVersion', 'appVersion?', metadata.appVersion],
    ['Deprecated', 'deprecated?', metadata.deprecated],
    ['Annotations', 'annotations?', textMap(metadata.annotations)],
    ['KubeVersion', 'kubeVersion?', metadata.kubeVersion],
    ['Dependencies', 'dependencies?', pointers('Dependency', node.requirements?.map(dependencyFields))],
    ['Type', 'type?', metadata.type],
  ]
}

/** A struct as helm 4 shows it: a map of its field names, its lists without types. */
function mapOf(fields: Fields): Record<string, unknown> {
  const map: Record<string, unknown> = {}
  for (const [name, , value] of fields) {
    if (Array.isArray(value)) {
      const items: readonly unknown[] = value
      setOwn(
        map,
        name,
        items.map((item) => (item instanceof HostObject ? mapOf(goFields(item)) : item)),
      )
    } else setOwn(map, name, value)
  }
  return map
}

const goFields = (object: HostObject): Fields => [...object.fields].map(([name, value]) => [name, name, value])

/** Makes `.Chart`. */
export function chartObject(node: ChartNode, dialect: HelmDialect): unknown {
  const isRoot = node.parent === undefined
  const fields: Fields = [...metadataFields(node), ['IsRoot', 'IsRoot', isRoot]]
  if (!dialects[dialect].chartIsStruct) return mapOf(fields)
  return struct({ name: 'struct { chart.Metadata; IsRoot bool }', kind: 'struct' }, fields)
}

const baseOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1)

const yamlOf = (entries: readonly (readonly [string, string])[]): string => {
  const map: Record<string, string> = {}
  for (const [key, value] of entries) setOwn(map, key, value)
  return emitYaml(map).replace(/\n$/, '')
}

const contentsOf = (self: unknown): ReadonlyMap<string, unknown> => (self as HostObject).fields
const bytesAt = (self: unknown, name: string): Uint8Array =>
  (contentsOf(self).get(name) as Uint8Array | undefined) ?? new Uint8Array()

const FILES: GoType = {
  name: 'engine.files',
  kind: 'map',
  key: STRING,
  elem: BYTES,
  methods: new Map<string, (self: unknown) => GoFunction>([
    ['Get', (self) => fn(['string'], 'any', (name) => stringOf(bytesAt(self, name)))],
    ['GetBytes', (self) => fn(['string'], 'any', (name) => bytesAt(self, name))],
    ['Glob', (self) => fn(['string'], 'any', (pattern) => globbed(self, pattern))],
    [
      'Lines',
      (self) =>
        fn(['string'], 'any', (name) => {
          if (!contentsOf(self).has(name)) return stringList([])
          const text = stringOf(bytesAt(self, name))
          if (text === '') return failWith('runtime error: index out of range [-1]')
          return stringList((text.endsWith('\n') ? text.slice(0, -1) : text).split('\n'))
        }),
    ],
    [
      'AsConfig',
      (self) =>
        fn([], 'any', () =>
          yamlOf([...contentsOf(self)].map(([name, data]) => [baseOf(name), stringOf(data as Uint8Array)])),
        ),
    ],
    [
      'AsSecrets',
      (self) =>
        fn([], 'any', () =>
          yamlOf(
            [...contentsOf(self)].map(([name, data]) => [
              baseOf(name),
              Buffer.from(data as Uint8Array).toString('base64'),
            ]),
          ),
        ),
    ],
  ]),
}

function globbed(self: unknown, pattern: string): HostObject {
  const compiled = compileGlob(pattern, 'gobwas-path')
  // A pattern that does not compile matches everything, as upstream.
  const found = [...contentsOf(self)].filter(([name]) => !compiled.ok || compiled.value(name))
  return new HostObject(FILES, new Map(found))
}

/** Makes `.Files`. */
export const filesObject = (files: readonly ChartFile[]): HostObject =>
  new HostObject(FILES, new Map(files.map(({ name, data }) => [name, data])))

/** What `.Release` says. */
export interface Release {
  readonly name: string
  readonly namespace: string
  readonly isUpgrade: boolean
}

/** Makes `.Release`. */
export const releaseObject = ({ name, namespace, isUpgrade }: Release): Record<string, unknown> => ({
  Name: name,
  Namespace: namespace,
  IsUpgrade: isUpgrade,
  IsInstall: !isUpgrade,
  Revision: int(1),
  Service: 'Helm',
})

/** The type that `.Values` and `.Template` have. */
export const valuesType = (dialect: HelmDialect): GoType => ({
  name: `${dialects[dialect].valuesPackage}.Values`,
  kind: 'map',
  key: STRING,
})
