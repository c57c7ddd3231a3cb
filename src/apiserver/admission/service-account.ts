import type { AdmissionPlugin } from '../../kube/admission.ts'
import type { KubeObject } from '../../kube/object.ts'
import { type Container, type PodSpec, podSpecOf } from '../../kube/pod.ts'
import type { Ids } from '../../lib/ids.ts'
import type { ClusterReader } from './cluster-reader.ts'
import { forbidden, isAbout } from './denials.ts'

/** Where containers find their token, certificate and namespace. */
export const TOKEN_MOUNT_PATH = '/var/run/secrets/kubernetes.io/serviceaccount'
const TOKEN_SECONDS = 3607

/** Gives every Pod a ServiceAccount that exists, and its containers a token for it. */
export function serviceAccount(reader: ClusterReader, ids: Ids): AdmissionPlugin {
  return {
    name: 'ServiceAccount',
    handles: (request) => request.operation === 'CREATE' && isAbout(request, 'pods'),
    mutate(request) {
      const { object, namespace = '' } = request
      if (!object) return Promise.resolve({ allowed: true })
      const name = podSpecOf(object).serviceAccountName || 'default'
      const account = reader.get('', 'serviceaccounts', { namespace, name })
      if (!account) {
        const because = `error looking up service account ${namespace}/${name}: serviceaccount ${JSON.stringify(name)} not found`
        return Promise.resolve({ allowed: false, status: forbidden(request, because) })
      }
      return Promise.resolve({
        allowed: true,
        object: withServiceAccount(object, account, `kube-api-access-${ids.suffix()}`),
      })
    },
  }
}

/** The Pod as its ServiceAccount wants it: named, with the account's pull secrets, and with a token unless told otherwise. */
export function withServiceAccount(pod: KubeObject, account: KubeObject, volumeName: string): KubeObject {
  const spec = podSpecOf(pod)
  const name = account.metadata.name ?? 'default'
  const named: PodSpec = { ...spec, serviceAccountName: name, serviceAccount: name }
  const pulls = account['imagePullSecrets']
  const withPulls =
    !spec.imagePullSecrets?.length && Array.isArray(pulls) && pulls.length > 0
      ? { ...named, imagePullSecrets: pulls as PodSpec['imagePullSecrets'] & object }
      : named
  const isWanted = spec.automountServiceAccountToken ?? account['automountServiceAccountToken'] !== false
  return { ...pod, spec: isWanted ? withToken(withPulls, volumeName) : withPulls }
}

const mountsToken = (container: Container): boolean =>
  container.volumeMounts?.some((mount) => mount.mountPath === TOKEN_MOUNT_PATH) ?? false

function withToken(spec: PodSpec, volumeName: string): PodSpec {
  const all = [...(spec.initContainers ?? []), ...(spec.containers ?? [])]
  if (all.every(mountsToken)) return spec
  const mount = { name: volumeName, readOnly: true, mountPath: TOKEN_MOUNT_PATH }
  const mounted = (containers: readonly Container[]): readonly Container[] =>
    containers.map((container) =>
      mountsToken(container) ? container : { ...container, volumeMounts: [...(container.volumeMounts ?? []), mount] },
    )
  return {
    ...spec,
    ...(spec.initContainers ? { initContainers: mounted(spec.initContainers) } : {}),
    containers: mounted(spec.containers ?? []),
    volumes: [...(spec.volumes ?? []), tokenVolume(volumeName)],
  }
}

function tokenVolume(name: string): NonNullable<PodSpec['volumes']>[number] {
  return {
    name,
    projected: {
      defaultMode: 0o644,
      sources: [
        { serviceAccountToken: { expirationSeconds: TOKEN_SECONDS, path: 'token' } },
        { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
        {
          downwardAPI: {
            items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }],
          },
        },
      ],
    },
  }
}
