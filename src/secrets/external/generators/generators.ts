import { type Fields, fieldsOf, textMapOf, textOf } from '../../../lib/fields.ts'
import { succeed } from '../../../lib/result.ts'
import type { SecretData } from '../data/decode.ts'
import { failed, type Fetched } from '../data/trouble.ts'
import type { ProviderPorts } from '../providers/provider.ts'
import { webhookClient } from '../providers/webhook.ts'
import { CONTROLLER_CLASS } from '../kinds.ts'
import type { GeneratorRef } from '../spec/external-secret.ts'
import { parseSecretStore } from '../spec/secret-store.ts'
import { passwords } from './password.ts'
import { sshKeys } from './ssh-key.ts'

/** Makes values where a reference asks for them; new ones every time. */
export type Generate = (ref: GeneratorRef, namespace: string, signal: AbortSignal) => Promise<Fetched<SecretData>>

const group = { group: 'generators.external-secrets.io', version: 'v1alpha1' }

/** The collections of the generators that there are, by their kinds. */
const plurals: ReadonlyMap<string, string> = new Map([
  ['Password', 'passwords'],
  ['UUID', 'uuids'],
  ['SSHKey', 'sshkeys'],
  ['Fake', 'fakes'],
  ['Webhook', 'webhooks'],
])

/** The field of a ClusterGenerator that holds the spec of a kind. */
const specFields: ReadonlyMap<string, string> = new Map([
  ['Password', 'passwordSpec'],
  ['UUID', 'uuidSpec'],
  ['SSHKey', 'sshKeySpec'],
  ['Fake', 'fakeSpec'],
  ['Webhook', 'webhookSpec'],
])

const PLAIN = {
  key: '',
  property: '',
  version: '',
  metadataPolicy: '',
  conversionStrategy: '',
  decodingStrategy: '',
  nullBytePolicy: '',
}

/** The generators that are supported, by what is in the cluster. */
export function generators(ports: ProviderPorts): Generate {
  return async (ref, namespace, signal) => {
    const found = await specOf(ref, namespace, signal)
    if (!found.ok) return found
    const { kind, spec } = found.value
    const controller = textOf(spec, 'controller')
    if (controller !== '' && controller !== CONTROLLER_CLASS)
      return failed(`the generator ${ref.kind} ${ref.name} is not ours`)
    switch (kind) {
      case 'Password':
        return passwords(spec, ports.ids)
      case 'UUID':
        return succeed(new Map([['uuid', ports.ids.uid()]]))
      case 'SSHKey':
        return sshKeys(spec, ports.ids)
      case 'Fake':
        return succeed(textMapOf(spec, 'data'))
      case 'Webhook':
        return askWebhook(spec, namespace, signal)
      default:
        return failed(`the generator ${kind} is not supported; supported are ${[...plurals.keys()].join(', ')}`)
    }
  }

  async function specOf(
    ref: GeneratorRef,
    namespace: string,
    signal: AbortSignal,
  ): Promise<Fetched<{ readonly kind: string; readonly spec: Fields }>> {
    const isForAll = ref.kind === 'ClusterGenerator'
    const plural = isForAll ? 'clustergenerators' : plurals.get(ref.kind)
    if (plural === undefined) {
      return failed(
        `the generator ${ref.kind} is not supported; supported are ${[...plurals.keys()].join(', ')}, ClusterGenerator`,
      )
    }
    const target = { resource: { ...group, plural }, name: ref.name, ...(isForAll ? {} : { namespace }) }
    const got = await ports.client.get(target, { signal })
    if (!got.ok) return failed(`cannot get the generator ${ref.kind} ${ref.name}: ${got.error.message}`)
    const spec = fieldsOf(got.value, 'spec')
    if (!isForAll) return succeed({ kind: ref.kind, spec })
    const kind = textOf(spec, 'kind')
    const field = specFields.get(kind)
    if (field === undefined) return failed(`the generator ${kind} of the ClusterGenerator ${ref.name} is not supported`)
    const generator = fieldsOf(spec, 'generator')
    return Object.hasOwn(generator, field)
      ? succeed({ kind, spec: fieldsOf(generator, field) })
      : failed(`the ClusterGenerator ${ref.name} is for ${kind}, but has no ${field}`)
  }

  function askWebhook(fields: Fields, namespace: string, signal: AbortSignal): Promise<Fetched<SecretData>> {
    const store = parseSecretStore({ apiVersion: '', kind: 'Webhook', metadata: { namespace } })
    return webhookClient(ports, { store, fields, namespace, track: () => {}, signal }).getMap(PLAIN)
  }
}
