import { checkConfigKey, checkDnsLabel, checkEnvName, checkPortName } from '../../names.ts'
import { compareQuantity } from '../../quantity.ts'
import { duplicate, notFound, notSupported } from '../../schema/field-error.ts'
import { plainText } from '../columns/column.ts'
import { fieldsOf } from '../defaulting.ts'
import { amountsIn, checkAmounts, checkPort, type Part } from './report.ts'

// Semantics: kubernetes 1.36, pkg/apis/core/validation/validation.go.

/** What containers may refer to. */
export interface PodParts {
  readonly volumes: ReadonlySet<string>
  /** Volumes that come from elsewhere (claim templates) cannot be known here. */
  readonly mayHaveOthers: boolean
}

const PROTOCOLS = ['TCP', 'UDP', 'SCTP'] as const

/** One container, of any of the three lists. */
export function checkContainer(container: Part, parts: PodParts, isInit: boolean): void {
  container.name('name', checkDnsLabel)
  const image = container.text('image')
  if (image === '') container.required('image')
  else if (image !== image.trim()) container.invalid('image', 'must not have leading or trailing whitespace')
  container.oneOf('imagePullPolicy', ['Always', 'IfNotPresent', 'Never'])
  container.oneOf('terminationMessagePolicy', ['File', 'FallbackToLogsOnError'])
  checkPorts(container)
  for (const variable of container.parts('env')) checkVariable(variable)
  for (const source of container.parts('envFrom')) checkEnvSource(source)
  checkMounts(container, parts)
  checkResources(container.part('resources'))
  checkProbes(container, isInit)
  if (isInit) {
    const policy = container.text('restartPolicy')
    if (policy !== '' && policy !== 'Always') {
      container.problems.push(notSupported(container.place('restartPolicy'), policy, ['Always']))
    }
  }
}

function checkPorts(container: Part): void {
  const names = new Set<string>()
  for (const port of container.parts('ports')) {
    const name = port.text('name')
    if (name !== '') {
      for (const because of checkPortName(name)) port.invalid('name', because)
      if (names.has(name)) port.problems.push(duplicate(port.place('name'), name))
      names.add(name)
    }
    if (!port.number('containerPort')) port.required('containerPort')
    else port.between('containerPort', 1, 65_535)
    if (port.number('hostPort')) port.between('hostPort', 1, 65_535)
    port.oneOf('protocol', PROTOCOLS, true)
  }
}

function checkVariable(variable: Part): void {
  variable.name('name', checkEnvName)
  if (!variable.has('valueFrom')) return
  const source = variable.part('valueFrom')
  if (variable.text('value') !== '') source.invalid('', 'may not be specified when `value` is not empty', '')
  const given = ['fieldRef', 'resourceFieldRef', 'configMapKeyRef', 'secretKeyRef', 'fileKeyRef'].filter((name) =>
    source.has(name),
  )
  if (given.length === 0) {
    source.invalid('', 'must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`', '')
  } else if (given.length > 1) source.invalid('', 'may not have more than one field specified at a time', '')
  for (const name of ['configMapKeyRef', 'secretKeyRef']) {
    if (!source.has(name)) continue
    const reference = source.part(name)
    if (reference.text('name') === '') reference.required('name')
    reference.name('key', checkConfigKey)
  }
  if (source.has('fieldRef') && source.part('fieldRef').text('fieldPath') === '') {
    source.part('fieldRef').required('fieldPath')
  }
  if (source.has('resourceFieldRef') && source.part('resourceFieldRef').text('resource') === '') {
    source.part('resourceFieldRef').required('resource')
  }
}

function checkEnvSource(source: Part): void {
  source.name('prefix', checkEnvName, false)
  const given = ['configMapRef', 'secretRef'].filter((name) => source.has(name))
  if (given.length === 0) source.invalid('', 'must specify one of: `configMapRef` or `secretRef`', '')
  if (given.length > 1) source.invalid('', 'may not have more than one field specified at a time', '')
  for (const name of given) if (source.part(name).text('name') === '') source.part(name).required('name')
}

function checkMounts(container: Part, { volumes, mayHaveOthers }: PodParts): void {
  const paths = new Set<string>()
  for (const mount of container.parts('volumeMounts')) {
    const name = mount.text('name')
    if (name === '') mount.required('name')
    else if (!volumes.has(name) && !mayHaveOthers) mount.problems.push(notFound(mount.place('name'), name))
    const path = mount.text('mountPath')
    if (path === '') mount.required('mountPath')
    else if (paths.has(path)) mount.invalid('mountPath', 'must be unique')
    paths.add(path)
    if (mount.text('subPath') !== '' && mount.text('subPathExpr') !== '') {
      mount.invalid('subPathExpr', 'subPathExpr and subPath are mutually exclusive')
    }
    checkSubPath(mount, 'subPath')
    checkSubPath(mount, 'subPathExpr')
    mount.oneOf('mountPropagation', ['None', 'Bidirectional', 'HostToContainer'])
  }
  for (const device of container.parts('volumeDevices')) {
    device.name('name', () => [])
    device.name('devicePath', () => [])
  }
}

/** A path below a volume, which must not lead out of it. */
export function checkSubPath(part: Part, name: string): void {
  const path = part.text(name)
  if (path.startsWith('/')) part.invalid(name, 'must be a relative path')
  if (path.split('/').includes('..')) part.invalid(name, "must not contain '..'")
}

/** Requests and limits: named well, not negative, and nobody asks for more than the limit. */
export function checkResources(resources: Part): void {
  checkAmounts(resources, 'limits')
  checkAmounts(resources, 'requests')
  const limits = amountsIn(resources.fields['limits'])
  for (const [name, request] of amountsIn(resources.fields['requests'])) {
    const limit = limits.get(name)
    if (limit && compareQuantity(request, limit) > 0) {
      const text = fieldsOf(resources.fields['limits'])[name]
      resources.invalid(
        'requests',
        `must be less than or equal to ${name} limit of ${plainText(text)}`,
        fieldsOf(resources.fields['requests'])[name],
      )
    }
  }
}

const probes = ['livenessProbe', 'readinessProbe', 'startupProbe'] as const

function checkProbes(container: Part, isInit: boolean): void {
  const isSidecar = container.text('restartPolicy') === 'Always'
  for (const name of probes) {
    if (!container.has(name)) continue
    if (isInit && !isSidecar)
      container.forbidden(name, 'may not be set for init containers without restartPolicy=Always')
    else checkProbe(container.part(name), name)
  }
  if (!container.has('lifecycle')) return
  const lifecycle = container.part('lifecycle')
  if (isInit && !isSidecar) {
    container.forbidden('lifecycle', 'may not be set for init containers without restartPolicy=Always')
    return
  }
  for (const name of ['postStart', 'preStop']) {
    if (lifecycle.has(name)) checkHandler(lifecycle.part(name), ['exec', 'httpGet', 'tcpSocket', 'sleep'])
  }
}

function checkProbe(probe: Part, name: string): void {
  checkHandler(probe, ['exec', 'httpGet', 'tcpSocket', 'grpc'])
  probe.notNegative('initialDelaySeconds', 'timeoutSeconds', 'periodSeconds', 'successThreshold', 'failureThreshold')
  probe.positive('terminationGracePeriodSeconds')
  if (name !== 'readinessProbe' && (probe.number('successThreshold') ?? 1) !== 1) {
    probe.invalid('successThreshold', 'must be 1')
  }
  if (name === 'readinessProbe' && probe.has('terminationGracePeriodSeconds')) {
    probe.invalid('terminationGracePeriodSeconds', 'must not be set for readinessProbes')
  }
}

function checkHandler(handler: Part, kinds: readonly string[]): void {
  const given = kinds.filter((kind) => handler.has(kind))
  if (given.length === 0) handler.required('', 'must specify a handler type')
  for (const kind of given.slice(1)) handler.forbidden(kind, 'may not specify more than 1 handler type')
  for (const kind of given.slice(0, 1)) {
    const action = handler.part(kind)
    if (kind === 'exec' && action.list('command').length === 0) action.required('command')
    if (kind === 'httpGet') {
      if (action.text('path') === '') action.required('path')
      action.oneOf('scheme', ['HTTP', 'HTTPS'])
      for (const header of action.parts('httpHeaders')) {
        if (!/^[-A-Za-z0-9]+$/.test(header.text('name'))) {
          header.invalid(
            'name',
            "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name')",
          )
        }
      }
    }
    if (kind === 'httpGet' || kind === 'tcpSocket' || kind === 'grpc') checkPort(action, 'port', checkPortName)
  }
}
