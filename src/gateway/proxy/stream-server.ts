import { connect, type Socket } from 'node:net'
import { connect as tlsConnect } from 'node:tls'
import type { Duplex } from 'node:stream'
import { describeError } from '../../lib/log.ts'
import { chooseBackend, type Listener, targetOf } from '../table/table.ts'
import { tlsConnectOptions } from './backend-tls.ts'
import { splice } from './splice.ts'
import type { ProxyWorld } from './world.ts'

/** Takes a whole connection to the backend of the route for the name that was asked for; ends it where there is none. */
export function serveStream(near: Duplex, listener: Listener, serverName: string | undefined, world: ProxyWorld): void {
  const beganMs = world.clock.now()
  near.on('error', () => {})
  const route = serverName === undefined ? listener.streams.get(undefined) : listener.streams.find(serverName)
  const target = route && targetOf(chooseBackend(route.backends, world.chance()))
  const tell = (status: number): void => world.figures.answered(route?.route ?? '', status, world.clock.now() - beganMs)
  if (!target || target.do === 'refuse') {
    near.destroy()
    tell(404)
    return
  }
  const endpoint = world.upstreams.choose(target.service, [])
  if (typeof endpoint === 'string') {
    near.destroy()
    tell(503)
    return
  }
  const { address: host, port } = endpoint
  const far: Socket = target.tls
    ? tlsConnect({ host, port, ...tlsConnectOptions(target.tls) })
    : connect({ host, port })
  far.once('error', (error) => {
    world.upstreams.failed(endpoint)
    world.figures.upstreamFailed(route.route)
    world.log.debug('a backend broke a connection', { service: target.service, because: describeError(error) })
  })
  far.once('connect', () => world.upstreams.succeeded(endpoint))
  splice(near, far, () => tell(200))
}
