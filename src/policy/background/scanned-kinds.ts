import type { ResourceInfo } from '../../kube/client.ts'
import type { CompiledPolicy, Concern } from '../engine/compiled-policy.ts'
import { matchesWildcard } from '../engine/wildcard.ts'

/** Kinds that are not scanned: they come and go by themselves, or are what scans write. */
const unscanned = new Set([
  'events',
  'events.events.k8s.io',
  'leases.coordination.k8s.io',
  'endpoints',
  'endpointslices.discovery.k8s.io',
])
const ownGroups = new Set([
  'wgpolicyk8s.io',
  'openreports.io',
  'reports.kyverno.io',
  'kyverno.io',
  'policies.kyverno.io',
])

/** Tells whether a policy has something to say in a scan. */
export const isScanned = ({ isBackground, phases, identity }: CompiledPolicy): boolean =>
  isBackground && (phases.has('validate') || (phases.has('mutate') && identity.kind.endsWith('MutatingPolicy')))

/** The collections that background policies are about, each in one version. */
export const scannedKinds = (
  policies: readonly CompiledPolicy[],
  served: readonly ResourceInfo[],
): readonly ResourceInfo[] => scannableKinds(policies.filter(isScanned), served)

/** The collections that policies are about, as far as objects in them can be looked at one by one. */
export function scannableKinds(
  policies: readonly CompiledPolicy[],
  served: readonly ResourceInfo[],
): readonly ResourceInfo[] {
  const concerns = policies.flatMap((policy) => policy.concerns)
  const found = new Map<string, ResourceInfo>()
  for (const info of served) {
    const key = info.group === '' ? info.plural : `${info.plural}.${info.group}`
    if (found.has(key) || unscanned.has(key) || ownGroups.has(info.group) || !isListed(info)) continue
    if (concerns.some((concern) => isAbout(concern, info))) found.set(key, info)
  }
  return [...found.values()]
}

const isListed = ({ subresource, verbs }: ResourceInfo): boolean =>
  subresource === undefined && verbs.includes('list') && verbs.includes('watch')

function isAbout({ group, version, kind, plural, subresource }: Concern, info: ResourceInfo): boolean {
  if (subresource !== '' && subresource !== '*') return false
  if (!matchesWildcard(group, info.group) || !matchesWildcard(version, info.version)) return false
  if (kind !== undefined && !matchesWildcard(kind, info.kind)) return false
  return plural === undefined || matchesWildcard(plural, info.plural)
}
