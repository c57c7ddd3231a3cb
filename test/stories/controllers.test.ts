import { webcrypto, X509Certificate } from 'node:crypto'
import 'reflect-metadata'
import * as x509 from '@peculiar/x509'
import { spawnSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../../src/lib/clock.ts'
import { type RunningApi, startApi } from './api-server.ts'
import { type Ran, runProgram } from './idp.ts'

const hasKubectl = spawnSync('kubectl', ['version', '--client']).status === 0

let api: RunningApi
beforeAll(async () => {
  api = await startApi({ controllers: 'all' })
})
afterAll(() => api.remove())

const kubectl = (args: string, input?: object): Promise<Ran> =>
  runProgram('kubectl', args.split(' '), {
    env: { KUBECONFIG: api.kubeconfig },
    ...(input ? { input: JSON.stringify(input) } : {}),
  })

async function said(args: string, input?: object): Promise<string> {
  const ran = await kubectl(args, input)
  if (ran.code !== 0) throw new Error(`kubectl ${args}: ${ran.stderr}`)
  return ran.stdout.trim()
}

/** Asks again until the answer is the wanted one, and answers it. */
async function until(args: string, want: string | RegExp): Promise<string> {
  const limit = AbortSignal.timeout(30_000)
  for (;;) {
    const { stdout, stderr } = await kubectl(args)
    const text = `${stdout}${stderr}`.trim()
    if (typeof want === 'string' ? text === want : want.test(text)) return text
    if (limit.aborted) throw new Error(`kubectl ${args} says ${JSON.stringify(text)}, not ${String(want)}`)
    await systemClock.sleep(50)
  }
}

const owned = (name: string, uid: string) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: {
    name,
    namespace: 'default',
    labels: { story: 'owned' },
    ownerReferences: [
      { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', uid, controller: true, blockOwnerDeletion: true },
    ],
  },
})

describe.runIf(hasKubectl)('a cluster with its controllers', () => {
  test.each([
    { cascade: 'background', left: '' },
    { cascade: 'foreground', left: '' },
    { cascade: 'orphan', left: 'configmap/child' },
  ])('kubectl delete deployment --cascade=$cascade', async ({ cascade, left }) => {
    await said('create deployment web --image=i --replicas=0')
    const uid = await said('get deployment web -o jsonpath={.metadata.uid}')
    await said('create -f -', owned('child', uid))
    await said(`delete deployment web --cascade=${cascade} --timeout=20s`)
    expect(await until('get configmaps -l story=owned -o name', left)).toBe(left)
    await kubectl('delete configmaps -l story=owned')
    await kubectl('delete replicasets --all')
  })

  test('kubectl delete namespace takes everything with it, custom resources too', async () => {
    await said('create -f -', {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'things.my.org' },
      spec: {
        group: 'my.org',
        scope: 'Namespaced',
        names: { plural: 'things', singular: 'thing', kind: 'Thing', listKind: 'ThingList' },
        versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object' } } }],
      },
    })
    await said('create namespace team')
    await until('-n team get serviceaccounts -o name', 'serviceaccount/default')
    await said('-n team create configmap a --from-literal=a=b')
    const finalizers = ['my.org/hold']
    await said('create -f -', {
      apiVersion: 'my.org/v1',
      kind: 'Thing',
      metadata: { name: 't', namespace: 'team', finalizers },
    })
    await said('delete namespace team --wait=false')
    await until('get namespace team -o jsonpath={.status.conditions}', /things\.my\.org has 1 resource instances/)
    const body = JSON.stringify({ metadata: { finalizers: null } })
    await said(`-n team patch thing t --type=merge -p ${body}`)
    expect(await until('get namespace team -o name', /NotFound/)).toContain('NotFound')
  })

  test('kubectl certificate approve leads to a certificate of the cluster', async () => {
    x509.cryptoProvider.set(webcrypto)
    const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
    const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
    const made = await x509.Pkcs10CertificateRequestGenerator.create({
      name: 'CN=ann',
      keys,
      signingAlgorithm: algorithm,
    })
    const request = Buffer.from(made.toString('pem')).toString('base64')
    const spec = { request, signerName: 'kubernetes.io/kube-apiserver-client', usages: ['client auth'] }
    await said('create -f -', {
      apiVersion: 'certificates.k8s.io/v1',
      kind: 'CertificateSigningRequest',
      metadata: { name: 'ann' },
      spec,
    })
    await said('certificate approve ann')
    await until('get csr ann -o jsonpath={.status.certificate}', /^LS0t/)
    const pem = Buffer.from(await said('get csr ann -o jsonpath={.status.certificate}'), 'base64')
    expect(new X509Certificate(pem).verify(new X509Certificate(api.credentials.ca).publicKey)).toBe(true)
  })

  test('tokens come from kubectl create token, and from Secrets that ask for one', async () => {
    await said('create serviceaccount robot')
    expect(await said('create token robot')).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/)
    await said('create -f -', {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'kubernetes.io/service-account-token',
      metadata: { name: 'robot-token', annotations: { 'kubernetes.io/service-account.name': 'robot' } },
    })
    await until('get secret robot-token -o jsonpath={.data.token}', /./)
    const token = Buffer.from(await said('get secret robot-token -o jsonpath={.data.token}'), 'base64').toString()
    expect(await said(`auth whoami --token=${token} -o jsonpath={.status.userInfo.username}`)).toBe(
      'system:serviceaccount:default:robot',
    )
    await said('delete serviceaccount robot')
    await until('get secret robot-token -o name', /NotFound/)
  })

  test('a quota counts, and goes on counting after the server was killed', async () => {
    await said('create namespace counted')
    await said('-n counted create quota q --hard=secrets=5')
    await said('-n counted create secret generic one')
    await until('-n counted get quota q -o jsonpath={.status.used.secrets}', '1')
    process.kill(api.pid, 'SIGKILL')
    await api.stop()
    api = await startApi({ folder: api.folder, controllers: 'all' })
    await said('-n counted delete secret one')
    await until('-n counted get quota q -o jsonpath={.status.used.secrets}', '0')
    expect(await api.stop()).toBe(0)
    api = await startApi({ folder: api.folder, controllers: 'all' })
  })
})

test('an unknown controller is refused, and the known ones are named', async () => {
  await expect(startApi({ controllers: 'nobody' })).rejects.toThrow(
    /"nobody" is not a controller; there are garbage-collector/,
  )
})
