import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Client } from '../kube/client.ts'
import { SERVICE_NAME } from '../kube/local-endpoints.ts'
import type { KubeObject } from '../kube/object.ts'
import { describeError, type Log } from '../lib/log.ts'

const services = { resource: { group: '', version: 'v1', plural: 'services' } }
const namespaces = { resource: { group: '', version: 'v1', plural: 'namespaces' } }
const slices = { resource: { group: 'discovery.k8s.io', version: 'v1', plural: 'endpointslices' } }
const MANAGED_BY = { 'app.kubernetes.io/managed-by': 'idp-blueprint' }
const HOST = '127.0.0.1'
const OWNER = { fieldManager: 'idp-surfaces', force: true }

/** Something of this process that answers HTTP, and the Service by which the cluster knows it. */
export interface Surface {
  readonly namespace: string
  readonly name: string
  readonly ports: readonly { readonly name: string; readonly port: number }[]
  readonly labels?: Readonly<Record<string, string>>
  /** The object that the Service goes with; without one it stays until it is closed. */
  readonly owner?: NonNullable<KubeObject['metadata']['ownerReferences']>[number]
  /** `port` is the Service's. */
  answer(request: IncomingMessage, response: ServerResponse, port: number): void
  /** Takes connections that change to another protocol; they are refused where this is absent. */
  upgrade?(request: IncomingMessage, socket: Duplex, head: Buffer, port: number): void
  /** Gets every server before it listens, to set what a handler of requests cannot. */
  prepare?(server: Server): void
}

/** A surface that answers. */
export interface OpenSurface {
  /** Where a port, the first if none is named, is reached on this machine, such as `http://127.0.0.1:20311`. */
  url(portName?: string): string
  /** Stops answering and takes the Service away. */
  close(): Promise<void>
}

/** Makes parts of this process reachable as Services without Pods. */
export interface Surfaces {
  /** Makes the namespace where it is missing. Rejects when nothing can listen, or when the cluster refuses the Service. */
  open(surface: Surface): Promise<OpenSurface>
  /** Closes all that is open, leaving the Services for the next start. */
  close(): Promise<void>
}

/** Surfaces over HTTP on this machine, each with a port that is the same at every start where it is free. */
export function loopbackSurfaces({ client, log }: { readonly client: Client; readonly log: Log }): Surfaces {
  const servers = new Set<Server>()
  const shut = async (those: Iterable<Server>): Promise<void> => {
    await Promise.all(
      [...those].map(async (server) => {
        servers.delete(server)
        const closed = once(server, 'close')
        server.close()
        server.closeAllConnections()
        await closed
      }),
    )
  }
  return {
    async open(surface) {
      const mine = new Map<string, { readonly server: Server; readonly port: number }>()
      try {
        for (const { name, port } of surface.ports) {
          const server = await listen(surface, port)
          servers.add(server)
          mine.set(name, { server, port: (server.address() as AddressInfo).port })
        }
        await tell(client, surface, (name) => mine.get(name)?.port ?? 0)
      } catch (error) {
        await shut([...mine.values()].map(({ server }) => server))
        throw error
      }
      return {
        url: (name = surface.ports[0]?.name ?? '') => `http://${HOST}:${mine.get(name)?.port ?? 0}`,
        async close() {
          await shut([...mine.values()].map(({ server }) => server))
          for (const collection of [slices, services]) {
            const gone = await client.delete({ ...collection, namespace: surface.namespace, name: surface.name })
            if (!gone.ok && gone.error.reason !== 'NotFound') {
              log.warn('cannot take a Service away', { service: surface.name, because: gone.error.message })
            }
          }
        },
      }
    },
    close: () => shut(servers),
  }

  async function listen(surface: Surface, port: number): Promise<Server> {
    const server = createServer({ maxHeaderSize: 64 * 1024, requestTimeout: 60_000, headersTimeout: 10_000 })
    server.maxConnections = 20_000
    server.on('request', (request, response) => {
      try {
        surface.answer(request, response, port)
      } catch (error) {
        log.error('a request to a surface failed', error, { service: surface.name })
        if (!response.headersSent) response.writeHead(500)
        response.end()
      }
    })
    server.on('upgrade', (request, socket, head) => {
      if (surface.upgrade) surface.upgrade(request, socket, head, port)
      else socket.end('HTTP/1.1 426 Upgrade Required\r\nconnection: close\r\n\r\n')
    })
    surface.prepare?.(server)
    try {
      return await listening(server, usualPort(surface, port))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
      log.info('a port is taken, another one is used', { service: surface.name, because: describeError(error) })
      return listening(server, 0)
    }
  }
}

async function listening(server: Server, port: number): Promise<Server> {
  server.listen(port, HOST)
  await once(server, 'listening')
  return server
}

/** The local port of a surface, below those that systems give out by themselves. */
function usualPort({ namespace, name }: Surface, port: number): number {
  const hash = createHash('sha256').update(`${namespace}/${name}:${port}`).digest()
  return 20_000 + (hash.readUInt16BE(0) % 10_000)
}

async function tell(client: Client, surface: Surface, localPort: (name: string) => number): Promise<void> {
  const { namespace, name, ports, labels, owner } = surface
  const metadata = {
    name,
    namespace,
    labels: { ...labels, ...MANAGED_BY },
    ...(owner ? { ownerReferences: [owner] } : {}),
  }
  const service: KubeObject = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata,
    spec: { ports: ports.map((one) => ({ ...one, protocol: 'TCP', targetPort: one.port })) },
  }
  const slice: KubeObject = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { ...metadata, labels: { ...metadata.labels, [SERVICE_NAME]: name } },
    addressType: 'IPv4',
    ports: ports.map((one) => ({ name: one.name, port: localPort(one.name), protocol: 'TCP' })),
    endpoints: [{ addresses: [HOST], conditions: { ready: true, serving: true, terminating: false } }],
  }
  const there = await client.get({ ...namespaces, name: namespace })
  const made = there.ok
    ? there
    : await client.create(namespaces, {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: namespace, labels: MANAGED_BY },
      })
  if (!made.ok && made.error.reason !== 'AlreadyExists') {
    throw new Error(`cannot make the namespace ${namespace}: ${made.error.message}`)
  }
  for (const [collection, body] of [
    [services, service],
    [slices, slice],
  ] as const) {
    const written = await client.patch({ ...collection, namespace, name }, { type: 'apply', body }, OWNER)
    if (!written.ok) throw new Error(`cannot write ${body.kind} ${namespace}/${name}: ${written.error.message}`)
  }
}
