import { describe, expect, test } from 'vitest'
import type { Container, PodSpec } from '../pod.ts'
import { describeViolations, findViolations, formatStandard, parseStandardVersion, type Standard } from './evaluate.ts'

const baseline: Standard = { level: 'baseline', minor: Number.POSITIVE_INFINITY }
const restricted: Standard = { level: 'restricted', minor: Number.POSITIVE_INFINITY }
const hardened = {
  allowPrivilegeEscalation: false,
  runAsNonRoot: true,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
}
const c = (securityContext: object = {}, more: Partial<Container> = {}): Container => ({
  name: 'c',
  image: 'app:1',
  securityContext: { ...securityContext },
  ...more,
})
const said = (spec: PodSpec, standard: Standard, annotations: Record<string, string> = {}): string =>
  describeViolations(findViolations({ metadata: { annotations }, spec }, standard))

describe('baseline', () => {
  test.each<[string, PodSpec, string]>([
    ['an ordinary Pod', { containers: [c()] }, ''],
    [
      'host namespaces',
      { containers: [c()], hostNetwork: true, hostPID: true },
      'host namespaces (hostNetwork=true, hostPID=true)',
    ],
    [
      'privileged',
      { containers: [c({ privileged: true })] },
      'privileged (container "c" must not set securityContext.privileged=true)',
    ],
    [
      'capabilities',
      { containers: [c({ capabilities: { add: ['CHOWN', 'SYS_ADMIN', 'NET_RAW'] } })] },
      'non-default capabilities (container "c" must not include "NET_RAW", "SYS_ADMIN" in securityContext.capabilities.add)',
    ],
    [
      'host paths',
      { containers: [c()], volumes: [{ name: 'v', hostPath: { path: '/' } }] },
      'hostPath volumes (volume "v")',
    ],
    ['host ports', { containers: [c({}, { ports: [{ hostPort: 80 }] })] }, 'hostPort (container "c" uses hostPort 80)'],
    [
      'seccomp off for the Pod and a container',
      {
        securityContext: { seccompProfile: { type: 'Unconfined' } },
        containers: [c({ seccompProfile: { type: 'Unconfined' } })],
      },
      'seccompProfile (pod and container "c" must not set securityContext.seccompProfile.type to "Unconfined")',
    ],
    [
      'sysctls',
      { containers: [c()], securityContext: { sysctls: [{ name: 'kernel.msgmax' }, { name: 'net.ipv4.tcp_rmem' }] } },
      'forbidden sysctls (kernel.msgmax)',
    ],
    [
      'another /proc',
      { containers: [c({ procMount: 'Unmasked' })] },
      'procMount (container "c" must not set securityContext.procMount to "Unmasked")',
    ],
    [
      'SELinux',
      { containers: [c({ seLinuxOptions: { type: 'spc_t', user: 'x' } })] },
      'seLinuxOptions (container "c" set forbidden securityContext.seLinuxOptions: type "spc_t"; user may not be set)',
    ],
    [
      'a probe of another host',
      { containers: [c({}, { livenessProbe: { httpGet: { host: '10.0.0.1', port: 80 } } })] },
      'probe or lifecycle host (container "c" must not set probe or lifecycle hook hosts to "10.0.0.1")',
    ],
  ])('%s', (_name, spec, want) => {
    expect(said(spec, baseline)).toBe(want)
  })

  test('AppArmor switched off by annotation', () => {
    const annotations = { 'container.apparmor.security.beta.kubernetes.io/c': 'unconfined' }
    expect(said({ containers: [c()] }, baseline, annotations)).toMatch(/forbidden AppArmor profile \(annotation/)
  })

  test('what a later version allows, an earlier one does not', () => {
    const spec: PodSpec = { containers: [c()], securityContext: { sysctls: [{ name: 'net.ipv4.tcp_keepalive_time' }] } }
    expect(said(spec, { level: 'baseline', minor: 28 })).not.toBe('')
    expect(said(spec, { level: 'baseline', minor: 29 })).toBe('')
  })
})

describe('restricted', () => {
  test('a Pod that says nothing is told everything at once', () => {
    expect(said({ containers: [c(), { name: 'd' }] }, restricted)).toBe(
      [
        'allowPrivilegeEscalation != false (containers "c", "d" must set securityContext.allowPrivilegeEscalation=false)',
        'unrestricted capabilities (containers "c", "d" must set securityContext.capabilities.drop=["ALL"])',
        'runAsNonRoot != true (pod or containers "c", "d" must set securityContext.runAsNonRoot=true)',
        'seccompProfile (pod or containers "c", "d" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
      ].join(', '),
    )
  })

  test.each<[string, PodSpec, string]>([
    ['a hardened Pod', { containers: [c(hardened)] }, ''],
    [
      'the Pod speaks for its containers',
      {
        securityContext: { runAsNonRoot: true, seccompProfile: { type: 'Localhost' } },
        containers: [c({ ...hardened, runAsNonRoot: undefined, seccompProfile: undefined })],
      },
      '',
    ],
    [
      'one capability may be added',
      { containers: [c({ ...hardened, capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] } })] },
      '',
    ],
    [
      'no other',
      { containers: [c({ ...hardened, capabilities: { drop: ['ALL'], add: ['CHOWN'] } })] },
      'unrestricted capabilities (container "c" must not include "CHOWN" in securityContext.capabilities.add)',
    ],
    [
      'root by number',
      { containers: [c({ ...hardened, runAsUser: 0 })] },
      'runAsUser=0 (container "c" must not set runAsUser=0)',
    ],
    [
      'root by word',
      { securityContext: { runAsNonRoot: true }, containers: [c({ ...hardened, runAsNonRoot: false })] },
      'runAsNonRoot != true (container "c" must not set securityContext.runAsNonRoot=false)',
    ],
    [
      'a volume of another kind',
      {
        containers: [c(hardened)],
        volumes: [
          { name: 'v', nfs: {} },
          { name: 'w', emptyDir: {} },
        ],
      },
      'restricted volume types (volume "v" uses restricted volume type "nfs")',
    ],
  ])('%s', (_name, spec, want) => {
    expect(said(spec, restricted)).toBe(want)
  })

  test('Windows is spared what it does not have, from the version that knows it', () => {
    const spec: PodSpec = { os: { name: 'windows' }, containers: [c({ runAsNonRoot: true })] }
    expect(said(spec, restricted)).toBe('')
    expect(said(spec, { level: 'restricted', minor: 24 })).toMatch(/allowPrivilegeEscalation/)
  })
})

test('offences say field, value and image, so that exceptions can be made', () => {
  const [finding] = findViolations({ metadata: {}, spec: { containers: [c({ privileged: true })] } }, baseline)
  expect(finding).toMatchObject({
    check: 'privileged',
    control: 'Privileged Containers',
    offences: [{ path: 'spec.containers[0].securityContext.privileged', value: true, container: 'c', image: 'app:1' }],
  })
})

test('nothing is asked of a privileged namespace', () => {
  expect(said({ containers: [c({ privileged: true })], hostNetwork: true }, { level: 'privileged', minor: 30 })).toBe(
    '',
  )
})

test.each([
  ['latest', 'baseline:latest'],
  ['v1.30', 'baseline:v1.30'],
  ['v2.0', undefined],
  ['1.30', undefined],
])('version %s', (text, want) => {
  const minor = parseStandardVersion(text)
  expect(minor === undefined ? undefined : formatStandard({ level: 'baseline', minor })).toBe(want)
})
