import type { AdmissionPlugin, UserInfo } from '../kube/admission.ts'
import type { Client } from '../kube/client.ts'
import type { KubeObject } from '../kube/object.ts'
import type { Clock } from '../lib/clock.ts'
import type { Ids } from '../lib/ids.ts'
import type { Log } from '../lib/log.ts'
import type { Metrics } from '../lib/metrics.ts'
import type { ControllerPart, ControllerPorts } from '../runtime/controller-part.ts'
import { classicCheck } from './admission/classic-check.ts'
import { permissionCheck } from './admission/permissions.ts'
import { policyAdmission } from './admission/policy-admission.ts'
import { type Judged, policyPlugin } from './admission/policy-plugin.ts'
import { type Catalog, PolicyCatalog } from './catalog/policy-catalog.ts'
import type { PolicySource } from './catalog/policy-source.ts'
import type { PolicyWorld } from './engine/compiled-policy.ts'
import { serviceCaller } from './facts/call-service.ts'
import type { FetchFacts } from './facts/evaluate-fully.ts'
import { type FactPorts, fetchFacts } from './facts/fetch-facts.ts'
import { kindSchemas } from './facts/kind-schemas.ts'
import { ServedKinds } from '../runtime/served-kinds.ts'
import { policyFamilies } from './families.ts'
import { GlobalContext } from './global-context/global-context.ts'
import { accountOf, type PolicyComponent } from './install/kyverno-objects.ts'
import { policyMetrics } from './metrics.ts'
import { type Background, makeBackground } from './policy-controllers.ts'
import { KYVERNO_NAMESPACE, parseSettings, type PolicySettings, SETTINGS_NAME } from './settings/policy-settings.ts'
import { UserRoles } from './settings/user-roles.ts'
import { catalogPart } from './webhook/catalog-part.ts'
import { runWebhooks, type WebhookPorts } from './webhook/webhooks.ts'

/** What policies are made with before there is a cluster to talk to. */
export interface PoliciesParts {
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Log
  readonly metrics: Metrics
  /** The committed objects. */
  readonly source: PolicySource
  /** A way to the cluster in somebody's name; only asked for once requests are answered. */
  readonly clientAs: (user: UserInfo) => Client
}

/** What policies bring: judging writes, and working in the background. */
export interface Policies {
  readonly admission: readonly AdmissionPlugin[]
  readonly controllers: (ports: ControllerPorts) => ControllerPart
  /** Judging by webhooks, for an API server in another process; ends when the signal is aborted. */
  readonly webhooks: (ports: WebhookPorts, signal: AbortSignal) => Promise<void>
}

/** What admission and the background share. */
export interface PolicyCore {
  readonly catalog: PolicyCatalog
  readonly source: PolicySource
  readonly settings: () => PolicySettings
  readonly shared: GlobalContext
  /** A way to everything, and what there is; only asked for once requests are answered. */
  readonly reach: () => { readonly client: Client; readonly served: ServedKinds }
  readonly fetch: (signal: AbortSignal) => FetchFacts
  readonly worldOf: (catalog: Catalog) => Omit<PolicyWorld, 'facts'>
  readonly namespaceOf: (name: string) => KubeObject | undefined
  /** A way to the cluster in the name of one of Kyverno's accounts. */
  readonly clientOf: (component: PolicyComponent) => Client
}

/** In whose name facts are looked up: policies are written by those who may see everything. */
const lookUp: UserInfo = { username: accountOf('admission-controller'), groups: ['system:masters'] }

/** Policies as a capability: plugins in the API server and the controllers beside it. */
export function makePolicies(parts: PoliciesParts): Policies {
  const { clock, ids, log, source, clientAs } = parts
  const core = makeCore(parts)
  const { catalog } = core
  let background: Background | undefined
  const metrics = policyMetrics(parts.metrics)
  const users = new UserRoles(source)
  const judgeBy = (current: () => Catalog): AdmissionPlugin =>
    policyPlugin({
      catalog: { current },
      source,
      settings: core.settings,
      users,
      clock,
      log,
      metrics,
      fetch: core.fetch,
      worldOf: core.worldOf,
      judged: (judged: Judged) => background?.judged(judged),
    })
  const current = (): Catalog => catalog.current()
  const policies = policyAdmission(catalog, [classicCheck(() => core.reach().served), permissionCheck(core.reach)])
  return {
    admission: [policies, judgeBy(current)],
    webhooks: (ports, signal) => {
      const judging = {
        Fail: judgeBy(catalogPart(current, 'Fail')),
        Ignore: judgeBy(catalogPart(current, 'Ignore')),
      }
      return runWebhooks({ catalog: current, settings: core.settings, judging, policies }, ports, signal)
    },
    controllers(ports) {
      background = makeBackground(core, { ...ports, ids })
      return background
    },
  }

  function makeCore({ source: objects }: PoliciesParts): PolicyCore {
    let client: Client | undefined
    let served: ServedKinds | undefined
    const reach = (): { readonly client: Client; readonly served: ServedKinds } => {
      client ??= clientAs(lookUp)
      served ??= new ServedKinds(client, () => clock.now())
      return { client, served }
    }
    const schemaOf = kindSchemas(objects)
    const shared = new GlobalContext(objects, { now: () => clock.now(), ids })
    const callService = serviceCaller()
    const globalContext: FactPorts['globalContext'] = (name, projection) => shared.get(name, projection)
    return {
      catalog: new PolicyCatalog(objects, policyFamilies),
      source: objects,
      settings: settingsReader(objects),
      shared,
      reach,
      fetch: (signal) => (needs, known) =>
        fetchFacts(needs, known, { ...reach(), callService, globalContext, log }, signal),
      worldOf: ({ exceptions }) => ({ exceptions, now: () => clock.now(), ids, schemaOf }),
      namespaceOf: (name) => objects.get('', 'namespaces', { name }),
      clientOf: (component) => clientAs({ username: accountOf(component), groups: accountGroups }),
    }
  }
}

const accountGroups = ['system:serviceaccounts', `system:serviceaccounts:${KYVERNO_NAMESPACE}`, 'system:authenticated']

/** The settings, read again when a ConfigMap of Kyverno has changed. */
function settingsReader(source: PolicySource): () => PolicySettings {
  let seen: unknown
  let settings = parseSettings(undefined)
  return () => {
    const configMaps = source.list('', 'configmaps', KYVERNO_NAMESPACE)
    if (configMaps !== seen) {
      seen = configMaps
      settings = parseSettings(configMaps.find(({ metadata }) => metadata.name === SETTINGS_NAME))
    }
    return settings
  }
}
