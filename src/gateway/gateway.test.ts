import { once } from 'node:events'
import { createServer, request, type IncomingMessage } from 'node:http'
import { request as secureRequest } from 'node:https'
import { createServer as createTcp, type AddressInfo } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { supportedFeatures } from './plan/classes.ts'
import { servicesOf, tlsSecret } from './plan/plan.testkit.ts'
import { type GatewayWorld, gatewayWorld } from './gateway.testkit.ts'

let world: GatewayWorld
const closing: (() => void)[] = []
beforeEach(async () => {
  world = await gatewayWorld()
})
afterEach(async () => {
  await world.stop()
  for (const close of closing.splice(0)) close()
})

/** A backend that says its name, and the EndpointSlice that leads to it. */
async function backend(name: string, namespace = 'team'): Promise<string> {
  const server = createServer((_request, response) => response.end(name)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  closing.push(() => server.close())
  return slice(
    name,
    `{addresses: [127.0.0.1], conditions: {ready: true}}`,
    (server.address() as AddressInfo).port,
    namespace,
  )
}

const slice = (name: string, endpoint: string, port: number, namespace = 'team'): string => `
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: ${name}-1, namespace: ${namespace}, labels: {kubernetes.io/service-name: ${name}}}
addressType: IPv4
ports: [{name: http, port: ${port}, protocol: TCP}]
endpoints: [${endpoint}]
`

interface Answer {
  readonly status: number | undefined
  readonly body: string
}

async function ask(host: string, path = '/'): Promise<Answer> {
  const call = request({ port: world.http, host: '127.0.0.1', path, headers: { host }, agent: false })
  call.end()
  const [response] = (await once(call, 'response')) as [IncomingMessage]
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  return { status: response.statusCode, body: Buffer.concat(chunks).toString() }
}

/** Waits until a request is answered with a status. */
const answered = (host: string, status: number, path = '/'): Promise<Answer> =>
  world.until(`${host} is answered ${status}`, async () => {
    const answer = await ask(host, path).catch(() => undefined)
    return answer?.status === status ? answer : undefined
  })

const GATEWAY = `
kind: Gateway
metadata: {name: web}
spec: {gatewayClassName: idp, listeners: [{name: http, port: 80, protocol: HTTP}]}
`
const route = (name: string, host: string, ref = `{name: ${name}, port: 80}`): string => `
kind: HTTPRoute
metadata: {name: ${name}}
spec: {parentRefs: [{name: web}], hostnames: [${host}], rules: [{backendRefs: [${ref}]}]}
`

test('a class, a Gateway and a route are told that they work, and a request arrives', async () => {
  await world.apply([GATEWAY, servicesOf('app'), await backend('app'), route('app', 'app.localhost')].join('---'))
  expect(await answered('app.localhost', 200)).toMatchObject({ body: 'app' })
  await world.condition('HTTPRoute', 'app', '"reason":"ResolvedRefs"')
  const gatewayClass = await world.get('GatewayClass', 'idp')
  expect(gatewayClass?.['status']).toMatchObject({
    conditions: [
      { type: 'Accepted', status: 'True', reason: 'Accepted', observedGeneration: 1 },
      { type: 'SupportedVersion', status: 'True' },
    ],
    supportedFeatures: supportedFeatures.map((name) => ({ name })),
  })
  expect(supportedFeatures).toEqual(supportedFeatures.toSorted())
  await world.condition('Gateway', 'web', '"attachedRoutes":1')
  expect((await world.get('Gateway', 'web'))?.['status']).toMatchObject({
    addresses: [{ type: 'IPAddress', value: '127.0.0.1' }],
    conditions: [
      { type: 'Accepted', status: 'True', reason: 'Accepted', observedGeneration: 1 },
      { type: 'Programmed', status: 'True', reason: 'Programmed', observedGeneration: 1 },
    ],
    listeners: [{ name: 'http', attachedRoutes: 1, supportedKinds: [{ kind: 'HTTPRoute' }, { kind: 'GRPCRoute' }] }],
  })
  await world.remove('HTTPRoute', 'app')
  await answered('app.localhost', 404)
  await world.condition('Gateway', 'web', '"attachedRoutes":0')
})

test('endpoints come and go without a new plan, and what is simulated says so', async () => {
  const simulated = slice('app', '{addresses: [10.88.0.7], conditions: {ready: true}}', 8080)
  await world.apply([GATEWAY, servicesOf('app'), simulated, route('app', 'app.localhost')].join('---'))
  expect((await answered('app.localhost', 503)).body).toContain('the Pods behind the Service team/app are simulated')
  await world.apply(await backend('app'))
  await answered('app.localhost', 200)
  await world.apply(slice('app', '{addresses: [127.0.0.1], conditions: {ready: false}}', 9))
  expect((await answered('app.localhost', 503)).body).toContain('no Pod behind the Service team/app is ready')
  await world.remove('EndpointSlice', 'app-1')
  await world.until('nothing is there', async () =>
    (await ask('app.localhost')).body.includes('no Pod is behind') ? true : undefined,
  )
})

test('a Service of another namespace needs the leave of its owner, which can be taken back', async () => {
  await world.apply(
    [
      GATEWAY,
      servicesOf('other/far'),
      await backend('far', 'other'),
      route('far', 'far.localhost', '{name: far, namespace: other, port: 80}'),
    ].join('---'),
  )
  await answered('far.localhost', 500)
  await world.condition('HTTPRoute', 'far', '"reason":"RefNotPermitted"')
  await world.apply(`
kind: ReferenceGrant
metadata: {name: grant, namespace: other}
spec: {from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: team}], to: [{group: '', kind: Service}]}
`)
  expect(await answered('far.localhost', 200)).toMatchObject({ body: 'far' })
  await world.condition('HTTPRoute', 'far', '"status":"True","reason":"ResolvedRefs"')
  await world.remove('ReferenceGrant', 'grant', 'other')
  await answered('far.localhost', 500)
})

test('a certificate that is renewed is shown to the next client', async () => {
  const listener =
    '{name: https, port: 443, protocol: HTTPS, hostname: a.localhost, tls: {certificateRefs: [{name: cert}]}}'
  const gateway = GATEWAY.replace('{name: http, port: 80, protocol: HTTP}', listener)
  await world.apply([gateway, servicesOf('app'), await backend('app'), route('app', 'a.localhost')].join('---'))
  await world.condition('Gateway', 'web', '"reason":"InvalidCertificateRef"')
  const names = async (): Promise<string | undefined> => {
    const call = secureRequest({
      port: world.https,
      host: '127.0.0.1',
      servername: 'a.localhost',
      rejectUnauthorized: false,
      agent: false,
    })
    call.setHeader('host', 'a.localhost')
    call.end()
    const [response] = (await once(call, 'response')) as [IncomingMessage]
    response.resume()
    return response.statusCode === 200 ? (response.socket as TLSSocket).getPeerCertificate().subjectaltname : undefined
  }
  const shown = (wanted: string): Promise<string> =>
    world.until(`the certificate is for ${wanted}`, async () => {
      const found = await names().catch(() => undefined)
      return found === wanted ? found : undefined
    })
  await world.apply(tlsSecret('cert', ['a.localhost']))
  expect(await shown('DNS:a.localhost')).toBeDefined()
  await world.apply(tlsSecret('cert', ['a.localhost', 'renewed.localhost']))
  await shown('DNS:a.localhost, DNS:renewed.localhost')
})

test('entries of other controllers in a status stay as they are', async () => {
  await world.apply([servicesOf('app'), route('app', 'app.localhost')].join('---'))
  const parents = [
    {
      parentRef: { group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'theirs' },
      controllerName: 'example.com/other',
      conditions: [
        {
          type: 'Accepted',
          status: 'True',
          reason: 'Accepted',
          message: '',
          lastTransitionTime: '2026-01-01T00:00:00Z',
        },
      ],
    },
  ]
  const resource = { group: 'gateway.networking.k8s.io', version: 'v1', plural: 'httproutes' }
  const target = { resource, namespace: 'team', name: 'app', subresource: 'status' }
  const written = await world.client.patch(target, { type: 'merge', body: { status: { parents } } })
  expect(written.ok).toBe(true)
  await world.apply(GATEWAY)
  await world.condition('HTTPRoute', 'app', 'idp-blueprint.io/gateway')
  expect((await world.get('HTTPRoute', 'app'))?.['status']).toMatchObject({
    parents: [...parents, { parentRef: { name: 'web' } }],
  })
  await world.remove('Gateway', 'web')
  await world.until('our entry is gone', async () =>
    JSON.stringify((await world.get('HTTPRoute', 'app'))?.['status']).includes('idp-blueprint') ? undefined : true,
  )
  expect((await world.get('HTTPRoute', 'app'))?.['status']).toMatchObject({ parents })
})

test('a port that is taken is told, and bound once it is free', async () => {
  const thief = createTcp().listen(world.http, '127.0.0.1')
  await once(thief, 'listening')
  await world.apply(GATEWAY)
  await world.condition('Gateway', 'web', '"reason":"AddressNotUsable"')
  expect(JSON.stringify((await world.get('Gateway', 'web'))?.['status'])).toContain('EADDRINUSE')
  thief.close()
  await once(thief, 'close')
  await world.apply(GATEWAY.replace('name: http,', 'name: renamed,'))
  await world.condition('Gateway', 'web', '"status":"True","reason":"Programmed"')
  await answered('any.localhost', 404)
})

test('a Pod that NetworkPolicies protect is reached by the Gateway that they let in', async () => {
  const pod = `
kind: ServiceAccount
metadata: {name: default}
---
kind: Pod
metadata: {name: app-0, labels: {app: app}}
spec: {containers: [{name: app, image: app}]}
`
  const policy = (from: string): string => `
kind: NetworkPolicy
metadata: {name: closed}
spec: {podSelector: {matchLabels: {app: app}}, ingress: [{from: [${from}]}]}
`
  const slices = (await backend('app')).replace('addresses:', 'targetRef: {kind: Pod, name: app-0}, addresses:')
  await world.apply([GATEWAY, pod, servicesOf('app'), slices, route('app', 'app.localhost')].join('---'))
  await answered('app.localhost', 200)
  await world.apply(policy('{podSelector: {matchLabels: {app: other}}}'))
  const refused = await answered('app.localhost', 503)
  expect(refused.body).toContain(
    'the Gateway team/web is not let in: the Pod team/app-0 is protected by NetworkPolicies (closed)',
  )
  await world.apply(policy('{podSelector: {matchLabels: {gateway.networking.k8s.io/gateway-name: web}}}'))
  await answered('app.localhost', 200)
})

test('a cluster that does not serve the rarer kinds is served all the same', async () => {
  await world.stop()
  world = await gatewayWorld(['tlsroutes', 'tcproutes', 'udproutes'])
  await world.apply([GATEWAY, servicesOf('app'), await backend('app'), route('app', 'app.localhost')].join('---'))
  expect(await answered('app.localhost', 200)).toMatchObject({ body: 'app' })
})
