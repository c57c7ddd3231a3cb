import type { KeyObject } from 'node:crypto'
import type { Client } from '../../kube/client.ts'
import type { KubeObject } from '../../kube/object.ts'
import { controllerReference } from '../../kube/owner.ts'
import { type ApiResult, failure } from '../../kube/status.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Ids } from '../../lib/ids.ts'
import type { Log } from '../../lib/log.ts'
import type { EventNote, EventRecorder } from '../../runtime/event-recorder.ts'
import { keystoresOf } from '../keystore/keystores.ts'
import { annotation, type Certificate, certificateRequests, certificates, GROUP, label, secrets } from '../objects.ts'
import { encodePrivateKey, generateKey, readPrivateKey } from '../x509/keys.ts'
import { makeRequest } from '../x509/request.ts'
import { said } from './checks.ts'
import { secretBody } from './secret-body.ts'
import { SECRET_MANAGER } from './secret-checks.ts'
import type { Step } from './step.ts'
import { temporaryCertificate } from './temporary.ts'
import { wantedRequest, wantedSignature } from './wanted.ts'

/** What steps are done with. */
export interface ApplyPorts {
  readonly client: Client
  readonly clock: Clock
  readonly events: EventRecorder
  readonly ids: Ids
  /** Waits until the caches have seen what was written. */
  readonly seen: (written: KubeObject, signal: AbortSignal) => Promise<void>
}

const KIND = { group: GROUP, version: 'v1', kind: 'Certificate' }

/** Does the steps in their order until one is refused; answers the refusal. */
export async function applySteps(
  certificate: Certificate,
  steps: readonly Step[],
  ports: ApplyPorts,
  { log, signal }: { readonly log: Log; readonly signal: AbortSignal },
): Promise<ApiResult<undefined>> {
  // Keys that were made in this turn: caches may not have them yet.
  const keys = new Map<string, KeyObject>()
  for (const step of steps) {
    log.debug('a step of a Certificate', { do: step.do, because: step.because })
    const done = await applyStep(certificate, step, keys, { ...ports, signal })
    if (!done.ok && !(done.error.reason === 'NotFound' && step.do.startsWith('delete-'))) {
      // That somebody else was faster, or took the Certificate away, is no news.
      if (!quiet.includes(done.error.reason)) ports.events.note(certificate, refusal(step, done.error.message))
      return done
    }
    if (step.note) ports.events.note(certificate, step.note)
    if (done.ok && done.value) await ports.seen(done.value, signal)
  }
  return { ok: true, value: undefined }
}

const quiet: readonly string[] = ['Conflict', 'NotFound']

const refusal = (step: Step, because: string): EventNote => ({
  type: 'Warning',
  reason: step.do === 'create-request' ? 'RequestFailed' : 'IssuingFailed',
  message: `cannot ${words[step.do]}: ${because}`,
})

const words: Readonly<Record<Step['do'], string>> = {
  note: 'tell',
  'set-status': 'write the status',
  'delete-secret': 'delete a Secret with an unused key',
  'delete-request': 'delete a CertificateRequest',
  'create-key': 'write a Secret with a new key',
  'create-request': 'create a CertificateRequest',
  'write-secret': 'write the Secret',
  'write-temporary': 'write the Secret with a temporary certificate',
}

type Ports = ApplyPorts & { readonly signal: AbortSignal }

async function applyStep(
  certificate: Certificate,
  step: Step,
  keys: Map<string, KeyObject>,
  ports: Ports,
): Promise<ApiResult<KubeObject | undefined>> {
  const { client, signal } = ports
  const namespace = certificate.metadata.namespace ?? ''
  const gone = async (resource: typeof secrets, name: string): Promise<ApiResult<undefined>> => {
    const deleted = await client.delete({ resource, namespace, name }, { signal })
    return deleted.ok ? { ok: true, value: undefined } : deleted
  }
  switch (step.do) {
    case 'note':
      return { ok: true, value: undefined }
    case 'set-status': {
      const target = { resource: certificates, namespace, name: certificate.metadata.name ?? '' }
      return client.update({ ...target, subresource: 'status' }, { ...certificate, status: step.status }, { signal })
    }
    case 'delete-secret':
      return gone(secrets, step.name)
    case 'delete-request':
      return gone(certificateRequests, step.name)
    case 'create-key': {
      const made = step.pem === undefined ? await generateKey(step.wanted) : undefined
      if (made) keys.set(step.name, made)
      const pem = step.pem ?? (made ? encodePrivateKey(made, 'PKCS8') : '')
      return client.create({ resource: secrets, namespace }, keySecret(certificate, step.name, pem), { signal })
    }
    case 'create-request':
      return createRequest(certificate, step, keyOfStep(step, keys), ports)
    case 'write-secret': {
      const body = secretBody({
        ...step.secret,
        keystores: keystoresOf(step.secret, {
          nowMs: ports.clock.now(),
          bytes: (count) => ports.ids.bytes(count),
        }),
      })
      return applySecret(body, ports)
    }
    case 'write-temporary':
      return writeTemporary(certificate, step, ports)
  }
}

/** The key of a request: one that was there, else the one that was made in this turn. */
function keyOfStep(
  { pem, keySecret: name }: Extract<Step, { readonly do: 'create-request' }>,
  made: ReadonlyMap<string, KeyObject>,
): KeyObject | undefined {
  const read = pem === undefined ? undefined : readPrivateKey(pem)
  return read?.ok ? read.value : made.get(name)
}

async function createRequest(
  certificate: Certificate,
  step: Extract<Step, { readonly do: 'create-request' }>,
  key: KeyObject | undefined,
  { client, signal }: Ports,
): Promise<ApiResult<KubeObject>> {
  // The next turn finds the key in the cache.
  if (!key) return { ok: false, error: failure('Conflict', 'the key of the request is not there yet') }
  const object = await requestObject(certificate, step, key)
  if (!object.ok) return object
  const namespace = certificate.metadata.namespace ?? ''
  return client.create({ resource: certificateRequests, namespace }, object.value, { signal })
}

async function writeTemporary(
  certificate: Certificate,
  step: Extract<Step, { readonly do: 'write-temporary' }>,
  ports: Ports,
): Promise<ApiResult<KubeObject>> {
  const made = await temporaryCertificate(certificate.spec, step.material.key, ports.clock.now())
  if (!made.ok) return { ok: false, error: failure('Invalid', said(made.error)) }
  const { pem, leaf } = made.value
  const body = secretBody({
    certificate,
    leaf,
    material: { ...step.material, certificate: pem },
    provenance: { certificateName: certificate.metadata.name ?? '' },
    ...(step.type === undefined ? {} : { type: step.type }),
    keystores: new Map(),
  })
  return applySecret(body, ports)
}

/** One write: the key, its certificate and all that is made of them are there together, or none of them is. */
const applySecret = (body: KubeObject, { client, signal }: Ports): Promise<ApiResult<KubeObject>> =>
  client.patch(
    { resource: secrets, namespace: body.metadata.namespace ?? '', name: body.metadata.name ?? '' },
    { type: 'apply', body },
    { fieldManager: SECRET_MANAGER, force: true, signal },
  )

const keySecret = (certificate: Certificate, name: string, pem: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: {
    name,
    namespace: certificate.metadata.namespace ?? '',
    labels: { [label.nextPrivateKey]: 'true', [label.ours]: 'true' },
    ownerReferences: [controllerReference(certificate, KIND)],
  },
  type: 'Opaque',
  data: { 'tls.key': Buffer.from(pem).toString('base64') },
})

/** Annotations that say how an object was applied belong to it alone. */
const NOT_COPIED = ['kubectl.kubernetes.io/', 'fluxcd.io/', 'argocd.argoproj.io/']

async function requestObject(
  certificate: Certificate,
  { name, revision, keySecret: secret }: Extract<Step, { readonly do: 'create-request' }>,
  key: KeyObject,
): Promise<ApiResult<KubeObject>> {
  const { spec, metadata } = certificate
  const wanted = wantedRequest(spec)
  const algorithm = wantedSignature(spec, key)
  if (!wanted.ok) return { ok: false, error: failure('Invalid', said(wanted.error)) }
  if (!algorithm) {
    const message = `spec.signatureAlgorithm ${JSON.stringify(spec.signatureAlgorithm)} does not fit the private key`
    return { ok: false, error: failure('Invalid', message) }
  }
  const pem = await makeRequest({ ...wanted.value, key, algorithm })
  const copied = Object.entries(metadata.annotations ?? {}).filter(
    ([each]) => !NOT_COPIED.some((prefix) => each.startsWith(prefix)),
  )
  return {
    ok: true,
    value: {
      apiVersion: certificate.apiVersion,
      kind: 'CertificateRequest',
      metadata: {
        name,
        namespace: metadata.namespace ?? '',
        ...(metadata.labels ? { labels: metadata.labels } : {}),
        annotations: {
          ...Object.fromEntries(copied),
          [annotation.revision]: String(revision),
          [annotation.privateKeySecret]: secret,
          [annotation.certificateName]: metadata.name ?? '',
        },
        ownerReferences: [controllerReference(certificate, KIND)],
      },
      spec: {
        ...(spec.duration === undefined ? {} : { duration: spec.duration }),
        issuerRef: spec.issuerRef,
        request: Buffer.from(pem).toString('base64'),
        ...(spec.isCA ? { isCA: true } : {}),
        ...(spec.usages ? { usages: spec.usages } : {}),
      },
    },
  }
}
