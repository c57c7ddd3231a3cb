import { isObject } from '../../lib/json.ts'
import { withChanges } from '../../kube/schema/prune.ts'
import type { Schema } from '../../kube/schema/schema.ts'

/**
 * The fields whose zero Kubernetes does not keep: `tty: false`, `value: ""`, `initialDelaySeconds: 0`. A field that can tell
 * zero from nothing (a pointer in Go) is not among them. Facts of the API types of Kubernetes 1.34, by definition.
 */
const FACTS = `
admissionregistration.v1.ParamKind apiVersion,kind
admissionregistration.v1.Validation message,messageExpression
admissionregistration.v1.ValidatingAdmissionPolicyBindingSpec policyName
admissionregistration.v1.ParamRef name,namespace
admissionregistration.v1.MutatingAdmissionPolicySpec reinvocationPolicy
admissionregistration.v1.ApplyConfiguration expression
admissionregistration.v1.JSONPatch expression
admissionregistration.v1.MutatingAdmissionPolicyBindingSpec policyName
apps.v1.StatefulSetUpdateStrategy type
apps.v1.StatefulSetPersistentVolumeClaimRetentionPolicy whenDeleted,whenScaled
apps.v1.StatefulSetSpec podManagementPolicy,minReadySeconds
apps.v1.DeploymentSpec minReadySeconds,paused
apps.v1.DeploymentStrategy type
apps.v1.DaemonSetUpdateStrategy type
apps.v1.DaemonSetSpec minReadySeconds
apps.v1.ReplicaSetSpec minReadySeconds
autoscaling.v1.CrossVersionObjectReference apiVersion
autoscaling.v1.ScaleSpec replicas
autoscaling.v2.CrossVersionObjectReference apiVersion
batch.v1.CronJobSpec concurrencyPolicy
certificates.v1.CertificateSigningRequestSpec username,uid
certificates.v1.ClusterTrustBundleSpec signerName
core.v1.PersistentVolumeClaimVolumeSource readOnly
core.v1.PersistentVolumeSpec persistentVolumeReclaimPolicy,storageClassName
core.v1.PersistentVolumeClaimSpec volumeName
core.v1.EmptyDirVolumeSource medium
core.v1.GlusterfsVolumeSource readOnly
core.v1.GlusterfsPersistentVolumeSource readOnly
core.v1.RBDVolumeSource fsType,pool,user,keyring,readOnly
core.v1.RBDPersistentVolumeSource fsType,pool,user,keyring,readOnly
core.v1.CinderVolumeSource fsType,readOnly
core.v1.CinderPersistentVolumeSource fsType,readOnly
core.v1.CephFSVolumeSource path,user,secretFile,readOnly
core.v1.SecretReference name,namespace
core.v1.CephFSPersistentVolumeSource path,user,secretFile,readOnly
core.v1.FlockerVolumeSource datasetName,datasetUUID
core.v1.GCEPersistentDiskVolumeSource fsType,partition,readOnly
core.v1.QuobyteVolumeSource readOnly,user,group,tenant
core.v1.FlexPersistentVolumeSource fsType,readOnly
core.v1.FlexVolumeSource fsType,readOnly
core.v1.AWSElasticBlockStoreVolumeSource fsType,partition,readOnly
core.v1.GitRepoVolumeSource revision,directory
core.v1.SecretVolumeSource secretName
core.v1.NFSVolumeSource readOnly
core.v1.ISCSIVolumeSource iscsiInterface,fsType,readOnly,chapAuthDiscovery,chapAuthSession
core.v1.ISCSIPersistentVolumeSource iscsiInterface,fsType,readOnly,chapAuthDiscovery,chapAuthSession
core.v1.FCVolumeSource fsType,readOnly
core.v1.AzureFileVolumeSource readOnly
core.v1.AzureFilePersistentVolumeSource readOnly
core.v1.VsphereVirtualDiskVolumeSource fsType,storagePolicyName,storagePolicyID
core.v1.PhotonPersistentDiskVolumeSource fsType
core.v1.PortworxVolumeSource fsType,readOnly
core.v1.ScaleIOVolumeSource sslEnabled,protectionDomain,storagePool,storageMode,volumeName,fsType,readOnly
core.v1.ScaleIOPersistentVolumeSource sslEnabled,protectionDomain,storagePool,storageMode,volumeName,fsType,readOnly
core.v1.StorageOSVolumeSource volumeName,volumeNamespace,fsType,readOnly
core.v1.StorageOSPersistentVolumeSource volumeName,volumeNamespace,fsType,readOnly
core.v1.ServiceAccountTokenProjection audience
core.v1.PodCertificateProjection signerName,keyType,credentialBundlePath,keyPath,certificateChainPath
core.v1.CSIPersistentVolumeSource readOnly,fsType
core.v1.ContainerPort name,hostPort,protocol,hostIP
core.v1.VolumeMount readOnly,subPath,subPathExpr
core.v1.EnvVar value
core.v1.ObjectFieldSelector apiVersion
core.v1.ResourceFieldSelector containerName
core.v1.EnvFromSource prefix
core.v1.HTTPGetAction path,host,scheme
core.v1.TCPSocketAction host
core.v1.Probe initialDelaySeconds,timeoutSeconds,periodSeconds,successThreshold,failureThreshold
core.v1.ResourceClaim request
core.v1.Container image,workingDir,terminationMessagePath,terminationMessagePolicy,imagePullPolicy,stdin,stdinOnce,tty
core.v1.ContainerRestartRule action
core.v1.ContainerRestartRuleOnExitCodes operator
core.v1.Taint value
core.v1.Toleration key,operator,value,effect
core.v1.PodSpec restartPolicy,dnsPolicy,serviceAccountName,serviceAccount,nodeName,hostNetwork,hostPID,hostIPC,hostname,subdomain,schedulerName,priorityClassName
core.v1.PodDNSConfigOption name
core.v1.EphemeralContainer targetContainerName,image,workingDir,terminationMessagePath,terminationMessagePolicy,imagePullPolicy,stdin,stdinOnce,tty
core.v1.ReplicationControllerSpec minReadySeconds
core.v1.ServiceSpec clusterIP,type,sessionAffinity,loadBalancerIP,externalName,externalTrafficPolicy,healthCheckNodePort,publishNotReadyAddresses
core.v1.ServicePort name,protocol,nodePort
core.v1.EndpointAddress hostname
core.v1.EndpointPort name,protocol
core.v1.NodeSpec podCIDR,providerID,unschedulable,externalID
core.v1.ConfigMapNodeConfigSource uid,resourceVersion
core.v1.ObjectReference kind,namespace,name,uid,apiVersion,resourceVersion,fieldPath
core.v1.LocalObjectReference name
core.v1.Secret type
core.v1.ImageVolumeSource reference,pullPolicy
flowcontrol.v1.ResourcePolicyRule clusterScope
networking.v1.IngressTLS secretName
networking.v1.IngressRule host
networking.v1.HTTPIngressPath path
networking.v1.ServiceBackendPort name,number
networking.v1.IngressClassSpec controller
networking.v1.ParentReference group,resource,namespace,name
rbac.v1.Subject apiGroup,namespace
scheduling.v1.PriorityClass globalDefault,description
apiextensions.v1.CustomResourceDefinitionSpec preserveUnknownFields
apiextensions.v1.CustomResourceDefinitionVersion deprecated
apiextensions.v1.CustomResourceColumnDefinition format,description,priority
apiextensions.v1.CustomResourceDefinitionNames singular,listKind
apiextensions.v1.JSONSchemaProps id,description,type,format,title,exclusiveMaximum,exclusiveMinimum,pattern,uniqueItems,nullable
apiextensions.v1.ValidationRule message,messageExpression,fieldPath
apiextensions.v1.ExternalDocumentation description,url
`

const droppable: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  FACTS.trim()
    .split('\n')
    .map((line) => {
      const [name = '', fields = ''] = line.split(' ')
      return [name, new Set(fields.split(','))]
    }),
)

/** `io.k8s.api.core.v1.Container` -> `core.v1.Container`. */
const shortName = (definition: string): string => definition.split('.').slice(-3).join('.')

type Dropper = (value: unknown) => unknown

/** A built-in object without the zeroes that its API server would not keep; the same reference when it has none. */
export function withoutZeroes<T>(object: T, schema: Schema): T {
  return dropperOf(schema)(object) as T // only fields are left out
}

const droppers = new WeakMap<Schema, Dropper>()

function dropperOf(schema: Schema): Dropper {
  const known = droppers.get(schema)
  if (known) return known
  const made = compile(schema)
  droppers.set(schema, made)
  return made
}

function compile(schema: Schema): Dropper {
  if (schema.type === 'array' && schema.items) return dropInList(schema.items)
  if (schema.properties) return dropInObject(schema, schema.properties)
  if (schema.type === 'object' && isObject(schema.additionalProperties)) return dropInMap(schema.additionalProperties)
  return (value) => value
}

function dropInList(items: Schema): Dropper {
  return (value) => {
    if (!Array.isArray(value)) return value
    const drop = dropperOf(items)
    let copy: unknown[] | undefined
    for (let index = 0; index < value.length; index++) {
      const before: unknown = value[index]
      const after = drop(before)
      if (after !== before) (copy ??= [...(value as readonly unknown[])])[index] = after
    }
    return copy ?? value
  }
}

function dropInMap(below: Schema): Dropper {
  return (value) => {
    if (!isObject(value)) return value
    const drop = dropperOf(below)
    const changes = new Map<string, unknown>()
    for (const name in value) {
      const after = drop(value[name])
      if (after !== value[name]) changes.set(name, after)
    }
    return changes.size > 0 ? withChanges(value, changes) : value
  }
}

const isZero = (value: unknown): boolean => value === '' || value === 0 || value === false

function dropInObject(schema: Schema, properties: ReadonlyMap<string, Schema>): Dropper {
  const fields = schema.definition === undefined ? undefined : droppable.get(shortName(schema.definition))
  return (value) => {
    if (!isObject(value)) return value
    let changes: Map<string, unknown> | undefined
    for (const name in value) {
      const before = value[name]
      const node = properties.get(name)
      let after = before
      if (isZero(before)) {
        if (fields?.has(name)) after = undefined
      } else if (node && typeof before === 'object') {
        after = dropperOf(node)(before)
      }
      if (after !== before) changes = (changes ?? new Map<string, unknown>()).set(name, after)
    }
    return changes ? withChanges(value, changes) : value
  }
}
