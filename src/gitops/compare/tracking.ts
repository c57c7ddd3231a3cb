import { own } from '../../lib/json.ts'
import { parseApiVersion } from '../../kube/gvk.ts'
import type { KubeObject } from '../../kube/object.ts'
import type { ResourceKey } from './comparison.ts'

export type TrackingMethod = 'annotation' | 'label' | 'annotation+label'

/** How objects say which Application they belong to (argo-cd 3.x, util/argo/resource_tracking.go). */
export interface Tracking {
  readonly method: TrackingMethod
  /** The label's key; `app.kubernetes.io/instance` unless the settings say otherwise. */
  readonly labelKey: string
  /** Tells installations apart that share a cluster; '' when there is one. */
  readonly installationId: string
}

export const usualTracking: Tracking = {
  method: 'annotation',
  labelKey: 'app.kubernetes.io/instance',
  installationId: '',
}

export const TRACKING_ID = 'argocd.argoproj.io/tracking-id'
export const INSTALLATION_ID = 'argocd.argoproj.io/installation-id'
const LABEL_LIMIT = 63

/** An object's identity. */
export function keyOf(object: KubeObject): ResourceKey {
  return {
    group: parseApiVersion(object.apiVersion).group,
    kind: object.kind,
    namespace: object.metadata.namespace ?? '',
    name: object.metadata.name ?? '',
  }
}

/** What a tracking annotation says: the Application, and which object was meant. */
export interface TrackingId extends ResourceKey {
  readonly application: string
}

/** `app:group/Kind:namespace/name`. */
export function trackingText({ application, group, kind, namespace, name }: TrackingId): string {
  return `${application}:${group}/${kind}:${namespace}/${name}`
}

/** Reads a tracking annotation; undefined when it is not one. */
export function parseTrackingId(text: string): TrackingId | undefined {
  const [application = '', groupKind, rest] = splitInThree(text)
  if (groupKind === undefined || rest === undefined) return undefined
  const [group, kind, ...moreKinds] = groupKind.split('/')
  const [namespace, name, ...moreNames] = rest.split('/')
  if (group === undefined || kind === undefined || namespace === undefined || name === undefined) return undefined
  return moreKinds.length + moreNames.length > 0 ? undefined : { application, group, kind, namespace, name }
}

/** Names of some kinds hold colons: only the first two separate. */
function splitInThree(text: string): readonly string[] {
  const first = text.indexOf(':')
  const second = first < 0 ? -1 : text.indexOf(':', first + 1)
  return second < 0 ? [text] : [text.slice(0, first), text.slice(first + 1, second), text.slice(second + 1)]
}

const annotationOf = (object: KubeObject, name: string): string | undefined =>
  object.metadata.annotations ? own(object.metadata.annotations, name) : undefined

const labelOf = (object: KubeObject, name: string): string | undefined =>
  object.metadata.labels ? own(object.metadata.labels, name) : undefined

/** The tracking annotation of an object, when this installation wrote it. */
export function trackingIdOf(object: KubeObject, { installationId }: Tracking): TrackingId | undefined {
  if (installationId !== '' && annotationOf(object, INSTALLATION_ID) !== installationId) return undefined
  const text = annotationOf(object, TRACKING_ID)
  return typeof text === 'string' ? parseTrackingId(text) : undefined
}

/** The instance name of the Application that an object says it belongs to; '' when it does not say. */
export function applicationOf(object: KubeObject, tracking: Tracking): string {
  if (tracking.method === 'label') return labelOf(object, tracking.labelKey) ?? ''
  return trackingIdOf(object, tracking)?.application ?? ''
}

/** How an Application is named by its objects: `namespace_name` when it lives outside of the control namespace. */
export function instanceName(application: KubeObject, controlNamespace: string): string {
  const { namespace = '', name = '' } = application.metadata
  return namespace === '' || namespace === controlNamespace ? name : `${namespace}_${name}`
}

/** The target with the marks that say whose it is. */
export function withTracking(
  target: KubeObject,
  application: string,
  namespace: string,
  tracking: Tracking,
): KubeObject {
  const { metadata } = target
  const labels: Record<string, string> = { ...metadata.labels }
  const annotations: Record<string, string> = { ...metadata.annotations }
  if (tracking.method !== 'annotation') {
    labels[tracking.labelKey] = tracking.method === 'label' ? application : labelValue(application)
  }
  if (tracking.method !== 'label') {
    const key = keyOf(target)
    annotations[TRACKING_ID] = trackingText({ ...key, namespace: key.namespace || namespace, application })
    if (tracking.installationId === '') delete annotations[INSTALLATION_ID]
    else annotations[INSTALLATION_ID] = tracking.installationId
  }
  return {
    ...target,
    metadata: {
      ...metadata,
      ...(Object.keys(labels).length > 0 ? { labels } : {}),
      ...(Object.keys(annotations).length > 0 ? { annotations } : {}),
    },
  }
}

/** A name as a label takes it: cut, and ending in a letter or digit. */
const labelValue = (name: string): string =>
  name.length <= LABEL_LIMIT ? name : name.slice(0, LABEL_LIMIT).replace(/[^A-Za-z0-9]+$/, '')

/**
 * Tells whether an object is what its annotation speaks of. A controller that copies annotations from an object to its
 * children marks them with their parent's identity: those do not belong to the Application.
 */
export function isSelfReferenced(
  live: KubeObject | undefined,
  target: KubeObject | undefined,
  tracking: Tracking,
): boolean {
  if (!live || tracking.method === 'label') return true
  // What Git has is meant, whatever the live annotation says: only names must agree.
  if (target) {
    const [a, b] = [keyOf(live), keyOf(target)]
    if (a.name === b.name && a.group === b.group && a.kind === b.kind) return true
  }
  const id = trackingIdOf(live, tracking)
  if (!id) return true
  const key = keyOf(live)
  return (
    (id.namespace === key.namespace || key.namespace === '') &&
    id.name === key.name &&
    id.group === key.group &&
    id.kind === key.kind
  )
}

/**
 * The live object as it would be marked, for one that still carries only the label of an older tracking method: changing the
 * method makes nothing differ.
 */
export function withMigratedTracking(live: KubeObject, target: KubeObject, tracking: Tracking): KubeObject {
  if (tracking.method === 'label') return live
  const label = labelOf(live, tracking.labelKey)
  if (label === undefined || label === '' || live.kind === 'CustomResourceDefinition') return live
  const wanted = annotationOf(target, TRACKING_ID)
  const lacksId = annotationOf(live, TRACKING_ID) === undefined && wanted !== undefined
  const dropsLabel = labelOf(target, tracking.labelKey) === undefined
  if (!lacksId && !dropsLabel) return live
  const { [tracking.labelKey]: _, ...labels } = live.metadata.labels ?? {}
  return {
    ...live,
    metadata: {
      ...live.metadata,
      labels: dropsLabel ? labels : (live.metadata.labels ?? {}),
      annotations: { ...live.metadata.annotations, ...(lacksId ? { [TRACKING_ID]: wanted } : {}) },
    },
  }
}
