import {
  type Check,
  containersText,
  fieldOf,
  isWindows,
  type Offence,
  offence,
  offenders,
  placedContainers,
} from './check.ts'

const VOLUMES: ReadonlySet<string> = new Set([
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'image',
  'persistentVolumeClaim',
  'projected',
  'secret',
])

const volumeTypes: Check = {
  id: 'restrictedVolumes',
  control: 'Volume Types',
  level: 'restricted',
  since: 0,
  find({ spec }) {
    const offences = (spec.volumes ?? []).flatMap((volume, index) => {
      const source = Object.keys(volume).find((key) => key !== 'name')
      if (source === undefined || VOLUMES.has(source)) return []
      return [{ path: `spec.volumes[${index}].${source}`, value: source, volume: volume.name }]
    })
    if (offences.length === 0) return undefined
    const names = offences.map(({ volume }) => JSON.stringify(volume))
    const types = [...new Set(offences.map(({ value }) => JSON.stringify(value)))].toSorted()
    const detail = `${names.length === 1 ? 'volume' : 'volumes'} ${names.join(', ')} ${names.length === 1 ? 'uses' : 'use'} restricted volume ${types.length === 1 ? 'type' : 'types'} ${types.join(', ')}`
    return { reason: 'restricted volume types', detail, offences }
  },
}

const privilegeEscalation: Check = {
  id: 'allowPrivilegeEscalation',
  control: 'Privilege Escalation',
  level: 'restricted',
  since: 8,
  find(pod, minor) {
    if (minor >= 25 && isWindows(pod)) return undefined
    const field = 'securityContext.allowPrivilegeEscalation'
    const offences = placedContainers(pod).flatMap((placed) => {
      const value = fieldOf(placed.container, 'securityContext', 'allowPrivilegeEscalation')
      return value === false ? [] : [offence(placed, field, value)]
    })
    if (offences.length === 0) return undefined
    return {
      reason: 'allowPrivilegeEscalation != false',
      detail: `${containersText(offenders(offences))} must set ${field}=false`,
      offences,
    }
  },
}

const dropAll: Check = {
  id: 'capabilities_restricted',
  control: 'Capabilities',
  level: 'restricted',
  since: 22,
  find(pod, minor) {
    if (minor >= 25 && isWindows(pod)) return undefined
    const kept: Offence[] = []
    const added: Offence[] = []
    for (const placed of placedContainers(pod)) {
      const drop = fieldOf(placed.container, 'securityContext', 'capabilities', 'drop')
      if (!Array.isArray(drop) || !drop.includes('ALL'))
        kept.push(offence(placed, 'securityContext.capabilities.drop', drop))
      const add = fieldOf(placed.container, 'securityContext', 'capabilities', 'add')
      for (const name of Array.isArray(add) ? (add as readonly unknown[]) : []) {
        if (name !== 'NET_BIND_SERVICE') added.push(offence(placed, 'securityContext.capabilities.add', name))
      }
    }
    if (kept.length + added.length === 0) return undefined
    const named = [...new Set(added.map(({ value }) => JSON.stringify(value)))].toSorted().join(', ')
    const parts = [
      ...(kept.length > 0
        ? [`${containersText(offenders(kept))} must set securityContext.capabilities.drop=["ALL"]`]
        : []),
      ...(added.length > 0
        ? [`${containersText(offenders(added))} must not include ${named} in securityContext.capabilities.add`]
        : []),
    ]
    return { reason: 'unrestricted capabilities', detail: parts.join('; '), offences: [...kept, ...added] }
  },
}

const runAsNonRoot: Check = {
  id: 'runAsNonRoot',
  control: 'Running as Non-root',
  level: 'restricted',
  since: 0,
  find(pod) {
    const own = fieldOf(pod.spec, 'securityContext', 'runAsNonRoot')
    const field = 'securityContext.runAsNonRoot'
    const containers = placedContainers(pod).map((placed) => ({
      placed,
      value: fieldOf(placed.container, 'securityContext', 'runAsNonRoot'),
    }))
    const explicit = containers
      .filter(({ value }) => value === false)
      .map(({ placed }) => offence(placed, field, false))
    if (explicit.length > 0 || own === false) {
      const offences =
        own === false && containers.some(({ value }) => value !== true)
          ? [{ path: `spec.${field}`, value: false }, ...explicit]
          : explicit
      if (offences.length === 0) return undefined
      const who = [
        ...(offences.length > explicit.length ? ['pod'] : []),
        ...(explicit.length > 0 ? [containersText(offenders(explicit))] : []),
      ]
      return { reason: 'runAsNonRoot != true', detail: `${who.join(' and ')} must not set ${field}=false`, offences }
    }
    if (own === true) return undefined
    const silent = containers
      .filter(({ value }) => value !== true)
      .map(({ placed, value }) => offence(placed, field, value))
    if (silent.length === 0) return undefined
    return {
      reason: 'runAsNonRoot != true',
      detail: `pod or ${containersText(offenders(silent))} must set ${field}=true`,
      offences: silent,
    }
  },
}

const runAsUser: Check = {
  id: 'runAsUser',
  control: 'Running as Non-root user',
  level: 'restricted',
  since: 23,
  find(pod) {
    const field = 'securityContext.runAsUser'
    const offences: Offence[] = placedContainers(pod)
      .filter(({ container }) => fieldOf(container, 'securityContext', 'runAsUser') === 0)
      .map((placed) => offence(placed, field, 0))
    const isPod = fieldOf(pod.spec, 'securityContext', 'runAsUser') === 0
    if (offences.length === 0 && !isPod) return undefined
    const who = [...(isPod ? ['pod'] : []), ...(offences.length > 0 ? [containersText(offenders(offences))] : [])].join(
      ' and ',
    )
    return {
      reason: 'runAsUser=0',
      detail: `${who} must not set runAsUser=0`,
      offences: isPod ? [{ path: `spec.${field}`, value: 0 }, ...offences] : offences,
    }
  },
}

const isProfiled = (type: unknown): boolean => type === 'RuntimeDefault' || type === 'Localhost'

const seccomp: Check = {
  id: 'seccompProfile_restricted',
  control: 'Seccomp',
  level: 'restricted',
  since: 19,
  find(pod, minor) {
    if (minor >= 25 && isWindows(pod)) return undefined
    const field = 'securityContext.seccompProfile.type'
    const own = fieldOf(pod.spec, 'securityContext', 'seccompProfile', 'type')
    const offences: Offence[] = own === undefined || isProfiled(own) ? [] : [{ path: `spec.${field}`, value: own }]
    const silent: Offence[] = []
    for (const placed of placedContainers(pod)) {
      const type = fieldOf(placed.container, 'securityContext', 'seccompProfile', 'type')
      if (type !== undefined && !isProfiled(type)) offences.push(offence(placed, field, type))
      else if (type === undefined && !isProfiled(own)) silent.push(offence(placed, field, undefined))
    }
    if (offences.length > 0) {
      const who = [
        ...(own === undefined || isProfiled(own) ? [] : ['pod']),
        ...(offenders(offences).length > 0 ? [containersText(offenders(offences))] : []),
      ]
      const named = [...new Set(offences.map(({ value }) => JSON.stringify(value)))].toSorted().join(', ')
      return { reason: 'seccompProfile', detail: `${who.join(' and ')} must not set ${field} to ${named}`, offences }
    }
    if (silent.length === 0) return undefined
    const detail = `pod or ${containersText(offenders(silent))} must set ${field} to "RuntimeDefault" or "Localhost"`
    return { reason: 'seccompProfile', detail, offences: silent }
  },
}

/** What a hardened workload does, in the order in which it is told. */
export const restrictedChecks: readonly Check[] = [
  privilegeEscalation,
  dropAll,
  volumeTypes,
  runAsNonRoot,
  runAsUser,
  seccomp,
]
/** Restricted checks that say more than the baseline check of the same control: only the stricter one is told. */
export const strengthened: ReadonlyMap<string, string> = new Map([
  ['capabilities_restricted', 'capabilities_baseline'],
  ['seccompProfile_restricted', 'seccompProfile_baseline'],
  ['restrictedVolumes', 'hostPathVolumes'],
])
