import { setMaxListeners } from 'node:events'
import { join } from 'node:path'
import type { AuditTrail } from './apiserver/audit/trail.ts'
import type { ClusterReader } from './apiserver/admission/cluster-reader.ts'
import { makeCluster } from './apiserver/cluster.ts'
import { type Receiver, receiverPages } from './apiserver/http/receivers.ts'
import { type RunningServer, runApiServer } from './apiserver/run.ts'
import type { ApiServer } from './apiserver/server.ts'
import type { ClusterState } from './apiserver/state.ts'
import { installDefinitions } from './bootstrap/definitions.ts'
import { allowSenders } from './bootstrap/receiver-access.ts'
import { makeEvents } from './events/events.ts'
import { makeGateway } from './gateway/gateway.ts'
import { makeGitOps } from './gitops/gitops.ts'
import type { AdmissionPlugin, UserInfo } from './kube/admission.ts'
import type { Client } from './kube/client.ts'
import type { PackedProject } from './kube/schema/packed-crds.ts'
import type { Clock } from './lib/clock.ts'
import { readData } from './lib/data-file.ts'
import type { Ids } from './lib/ids.ts'
import type { Log } from './lib/log.ts'
import { type MetricsRegistry, metricsRegistry } from './lib/metrics.ts'
import { explain } from './lib/result.ts'
import { makePki } from './pki/pki.ts'
import { makePolicies } from './policy/policies.ts'
import { informedSource } from './policy/webhook/informed-source.ts'
import type { WebhookPorts } from './policy/webhook/webhooks.ts'
import { type Choice, chooseControllers } from './runtime/choose-controllers.ts'
import type { ControllerPart } from './runtime/controller-part.ts'
import { leadByLease } from './runtime/leader-election.ts'
import { Informers } from './runtime/informers.ts'
import { makeControllers, type RunningControllers } from './runtime/running-controllers.ts'
import { loopbackSurfaces } from './runtime/surfaces.ts'
import { makeSecrets } from './secrets/secrets.ts'
import { type OpenStore, storesIn } from './store/own-stores.ts'
import { portsBeside } from './workloads/beside-server.ts'
import type { ClusterPorts } from './workloads/cluster-controller.ts'
import { clusterControllers } from './workloads/cluster-controllers.ts'
import { connectToPod } from './workloads/node-agent/connect.ts'
import type { NodeAgentOptions } from './workloads/node-agent/node-agent.ts'
import { loopbackNetworks } from './workloads/service-proxy/loopback.ts'
import { ServiceProxy } from './workloads/service-proxy/service-proxy.ts'
import { processRuntime } from './workloads/node-agent/process/runtime.ts'

/** What a capability is made with, before there is a cluster to talk to. */
export interface CapabilityParts {
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Log
  readonly metrics: MetricsRegistry
  /** The committed objects, where the API server is in this process; what judges a cluster elsewhere has watched ones. */
  readonly reader?: ClusterReader
  /** A way to the cluster in somebody's name; only to be used once requests are answered. */
  readonly clientAs?: (user: UserInfo) => Client
  /** Where things may be kept that can be fetched or worked out again. */
  readonly stateFolder: string
  /** Opens a durable store of one's own, beside the cluster's objects; to be used once controllers run. */
  readonly openStore: OpenStore
  /** The folder that a person works in; a Git repository around it is read from disk. */
  readonly workingFolder: string
  /** Where programs such as git are looked for. */
  readonly path: string
}

/** What a capability brings: what judges writes, and what reacts to them. */
export interface Made {
  readonly admission?: readonly AdmissionPlugin[]
  readonly controllers?: (ports: ClusterPorts) => ControllerPart
  /** What takes messages from outside, where the API server is in this process. */
  readonly receivers?: readonly Receiver[]
  /** Judges writes from outside the API server, until the signal is aborted. */
  readonly webhooks?: (ports: WebhookPorts, signal: AbortSignal) => Promise<void>
}

/** One thing that the platform can do, beyond what a cluster does. */
export interface Capability {
  readonly name: string
  /** What it does, in half a sentence. */
  readonly does: string
  /** The projects whose definitions it works on. */
  readonly definitions: readonly PackedProject[]
  /** Whether it judges writes: against a cluster elsewhere, it works only where that cluster can ask it. */
  readonly judges?: boolean
  readonly make: (parts: CapabilityParts) => Made
}

const USUAL_PATH = '/usr/local/bin:/usr/bin:/bin'

/** Everything that the platform can do, by the name under which it can be chosen. */
export const capabilities: readonly Capability[] = [
  {
    name: 'gitops',
    does: 'keeps what Applications name as Git says, as Argo CD does',
    definitions: ['argo-cd'],
    // On a cluster elsewhere, who may write Applications need not be who may read this disk.
    make: (parts) => makeGitOps({ ...parts, mayReadDisk: parts.reader !== undefined }),
  },
  {
    name: 'policies',
    does: 'judges, changes, generates, reports and cleans up by policies, as Kyverno does',
    definitions: ['kyverno'],
    judges: true,
    make: ({ reader, clientAs, ...given }) =>
      reader && clientAs ? makePolicies({ ...given, source: reader, clientAs }) : {},
  },
  {
    name: 'events',
    does: 'takes in signals and reacts to them, as Argo Events does',
    definitions: ['argo-events'],
    make: makeEvents,
  },
  {
    name: 'secrets',
    does: 'keeps secrets behind the API of Vault, and carries them into the cluster as External Secrets does',
    definitions: ['external-secrets'],
    make: makeSecrets,
  },
  {
    name: 'certificates',
    does: 'keeps certificates and those who sign them, as cert-manager does',
    definitions: ['cert-manager'],
    make: makePki,
  },
  {
    name: 'definitions',
    does: 'serves the kinds of engines that are still to come (workflows, monitors, objectives, scan reports); nothing reads them yet',
    definitions: ['argo-workflows', 'prometheus-operator', 'pyrra', 'trivy-operator'],
    make: () => ({}),
  },
  {
    name: 'gateway',
    does: 'lets requests in as Gateways and routes of the Gateway API say',
    definitions: ['gateway-api'],
    make: () => makeGateway(),
  },
]

type Part = { readonly name: string; readonly does: string }

/** Everything that can be chosen to run beside the API: the controllers of a cluster, then capabilities. */
export const parts: readonly Part[] = [...clusterControllers, ...capabilities]

/** The parts that a list of names, `all` or `none` stands for. */
export const chooseParts = (choice: string): Choice<Part> => chooseControllers(choice, parts)

/** What a backbone in one process is started with. */
export interface BackboneOptions {
  readonly state: ClusterState
  readonly chosen: readonly Part[]
  readonly host: string
  readonly port: number
  readonly stateFolder: string
  readonly workingFolder: string
  /** Where programs such as git are looked for. */
  readonly path?: string
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Log
  readonly audit?: AuditTrail
  /** The nodes of the cluster and how their Pods are simulated; the usual ones where nobody says. */
  readonly nodes?: NodeAgentOptions
}

/** A cluster with everything that was chosen, at work. */
export interface Backbone {
  readonly server: ApiServer
  readonly running: RunningServer
  readonly controllers: RunningControllers
  readonly metrics: MetricsRegistry
  /** Resolves when everything has ended; nothing is under way any more. */
  close(): Promise<void>
}

/** Starts the API server, installs what the chosen capabilities work on, then runs their controllers. */
export async function startBackbone(options: BackboneOptions): Promise<Backbone> {
  const { state, clock, ids, log, audit, stateFolder, workingFolder, path = USUAL_PATH } = options
  const isChosen = ({ name }: Part): boolean => options.chosen.some((part) => part.name === name)
  const metrics = metricsRegistry()
  const able = capabilities.filter(isChosen)
  let made: readonly (Made & Part)[] = []
  const stores = storesIn(stateFolder, { clock, log })
  let nodeAgent: NodeAgentOptions = {}
  const { server, authenticate } = makeCluster({
    store: state.store,
    tokenKeys: state.tokenKeys,
    clock,
    ids,
    log,
    ...(audit ? { audit } : {}),
    podRuntime: { connect: (request) => connectToPod(nodeAgent, request) },
    admission(reader) {
      const clientAs = (user: UserInfo): Client => server.client(user)
      const openStore = stores.open
      const given = { clock, ids, log, metrics, reader, clientAs, stateFolder, openStore, workingFolder, path }
      made = able.map(({ name, does, make }) => ({ name, does, ...make(given) }))
      return made.flatMap(({ admission }) => admission ?? [])
    },
  })
  const running = await runApiServer({
    server,
    authenticate,
    host: options.host,
    port: options.port,
    stateFolder,
    clock,
    furtherMetrics: () => metrics.text(),
    pages: [receiverPages(() => made.flatMap(({ receivers }) => receivers ?? []))],
  })
  const ports = portsBeside(server, running.authority)
  const projects = able.flatMap(({ definitions }) => definitions)
  const installed = await installDefinitions(projects, { client: ports.client, clock, readData })
  if (!installed.ok) throw new Error(installed.error.map(explain).join('; '))
  const open = made.flatMap(({ receivers = [] }) => receivers.flatMap((one) => (one.open ? [one.path] : [])))
  const allowed = await allowSenders(open, ports.client)
  if (!allowed.ok) log.warn(allowed.error.map(explain).join('; '))
  const surfaces = loopbackSurfaces({ client: ports.client, log })
  const named = made.flatMap(({ name, does, controllers }) => (controllers ? [{ name, does, make: controllers }] : []))
  const networks = loopbackNetworks(stateFolder)
  const serviceProxy = new ServiceProxy(join(stateFolder, 'nodes', 'hosts'), networks.services, log)
  const processes = processRuntime({
    stateFolder: join(stateFolder, 'nodes'),
    network: networks.pods,
    client: ports.client,
    clock,
    log,
    apiUrl: () => running.url,
    hostsFile: serviceProxy.hostsFile,
  })
  nodeAgent = { ...options.nodes, runtimes: [processes] }
  const controllers = makeControllers<ClusterPorts>([...clusterControllers.filter(isChosen), ...named], {
    ...ports,
    metrics,
    nodeAgent,
    serviceProxy,
    surfaces,
  })
  const stopping = new AbortController()
  const working = controllers.run(stopping.signal).catch((error: unknown) => {
    log.error('the controllers have stopped', error)
  })
  return {
    server,
    running,
    controllers,
    metrics,
    async close() {
      stopping.abort(new Error('the platform is shutting down'))
      await working
      await surfaces.close()
      await stores.close()
      serviceProxy.close()
      await processes.close()
      await running.close()
    },
  }
}

/** What capabilities are run with against a cluster that lives elsewhere. */
export interface ElsewhereOptions {
  readonly client: Client
  readonly chosen: readonly Part[]
  /** Where the Lease lies that lets one process work at a time, and who we are among them. */
  readonly leaseNamespace: string
  readonly identity: string
  readonly stateFolder: string
  readonly workingFolder: string
  readonly path: string
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Log
  /** Where webhooks listen, and a way to the cluster in somebody's name; without it, what judges writes is left out. */
  readonly webhooks?: Pick<WebhookPorts, 'host' | 'port' | 'url' | 'onReady'> & {
    readonly clientAs: (user: UserInfo) => Client
  }
  /** Told when this process is the one that works, with what works and what is left out. */
  readonly onWork: (working: readonly string[], left: readonly string[]) => void
}

/** Installs definitions and runs capabilities against a cluster elsewhere, as long as no other process does. */
export async function runElsewhere(options: ElsewhereOptions, signal: AbortSignal): Promise<void> {
  const { client, clock, ids, log, leaseNamespace, identity, stateFolder, workingFolder, path, webhooks } = options
  const metrics = metricsRegistry()
  const chosen = capabilities.filter(({ name }) => options.chosen.some((part) => part.name === name))
  const isLeft = ({ judges = false }: Capability): boolean => judges && !webhooks
  const working = chosen.filter((capability) => !isLeft(capability))
  const left = chosen.filter(isLeft)
  const election = { client, clock, log, identity, namespace: leaseNamespace, name: 'idp-controllers' }
  const lead = async (term: AbortSignal): Promise<void> => {
    const projects = working.flatMap(({ definitions }) => definitions)
    const installed = await installDefinitions(projects, { client, clock, readData })
    if (!installed.ok) throw new Error(installed.error.map(explain).join('; '))
    // Every informer listens to it.
    setMaxListeners(0, term)
    const informers = new Informers({ client, clock, log })
    const reading = informers.run(term)
    const judging = webhooks && working.some(({ judges }) => judges === true) ? webhooks : undefined
    const seen = judging
      ? { reader: await informedSource({ client, informers, clock, log }, term), clientAs: judging.clientAs }
      : {}
    const stores = storesIn(stateFolder, { clock, log })
    const given = { clock, ids, log, metrics, stateFolder, openStore: stores.open, workingFolder, path }
    const made = working.map(({ make, name, does, judges = false }) => ({
      name,
      does,
      // Only what judges is told; others go by it whether the cluster is in this process.
      ...make(judges ? { ...given, ...seen } : given),
    }))
    options.onWork(namesOf(working), namesOf(left))
    const named = made.flatMap(({ name, does, controllers }) =>
      controllers ? [{ name, does, make: controllers }] : [],
    )
    const folder = join(stateFolder, 'webhook')
    const all = [
      reading,
      makeControllers<ClusterPorts>(named, { client, clock, ids, log, metrics }).run(term),
      ...made.map(
        async (one) => judging && one.webhooks?.({ ...judging, client, clock, ids, log, stateFolder: folder }, term),
      ),
    ]
    try {
      await Promise.all(all)
    } finally {
      await stores.close()
    }
  }
  const leadUntilTold = (term: AbortSignal): Promise<void> =>
    lead(term).catch((error: unknown) => {
      // That the beginning was cut short is how it ends.
      if (!signal.aborted) throw error
    })
  await leadByLease(election, leadUntilTold, signal)
}

const namesOf = (those: readonly Part[]): readonly string[] => those.map(({ name }) => name)
