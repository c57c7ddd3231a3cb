import { describe, expect, test } from 'vitest'
import { compilePort } from '../table/table.ts'
import { readTarget } from '../table/path.ts'
import { planned, servicesOf, tlsSecret } from './plan.testkit.ts'

const HTTP = `
kind: Gateway
metadata: {name: web}
spec:
  gatewayClassName: idp
  listeners: [{name: http, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: Same}}}]
`
const ROUTE = `
kind: HTTPRoute
metadata: {name: app}
spec:
  parentRefs: [{name: web}]
  rules: [{backendRefs: [{name: app, port: 80}]}]
`

describe('a route', () => {
  test('is attached, and its Gateway says where', () => {
    const { plan, told } = planned([HTTP, ROUTE, servicesOf('app')].join('---'))
    expect(told).toEqual([
      'Gateway web: Accepted Programmed',
      'Gateway web listener http: 1 of [HTTPRoute,GRPCRoute] Accepted ResolvedRefs Programmed',
      'HTTPRoute app at web: Accepted ResolvedRefs',
    ])
    expect(plan.ports).toMatchObject([{ address: '127.0.0.1', port: 8080 }])
    expect([...plan.used.keys()]).toEqual(['team/app:80 via team/web'])
  })

  const gateway = `
kind: Gateway
metadata: {name: web}
spec:
  gatewayClassName: idp
  listeners:
  - {name: all, port: 80, protocol: HTTP, hostname: '*.a.example', allowedRoutes: {namespaces: {from: All}}}
  - {name: same, port: 81, protocol: HTTP, hostname: b.example}
  - name: some
    port: 82
    protocol: HTTP
    allowedRoutes: {namespaces: {from: Selector, selector: {matchLabels: {shared: 'yes'}}}, kinds: [{kind: GRPCRoute}]}
---
apiVersion: v1
kind: Namespace
metadata: {name: other, labels: {shared: 'yes'}}
`
  const where = (parentRef: string, more = '', kind = 'HTTPRoute', namespace = 'team'): string => `
kind: ${kind}
metadata: {name: app, namespace: ${namespace}}
spec: {parentRefs: [${parentRef}], ${more} rules: [{backendRefs: [{name: app, port: 80}]}]}
`
  test.each([
    { name: 'to a listener by its name', route: where('{name: web, sectionName: same}'), want: 'Accepted' },
    { name: 'to a listener by its port', route: where('{name: web, port: 81}'), want: 'Accepted' },
    { name: 'to no listener of the name', route: where('{name: web, sectionName: none}'), want: 'NoMatchingParent' },
    { name: 'to no listener of the port', route: where('{name: web, port: 99}'), want: 'NoMatchingParent' },
    {
      name: 'to none with both name and port',
      route: where('{name: web, sectionName: same, port: 80}'),
      want: 'NoMatchingParent',
    },
    {
      name: 'of a kind that is not taken',
      route: where('{name: web, sectionName: some}'),
      want: 'NotAllowedByListeners',
    },
    {
      name: 'of another namespace',
      route: where('{name: web, namespace: team, sectionName: same}', '', 'HTTPRoute', 'other'),
      want: 'NotAllowedByListeners',
    },
    {
      name: 'of a namespace with the labels',
      route: where('{name: web, namespace: team, sectionName: some}', '', 'GRPCRoute', 'other'),
      want: 'Accepted',
    },
    {
      name: 'of a namespace without the labels',
      route: where('{name: web, namespace: team, sectionName: some}', '', 'GRPCRoute', 'third'),
      want: 'NotAllowedByListeners',
    },
    {
      name: 'of any namespace',
      route: where('{name: web, namespace: team, sectionName: all}', '', 'HTTPRoute', 'third'),
      want: 'Accepted',
    },
    {
      name: 'with a hostname of a listener',
      route: where('{name: web}', 'hostnames: [x.a.example],'),
      want: 'Accepted',
    },
    {
      name: 'without a hostname of a listener',
      route: where('{name: web}', 'hostnames: [c.example, a.example],'),
      want: 'NoMatchingListenerHostname',
    },
    { name: 'of a kind that nobody takes', route: where('{name: web}', '', 'TCPRoute'), want: 'NotAllowedByListeners' },
  ])('$name: $want', ({ route, want }) => {
    const found = planned([gateway, route, servicesOf('app', 'other/app', 'third/app')].join('---')).told.at(-1)
    expect(found).toMatch(want === 'Accepted' ? / Accepted / : new RegExp(`Accepted=False/${want} `))
  })

  test('is of no concern where its parent is not ours', () => {
    const foreign = HTTP.replace('gatewayClassName: idp', 'gatewayClassName: other')
    expect(planned([foreign, ROUTE].join('---'))).toMatchObject({ told: [], plan: { ports: [] } })
  })

  const backend = (ref: string): string => ROUTE.replace('{name: app, port: 80}', ref)
  const grant = `
kind: ReferenceGrant
metadata: {name: grant, namespace: other}
spec:
  from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: team}]
  to: [{group: '', kind: Service, name: granted}]
`
  const services = `
apiVersion: v1
kind: Service
metadata: {name: odd}
spec: {ports: [{name: udp, port: 53, protocol: UDP}, {name: tls, port: 443, appProtocol: https}]}
---
apiVersion: v1
kind: Service
metadata: {name: external}
spec: {type: ExternalName, externalName: example.com, ports: [{port: 80}]}
`
  test.each([
    { name: 'a Service', ref: '{name: app, port: 80}', want: 'ResolvedRefs' },
    { name: 'no such Service', ref: '{name: none, port: 80}', want: 'BackendNotFound' },
    { name: 'no such port', ref: '{name: app, port: 81}', want: 'BackendNotFound' },
    { name: 'another kind', ref: '{kind: Pod, name: app, port: 80}', want: 'InvalidKind' },
    { name: 'another group', ref: '{group: example.com, kind: Service, name: app, port: 80}', want: 'InvalidKind' },
    { name: 'another namespace', ref: '{name: app, namespace: other, port: 80}', want: 'RefNotPermitted' },
    {
      name: 'another namespace that allows it',
      ref: '{name: granted, namespace: other, port: 80}',
      want: 'ResolvedRefs',
    },
    { name: 'datagrams', ref: '{name: odd, port: 53}', want: 'UnsupportedProtocol' },
    { name: 'TLS that nobody says how to verify', ref: '{name: odd, port: 443}', want: 'UnsupportedProtocol' },
    { name: 'a name elsewhere', ref: '{name: external, port: 80}', want: 'InvalidKind' },
  ])('that leads to $name: $want', ({ ref, want }) => {
    const { told, plan } = planned(
      [HTTP, backend(ref), grant, services, servicesOf('app', 'other/app', 'other/granted')].join('---'),
    )
    const found = told.at(-1)
    const isGood = want === 'ResolvedRefs'
    expect(found).toMatch(isGood ? / ResolvedRefs$/ : new RegExp(`ResolvedRefs=False/${want}$`))
    // What is wrong is answered 500, not left out.
    const [target] = plan.ports[0]?.listeners[0]?.routes[0]?.rules[0]?.action.backends ?? []
    expect(target?.target).toMatchObject(isGood ? { do: 'forward' } : { do: 'refuse', status: 500 })
  })

  test.each([
    {
      name: 'a pattern that is none',
      rules: "[{matches: [{path: {type: RegularExpression, value: '/('}}]}]",
      want: 'Accepted=False/UnsupportedValue ResolvedRefs',
    },
    {
      name: 'a pattern that is none beside a good rule',
      rules: "[{}, {matches: [{headers: [{name: a, type: RegularExpression, value: '('}]}]}]",
      want: 'Accepted ResolvedRefs PartiallyInvalid=True/UnsupportedValue',
    },
    {
      name: 'a filter of somebody else',
      rules: '[{filters: [{type: ExtensionRef, extensionRef: {group: a, kind: B, name: c}}]}]',
      want: 'Accepted ResolvedRefs=False/InvalidKind',
    },
    {
      name: 'a filter that nobody knows',
      rules: '[{filters: [{type: Magic}]}]',
      want: 'Accepted=False/UnsupportedValue ResolvedRefs',
    },
    {
      name: 'a prefix to replace where there is none',
      rules:
        '[{matches: [{path: {type: Exact, value: /a}}], filters: [{type: URLRewrite, urlRewrite: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /b}}}]}]',
      want: 'Accepted=False/UnsupportedValue ResolvedRefs',
    },
    {
      name: 'a header that would begin another one',
      rules:
        '[{filters: [{type: RequestHeaderModifier, requestHeaderModifier: {set: [{name: a, value: "b\\r\\nc: d"}]}}]}]',
      want: 'Accepted=False/UnsupportedValue ResolvedRefs',
    },
    {
      name: 'a mirror that is not there',
      rules: '[{filters: [{type: RequestMirror, requestMirror: {backendRef: {name: none, port: 80}}}]}]',
      want: 'Accepted ResolvedRefs=False/BackendNotFound',
    },
  ])('with $name', ({ rules, want }) => {
    const route = `
kind: HTTPRoute
metadata: {name: app}
spec: {parentRefs: [{name: web}], rules: ${rules}}
`
    expect(planned([HTTP, route].join('---')).told.at(-1)).toBe(`HTTPRoute app at web: ${want}`)
  })

  test('of gRPC and of HTTP do not share a hostname: the older one has it', () => {
    const of = (kind: string, name: string, created: string, host: string): string => `
kind: ${kind}
metadata: {name: ${name}, creationTimestamp: '${created}'}
spec: {parentRefs: [{name: web}], hostnames: [${host}], rules: [{backendRefs: [{name: app, port: 80}]}]}
`
    const { told } = planned(
      [
        HTTP,
        of('HTTPRoute', 'young', '2026-01-02T00:00:00Z', 'a.example'),
        of('GRPCRoute', 'old', '2026-01-01T00:00:00Z', '"*.example"'),
        of('HTTPRoute', 'apart', '2026-01-02T00:00:00Z', 'other.org'),
        servicesOf('app'),
      ].join('---'),
    )
    expect(told.filter((line) => line.includes('Route ')).toSorted()).toEqual([
      'GRPCRoute old at web: Accepted ResolvedRefs',
      'HTTPRoute apart at web: Accepted ResolvedRefs',
      'HTTPRoute young at web: Accepted=False/HostnameConflict ResolvedRefs',
    ])
    expect(told[1]).toMatch(/^Gateway web listener http: 2 /)
  })
})

describe('a listener', () => {
  const gateway = (...listeners: readonly string[]): string => `
kind: Gateway
metadata: {name: web}
spec: {gatewayClassName: idp, listeners: [${listeners.join(', ')}]}
`
  const https = (name: string, ref: string, more = ''): string =>
    `{name: ${name}, port: 443, protocol: HTTPS, ${more} tls: {certificateRefs: [${ref}]}}`
  const grant = `
kind: ReferenceGrant
metadata: {name: grant, namespace: other}
spec: {from: [{group: gateway.networking.k8s.io, kind: Gateway, namespace: team}], to: [{group: '', kind: Secret, name: granted}]}
`
  const broken = `
apiVersion: v1
kind: Secret
metadata: {name: broken}
data: {tls.crt: SGVsbG8=, tls.key: SGVsbG8=}
`
  const secrets = [
    tlsSecret('cert', ['a.example']),
    tlsSecret('cert', ['a.example'], 'other'),
    tlsSecret('granted', ['b.example'], 'other'),
    grant,
    broken,
  ]
  const takes = '[HTTPRoute,GRPCRoute]'
  const bad = (reason: string): string => `0 of ${takes} Accepted ResolvedRefs=False/${reason} Programmed=False/Invalid`
  test.each([
    {
      name: 'with a certificate',
      listener: https('s', '{name: cert}'),
      want: `0 of ${takes} Accepted ResolvedRefs Programmed`,
    },
    {
      name: 'without a certificate',
      listener: '{name: s, port: 443, protocol: HTTPS}',
      want: bad('InvalidCertificateRef'),
    },
    {
      name: 'with a certificate that is not there',
      listener: https('s', '{name: none}'),
      want: bad('InvalidCertificateRef'),
    },
    {
      name: 'with a certificate that is none',
      listener: https('s', '{name: broken}'),
      want: bad('InvalidCertificateRef'),
    },
    {
      name: 'with another kind',
      listener: https('s', '{kind: ConfigMap, name: cert}'),
      want: bad('InvalidCertificateRef'),
    },
    {
      name: 'with a certificate of another namespace',
      listener: https('s', '{name: cert, namespace: other}'),
      want: bad('RefNotPermitted'),
    },
    {
      name: 'with a certificate of another namespace that allows it',
      listener: https('s', '{name: granted, namespace: other}'),
      want: `0 of ${takes} Accepted ResolvedRefs Programmed`,
    },
    {
      name: 'with one good certificate of two',
      listener: https('s', '{name: none}, {name: cert}'),
      want: `0 of ${takes} Accepted ResolvedRefs=False/InvalidCertificateRef Programmed`,
    },
    {
      name: 'of TCP',
      listener: '{name: s, port: 9, protocol: TCP}',
      want: '0 of [] Accepted=False/UnsupportedProtocol ResolvedRefs Programmed=False/Invalid',
    },
    {
      name: 'with kinds that it cannot take',
      listener: '{name: s, port: 80, protocol: HTTP, allowedRoutes: {kinds: [{kind: Magic}, {kind: HTTPRoute}]}}',
      want: '0 of [HTTPRoute] Accepted ResolvedRefs=False/InvalidRouteKinds Programmed',
    },
    {
      name: 'that passes connections on',
      listener: '{name: s, port: 443, protocol: TLS, tls: {mode: Passthrough}}',
      want: '0 of [TLSRoute] Accepted ResolvedRefs Programmed',
    },
    {
      name: 'that ends TLS for streams',
      listener: '{name: s, port: 443, protocol: TLS, tls: {mode: Terminate, certificateRefs: [{name: cert}]}}',
      want: '0 of [TLSRoute] Accepted ResolvedRefs Programmed',
    },
  ])('$name', ({ listener, want }) => {
    const { told } = planned([gateway(listener), ...secrets].join('---'))
    expect(told[1]).toBe(`Gateway web listener s: ${want}`)
    const isServed = want.endsWith(' Programmed')
    expect(told[0]).toBe(
      `Gateway web: ${isServed ? 'Accepted Programmed' : 'Accepted=False/ListenersNotValid Programmed=False/Invalid'}`,
    )
  })

  test('that asks for the same as another one is not served, and neither is the other one', () => {
    const { told, plan } = planned(
      gateway(
        '{name: a, port: 80, protocol: HTTP, hostname: a.b}',
        '{name: b, port: 80, protocol: HTTP, hostname: a.b}',
        '{name: c, port: 80, protocol: HTTP, hostname: c.b}',
        '{name: d, port: 90, protocol: HTTP}',
        '{name: e, port: 90, protocol: TLS, tls: {mode: Passthrough}, hostname: e.b}',
      ),
    )
    const conflicted = (reason: string): string =>
      `Accepted=False/${reason} Conflicted=True/${reason} ResolvedRefs Programmed=False/Invalid`
    expect(told).toEqual([
      'Gateway web: Accepted=True/ListenersNotValid Programmed',
      `Gateway web listener a: 0 of ${takes} ${conflicted('HostnameConflict')}`,
      `Gateway web listener b: 0 of ${takes} ${conflicted('HostnameConflict')}`,
      `Gateway web listener c: 0 of ${takes} Accepted ResolvedRefs Programmed`,
      `Gateway web listener d: 0 of ${takes} ${conflicted('ProtocolConflict')}`,
      `Gateway web listener e: 0 of [TLSRoute] ${conflicted('ProtocolConflict')}`,
    ])
    expect(plan.ports.map(({ port }) => port)).toEqual([8080])
  })

  test('shares names with another one, and both say so', () => {
    const { told } = planned(
      [
        gateway(
          https('a', '{name: cert}', 'hostname: a.example,'),
          https('b', '{name: cert}', "hostname: '*.example',"),
          https('c', '{name: cert}', 'hostname: c.org,'),
        ),
        ...secrets,
      ].join('---'),
    )
    expect(told.slice(1).map((line) => line.includes('OverlappingTLSConfig=True/OverlappingHostnames'))).toEqual([
      true,
      true,
      false,
    ])
  })

  test('whose port is taken says so', () => {
    const { told } = planned(
      gateway('{name: s, port: 80, protocol: HTTP}'),
      new Map([['127.0.0.1:8080', 'EADDRINUSE']]),
    )
    expect(told).toEqual([
      'Gateway web: Accepted Programmed=False/AddressNotUsable',
      `Gateway web listener s: 0 of ${takes} Accepted ResolvedRefs Programmed=False/PortUnavailable`,
    ])
  })

  test.each([
    { name: 'good authorities', refs: '{name: cert-ca}', want: 'Accepted ResolvedRefs Programmed' },
    {
      name: 'another kind',
      refs: '{kind: Secret, name: cert}',
      want: 'Accepted=False/NoValidCACertificate ResolvedRefs=False/InvalidCACertificateKind Programmed=False/Invalid',
    },
    {
      name: 'none that is there',
      refs: '{name: none}',
      want: 'Accepted=False/NoValidCACertificate ResolvedRefs=False/InvalidCACertificateRef Programmed=False/Invalid',
    },
    {
      name: 'one that is there',
      refs: '{name: none}, {name: cert-ca}',
      want: 'Accepted ResolvedRefs=False/InvalidCACertificateRef Programmed',
    },
    {
      name: 'those of another namespace',
      refs: '{name: cert-ca, namespace: other}',
      want: 'Accepted=False/NoValidCACertificate ResolvedRefs=False/RefNotPermitted Programmed=False/Invalid',
    },
  ])('that wants certificates of clients, with $name', ({ refs, want }) => {
    const validating = `
kind: Gateway
metadata: {name: web}
spec:
  gatewayClassName: idp
  listeners: [${https('s', '{name: cert}')}]
  tls: {frontend: {default: {validation: {caCertificateRefs: [${refs}]}}}}
`
    expect(planned([validating, ...secrets].join('---')).told[1]).toBe(`Gateway web listener s: 0 of ${takes} ${want}`)
  })
})

describe('Gateways', () => {
  const gateway = (name: string, more: string, created = '2026-01-01T00:00:00Z'): string => `
kind: Gateway
metadata: {name: ${name}, creationTimestamp: '${created}'}
spec: {gatewayClassName: idp, ${more}}
`
  const http = (port: number, hostname?: string): string =>
    `listeners: [{name: h, port: ${port}, protocol: HTTP${hostname === undefined ? '' : `, hostname: ${hostname}`}}]`

  test('share an address while they ask for different names, and get one of their own where not', () => {
    const { plan } = planned(
      [
        gateway('young', http(80, 'a.example'), '2026-01-03T00:00:00Z'),
        gateway('old', http(80, 'a.example')),
        gateway('apart', http(80, 'b.example'), '2026-01-02T00:00:00Z'),
      ].join('---'),
    )
    expect(
      plan.ports.map(({ address, port, listeners }) => [address, port, listeners.map(({ name }) => name)]),
    ).toEqual([
      ['127.0.0.1', 8080, ['team/old/h', 'team/apart/h']],
      [expect.stringMatching(/^127\.240\./), 8080, ['team/young/h']],
    ])
  })

  test.each([
    { name: 'a loopback address', addresses: '[{value: 127.0.0.9}]', want: /^Gateway web: Accepted Programmed$/ },
    {
      name: 'an address without a value',
      addresses: '[{type: IPAddress}]',
      want: /^Gateway web: Accepted Programmed$/,
    },
    {
      name: 'this machine by name',
      addresses: '[{type: Hostname, value: localhost}]',
      want: /^Gateway web: Accepted Programmed$/,
    },
    {
      name: 'an address elsewhere',
      addresses: '[{value: 10.1.2.3}]',
      want: /Accepted Programmed=False\/AddressNotUsable/,
    },
    {
      name: 'a kind of address',
      addresses: '[{type: NamedAddress, value: x}]',
      want: /Accepted=False\/UnsupportedAddress Programmed=False\/Invalid/,
    },
  ])('may ask for $name', ({ addresses, want }) => {
    expect(planned(gateway('web', `addresses: ${addresses}, ${http(80)}`)).told[0]).toMatch(want)
  })

  test('take no parameters', () => {
    const parameters = `infrastructure: {labels: {a: b}, parametersRef: {group: '', kind: ConfigMap, name: c}}, ${http(80)}`
    expect(planned(gateway('web', parameters)).told[0]).toBe(
      'Gateway web: Accepted=False/InvalidParameters Programmed=False/Invalid',
    )
  })

  test('with both 80 and 8080 get both', () => {
    const both =
      'listeners: [{name: a, port: 80, protocol: HTTP}, {name: b, port: 8080, protocol: HTTP}, {name: c, port: 9000, protocol: HTTP}]'
    expect(planned(gateway('web', both)).plan.ports.map(({ port }) => port)).toEqual([18_080, 8080, 9000])
  })
})

describe('a BackendTLSPolicy', () => {
  const policy = (name: string, spec: string, created = '2026-01-01T00:00:00Z'): string => `
kind: BackendTLSPolicy
metadata: {name: ${name}, creationTimestamp: '${created}'}
spec: ${spec}
`
  const target = 'targetRefs: [{group: "", kind: Service, name: app}]'
  const good = 'validation: {hostname: app.internal, caCertificateRefs: [{group: "", kind: ConfigMap, name: cert-ca}]}'
  const cert = tlsSecret('cert', ['app.internal'])
  const tlsOf = (yaml: string): unknown =>
    planned(yaml).plan.ports[0]?.listeners[0]?.routes[0]?.rules[0]?.action.backends[0]?.target

  test.each([
    { name: 'kept', spec: `{${target}, ${good}}`, want: 'Accepted ResolvedRefs', isKept: true },
    {
      name: 'with the authorities of the system',
      spec: `{${target}, validation: {hostname: a.b, wellKnownCACertificates: System}}`,
      want: 'Accepted ResolvedRefs',
      isKept: true,
    },
    {
      name: 'with authorities that nobody knows',
      spec: `{${target}, validation: {hostname: a.b, wellKnownCACertificates: a.b/c}}`,
      want: 'Accepted=False/Invalid ResolvedRefs',
    },
    {
      name: 'with a ConfigMap that is not there',
      spec: `{${target}, validation: {hostname: a.b, caCertificateRefs: [{group: "", kind: ConfigMap, name: none}]}}`,
      want: 'Accepted=False/NoValidCACertificate ResolvedRefs=False/InvalidCACertificateRef',
    },
    {
      name: 'with another kind',
      spec: `{${target}, validation: {hostname: a.b, caCertificateRefs: [{group: "", kind: Secret, name: cert}]}}`,
      want: 'Accepted=False/NoValidCACertificate ResolvedRefs=False/InvalidKind',
    },
  ])('is $name', ({ spec, want, isKept = false }) => {
    const yaml = [HTTP, ROUTE, servicesOf('app'), cert, policy('tls', spec)].join('---')
    expect(planned(yaml).told.at(-1)).toBe(`BackendTLSPolicy tls at web: ${want}`)
    expect(tlsOf(yaml)).toMatchObject(isKept ? { do: 'forward', tls: {} } : { do: 'refuse', status: 500 })
  })

  test('for a port is closer than one for the Service, and an older one wins', () => {
    const section = target.replace('name: app', 'name: app, sectionName: http')
    const named = (hostname: string): string => `validation: {hostname: ${hostname}, wellKnownCACertificates: System}`
    const yaml = [
      HTTP,
      ROUTE,
      servicesOf('app'),
      policy('whole', `{${target}, ${named('whole')}}`),
      policy('port', `{${section}, ${named('port')}}`, '2026-01-02T00:00:00Z'),
      policy('later', `{${section}, ${named('later')}}`, '2026-01-03T00:00:00Z'),
    ].join('---')
    expect(tlsOf(yaml)).toMatchObject({ tls: { hostname: 'port' } })
    expect(planned(yaml).told.slice(-3)).toEqual([
      'BackendTLSPolicy whole at web: Accepted ResolvedRefs',
      'BackendTLSPolicy port at web: Accepted ResolvedRefs',
      'BackendTLSPolicy later at web: Accepted=False/Conflicted ResolvedRefs',
    ])
  })
})

test('calls of gRPC are found by service and method, the service first', () => {
  const route = `
kind: GRPCRoute
metadata: {name: calls}
spec:
  parentRefs: [{name: web}]
  rules:
  - {name: any}
  - {name: method, matches: [{method: {method: Do}}]}
  - {name: service, matches: [{method: {service: a.B}}]}
  - {name: both, matches: [{method: {service: a.B, method: Do}}]}
  - {name: pattern, matches: [{method: {type: RegularExpression, service: 'a\\.C+', method: 'D[ox]'}}]}
  - {name: header, matches: [{method: {service: a.B, method: Do}, headers: [{name: X-V, value: '2'}]}]}
`
  const [port] = planned([HTTP, route].join('---')).plan.ports
  const listener = port && compilePort(port).listeners.find('any.host')
  const ask = (path: string, headers = {}): string | undefined => {
    const target = readTarget(path)
    return target && listener?.rules.find('any.host')?.find({ method: 'POST', target, headers })?.action.rule
  }
  expect(['/x.Y/Z', '/x.Y/Do', '/a.B/Other', '/a.B/Do', '/a.CC/Dx', '/a.C/Dy'].map((path) => ask(path))).toEqual([
    'any',
    'method',
    'service',
    'both',
    'pattern',
    'any',
  ])
  expect(ask('/a.B/Do', { 'x-v': '2' })).toBe('header')
})
