import { type Check, type CheckTable, firstOf, forKinds, health, healthy, progressing, suspended } from '../notation.ts'
import { at, conditionsOf, type Fields, shown } from '../reading.ts'
import type { HealthStatus } from '../status.ts'

interface Toolkit {
  /** The value of Ready that stands for work under way. */
  readonly going?: 'Unknown' | 'False'
  /** Reasons of Reconciling that count; all of them when absent. */
  readonly reasons?: readonly string[]
  /** Conditions beside Ready that must be true, any of them. */
  readonly also?: readonly string[]
}

/** Work is under way when both Ready and Reconciling say so; it is done when Ready, and one of `also`, are true. */
function toolkit({ going = 'Unknown', reasons, also = [] }: Toolkit): Check {
  const wanted = also.length > 0 ? 2 : 1
  return (object) => {
    if (at(object, 'status.conditions') === undefined) return progressing('Status unknown')
    let atWork = 0
    let done = 0
    let message: string | undefined = ''
    for (const { type = '', status, reason } of conditionsOf(object)) {
      if (type === 'Ready') {
        if (status === 'True') done++
        else if (status === going) atWork++
        message = reason
      } else if (status !== 'True') {
        continue
      } else if (type === 'Reconciling') {
        if (!reasons || reasons.includes(shown(reason))) atWork++
      } else if (type === 'ArtifactOutdated' && also.includes('ArtifactInStorage')) {
        message = `${shown(message)} ${shown(reason)}`
      } else if (also.includes(type)) {
        done++
      }
    }
    if (atWork === 2) return progressing(message)
    return health(done === wanted ? 'Healthy' : 'Degraded', message)
  }
}

/** A reconciler that its user stopped. */
function suspension(object: Fields): HealthStatus | undefined {
  return at(object, 'spec.suspend') === true ? suspended(`${shown(object['kind'])} is suspended`) : undefined
}

/** Repositories in registries have no status at all. */
function registryHealth(object: Fields): HealthStatus | undefined {
  return at(object, 'spec.type') === 'oci'
    ? healthy("Helm repositories of type 'oci' do not contain any information in the status.")
    : undefined
}

function receiverHealth(object: Fields): HealthStatus {
  if (at(object, 'status.conditions') === undefined) return progressing('Status unknown')
  const ready = conditionsOf(object).filter(({ type }) => type === 'Ready')
  const isGood = ready.filter(({ status }) => status === 'True').length === 1
  return health(isGood ? 'Healthy' : 'Degraded', ready.length > 0 ? ready.at(-1)?.reason : '')
}

const source = toolkit({ also: ['ArtifactInStorage'] })

/** Flux's kinds. */
export const fluxChecks: CheckTable = {
  'helm.toolkit.fluxcd.io/HelmRelease': firstOf(suspension, toolkit({ also: ['Released', 'TestSuccess'] })),
  'image.toolkit.fluxcd.io/ImagePolicy': toolkit({
    going: 'False',
    reasons: ['NewGeneration', 'AccessingRepository', 'ApplyingPolicy'],
  }),
  'image.toolkit.fluxcd.io/ImageRepository': firstOf(
    suspension,
    toolkit({ going: 'False', reasons: ['NewGeneration', 'Scanning'] }),
  ),
  'image.toolkit.fluxcd.io/ImageUpdateAutomation': firstOf(suspension, toolkit({})),
  'kustomize.toolkit.fluxcd.io/Kustomization': firstOf(suspension, toolkit({})),
  'notification.toolkit.fluxcd.io/Receiver': firstOf(suspension, receiverHealth),
  ...forKinds('source.toolkit.fluxcd.io', ['Bucket', 'GitRepository', 'HelmChart', 'OCIRepository'], () =>
    firstOf(suspension, source),
  ),
  'source.toolkit.fluxcd.io/HelmRepository': firstOf(suspension, registryHealth, source),
}
