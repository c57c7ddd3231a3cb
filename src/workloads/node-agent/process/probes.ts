import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { connect } from 'node:net'
import type { Container } from '../../../kube/pod.ts'
import type { Clock } from '../../../lib/clock.ts'

interface ProbeSpec {
  readonly httpGet?: {
    readonly path?: string
    readonly port: number | string
    readonly host?: string
    readonly scheme?: string
    readonly httpHeaders?: readonly { readonly name: string; readonly value: string }[]
  }
  readonly tcpSocket?: { readonly port: number | string; readonly host?: string }
  readonly exec?: { readonly command?: readonly string[] }
  readonly grpc?: { readonly port: number }
  readonly initialDelaySeconds?: number
  readonly periodSeconds?: number
  readonly timeoutSeconds?: number
  readonly successThreshold?: number
  readonly failureThreshold?: number
}

export type ProbeKind = 'startup' | 'liveness' | 'readiness'

/** What a probe is made with. */
export interface ProbePorts {
  readonly clock: Clock
  readonly address: string
  /** Runs a command in the container; answers its exit code. */
  readonly execute: (argv: readonly string[], signal: AbortSignal) => Promise<number>
  /** Tells that a probe has passed or failed often enough to count. */
  readonly tell: (kind: ProbeKind, passes: boolean, because: string) => void
}

const specOf = (container: Container, kind: ProbeKind): ProbeSpec | undefined =>
  container[`${kind}Probe`] as ProbeSpec | undefined // the API server has checked it

/** Tells whether a container declares a probe. */
export const hasProbe = (container: Container, kind: ProbeKind): boolean => specOf(container, kind) !== undefined

/** The number of a port that may be given by its name. */
export function portOf(port: number | string, container: Container): number {
  if (typeof port === 'number') return port
  return container.ports?.find(({ name }) => name === port)?.containerPort ?? Number(port)
}

/** Probes a container until the signal is aborted. Without a probe of the kind, nothing is told. */
export async function runProbe(
  container: Container,
  kind: ProbeKind,
  ports: ProbePorts,
  signal: AbortSignal,
): Promise<void> {
  const spec = specOf(container, kind)
  if (!spec) return
  const { initialDelaySeconds = 0, periodSeconds = 10, successThreshold = 1, failureThreshold = 3 } = spec
  let told: boolean | undefined
  let count = 0
  let before: boolean | undefined
  try {
    await ports.clock.sleep(initialDelaySeconds * 1_000, { signal })
    for (;;) {
      const { passes, because } = await probeOnce(spec, container, ports, signal)
      count = passes === before ? count + 1 : 1
      before = passes
      if (passes !== told && count >= (passes ? successThreshold : failureThreshold)) {
        told = passes
        ports.tell(kind, passes, because)
      }
      if (kind === 'startup' && told === true) return
      await ports.clock.sleep(periodSeconds * 1_000, { signal })
    }
  } catch (thrown) {
    if (!signal.aborted) throw thrown
  }
}

interface ProbeOutcome {
  readonly passes: boolean
  readonly because: string
}

const failed = (because: string): ProbeOutcome => ({ passes: false, because })

async function probeOnce(
  spec: ProbeSpec,
  container: Container,
  ports: ProbePorts,
  outer: AbortSignal,
): Promise<ProbeOutcome> {
  const timeoutMs = (spec.timeoutSeconds ?? 1) * 1_000
  const signal = AbortSignal.any([outer, AbortSignal.timeout(timeoutMs)])
  if (spec.httpGet) return probeHttp(spec.httpGet, container, ports.address, signal)
  if (spec.tcpSocket) return probeTcp(spec.tcpSocket, container, ports.address, signal)
  if (spec.exec) {
    const code = await ports.execute(spec.exec.command ?? [], signal)
    return code === 0 ? { passes: true, because: 'the command succeeded' } : failed(`the command ended with ${code}`)
  }
  return failed('a grpc probe is not supported by the process runtime: use httpGet, tcpSocket or exec')
}

function probeHttp(
  { path = '/', port, host, scheme = 'HTTP', httpHeaders = [] }: NonNullable<ProbeSpec['httpGet']>,
  container: Container,
  address: string,
  signal: AbortSignal,
): Promise<ProbeOutcome> {
  const headers = Object.fromEntries(httpHeaders.map(({ name, value }) => [name, value]))
  const options = { host: host ?? address, port: portOf(port, container), path, headers, signal, agent: false }
  return new Promise((resolve) => {
    const refuse = (error: Error): void =>
      resolve(failed(`HTTP probe failed: ${signal.aborted ? 'no answer in time' : error.message}`))
    const ask = scheme === 'HTTPS' ? httpsRequest({ ...options, rejectUnauthorized: false }) : httpRequest(options)
    ask.on('error', refuse)
    ask.on('response', (response) => {
      response.resume()
      const { statusCode = 0 } = response
      const passes = statusCode >= 200 && statusCode < 400
      resolve({ passes, because: `HTTP probe ${passes ? 'answered' : 'failed with'} statuscode: ${statusCode}` })
    })
    ask.end()
  })
}

function probeTcp(
  { port, host }: NonNullable<ProbeSpec['tcpSocket']>,
  container: Container,
  address: string,
  signal: AbortSignal,
): Promise<ProbeOutcome> {
  return new Promise((resolve) => {
    const socket = connect({ host: host ?? address, port: portOf(port, container), signal })
    socket.on('connect', () => {
      socket.destroy()
      resolve({ passes: true, because: 'the port is open' })
    })
    socket.on('error', (error) => resolve(failed(signal.aborted ? 'no connection in time' : error.message)))
  })
}
