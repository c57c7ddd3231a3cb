import { succeed } from '../../../lib/result.ts'
import { failed, type Fetched } from '../data/trouble.ts'
import type { SecretStore } from '../spec/secret-store.ts'
import { providerProblem } from './check-store.ts'
import { fakeProvider } from './fake.ts'
import { kubernetesProvider } from './kubernetes/kubernetes-provider.ts'
import type { Opening, Provider, ProviderPorts, SecretsClient } from './provider.ts'
import { vaultProvider } from './vault/vault-provider.ts'
import { webhookProvider } from './webhook.ts'

/** Every kind of store that there is. */
export interface Providers {
  /** The provider of a store, where it names one that is supported. */
  of(store: SecretStore): Fetched<Provider>
  open(opening: Omit<Opening, 'fields'>): Promise<Fetched<SecretsClient>>
}

/** Makes the providers. What they keep, such as logins, is theirs. */
export function providers(ports: ProviderPorts): Providers {
  const all = [vaultProvider(ports), kubernetesProvider(ports), fakeProvider(), webhookProvider(ports)]
  const known = new Map(all.map((one) => [one.name, one]))
  const of = (store: SecretStore): Fetched<Provider> => {
    const provider = known.get(store.parsed.spec.provider?.name ?? '')
    return provider ? succeed(provider) : failed(providerProblem(store) ?? 'unsupported provider')
  }
  return {
    of,
    open(opening) {
      const provider = of(opening.store)
      if (!provider.ok) return Promise.resolve(provider)
      return provider.value.open({ ...opening, fields: opening.store.parsed.spec.provider?.fields ?? {} })
    },
  }
}
