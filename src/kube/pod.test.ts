import { expect, test } from 'vitest'
import { podAmounts, type PodSpec, qosClassOf } from './pod.ts'
import { formatQuantity } from './quantity.ts'

const container = (
  name: string,
  cpu: string | undefined,
  more: object = {},
): NonNullable<PodSpec['containers']>[number] => ({
  name,
  ...(cpu === undefined ? {} : { resources: { requests: { cpu }, limits: { cpu } } }),
  ...more,
})
const sidecar = { restartPolicy: 'Always' }

test.each<[string, PodSpec, string | undefined]>([
  ['containers add up', { containers: [container('a', '100m'), container('b', '200m')] }, '300m'],
  [
    'an init container counts where it needs more',
    { containers: [container('a', '100m')], initContainers: [container('i', '1')] },
    '1',
  ],
  [
    'init containers run one after the other',
    { containers: [container('a', '100m')], initContainers: [container('i', '50m'), container('j', '80m')] },
    '100m',
  ],
  [
    'sidecars run beside the containers',
    { containers: [container('a', '100m')], initContainers: [container('s', '50m', sidecar)] },
    '150m',
  ],
  [
    'an init container runs beside the sidecars that started before it',
    {
      containers: [container('a', '10m')],
      initContainers: [container('s', '50m', sidecar), container('i', '100m'), container('t', '1m', sidecar)],
    },
    '150m',
  ],
  ['overhead is added', { containers: [container('a', '100m')], overhead: { cpu: '10m' } }, '110m'],
  [
    'pod-level amounts replace the sum',
    { containers: [container('a', '100m')], resources: { requests: { cpu: '2' } } },
    '2',
  ],
  ['nothing asked is nothing', { containers: [container('a', undefined)] }, undefined],
])('%s', (_name, spec, want) => {
  const cpu = podAmounts(spec, 'requests').get('cpu')
  expect(cpu && formatQuantity(cpu)).toBe(want)
})

test('overhead is only added to limits that are there', () => {
  expect(podAmounts({ containers: [container('a', undefined)], overhead: { cpu: '10m' } }, 'limits').size).toBe(0)
})

test.each<[string, PodSpec, string]>([
  ['BestEffort', { containers: [container('a', undefined)] }, 'BestEffort'],
  ['cpu alone', { containers: [container('a', '1')] }, 'Burstable'],
  ['both equal', { containers: [{ name: 'a', resources: { limits: { cpu: '1', memory: '1Gi' } } }] }, 'Guaranteed'],
  [
    'unequal',
    {
      containers: [
        { name: 'a', resources: { requests: { cpu: '1', memory: '1Mi' }, limits: { cpu: '1', memory: '1Gi' } } },
      ],
    },
    'Burstable',
  ],
  ['zero is nothing', { containers: [{ name: 'a', resources: { requests: { cpu: '0' } } }] }, 'BestEffort'],
])('quality of service: %s', (_name, spec, want) => {
  expect(qosClassOf(spec)).toBe(want)
})
