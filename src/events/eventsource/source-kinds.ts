/** How a source comes by its events here. */
export type SourceFamily = 'webhook' | 'calendar' | 'resource' | 'file' | 'unsupported'

/** A kind of source. */
export interface SourceKind {
  /** Its key in the spec. */
  readonly field: string
  /** The `type` of its CloudEvents. */
  readonly type: string
  readonly family: SourceFamily
  /** Upstream replaces its Pod at once, and lets it not share an EventSource with kinds whose Pods overlap. */
  readonly recreates?: boolean
}

const unsupported = (field: string, more: Partial<SourceKind> = {}): SourceKind => ({
  field,
  type: field,
  family: 'unsupported',
  recreates: true,
  ...more,
})

/** Every kind of source that Argo Events knows, with what upstream calls the type of its events (argo-events v1.9, const.go). */
export const sourceKinds: readonly SourceKind[] = [
  { field: 'webhook', type: 'webhook', family: 'webhook' },
  { field: 'github', type: 'github', family: 'webhook' },
  { field: 'gitlab', type: 'gitlab', family: 'webhook' },
  { field: 'bitbucket', type: 'bitbucket', family: 'webhook' },
  { field: 'bitbucketserver', type: 'bitbucketserver', family: 'webhook' },
  { field: 'gerrit', type: 'gerrit', family: 'webhook' },
  { field: 'slack', type: 'slack', family: 'webhook' },
  { field: 'calendar', type: 'calendar', family: 'calendar', recreates: true },
  { field: 'resource', type: 'resource', family: 'resource', recreates: true },
  { field: 'file', type: 'file', family: 'file', recreates: true },
  unsupported('generic'),
  unsupported('minio'),
  unsupported('amqp'),
  unsupported('kafka'),
  unsupported('mqtt'),
  unsupported('nats'),
  unsupported('nsq'),
  unsupported('pulsar'),
  unsupported('redis'),
  unsupported('redisStream'),
  unsupported('emitter'),
  unsupported('hdfs'),
  unsupported('sftp'),
  unsupported('azureEventsHub'),
  unsupported('azureServiceBus'),
  unsupported('pubSub', { type: 'pubsub' }),
  unsupported('azureQueueStorage', { recreates: false }),
  unsupported('sns', { recreates: false }),
  unsupported('sqs', { recreates: false }),
  unsupported('mns', { recreates: false }),
  unsupported('stripe', { recreates: false }),
  unsupported('storageGrid', { type: 'storagegrid', recreates: false }),
]
