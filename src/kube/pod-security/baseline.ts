import { type Check, containersText, fieldOf, type Offence, offence, offenders, placedContainers } from './check.ts'

const CAPABILITIES: ReadonlySet<unknown> = new Set([
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
])

/** Sysctls that touch nothing but the Pod, with the version from which they may be set. */
const SYSCTLS: ReadonlyMap<unknown, number> = new Map([
  ['kernel.shm_rmid_forced', 0],
  ['net.ipv4.ip_local_port_range', 0],
  ['net.ipv4.ip_unprivileged_port_start', 0],
  ['net.ipv4.tcp_syncookies', 0],
  ['net.ipv4.ping_group_range', 0],
  ['net.ipv4.ip_local_reserved_ports', 27],
  ['net.ipv4.tcp_keepalive_time', 29],
  ['net.ipv4.tcp_fin_timeout', 29],
  ['net.ipv4.tcp_keepalive_intvl', 29],
  ['net.ipv4.tcp_keepalive_probes', 29],
  ['net.ipv4.tcp_rmem', 32],
  ['net.ipv4.tcp_wmem', 32],
])

/** SELinux types of ordinary containers, with the version from which they may be set. */
const SELINUX_TYPES: ReadonlyMap<unknown, number> = new Map([
  ['', 0],
  ['container_t', 0],
  ['container_init_t', 0],
  ['container_kvm_t', 0],
  ['container_engine_t', 31],
])

/** Tells whether a version already accepts a value. */
function isKnownAt(table: ReadonlyMap<unknown, number>, value: unknown, minor: number): boolean {
  const since = table.get(value)
  return since !== undefined && since <= minor
}

const APPARMOR_ANNOTATION = 'container.apparmor.security.beta.kubernetes.io/'

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

/** Joins what the Pod and its containers do wrong into one sentence. */
function detailOf(offences: readonly Offence[], must: string): string {
  const isPod = offences.some(({ container }) => container === undefined)
  const names = offenders(offences)
  const who = [...(isPod ? ['pod'] : []), ...(names.length > 0 ? [containersText(names)] : [])].join(' and ')
  return `${who} ${must}`
}

const hostNamespaces: Check = {
  id: 'hostNamespaces',
  control: 'Host Namespaces',
  level: 'baseline',
  since: 0,
  find({ spec }) {
    const used = (['hostNetwork', 'hostPID', 'hostIPC'] as const).filter((name) => spec[name] === true)
    if (used.length === 0) return undefined
    return {
      reason: 'host namespaces',
      detail: used.map((name) => `${name}=true`).join(', '),
      offences: used.map((name) => ({ path: `spec.${name}`, value: true })),
    }
  },
}

const privileged: Check = {
  id: 'privileged',
  control: 'Privileged Containers',
  level: 'baseline',
  since: 0,
  find(pod) {
    const offences = placedContainers(pod)
      .filter(({ container }) => fieldOf(container, 'securityContext', 'privileged') === true)
      .map((placed) => offence(placed, 'securityContext.privileged', true))
    if (offences.length === 0) return undefined
    return {
      reason: 'privileged',
      detail: detailOf(offences, 'must not set securityContext.privileged=true'),
      offences,
    }
  },
}

const capabilities: Check = {
  id: 'capabilities_baseline',
  control: 'Capabilities',
  level: 'baseline',
  since: 0,
  find(pod) {
    const offences = placedContainers(pod).flatMap((placed) =>
      listOf(fieldOf(placed.container, 'securityContext', 'capabilities', 'add'))
        .filter((name) => !CAPABILITIES.has(name))
        .map((name) => offence(placed, 'securityContext.capabilities.add', name)),
    )
    if (offences.length === 0) return undefined
    const named = [...new Set(offences.map(({ value }) => JSON.stringify(value)))].toSorted().join(', ')
    return {
      reason: 'non-default capabilities',
      detail: detailOf(offences, `must not include ${named} in securityContext.capabilities.add`),
      offences,
    }
  },
}

const hostPath: Check = {
  id: 'hostPathVolumes',
  control: 'HostPath Volumes',
  level: 'baseline',
  since: 0,
  find({ spec }) {
    const offences = (spec.volumes ?? []).flatMap((volume, index) =>
      volume['hostPath'] === undefined
        ? []
        : [
            {
              path: `spec.volumes[${index}].hostPath`,
              value: fieldOf(volume, 'hostPath', 'path'),
              volume: volume.name,
            },
          ],
    )
    if (offences.length === 0) return undefined
    const names = offences.map(({ volume }) => JSON.stringify(volume))
    return {
      reason: 'hostPath volumes',
      detail: `${names.length === 1 ? 'volume' : 'volumes'} ${names.join(', ')}`,
      offences,
    }
  },
}

const hostPorts: Check = {
  id: 'hostPorts',
  control: 'Host Ports',
  level: 'baseline',
  since: 0,
  find(pod) {
    const offences = placedContainers(pod).flatMap((placed) =>
      (placed.container.ports ?? []).flatMap((port, index) =>
        port.hostPort ? [offence(placed, `ports[${index}].hostPort`, port.hostPort)] : [],
      ),
    )
    if (offences.length === 0) return undefined
    const ports = [...new Set(offences.map(({ value }) => String(value)))].toSorted()
    return {
      reason: 'hostPort',
      detail: detailOf(offences, `${ports.length === 1 ? 'uses hostPort' : 'use hostPorts'} ${ports.join(', ')}`),
      offences,
    }
  },
}

const hostProcess: Check = {
  id: 'windowsHostProcess',
  control: 'HostProcess',
  level: 'baseline',
  since: 0,
  find(pod) {
    const field = 'securityContext.windowsOptions.hostProcess'
    const offences: Offence[] = placedContainers(pod)
      .filter(({ container }) => fieldOf(container, 'securityContext', 'windowsOptions', 'hostProcess') === true)
      .map((placed) => offence(placed, field, true))
    if (fieldOf(pod.spec, 'securityContext', 'windowsOptions', 'hostProcess') === true)
      offences.unshift({ path: `spec.${field}`, value: true })
    return offences.length === 0
      ? undefined
      : { reason: 'hostProcess', detail: detailOf(offences, `must not set ${field}=true`), offences }
  },
}

/** Offences of a field that both the Pod and its containers have. */
function contextOffences(
  pod: Parameters<Check['find']>[0],
  names: readonly string[],
  isAccepted: (value: unknown) => boolean,
): Offence[] {
  const field = ['securityContext', ...names].join('.')
  const own = fieldOf(pod.spec, 'securityContext', ...names)
  const offences: Offence[] = own === undefined || isAccepted(own) ? [] : [{ path: `spec.${field}`, value: own }]
  for (const placed of placedContainers(pod)) {
    const value = fieldOf(placed.container, 'securityContext', ...names)
    if (value !== undefined && !isAccepted(value)) offences.push(offence(placed, field, value))
  }
  return offences
}

const quoted = (offences: readonly Offence[]): string =>
  [...new Set(offences.map(({ value }) => JSON.stringify(value)))].toSorted().join(', ')

const appArmor: Check = {
  id: 'appArmorProfile',
  control: 'AppArmor',
  level: 'baseline',
  since: 0,
  find(pod) {
    const offences = contextOffences(
      pod,
      ['appArmorProfile', 'type'],
      (type) => type === 'RuntimeDefault' || type === 'Localhost',
    )
    const fieldNamed =
      offences.length > 0 ? [detailOf(offences, `must not set AppArmor profile type to ${quoted(offences)}`)] : []
    const annotated = Object.entries(pod.metadata.annotations ?? {}).filter(
      ([key, value]) =>
        key.startsWith(APPARMOR_ANNOTATION) &&
        value !== '' &&
        value !== 'runtime/default' &&
        !value.startsWith('localhost/'),
    )
    const all = [...offences, ...annotated.map(([key, value]) => ({ path: `metadata.annotations[${key}]`, value }))]
    if (all.length === 0) return undefined
    const told = annotated.map(([key, value]) => `annotation ${JSON.stringify(`${key}=${value}`)}`)
    return {
      reason: all.length === 1 ? 'forbidden AppArmor profile' : 'forbidden AppArmor profiles',
      detail: [...fieldNamed, ...told].join(', '),
      offences: all,
    }
  },
}

const seLinux: Check = {
  id: 'seLinuxOptions',
  control: 'SELinux',
  level: 'baseline',
  since: 0,
  find(pod, minor) {
    const types = contextOffences(pod, ['seLinuxOptions', 'type'], (type) => isKnownAt(SELINUX_TYPES, type, minor))
    const users = contextOffences(pod, ['seLinuxOptions', 'user'], (user) => user === '')
    const roles = contextOffences(pod, ['seLinuxOptions', 'role'], (role) => role === '')
    const offences = [...types, ...users, ...roles]
    if (offences.length === 0) return undefined
    const parts = [
      ...(types.length > 0 ? [`type ${quoted(types)}`] : []),
      ...(users.length > 0 ? ['user may not be set'] : []),
      ...(roles.length > 0 ? ['role may not be set'] : []),
    ]
    return {
      reason: 'seLinuxOptions',
      detail: detailOf(offences, `set forbidden securityContext.seLinuxOptions: ${parts.join('; ')}`),
      offences,
    }
  },
}

const procMount: Check = {
  id: 'procMount',
  control: '/proc Mount Type',
  level: 'baseline',
  since: 0,
  find(pod) {
    const offences = placedContainers(pod).flatMap((placed) => {
      const value = fieldOf(placed.container, 'securityContext', 'procMount')
      return value === undefined || value === 'Default' ? [] : [offence(placed, 'securityContext.procMount', value)]
    })
    if (offences.length === 0) return undefined
    return {
      reason: 'procMount',
      detail: detailOf(offences, `must not set securityContext.procMount to ${quoted(offences)}`),
      offences,
    }
  },
}

const seccomp: Check = {
  id: 'seccompProfile_baseline',
  control: 'Seccomp',
  level: 'baseline',
  since: 0,
  find(pod) {
    const offences = contextOffences(
      pod,
      ['seccompProfile', 'type'],
      (type) => type === 'RuntimeDefault' || type === 'Localhost',
    )
    if (offences.length === 0) return undefined
    return {
      reason: 'seccompProfile',
      detail: detailOf(offences, `must not set securityContext.seccompProfile.type to ${quoted(offences)}`),
      offences,
    }
  },
}

const sysctls: Check = {
  id: 'sysctls',
  control: 'Sysctls',
  level: 'baseline',
  since: 0,
  find({ spec }, minor) {
    const offences = listOf(fieldOf(spec, 'securityContext', 'sysctls')).flatMap((sysctl, index) => {
      const name = fieldOf(sysctl, 'name')
      const isAllowed = isKnownAt(SYSCTLS, name, minor)
      return isAllowed ? [] : [{ path: `spec.securityContext.sysctls[${index}].name`, value: name }]
    })
    if (offences.length === 0) return undefined
    return { reason: 'forbidden sysctls', detail: offences.map(({ value }) => String(value)).join(', '), offences }
  },
}

const handlers = [
  ['livenessProbe'],
  ['readinessProbe'],
  ['startupProbe'],
  ['lifecycle', 'postStart'],
  ['lifecycle', 'preStop'],
] as const

const hostHandlers: Check = {
  id: 'hostProbesAndHostLifecycle',
  control: 'Host Probes / Lifecycle Hooks',
  level: 'baseline',
  since: 34,
  find(pod) {
    const offences = placedContainers(pod).flatMap((placed) =>
      handlers.flatMap((handler) =>
        ['httpGet', 'tcpSocket'].flatMap((action) => {
          const host = fieldOf(placed.container, ...handler, action, 'host')
          return host === undefined || host === ''
            ? []
            : [offence(placed, [...handler, action, 'host'].join('.'), host)]
        }),
      ),
    )
    if (offences.length === 0) return undefined
    return {
      reason: 'probe or lifecycle host',
      detail: detailOf(offences, `must not set probe or lifecycle hook hosts to ${quoted(offences)}`),
      offences,
    }
  },
}

/** What even an unrestricted workload should not do, in the order in which it is told. */
export const baselineChecks: readonly Check[] = [
  appArmor,
  capabilities,
  hostNamespaces,
  hostPath,
  hostPorts,
  hostHandlers,
  hostProcess,
  privileged,
  procMount,
  seLinux,
  seccomp,
  sysctls,
]
