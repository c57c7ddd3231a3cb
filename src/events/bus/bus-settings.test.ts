import { expect, test } from 'vitest'
import { readBusSettings, usualSettings } from './bus-settings.ts'

test.each<readonly [string, unknown, object]>([
  ['nothing further', { jetstream: { version: 'latest' } }, usualSettings],
  [
    'a stream configuration, whatever the case of its names',
    {
      jetstream: {
        version: 'latest',
        maxPayload: '2MB',
        streamConfig: 'MaxMsgs: 10\nmaxage: 72h\nmaxBytes: 1048576\ndiscard: 1\nreplicas: 3\n',
      },
    },
    { maxMsgs: 10, maxAgeMs: 72 * 3_600_000, maxBytes: 1_048_576, maxPayloadBytes: 2 * 2 ** 20, discardNew: true },
  ],
  ['no bound on bytes', { jetstream: { version: '1', streamConfig: 'maxBytes: -1' } }, usualSettings],
  [
    'native NATS',
    {
      nats: { native: { replicas: 3, auth: 'token', maxAge: '24h', maxMsgs: 5, maxBytes: '1GB', maxPayload: '512KB' } },
    },
    { maxMsgs: 5, maxAgeMs: 24 * 3_600_000, maxBytes: 2 ** 30, maxPayloadBytes: 512 * 1024, discardNew: false },
  ],
  ["somebody else's NATS", { nats: { exotic: { url: 'nats://x', clusterID: 'c' } } }, usualSettings],
  ['Kafka', { kafka: { url: 'kafka:9092' } }, usualSettings],
  [
    "somebody else's JetStream",
    { jetstreamExotic: { url: 'nats://x', streamConfig: 'maxMsgs: 7' } },
    { ...usualSettings, maxMsgs: 7 },
  ],
])('%s', (_, spec, settings) => {
  expect(readBusSettings(spec)).toMatchObject({ ok: true, value: { settings } })
})

test.each<readonly [string, unknown, string]>([
  ['an empty spec', {}, 'spec must name one of nats, jetstream, jetstreamExotic, kafka'],
  ['no spec', undefined, 'spec must name one of'],
  ['two kinds', { kafka: { url: 'x' }, jetstream: { version: '1' } }, 'spec names jetstream and kafka'],
  ['no version', { jetstream: {} }, 'spec.jetstream.version is missing'],
  ['two replicas', { jetstream: { version: '1', replicas: 2 } }, 'has 1 replica or at least 3, not 2'],
  ['no URL', { kafka: {} }, 'spec.kafka.url is missing'],
  ['native and exotic', { nats: { native: {}, exotic: {} } }, 'spec.nats must have one of native, exotic'],
  ['an exotic without cluster', { nats: { exotic: { url: 'x' } } }, 'spec.nats.exotic.clusterID is missing'],
  ['a configuration that is no YAML', { jetstream: { version: '1', streamConfig: 'a: [' } }, 'it is no YAML'],
  ['an age that is none', { jetstream: { version: '1', streamConfig: 'maxAge: long' } }, 'maxage cannot be "long"'],
  ['a count that is none', { jetstream: { version: '1', streamConfig: 'maxMsgs: many' } }, 'maxmsgs cannot be "many"'],
  ['a kind that is text', { jetstream: 'x' }, 'spec.jetstream must be an object'],
])('%s is refused', (_, spec, message) => {
  const read = readBusSettings(spec)
  expect(!read.ok && read.error[0]?.message).toContain(message)
})
