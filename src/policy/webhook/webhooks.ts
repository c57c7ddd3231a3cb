import type { AdmissionPlugin } from '../../kube/admission.ts'
import type { Client } from '../../kube/client.ts'
import type { KubeObject } from '../../kube/object.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Ids } from '../../lib/ids.ts'
import { isEqual } from '../../lib/json.ts'
import { describeError, type Log } from '../../lib/log.ts'
import type { Catalog } from '../catalog/policy-catalog.ts'
import type { PolicySettings } from '../settings/policy-settings.ts'
import { servingCertificate, webhookAuthority } from './certificates.ts'
import {
  MUTATING_NAME,
  POLICY_NAME,
  VALIDATING_NAME,
  webhookConfigurations,
  type WebhookPlace,
} from './configurations.ts'
import { type Judge, serveWebhooks } from './server.ts'

/** Where the webhooks listen, how the API server finds them, and what they keep. */
export interface WebhookPorts {
  readonly client: Client
  readonly host: string
  readonly port: number
  /** How the API server reaches them, without a slash at its end; by default the address that they listen on. */
  readonly url?: string
  readonly stateFolder: string
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Log
  /** Told once they answer. */
  readonly onReady: (url: string) => void
}

/** Who judges what the webhooks are asked. */
export interface WebhookPolicies {
  readonly catalog: () => Catalog
  readonly settings: () => PolicySettings
  /** Judges by the policies that fail, or are ignored, when they cannot be asked. */
  readonly judging: Readonly<Record<'Fail' | 'Ignore', AdmissionPlugin>>
  /** Judges policies themselves. */
  readonly policies: AdmissionPlugin
}

const GROUP = { group: 'admissionregistration.k8s.io', version: 'v1' }
const validating = { resource: { ...GROUP, plural: 'validatingwebhookconfigurations' } }
const mutating = { resource: { ...GROUP, plural: 'mutatingwebhookconfigurations' } }
const kept = [
  { ...validating, name: POLICY_NAME },
  { ...validating, name: VALIDATING_NAME },
  { ...mutating, name: MUTATING_NAME },
]

const LOOK_EVERY_MS = 200
const RETRY_MS = 1_000
/** So often everything is compared with the cluster: new kinds are served, somebody has changed what we wrote. */
const RENEW_EVERY_MS = 30_000
const REMOVE_WITHIN_MS = 5_000

/** Answers the API server's questions until the signal is aborted, then takes the configurations away first. */
export async function runWebhooks(policies: WebhookPolicies, ports: WebhookPorts, signal: AbortSignal): Promise<void> {
  const { host, port, clock, log, stateFolder } = ports
  const authority = await webhookAuthority(stateFolder, ports)
  const named = ports.url === undefined ? [] : [new URL(ports.url).hostname.replace(/^\[|\]$/g, '')]
  const certificate = servingCertificate(authority, [...new Set([...named, host, 'localhost'])], ports)
  const server = await serveWebhooks({ host, port, certificate, judges: judgesOf(policies), clock, log })
  const url = ports.url ?? `https://${host.includes(':') ? `[${host}]` : host}:${server.port}`
  const place = { url, caBundle: Buffer.from(authority.cert).toString('base64') }
  try {
    ports.onReady(url)
    await keepConfigurations(policies, place, ports, signal)
  } finally {
    await removeConfigurations(place, ports)
    await server.close()
  }
}

function judgesOf({ judging, policies }: WebhookPolicies): ReadonlyMap<string, Judge> {
  const validates =
    (plugin: AdmissionPlugin): Judge =>
    async (request, signal) =>
      plugin.validate && plugin.handles(request) ? plugin.validate(request, signal) : { allowed: true }
  const mutates =
    (plugin: AdmissionPlugin): Judge =>
    async (request, signal) =>
      plugin.mutate && plugin.handles(request) ? plugin.mutate(request, signal) : { allowed: true }
  return new Map([
    ['/validate/fail', validates(judging.Fail)],
    ['/validate/ignore', validates(judging.Ignore)],
    ['/mutate/fail', mutates(judging.Fail)],
    ['/mutate/ignore', mutates(judging.Ignore)],
    ['/policy/validate', validates(policies)],
  ])
}

async function keepConfigurations(
  policies: WebhookPolicies,
  place: WebhookPlace,
  { client, clock, log }: WebhookPorts,
  signal: AbortSignal,
): Promise<void> {
  let seen: readonly unknown[] = []
  let renewAt = 0
  while (!signal.aborted) {
    let waitMs = LOOK_EVERY_MS
    const now: readonly unknown[] = [policies.catalog(), policies.settings()]
    const isChanged = now.some((value, at) => value !== seen[at])
    if (isChanged || clock.now() >= renewAt) {
      try {
        const served = await client.discover({ signal })
        // Rules that name nothing would let everything through.
        if (!served.ok) throw new Error(served.error.message)
        const { set } = policies.catalog()
        const settings = policies.settings()
        await write(
          webhookConfigurations({ policies: set.policies, served: served.value, settings, place }),
          client,
          signal,
        )
        seen = now
        renewAt = clock.now() + RENEW_EVERY_MS
      } catch (error) {
        waitMs = RETRY_MS
        if (!signal.aborted) log.warn('cannot write the webhook configurations', { because: describeError(error) })
      }
    }
    await clock.sleep(waitMs, { signal }).catch((error: unknown) => {
      if (!signal.aborted) throw error
    })
  }
}

/** Writes what differs, and takes away what no policy asks for any more. */
async function write(wanted: readonly KubeObject[], client: Client, signal: AbortSignal): Promise<void> {
  for (const target of kept) {
    const object = wanted.find(({ metadata }) => metadata.name === target.name)
    const found = await client.get(target, { signal })
    if (!found.ok && found.error.reason !== 'NotFound') throw new Error(found.error.message)
    if (found.ok && object && covers(found.value, object)) continue
    const answer =
      found.ok && object
        ? await client.update(target, withVersion(object, found.value), { signal })
        : object
          ? await client.create({ resource: target.resource }, object, { signal })
          : found.ok
            ? await client.delete(target, { signal })
            : undefined
    if (answer && !answer.ok && answer.error.reason !== 'NotFound') throw new Error(answer.error.message)
  }
}

const withVersion = (object: KubeObject, { metadata: { resourceVersion = '' } }: KubeObject): KubeObject => ({
  ...object,
  metadata: { ...object.metadata, resourceVersion },
})

/** What the server fills in does not count. */
function covers(live: KubeObject, { metadata, webhooks }: KubeObject): boolean {
  return (
    isEqual(live.metadata.labels, metadata.labels) &&
    isEqual(live.metadata.annotations ?? {}, metadata.annotations ?? {}) &&
    isEqual(withoutDefaults(live['webhooks']), withoutDefaults(webhooks))
  )
}

const withoutDefaults = (webhooks: unknown): unknown =>
  (Array.isArray(webhooks) ? (webhooks as readonly object[]) : []).map((webhook) => ({
    namespaceSelector: {},
    objectSelector: {},
    ...webhook,
  }))

/** A webhook that is gone would block the cluster: what leads here, and only that, is taken away. */
async function removeConfigurations(place: WebhookPlace, { client, clock, log }: WebhookPorts): Promise<void> {
  const limit = new AbortController()
  const cancel = clock.after(REMOVE_WITHIN_MS, () => limit.abort(new Error('it took too long')))
  const { signal } = limit
  for (const target of kept) {
    try {
      const found = await client.get(target, { signal })
      if (!found.ok || !leadsTo(found.value, place)) continue
      const { resourceVersion = '' } = found.value.metadata
      const gone = await client.delete(target, { signal, preconditions: { resourceVersion } })
      if (!gone.ok && gone.error.reason !== 'NotFound') throw new Error(gone.error.message)
    } catch (error) {
      log.error('a webhook configuration stays behind; delete it, or what it guards cannot be written', error, {
        name: target.name,
      })
    }
  }
  cancel()
}

function leadsTo(configuration: KubeObject, { url, caBundle }: WebhookPlace): boolean {
  const webhooks = (configuration['webhooks'] ?? []) as readonly {
    readonly clientConfig?: { readonly url?: string; readonly caBundle?: string }
  }[]
  return webhooks.some(
    ({ clientConfig }) => clientConfig?.url?.startsWith(`${url}/`) === true && clientConfig.caBundle === caBundle,
  )
}
