import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname } from 'node:path'
import type { KubeObject } from '../../../src/kube/object.ts'
import { emitYaml } from '../../../src/lib/yaml.ts'
import { gitServer, type GitServer } from '../../../src/sources/git/git.testkit.ts'
import type { World } from '../chainsaw/world.ts'
import { APPLICATION_SETS, APPLICATIONS, pause } from './argocd.ts'
import { type Context, CONTROL_NAMESPACE } from './context.ts'
import { Excuse } from './excuse.ts'
import { fromGo, type GoValue } from './go-values.ts'

const SECRETS = { group: '', version: 'v1', plural: 'secrets' }
const PROJECTS = { group: 'argoproj.io', version: 'v1alpha1', plural: 'appprojects' }
const CONFIG_MAPS = { group: '', version: 'v1', plural: 'configmaps' }
const NAMESPACES = { group: '', version: 'v1', plural: 'namespaces' }
const DECISIONS = { group: 'cluster.open-cluster-management.io', version: 'v1alpha1', plural: 'placementdecisions' }
const USER = 'admin'
const PASSWORD = 'password'

/** Where the index of the pack's chart repository says that its charts are. */
const UPSTREAM = /http:\/\/[^/\s]+\/(?:argo-e2e\/testdata\.git\/)?helm-repo/g

/** What is customised of a kind. */
interface Override {
  readonly healthLua?: string
  readonly actions?: string
  readonly ignoreDifferences?: unknown
  readonly useOpenLibs?: boolean
}

type Text = (index: number) => string

/** What surrounds the Application of a scenario: settings, Secrets, servers, and cleaning up after it. */
export class Platform {
  readonly #world: World
  readonly #context: Context
  readonly #files: Readonly<Record<string, string>>
  readonly #secrets: string[] = []
  #git: GitServer | undefined
  #charts: Server | undefined

  constructor(world: World, context: Context, files: Readonly<Record<string, string>>) {
    this.#world = world
    this.#context = context
    this.#files = files
  }

  /** A file as the pack has it, whatever the scenario made of it. */
  file(name: string): string {
    const text = this.#files[name]
    if (text === undefined) throw new Excuse(`needs the file ${name}, which is not in the pack`)
    return text
  }

  /** Server-side apply, for what scenarios bring themselves. */
  async apply(object: KubeObject, namespace: string): Promise<void> {
    const placed = await this.#world.placed(object, namespace)
    const applied = await this.#world.client.patch(
      placed.target,
      { type: 'apply', body: placed.resource },
      { fieldManager: 'e2e', force: true },
    )
    if (!applied.ok) throw new Error(applied.error.message)
  }

  async start(): Promise<void> {
    for (const name of [CONTROL_NAMESPACE, this.#context.externalNamespace, this.#context.deploymentNamespace]) {
      const made = await this.#world.client.create(
        { resource: NAMESPACES },
        { apiVersion: 'v1', kind: 'Namespace', metadata: { name } },
      )
      if (!made.ok && made.error.reason !== 'AlreadyExists') throw new Error(made.error.message)
    }
    await this.#configure({})
    await this.#settings('argocd-cmd-params-cm', { 'application.namespaces': this.#context.externalNamespace })
    await this.#project('default', {
      sourceRepos: ['*'],
      destinations: [{ namespace: '*', server: '*' }],
      clusterResourceWhitelist: [{ group: '*', kind: '*' }],
      sourceNamespaces: [this.#context.externalNamespace],
    })
  }

  #configured: Readonly<Record<string, string>> = {}

  /** Adds to the settings of the scenario. */
  async #configure(data: Readonly<Record<string, string>>): Promise<void> {
    this.#configured = { ...this.#configured, ...data }
    await this.#settings('argocd-cm', this.#configured)
  }

  /** Health checks, actions and differences of kinds, under the keys of each kind. */
  async #override(overrides: Readonly<Record<string, Override>>): Promise<void> {
    const data: Record<string, string> = {}
    for (const [kind, { healthLua, actions, ignoreDifferences, useOpenLibs }] of Object.entries(overrides)) {
      const key = (part: string): string => `resource.customizations.${part}.${kind.replace('/', '_')}`
      if (healthLua !== undefined) data[key('health')] = healthLua
      if (actions !== undefined) data[key('actions')] = actions
      if (useOpenLibs !== undefined) data[key('useOpenLibs')] = String(useOpenLibs)
      if (ignoreDifferences !== undefined) data[key('ignoreDifferences')] = emitYaml(ignoreDifferences)
    }
    await this.#configure(data)
  }

  async #project(name: string, spec: object): Promise<void> {
    const target = { resource: PROJECTS, namespace: CONTROL_NAMESPACE, name }
    const metadata = { name, namespace: CONTROL_NAMESPACE }
    const got = await this.#world.client.get(target)
    const object = { apiVersion: 'argoproj.io/v1alpha1', kind: 'AppProject', metadata, spec }
    const written = got.ok
      ? await this.#world.client.update(target, { ...got.value, spec })
      : await this.#world.client.create({ resource: PROJECTS, namespace: CONTROL_NAMESPACE }, object)
    if (!written.ok) throw new Error(written.error.message)
  }

  /** Turns impersonation on, with an account that may do what the rules say. */
  async #impersonate(account: string, rules: GoValue): Promise<void> {
    await this.#configure({ 'application.sync.impersonation.enabled': 'true' })
    if (account === '' || rules === null) return
    const namespace = this.#context.deploymentNamespace
    const name = `${account}-role`
    const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name }
    const rbac = { apiVersion: 'rbac.authorization.k8s.io/v1', metadata: { name } }
    await this.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: account } }, namespace)
    await this.apply({ ...rbac, kind: 'Role', rules: fromGo(rules, this.#context) }, namespace)
    await this.apply(
      { ...rbac, kind: 'RoleBinding', roleRef, subjects: [{ kind: 'ServiceAccount', name: account, namespace }] },
      namespace,
    )
  }

  async #removeFinalizer(names: readonly string[], finalizer: string): Promise<void> {
    const listed = await this.#world.client.list({ resource: APPLICATIONS })
    for (const { metadata } of listed.ok ? listed.value.items : []) {
      const { name = '', namespace = '' } = metadata
      if (!names.includes(name)) continue
      const finalizers = (metadata.finalizers ?? []).filter((each) => each !== finalizer)
      await this.#world.client.patch(
        { resource: APPLICATIONS, namespace, name },
        { type: 'merge', body: { metadata: { finalizers } } },
      )
    }
  }

  /** Replaces what a ConfigMap of settings says. */
  async #settings(name: string, data: Readonly<Record<string, string>>): Promise<void> {
    const target = { resource: { group: '', version: 'v1', plural: 'configmaps' }, namespace: CONTROL_NAMESPACE, name }
    const labels = { 'app.kubernetes.io/part-of': 'argocd' }
    const object = {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name, namespace: CONTROL_NAMESPACE, labels },
      data,
    }
    const updated = await this.#world.client.update(target, object)
    if (updated.ok) return
    const { resource, namespace } = target
    const created = await this.#world.client.create({ resource, namespace }, object)
    if (!created.ok) throw new Error(created.error.message)
  }

  /** Does what a call of the fixture asks for; false when it is about something else. */
  async call(call: string, text: Text, args: readonly GoValue[]): Promise<boolean> {
    switch (call) {
      case 'SetTrackingMethod':
        await this.#configure({ 'application.resourceTrackingMethod': text(0) })
        return true
      case 'WithImpersonationDisabled':
        await this.#configure({ 'application.sync.impersonation.enabled': 'false' })
        return true
      case 'SetTrackingLabel':
        await this.#configure({ 'application.instanceLabelKey': text(0) })
        return true
      case 'SetInstallationID':
        await this.#configure({ installationID: text(0) })
        return true
      case 'SetParamInSettingConfigMap':
        await this.#configure({ [text(0)]: text(1) })
        return true
      case 'ResourceOverrides':
        await this.#override(fromGo(args[0] ?? null, this.#context) as Readonly<Record<string, Override>>)
        return true
      case 'ResourceFilter': {
        const filter = fromGo(args[0] ?? null, this.#context) as Readonly<Record<string, unknown>>
        await this.#configure({
          'resource.exclusions': emitYaml(filter['resourceExclusions'] ?? []),
          'resource.inclusions': emitYaml(filter['resourceInclusions'] ?? []),
        })
        return true
      }
      case 'ProjectSpec':
        await this.#project(this.#context.project, fromGo(args[0] ?? null, this.#context) as object)
        return true
      case 'WithImpersonationEnabled':
        await this.#impersonate(text(0), args[1] ?? null)
        return true
      case 'WithImpersonationEnforcementDisabled':
        await this.#configure({ 'application.sync.impersonation.enforced': 'false' })
        return true
      case 'DeleteConfigMap':
        await this.#world.client.delete({ resource: CONFIG_MAPS, namespace: CONTROL_NAMESPACE, name: text(0) })
        return true
      case 'DeletePlacementDecision':
        await this.#world.client.delete({ resource: DECISIONS, namespace: CONTROL_NAMESPACE, name: text(0) })
        return true
      case 'CreateNamespace':
        await this.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: text(0) } }, '')
        return true
      case 'RemoveFinalizerFromApps':
        await this.#removeFinalizer(fromGo(args[0] ?? null, this.#context) as readonly string[], text(1))
        return true
      case 'HTTPSInsecureRepoURLAdded':
      case 'HTTPSRepoURLAdded':
        await this.#serveGit(typeof args[0] === 'string' ? args[0] : '', args[0] !== false)
        return true
      case 'HelmRepoAdded':
        await this.#serveCharts(text(0))
        return true
      case 'CreateClusterSecret':
        await this.#secret(text(0), 'cluster', {
          name: text(1),
          server: text(2),
          config: '{"username":"foo","password":"foo"}',
        })
        return true
      case 'DeleteClusterSecret':
        await this.#world.client.delete({ resource: SECRETS, namespace: CONTROL_NAMESPACE, name: text(0) })
        return true
    }
    return this.#placement(call, text, args)
  }

  async #placement(call: string, text: Text, args: readonly GoValue[]): Promise<boolean> {
    switch (call) {
      case 'CreatePlacementDecisionConfigMap':
        await this.#define()
        await this.apply(
          {
            apiVersion: 'v1',
            kind: 'ConfigMap',
            metadata: { name: text(0) },
            data: {
              apiVersion: `${DECISIONS.group}/${DECISIONS.version}`,
              kind: DECISIONS.plural,
              statusListKey: 'decisions',
              matchKey: 'clusterName',
            },
          },
          CONTROL_NAMESPACE,
        )
        return true
      case 'CreatePlacementDecision':
        await this.apply(
          {
            apiVersion: `${DECISIONS.group}/${DECISIONS.version}`,
            kind: 'PlacementDecision',
            metadata: { name: text(0) },
          },
          CONTROL_NAMESPACE,
        )
        return true
      case 'StatusUpdatePlacementDecision': {
        const target = { resource: DECISIONS, namespace: CONTROL_NAMESPACE, name: text(0), subresource: 'status' }
        const body = { status: { decisions: fromGo(args[1] ?? null, this.#context) } }
        const patched = await this.#world.client.patch(target, { type: 'merge', body: body as never })
        if (!patched.ok) throw new Error(patched.error.message)
        return true
      }
    }
    return false
  }

  /** The definition that the upstream fixture installs for lists of clusters. */
  async #define(): Promise<void> {
    const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } }
    await this.apply(
      {
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        metadata: { name: `${DECISIONS.plural}.${DECISIONS.group}` },
        spec: {
          group: DECISIONS.group,
          scope: 'Namespaced',
          names: { plural: DECISIONS.plural, kind: 'PlacementDecision', singular: 'placementdecision' },
          versions: [{ name: DECISIONS.version, served: true, storage: true, subresources: { status: {} }, schema }],
        },
      },
      '',
    )
    await pause(500)
  }

  async #secret(name: string, type: string, data: Readonly<Record<string, string>>): Promise<void> {
    this.#secrets.push(name)
    await this.apply(
      {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name, labels: { 'argocd.argoproj.io/secret-type': type } },
        data: Object.fromEntries(
          Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
        ),
      },
      CONTROL_NAMESPACE,
    )
  }

  /** Serves the repository over HTTP with a password, and tells it to the platform. */
  async #serveGit(project: string, withCredentials: boolean): Promise<void> {
    const authorization = `Basic ${Buffer.from(`${USER}:${PASSWORD}`).toString('base64')}`
    this.#git = await gitServer(dirname(this.#context.root), authorization)
    const url = `${this.#git.url}/${this.#context.root.split('/').at(-1) ?? ''}/.git`
    this.#context.urls.set('https', url)
    const credentials = withCredentials ? { username: USER, password: PASSWORD } : {}
    await this.#secret(`repo-${this.#context.id}`, 'repository', {
      url,
      type: 'git',
      ...credentials,
      ...(project ? { project } : {}),
    })
  }

  /** Serves the chart repository of the pack with a password. */
  async #serveCharts(name: string): Promise<void> {
    const authorization = `Basic ${Buffer.from(`${USER}:${PASSWORD}`).toString('base64')}`
    let url = ''
    const server = createServer((request, response) => {
      const text = this.#files[`helm-repo${request.url ?? ''}`]
      if (request.headers.authorization !== authorization) response.writeHead(401).end()
      else if (text === undefined) response.writeHead(404).end()
      else response.end(text.startsWith('base64:') ? Buffer.from(text.slice(7), 'base64') : text.replace(UPSTREAM, url))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    this.#charts = server
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    this.#context.urls.set('helm', url)
    await this.#secret(`charts-${this.#context.id}`, 'repository', {
      url,
      name,
      type: 'helm',
      username: USER,
      password: PASSWORD,
    })
  }

  /** Takes away what the scenario left: Applications without their finalizers, sets, namespaces, Secrets. */
  async close(): Promise<void> {
    for (const resource of [APPLICATION_SETS, APPLICATIONS]) {
      const listed = await this.#world.client.list({ resource })
      for (const { metadata } of listed.ok ? listed.value.items : []) {
        const target = { resource, namespace: metadata.namespace ?? '', name: metadata.name ?? '' }
        await this.#world.client.patch(target, { type: 'merge', body: { metadata: { finalizers: null } } })
        await this.#world.client.delete(target)
      }
    }
    for (const name of this.#secrets)
      await this.#world.client.delete({ resource: SECRETS, namespace: CONTROL_NAMESPACE, name })
    await this.#world.client.delete({ resource: NAMESPACES, name: this.#context.deploymentNamespace })
    await this.#git?.close()
    this.#charts?.close()
  }
}
