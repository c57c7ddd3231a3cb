import type { IncomingMessage, ServerResponse } from 'node:http'
import { isEqual } from '../../../lib/json.ts'
import { describeError } from '../../../lib/log.ts'
import type { OwnerReference } from '../../../kube/object.ts'
import type { OpenSurface, Surfaces } from '../../../runtime/surfaces.ts'
import type { ServedPort } from './plan-ports.ts'
import { answerRequest, pathOf, type Route, type RoutePorts, send } from './route.ts'

/** Everything that the webhooks of one EventSource are reached by. */
export interface ServerPlan {
  readonly namespace: string
  /** The name of the Service. */
  readonly name: string
  readonly ports: readonly ServedPort[]
  readonly labels: Readonly<Record<string, string>>
  readonly owner: OwnerReference
  readonly routes: readonly Route[]
}

/** The server of one EventSource: its Service stays while only routes change. */
export class WebhookServer {
  readonly #surfaces: Surfaces
  readonly #ports: RoutePorts
  #opened: { readonly surface: OpenSurface; readonly shape: unknown } | undefined
  #routes: readonly Route[] = []
  #targets: ReadonlyMap<number, number> = new Map()

  constructor(surfaces: Surfaces, ports: RoutePorts) {
    this.#surfaces = surfaces
    this.#ports = ports
  }

  /** Serves what the plan says, and nothing else any more. Answers why it cannot; undefined where it can. */
  async serve(plan: ServerPlan): Promise<string | undefined> {
    const { namespace, name, ports, labels, owner, routes } = plan
    const shape = { namespace, name, ports, labels, owner }
    this.#routes = routes
    this.#targets = new Map(ports.map(({ port, target }) => [port, target]))
    if (this.#opened && isEqual(this.#opened.shape, shape)) return undefined
    await this.close()
    if (ports.length === 0) return undefined
    try {
      const surface = await this.#surfaces.open({
        namespace,
        name,
        ports: ports.map((one) => ({ name: one.name, port: one.port })),
        labels,
        owner,
        answer: (request, response, port) => this.#answer(request, response, port),
      })
      this.#opened = { surface, shape }
      return undefined
    } catch (error) {
      return describeError(error)
    }
  }

  /** Where a port of the Service is reached on this machine; undefined while nothing is served. */
  url(portName?: string): string | undefined {
    return this.#opened?.surface.url(portName)
  }

  async close(): Promise<void> {
    const opened = this.#opened
    this.#opened = undefined
    await opened?.surface.close()
  }

  #answer(request: IncomingMessage, response: ServerResponse, port: number): void {
    const { path, query } = pathOf(request.url ?? '/')
    const target = this.#targets.get(port) ?? port
    const route = this.#routes.find((one) => one.port === target && one.endpoint.matches(path))
    if (!route) {
      // Upstream answers here for whoever asks whether the source lives.
      if (path === '/health') send(request, response, { status: 200, body: 'OK' })
      else send(request, response, { status: 404, body: '404 page not found\n' })
      return
    }
    answerRequest(route, { request, response, query }, this.#ports).catch((error: unknown) => {
      this.#ports.log.error('a delivery failed', error)
      send(request, response, { status: 500, body: 'failed to record event' })
    })
  }
}
