import {
  compareVersions,
  parseConstraints,
  parseVersion,
  satisfies,
  type Version,
  versionText,
} from '../../../lib/semver.ts'
import { fn, type FunctionTable } from '../function.ts'
import { jsonString } from '../json.ts'
import { failWith, type GoFunction, type GoType, HostObject } from '../value.ts'

type Method = readonly [string, (self: unknown) => GoFunction]

const valueMethods: readonly Method[] = [
  ['Major', (self) => fn([], 'uint64', () => versionOf(self).major)],
  ['Minor', (self) => fn([], 'uint64', () => versionOf(self).minor)],
  ['Patch', (self) => fn([], 'uint64', () => versionOf(self).patch)],
  ['Prerelease', (self) => fn([], 'any', () => versionOf(self).prerelease)],
  ['Metadata', (self) => fn([], 'any', () => versionOf(self).metadata)],
  ['String', (self) => fn([], 'any', () => versionText(versionOf(self)))],
  ['IncMajor', (self) => raised(self, (version) => ({ ...version, major: version.major + 1n, minor: 0n, patch: 0n }))],
  ['IncMinor', (self) => raised(self, (version) => ({ ...version, minor: version.minor + 1n, patch: 0n }))],
  [
    'IncPatch',
    (self) =>
      raised(self, (version) => ({
        ...version,
        patch: version.prerelease === '' ? version.patch + 1n : version.patch,
      })),
  ],
  ['SetPrerelease', (self) => changed(self, (version, prerelease) => ({ ...version, prerelease }))],
  ['SetMetadata', (self) => changed(self, (version, metadata) => ({ ...version, metadata }))],
]

const pointerMethods: readonly Method[] = [
  ['Original', (self) => fn([], 'any', () => versionOf(self).original)],
  ['Compare', (self) => versus(self, (order) => order, 'int')],
  ['LessThan', (self) => versus(self, (order) => order < 0)],
  ['LessThanEqual', (self) => versus(self, (order) => order <= 0)],
  ['GreaterThan', (self) => versus(self, (order) => order > 0)],
  ['GreaterThanEqual', (self) => versus(self, (order) => order >= 0)],
  ['Equal', (self) => versus(self, (order) => order === 0)],
]

const typed = (name: string, kind: 'ptr' | 'struct', methods: readonly Method[]): GoType => ({
  name,
  kind,
  text: (self) => versionText(versionOf(self)),
  json: (self) => jsonString(versionText(versionOf(self))),
  methods: new Map(methods),
})

/** What semver makes; what IncMajor and its like make is no pointer, so it lacks the methods that need one. */
const POINTER_TYPE = typed('*semver.Version', 'ptr', [...valueMethods, ...pointerMethods])
const VALUE_TYPE = typed('semver.Version', 'struct', valueMethods)

/** What lies behind a *semver.Version. */
function versionOf(self: unknown): Version {
  if (self instanceof HostObject && (self.type === POINTER_TYPE || self.type === VALUE_TYPE))
    return self.inner as Version // only this file makes them
  throw new Error('not a version')
}

const wrapped = (version: Version): HostObject => new HostObject(POINTER_TYPE, undefined, version)

const versus = (self: unknown, judge: (order: number) => unknown, returns: 'any' | 'int' = 'any'): GoFunction =>
  fn(['type *semver.Version'], returns, (other) => judge(compareVersions(versionOf(self), versionOf(other))))

function renamed(version: Version, from: Version): HostObject {
  const prefix = from.original.startsWith('v') ? 'v' : ''
  return new HostObject(VALUE_TYPE, undefined, { ...version, original: prefix + versionText(version) })
}

const raised = (self: unknown, raise: (version: Version) => Version): GoFunction =>
  fn([], 'any', () => {
    const version = versionOf(self)
    return renamed({ ...raise(version), prerelease: '', metadata: '' }, version)
  })

const changed = (self: unknown, change: (version: Version, text: string) => Version): GoFunction =>
  fn(['string'], 'any', (text) => {
    const version = versionOf(self)
    const parsed = parseVersion(versionText(change(version, text)))
    return parsed.ok ? renamed(parsed.value, version) : failWith(parsed.error[0]?.message ?? '')
  })

function semverCompare(constraint: string, text: string): unknown {
  const constraints = parseConstraints(constraint)
  if (!constraints.ok) return failWith(constraints.error[0]?.message ?? '')
  const version = parseVersion(text)
  if (!version.ok) return failWith(version.error[0]?.message ?? '')
  return satisfies(version.value, constraints.value)
}

/** Semantic versions. */
export const versions: FunctionTable = {
  semver: fn(['string'], 'any', (text) => {
    const version = parseVersion(text)
    return version.ok ? wrapped(version.value) : failWith(version.error[0]?.message ?? '')
  }),
  semverCompare: fn(['string', 'string'], 'any', semverCompare),
}
