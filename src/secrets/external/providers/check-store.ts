import type { Fields } from '../../../lib/fields.ts'
import type { SecretStore } from '../spec/secret-store.ts'
import { checkFake } from './fake.ts'
import { checkKubernetes } from './kubernetes/check-kubernetes.ts'
import type { StoreProblems } from './provider.ts'
import { checkVault } from './vault/check-vault.ts'
import { checkWebhook } from './webhook.ts'

const checks: ReadonlyMap<string, (store: SecretStore, fields: Fields) => StoreProblems> = new Map([
  ['vault', checkVault],
  ['kubernetes', checkKubernetes],
  ['fake', checkFake],
  ['webhook', checkWebhook],
])

/** The provider that a store names, or why it has none that can be used. */
export function providerProblem({ parsed: { spec } }: SecretStore): string | undefined {
  if (!spec.provider) {
    const named = spec.providers.length === 0 ? 'none' : spec.providers.join(', ')
    return `secret stores must only have exactly one backend specified, found ${named}`
  }
  const { name } = spec.provider
  return checks.has(name) ? undefined : `unsupported provider ${name}; supported are ${[...checks.keys()].join(', ')}`
}

/** What can be told of a store from itself alone; one of a kind that others serve is accepted, and reported. */
export function checkStore(store: SecretStore): StoreProblems {
  const { provider } = store.parsed.spec
  const problem = providerProblem(store)
  if (problem !== undefined) {
    return provider ? { errors: [], warnings: [problem] } : { errors: [problem], warnings: [] }
  }
  return checks.get(provider?.name ?? '')?.(store, provider?.fields ?? {}) ?? { errors: [], warnings: [] }
}
