/** The part of JSON Schema that describes `idp.yaml`: what editors read, and what the validator goes by. */
export interface SettingsSchema {
  readonly type: SchemaType | readonly SchemaType[]
  readonly description: string
  readonly properties?: Readonly<Record<string, SettingsSchema>>
  /** False: only the properties. A schema: any other key, with such a value. */
  readonly additionalProperties?: false | SettingsSchema
  /** What other keys have to look like. */
  readonly propertyNames?: { readonly pattern: string }
  readonly items?: SettingsSchema
  readonly required?: readonly string[]
  readonly enum?: readonly string[]
  readonly pattern?: string
  /** What to say of a text that does not fit the pattern; editors show it too. */
  readonly patternErrorMessage?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly maxLength?: number
  readonly minItems?: number
  readonly default?: string | number | boolean
}

export type SchemaType = 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean' | 'null'

const LABEL = '[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?'
const dnsLabel = { pattern: `^${LABEL}$`, patternErrorMessage: 'must be lower-case letters, digits and dashes' }

const section = (
  description: string,
  properties: Readonly<Record<string, SettingsSchema>>,
  more: Partial<SettingsSchema> = {},
): SettingsSchema => ({ type: ['object', 'null'], description, properties, additionalProperties: false, ...more })

const engine = (does: string): SettingsSchema => ({
  type: 'string',
  description: `What ${does}: \`embedded\`, the light engine of this program, or \`upstream\`, the project's own.`,
  enum: ['embedded', 'upstream'],
  default: 'embedded',
})

const stack = (holds: string): SettingsSchema => ({
  type: 'boolean',
  description: `Whether the stack is part of the platform: ${holds}.`,
  default: true,
})

const port = (what: string, usual: number): SettingsSchema => ({
  type: 'integer',
  description: `The port for ${what}. Ports below 1024 need rights that this program should not have.`,
  minimum: 1,
  maximum: 65_535,
  default: usual,
})

const amount: SettingsSchema = {
  type: ['string', 'number'],
  description: 'An amount such as `8`, `500m` or `32Gi`.',
}

const labels: SettingsSchema = {
  type: ['object', 'null'],
  description: 'Labels of each node of the pool.',
  additionalProperties: { type: 'string', description: 'The value of the label; numbers go in quotes.' },
}

const taint = section(
  'Keeps Pods away that do not tolerate it.',
  {
    key: { type: 'string', description: 'The name of the taint.' },
    value: { type: 'string', description: 'Its value, where it has one.' },
    effect: {
      type: 'string',
      description: 'What becomes of Pods that do not tolerate it.',
      enum: ['NoSchedule', 'PreferNoSchedule', 'NoExecute'],
    },
  },
  { type: 'object', required: ['key', 'effect'] },
)

const pool = section(
  'Nodes that are alike.',
  {
    name: { type: 'string', description: 'The name of the node, or of the pool where it has several.', ...dnsLabel },
    count: { type: 'integer', description: 'How many nodes.', minimum: 0, maximum: 2000, default: 1 },
    role: { type: 'string', description: 'Becomes the label `node-role.kubernetes.io/ROLE`.', ...dnsLabel },
    capacity: {
      type: ['object', 'null'],
      description: 'What each node has.',
      properties: {
        cpu: amount,
        memory: amount,
        pods: { ...amount, description: 'How many Pods a node takes, 250 at most.' },
      },
      additionalProperties: amount,
    },
    labels,
    taints: {
      type: ['array', 'null'],
      description: 'Left out, a control plane has its usual one.',
      items: taint,
    },
    runtime: {
      type: 'string',
      description: '`simulated` follows declared timings; `process` runs commands.',
      ...dnsLabel,
    },
  },
  { type: 'object', required: ['name'] },
)

const anything: SettingsSchema = {
  type: ['object', 'array', 'string', 'number', 'boolean', 'null'],
  description: 'See docs/workloads.md.',
}

/** What `idp.yaml` may say. `blueprint/idp.schema.json` and `docs/reference/idp-yaml.md` are written from it. */
export const settingsSchema: SettingsSchema = section('Settings of a platform, at the root of its repository.', {
  cluster: section('The cluster that the platform runs on.', {
    name: { type: 'string', description: 'How the cluster is called.', ...dnsLabel, default: 'idp' },
  }),
  dns: section('Under which names the platform is reached.', {
    suffix: {
      type: 'string',
      description:
        'The domain below which every surface has its name. `idp.localhost` needs no DNS server and no network: names below `localhost` ' +
        'mean this machine (RFC 6761). It takes two labels, because browsers and TLS libraries refuse a certificate for `*.localhost`.',
      pattern: `^${LABEL}(?:\\.${LABEL})+$`,
      patternErrorMessage:
        'must be a lower-case domain of two labels at least, such as idp.localhost: no certificate is valid for all names below one label',
      maxLength: 200,
      default: 'idp.localhost',
    },
  }),
  repository: section('The Git repository that the platform follows: this one.', {
    url: {
      type: 'string',
      description:
        'Its URL. On the machine where it is worked on, it is read from disk, whatever the URL; elsewhere it has to be reachable.',
      pattern: '^(?:(?:https?|ssh|git|file)://[^\\s]+|[^\\s/@:]+@[^\\s/:]+:[^\\s]+)$',
      patternErrorMessage: 'must be the URL of a Git repository, such as https://git.example.com/platform.git',
      maxLength: 2000,
    },
    revision: {
      type: 'string',
      description: 'The branch, tag or commit that is live.',
      pattern: '^[^\\s~^:?*\\[\\\\]+$',
      patternErrorMessage: 'must be a branch, a tag or a commit',
      maxLength: 255,
      default: 'main',
    },
  }),
  gateway: section('Where the platform is reached.', {
    host: {
      type: 'string',
      description:
        'The address that it listens on; 127.0.0.1 is this machine only. The embedded gateway takes loopback addresses and no others.',
      pattern: '^(?:[0-9]{1,3}(?:\\.[0-9]{1,3}){3}|[0-9a-fA-F:]*:[0-9a-fA-F:]*)$',
      patternErrorMessage: 'must be an IP address, such as 127.0.0.1',
      maxLength: 45,
      default: '127.0.0.1',
    },
    httpPort: port('HTTP', 18_080),
    httpsPort: port('HTTPS', 18_443),
  }),
  engines: section(
    'For each capability, who provides it. What is not said is `embedded`. Nothing installs `upstream` engines yet, and workflows, ' +
      'observability, scanning and portal have no embedded one yet: their stacks hold their contracts.',
    {
      gitops: engine('reconciles Applications (Argo CD)'),
      policies: engine('judges and changes objects (Kyverno)'),
      events: engine('reacts to signals (Argo Events)'),
      workflows: engine('runs workflows (Argo Workflows)'),
      secrets: engine('keeps and hands out secrets (Vault, External Secrets)'),
      pki: engine('issues certificates (cert-manager)'),
      gateway: engine('routes traffic (Gateway API; Cilium)'),
      observability: engine('measures and alerts (Prometheus, Loki, Pyrra)'),
      scanning: engine('finds vulnerabilities (Trivy)'),
      portal: engine('shows the catalog and its templates (Backstage)'),
    },
  ),
  stacks: section(
    'Which stacks below K8s/ are part of the platform. One that is switched off is removed from the cluster.',
    {
      observability: stack('metrics, logs, dashboards and service level objectives'),
      cicd: stack('pipelines and code quality'),
      security: stack('scanners and what they found'),
      events: stack('signals, and the playbooks that answer them'),
      backstage: stack('the portal and its catalog'),
    },
    {
      additionalProperties: { type: 'boolean', description: 'A stack of your own.' },
      propertyNames: { pattern: `^${LABEL}$` },
    },
  ),
  nodes: {
    type: ['array', 'null'],
    description: 'The nodes of the embedded cluster; left out, one each for the control plane, infra and workload.',
    items: pool,
    minItems: 1,
  },
  simulation: section('How simulated containers behave; see docs/workloads.md.', {
    missingImages: {
      type: ['array', 'null'],
      description: 'Patterns of images that nobody can pull.',
      items: { type: 'string', description: 'A pattern such as `*:broken*`.' },
    },
    rules: { type: ['array', 'null'], description: 'What containers do, by what they match.', items: anything },
  }),
  values: {
    type: ['object', 'null'],
    description: 'Values of your own, for manifests to refer to as `${idp.values.NAME}`.',
    additionalProperties: {
      type: ['string', 'number', 'boolean'],
      description: 'A text, a number, true or false.',
      maxLength: 4096,
    },
    propertyNames: { pattern: '^[A-Za-z][A-Za-z0-9_-]{0,62}$' },
  },
})
