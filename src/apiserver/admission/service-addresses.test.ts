import { expect, test } from 'vitest'
import type { KubeObject } from '../../kube/object.ts'
import { refusalOf, testServer, valueOf } from '../apiserver.testkit.ts'
import { clusterReader } from '../storage/reader.ts'
import { certificateRequester } from './certificate-requester.ts'
import { serviceAddresses } from './service-addresses.ts'

const services = { resource: { group: '', version: 'v1', plural: 'services' }, namespace: 'default' }

const service = (name: string, spec: object = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name },
  spec: { selector: { app: name }, ports: [{ port: 80 }], ...spec },
})

const withAddresses = () => testServer({ admission: ({ store }) => [serviceAddresses(clusterReader(store), () => 0)] })

test('every Service gets an address of its own, and keeps it', async () => {
  const { client } = await withAddresses()
  const [a, b] = (
    await Promise.all([client.create(services, service('a')), client.create(services, service('b'))])
  ).map(valueOf)
  const specOf = (object: KubeObject | undefined) => object?.['spec'] as { clusterIP: string }
  expect(specOf(a)).toMatchObject({ clusterIP: '10.96.1.0', clusterIPs: ['10.96.1.0'], ipFamilies: ['IPv4'] })
  expect(specOf(b).clusterIP).toBe('10.96.1.1')
  const replaced = valueOf(await client.update({ ...services, name: 'a' }, service('a', { ports: [{ port: 81 }] })))
  expect(specOf(replaced).clusterIP).toBe('10.96.1.0')
})

test('a Service cannot take the address of another, may have none, and gets node ports where it wants them', async () => {
  const { client } = await withAddresses()
  const taken = await client.create(services, service('mine', { clusterIP: '10.96.0.1' }))
  expect(refusalOf(taken).message).toContain('provided IP is already allocated')
  const headless = valueOf(await client.create(services, service('headless', { clusterIP: 'None' })))
  expect(headless['spec']).toMatchObject({ clusterIP: 'None', clusterIPs: ['None'] })
  const external = valueOf(
    await client.create(services, service('out', { type: 'ExternalName', externalName: 'a.test' })),
  )
  expect(external['spec']).not.toHaveProperty('clusterIP')
  const onNodes = valueOf(
    await client.create(
      services,
      service('nodes', {
        type: 'NodePort',
        ports: [
          { name: 'a', port: 80 },
          { name: 'b', port: 81 },
        ],
      }),
    ),
  )
  expect(onNodes['spec']).toMatchObject({ ports: [{ nodePort: 30_000 }, { nodePort: 30_001 }] })
})

test('two who ask for the same address or port at once do not both get it', async () => {
  const { client } = await withAddresses()
  const wish = { type: 'NodePort', clusterIP: '10.96.0.77', ports: [{ port: 80, nodePort: 30_500 }] }
  const answers = await Promise.all(['a', 'b'].map((name) => client.create(services, service(name, wish))))
  const refused = answers.flatMap((answer) => (answer.ok ? [] : [answer.error.message]))
  expect(refused).toHaveLength(1)
  expect(refused[0]).toContain('provided IP is already allocated')
  expect(refused[0]).toContain('spec.ports[0].nodePort: Invalid value: 30500: provided port is already allocated')
  // Whoever has it may say so again.
  const holder = answers[0]?.ok ? 'a' : 'b'
  expect((await client.update({ ...services, name: holder }, service(holder, wish))).ok).toBe(true)
})

test('a port out of range is refused', async () => {
  const { client } = await withAddresses()
  const wish = { type: 'NodePort', ports: [{ port: 80, nodePort: 80 }] }
  expect(refusalOf(await client.create(services, service('a', wish))).message).toContain(
    'The range of valid ports is 30000-32767',
  )
})

test('a certificate request says who asked, and stays what was asked', async () => {
  const { client } = await testServer({ admission: () => [certificateRequester] })
  const requests = { resource: { group: 'certificates.k8s.io', version: 'v1', plural: 'certificatesigningrequests' } }
  const spec = { request: 'YQ==', signerName: 'example.com/x', usages: ['client auth'], username: 'somebody-else' }
  const made = valueOf(
    await client.create(requests, {
      apiVersion: 'certificates.k8s.io/v1',
      kind: 'CertificateSigningRequest',
      metadata: { name: 'c' },
      spec,
    }),
  )
  expect(made['spec']).toMatchObject({ username: 'admin', groups: ['system:masters'], request: 'YQ==' })
  const approved = valueOf(
    await client.update(
      { ...requests, name: 'c', subresource: 'approval' },
      {
        ...made,
        status: { conditions: [{ type: 'Approved', status: 'True', reason: 'x', message: 'y' }], certificate: 'YQ==' },
      },
    ),
  )
  expect(approved['status']).toMatchObject({ conditions: [{ type: 'Approved' }] })
  expect(approved['status']).not.toHaveProperty('certificate')
})
