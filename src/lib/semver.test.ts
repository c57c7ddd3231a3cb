import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compareVersions, parseConstraints, parseVersion, satisfies, versionText } from './semver.ts'

const version = (text: string): Parameters<typeof versionText>[0] => {
  const parsed = parseVersion(text)
  if (!parsed.ok) throw new Error(parsed.error[0]?.message)
  return parsed.value
}
const holds = (constraint: string, text: string): boolean | string => {
  const parsed = parseConstraints(constraint)
  return parsed.ok ? satisfies(version(text), parsed.value) : (parsed.error[0]?.message ?? '')
}

test.each([
  ['1.2.3', '1.2.3', true],
  ['=1.2', '1.2.9', true],
  ['1.2.x', '1.3.0', false],
  ['*', '4.5.6', true],
  ['*', '4.5.6-beta', false],
  ['^1.2.3', '1.9.0', true],
  ['^1.2.3', '2.0.0', false],
  ['^0.2.3', '0.2.9', true],
  ['^0.2.3', '0.3.0', false],
  ['^0.0.3', '0.0.4', false],
  ['^0', '0.9.9', true],
  ['~1.2.3', '1.2.9', true],
  ['~1.2.3', '1.3.0', false],
  ['~1', '1.9.9', true],
  ['!=1.2.3', '1.2.4', true],
  ['!=1.2.x', '1.2.4', false],
  ['>1.2', '1.2.9', false],
  ['>1.2', '1.3.0', true],
  ['>=1.2', '1.2.0', true],
  ['<=1.2', '1.2.9', true],
  ['<1.2', '1.2.0', false],
  ['=>1.2 =<2', '2.9.9', true],
  ['>=1.2, <2.0 || 3.x', '3.1.0', true],
  ['>=1.2 <2', '2.0.0', false],
  ['1.2 - 1.4.5', '1.4.5', true],
  ['1.2 - 1.4.5', '1.4.6', false],
  ['>=1.21-0', '1.22.1-gke.1', true],
  ['>=1.21', '1.22.1-gke.1', false],
  ['>1.0.0-alpha, <2', '1.5.0-beta', true],
  ['bad', '1.2.3', 'improper constraint: bad'],
  ['', '1.2.3', 'improper constraint: '],
])('%s for %s: %s', (constraint, text, want) => {
  expect(holds(constraint, text)).toBe(want)
})

test.each([
  ['v1.2', '1.2.0'],
  ['1', '1.0.0'],
  ['1.2.3-a.b+c.d', '1.2.3-a.b+c.d'],
  ['01.2.3', '1.2.3'],
])('%s is read as %s', (text, want) => {
  expect(versionText(version(text))).toBe(want)
})

test.each(['', 'x', '1.2.3.4', '1.2.3-', '1.2.3-01', '1.2.3+', '99999999999999999999'])('%s is no version', (text) => {
  expect(parseVersion(text).ok).toBe(false)
})

test('prereleases sort by number, then by text, before their release', () => {
  const sorted = [
    '1.0.0-alpha',
    '1.0.0-alpha.1',
    '1.0.0-alpha.beta',
    '1.0.0-beta.2',
    '1.0.0-beta.11',
    '1.0.0-rc.1',
    '1.0.0',
    '1.0.1',
  ]
  expect(sorted.toReversed().toSorted((a, b) => compareVersions(version(a), version(b)))).toEqual(sorted)
})

const versions = fc
  .tuple(fc.nat(3), fc.nat(3), fc.nat(3), fc.constantFrom('', '-a', '-1', '-a.1', '-a.b', '-2'))
  .map(([major, minor, patch, tail]) => version(`${major}.${minor}.${patch}${tail}`))

test('versions are in one order', () => {
  fc.assert(
    fc.property(versions, versions, versions, (a, b, c) => {
      expect(compareVersions(a, b) + compareVersions(b, a)).toBe(0)
      const [x, y, z] = [a, b, c].toSorted(compareVersions)
      expect(
        [compareVersions(x!, y!), compareVersions(y!, z!), compareVersions(x!, z!)].every((order) => order <= 0),
      ).toBe(true)
    }),
  )
})

test('a version is read back as it is written, and equals itself as a constraint', () => {
  fc.assert(
    fc.property(versions, (a) => {
      expect(compareVersions(version(versionText(a)), a)).toBe(0)
      expect(holds(`=${versionText(a)}`, versionText(a))).toBe(true)
      expect(holds(`<${versionText(a)}`, versionText(a))).toBe(false)
    }),
  )
})
