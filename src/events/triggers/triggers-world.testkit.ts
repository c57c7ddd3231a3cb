import { admin, valueOf } from '../../apiserver/apiserver.testkit.ts'
import { newSigningKey, readTokenKeys, type TokenKeys } from '../../apiserver/auth/service-account-tokens.ts'
import { makeCluster } from '../../apiserver/cluster.ts'
import type { Client, Collection } from '../../kube/client.ts'
import { parseApiVersion } from '../../kube/gvk.ts'
import type { KubeObject } from '../../kube/object.ts'
import { packedCrds, type PackedProject } from '../../kube/schema/packed-crds.ts'
import { sprigFunctions } from '../../lang/gotemplate/sprig/sprig.ts'
import { certificateMaker } from '../../lib/certificates.ts'
import { movableClock, type MovableClock } from '../../lib/clock.ts'
import { readData } from '../../lib/data-file.ts'
import { seededIds } from '../../lib/ids.ts'
import { type LogRecord, logTo, silentLog } from '../../lib/log.ts'
import { isObject } from '../../lib/json.ts'
import { explain, type Result } from '../../lib/result.ts'
import { parseYamlDocuments } from '../../lib/yaml.ts'
import type { ServiceRequest, ServiceResponse } from '../../runtime/service-http.ts'
import { memoryStore } from '../../store/memory-store.ts'
import type { SensorEvent } from '../event.ts'
import type { FireContext, Fired, ResolvedTrigger, TriggerExecutors, TriggerTemplate } from '../sensor/trigger.ts'
import { templateFiller } from '../template.ts'
import { makeTriggers } from './executors.ts'
import { triggerKindOf } from './template.ts'

/** A cluster in memory with RBAC, and triggers that act in it. */
export interface TriggersWorld {
  readonly client: Client
  readonly clock: MovableClock
  readonly triggers: TriggerExecutors
  /** What was sent, and what is answered to it. */
  readonly sent: ServiceRequest[]
  answer: (request: ServiceRequest) => Partial<ServiceResponse> | Error
  readonly logged: LogRecord[]
  /** Creates the objects of YAML documents. */
  apply(text: string): Promise<void>
  get(apiVersion: string, plural: string, name: string, namespace?: string): Promise<KubeObject | undefined>
  list(apiVersion: string, plural: string, namespace?: string): Promise<readonly KubeObject[]>
  fire(
    template: object,
    event: unknown,
    options?: { readonly fireId?: string; readonly account?: string },
  ): Promise<Result<Fired>>
}

let keys: TokenKeys | undefined
const clusterWide = new Set(['Namespace', 'ClusterRole', 'ClusterRoleBinding', 'CustomResourceDefinition'])

function collectionFor({ apiVersion, kind, metadata }: KubeObject): Collection {
  const resource = { ...parseApiVersion(apiVersion), plural: `${kind.toLowerCase()}s` }
  return { resource, ...(clusterWide.has(kind) ? {} : { namespace: metadata.namespace ?? 'default' }) }
}

/** A Sensor `deploy` in the namespace `events` that acts as the ServiceAccount `operator`. */
export function triggerOf(template: object, account: string = 'operator'): ResolvedTrigger {
  const named = { name: 'act', ...template } as TriggerTemplate
  const kind = triggerKindOf(named)
  if (!kind.ok) throw new Error(kind.error.map(explain).join('; '))
  return {
    sensor: { namespace: 'events', name: 'deploy', uid: 'u1' },
    template: named,
    kind: kind.value,
    serviceAccount: account,
  }
}

/** The context in which one event has come in as the dependency `push`. */
export function contextOf(event: unknown, fireId: string = 'f1'): FireContext {
  const one: SensorEvent = {
    context: { id: 'e1', source: 'github', type: 'webhook', datacontenttype: 'application/json' },
    data: JSON.stringify(event),
  }
  const functions = sprigFunctions({ clock: movableClock(), ids: seededIds(), certificates: certificateMaker })
  return {
    events: new Map([['push', one]]),
    fireId,
    attempt: 1,
    fill: templateFiller(functions),
    signal: new AbortController().signal,
  }
}

/** Starts the world with definitions of some projects and the namespace `events`. */
export async function triggersWorld(projects: readonly PackedProject[] = ['argo-workflows']): Promise<TriggersWorld> {
  keys ??= readTokenKeys([newSigningKey()])
  const clock = movableClock()
  const { server } = makeCluster({ store: memoryStore(), clock, ids: seededIds(), log: silentLog, tokenKeys: keys })
  await server.start()
  const client = server.client(admin)
  for (const project of projects) {
    for (const definition of packedCrds(readData, project))
      valueOf(await client.create(collectionFor(definition), definition))
  }
  const sent: ServiceRequest[] = []
  const logged: LogRecord[] = []
  const world: TriggersWorld = {
    client,
    clock,
    sent,
    logged,
    answer: () => ({}),
    triggers: makeTriggers({
      client,
      clientAs: (user) => server.client(user),
      clock,
      log: logTo(
        (record) => logged.push(record),
        () => 0,
      ),
      http: (refuse) => async (request) => {
        sent.push(request)
        const because = refuse(new URL(request.url).hostname.replace(/^\[|\]$/g, ''))
        if (because !== undefined && !because.endsWith('is no address')) throw new Error(because)
        const answer = world.answer(request)
        if (answer instanceof Error) throw answer
        return { status: 200, headers: new Map(), body: '', ...answer }
      },
    }),
    async apply(text) {
      const documents = parseYamlDocuments(text)
      if (!documents.ok) throw new Error(documents.error.map(explain).join('; '))
      for (const { value } of documents.value) {
        if (!isObject(value)) continue
        const object = value as unknown as KubeObject // a test's own document
        valueOf(await client.create(collectionFor(object), object))
      }
    },
    async get(apiVersion, plural, name, namespace = 'events') {
      const found = await client.get({ resource: { ...parseApiVersion(apiVersion), plural }, namespace, name })
      return found.ok ? found.value : undefined
    },
    async list(apiVersion, plural, namespace = 'events') {
      return valueOf(await client.list({ resource: { ...parseApiVersion(apiVersion), plural }, namespace })).items
    },
    async fire(template, event, { fireId, account } = {}) {
      return world.triggers.fire(triggerOf(template, account), contextOf(event, fireId))
    },
  }
  await world.apply(`
apiVersion: v1
kind: Namespace
metadata: { name: events }
`)
  return world
}

/** A Role in a namespace, bound to the ServiceAccount `operator` of `events`. */
export const allowing = (rules: string, namespace: string = 'events'): string => `
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: { name: operator, namespace: ${namespace} }
rules: [${rules}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: { name: operator, namespace: ${namespace} }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: operator }
subjects: [{ kind: ServiceAccount, name: operator, namespace: events }]
`
