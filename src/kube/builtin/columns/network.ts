import type { KubeObject } from '../../object.ts'
import { fieldsOf, listOf } from '../defaulting.ts'
import {
  ageColumn,
  at,
  column,
  type Column,
  firstThree,
  labelsText,
  nameColumn,
  objectsAt,
  plainText,
  orNone,
  selectorText,
  textAt,
  wide,
} from './column.ts'

// Semantics: kubernetes 1.36, pkg/printers/internalversion/printers.go.

/** Where a load balancer is reached. */
function balancerText(object: KubeObject): string {
  const places = objectsAt(object, 'status', 'loadBalancer', 'ingress').map(
    (one) => textAt(one, 'ip') || textAt(one, 'hostname'),
  )
  return [...new Set(places.filter((place) => place !== ''))].toSorted().join(',')
}

function externalText(service: KubeObject): string {
  const external = listOf(at(service, 'spec', 'externalIPs')).map(plainText)
  switch (textAt(service, 'spec', 'type')) {
    case 'ClusterIP':
    case 'NodePort':
      return orNone(external.join(','))
    case 'LoadBalancer': {
      const places = [balancerText(service), ...external].filter((place) => place !== '')
      return places.length > 0 ? places.join(',') : '<pending>'
    }
    case 'ExternalName':
      return textAt(service, 'spec', 'externalName')
    default:
      return '<unknown>'
  }
}

const portsText = (service: KubeObject): string =>
  orNone(
    objectsAt(service, 'spec', 'ports')
      .map((port) => {
        const nodePort = textAt(port, 'nodePort')
        const published = nodePort === '' || nodePort === '0' ? '' : `:${nodePort}`
        return `${textAt(port, 'port')}${published}/${textAt(port, 'protocol')}`
      })
      .join(','),
  )

const joined = (host: string, port: string): string => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`)

const endpointsText = (object: KubeObject): string =>
  firstThree(
    objectsAt(object, 'subsets').flatMap((subset) => {
      const addresses = objectsAt(subset, 'addresses').map((one) => textAt(one, 'ip'))
      const ports = objectsAt(subset, 'ports').map((one) => textAt(one, 'port'))
      if (ports.length === 0) return addresses
      return ports.flatMap((port) => addresses.map((address) => joined(address, port)))
    }),
  )

function hostsText(ingress: KubeObject): string {
  const rules = objectsAt(ingress, 'spec', 'rules')
  const hosts = rules
    .slice(0, 3)
    .map((rule) => textAt(rule, 'host'))
    .filter((host) => host !== '')
  if (hosts.length === 0) return '*'
  return rules.length > 3 ? `${hosts.join(',')} + ${rules.length - 3} more...` : hosts.join(',')
}

/** A class's parameters: `<kind>.<group>/<name>`. */
function parametersText(object: KubeObject): string {
  const parameters = at(object, 'spec', 'parameters')
  if (parameters === undefined) return '<none>'
  const { kind, apiGroup, name } = fieldsOf(parameters)
  return `${plainText(kind)}${apiGroup === undefined ? '' : `.${plainText(apiGroup)}`}/${plainText(name)}`
}

/** The tables of the kinds about the network, by group and kind. */
export const networkColumns: Readonly<Record<string, readonly Column[]>> = {
  '/Service': [
    nameColumn,
    column('Type', 'How the Service is reached.', (object) => textAt(object, 'spec', 'type')),
    column('Cluster-IP', 'Its address inside the cluster.', (object) => orNone(textAt(object, 'spec', 'clusterIP'))),
    column('External-IP', 'Its addresses outside the cluster.', externalText),
    column('Port(s)', 'Its ports.', portsText),
    ageColumn,
    wide('Selector', 'The Pods behind it.', (object) => labelsText(at(object, 'spec', 'selector'))),
  ],
  '/Endpoints': [nameColumn, column('Endpoints', 'The addresses behind the Service.', endpointsText), ageColumn],
  'discovery.k8s.io/EndpointSlice': [
    nameColumn,
    column('AddressType', 'The type of its addresses.', (object) => textAt(object, 'addressType')),
    column('Ports', 'Its ports.', (object) => {
      const ports = objectsAt(object, 'ports').map((port) => textAt(port, 'port') || '*')
      return ports.length === 0 ? '<unset>' : firstThree(ports)
    }),
    column('Endpoints', 'Its addresses.', (object) => {
      const addresses = objectsAt(object, 'endpoints').flatMap((one) => listOf(one['addresses']).map(plainText))
      return addresses.length === 0 ? '<unset>' : firstThree(addresses)
    }),
    ageColumn,
  ],
  'networking.k8s.io/Ingress': [
    nameColumn,
    column('Class', 'Who serves it.', (object) =>
      orNone(
        textAt(object, 'spec', 'ingressClassName') ||
          (object.metadata.annotations?.['kubernetes.io/ingress.class'] ?? ''),
      ),
    ),
    column('Hosts', 'The names that it answers to.', hostsText),
    column('Address', 'Where it is reached.', balancerText),
    column('Ports', 'Its ports.', (object) => (objectsAt(object, 'spec', 'tls').length > 0 ? '80, 443' : '80')),
    ageColumn,
  ],
  'networking.k8s.io/IngressClass': [
    nameColumn,
    column('Controller', 'Who serves the class.', (object) => textAt(object, 'spec', 'controller')),
    column('Parameters', 'Where its settings are.', parametersText),
    ageColumn,
  ],
  'networking.k8s.io/NetworkPolicy': [
    nameColumn,
    column('Pod-Selector', 'The Pods that it is about.', (object) => selectorText(at(object, 'spec', 'podSelector'))),
    ageColumn,
  ],
  'networking.k8s.io/IPAddress': [
    nameColumn,
    column('ParentRef', 'What has the address.', (object) => {
      const { group, resource, namespace, name } = fieldsOf(at(object, 'spec', 'parentRef'))
      const place = [resource, namespace, name].filter((part) => part !== undefined && part !== '').map(plainText)
      return group ? `${plainText(group)}/${place.join('/')}` : place.join('/')
    }),
    ageColumn,
  ],
  'networking.k8s.io/ServiceCIDR': [
    nameColumn,
    column('CIDRs', 'The ranges of addresses.', (object) =>
      listOf(at(object, 'spec', 'cidrs'))
        .map(plainText)
        .join(','),
    ),
    ageColumn,
  ],
}
