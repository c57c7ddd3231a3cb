import { spawn } from 'node:child_process'
import { join } from 'node:path'
import type { Client } from '../../../kube/client.ts'
import type { KubeObject } from '../../../kube/object.ts'
import { type Container, podSpecOf } from '../../../kube/pod.ts'
import { parseQuantity, unitsOf } from '../../../kube/quantity.ts'
import { ConfigMap, Secret, ServiceAccount } from '../../pods/kinds.ts'
import { needKeysOf } from '../needs.ts'
import type { Run } from '../runtime.ts'
import { clusterVariables, environmentOf, expand, type FindSource } from './environment.ts'
import type { PodFacts } from './field-value.ts'
import { runHook } from './hooks.ts'
import type { PodFolder } from './pod-folder.ts'
import type { Prepared } from './process-run.ts'
import { type Command, type Mount, sandboxed, type Spawnable, unsandboxed } from './sandbox.ts'
import { type VolumeContent, volumesOf } from './volume-files.ts'

/** What preparing a run takes. */
export interface PreparePorts {
  readonly client: Client
  /** The program of the sandbox, where there is one. */
  readonly bubblewrap: string | undefined
  /** Where the API is for what runs in Pods. */
  readonly apiUrl: () => string | undefined
  /** A file that names Services, as `/etc/hosts` has it. */
  readonly hostsFile: string | undefined
}

/** A container as commands are run in it. */
export interface Place {
  readonly env: ReadonlyMap<string, string>
  readonly mounts: readonly Mount[]
  spawnable(argv: readonly string[]): Spawnable
}

const usualPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** Reads what a container needs, writes its volumes, and works out how it is started. */
export async function prepareRun(
  { pod, container, run }: Run,
  { folder, facts }: { readonly folder: PodFolder; readonly facts: PodFacts },
  ports: PreparePorts,
): Promise<{ readonly prepared: Prepared; readonly place: Place }> {
  const find = await readSources(pod, ports.client)
  const given = new Map([
    ['PATH', [join(process.execPath, '..'), usualPath].join(':')],
    ['HOME', '/root'],
    ['HOSTNAME', pod.metadata.name ?? ''],
    ['POD_IP', facts.podIP],
    ...clusterVariables(ports.apiUrl()),
  ])
  const env = environmentOf(container, facts, find, given)
  const volumes = volumesOf(facts, find)
  const unknown = [...volumes.values()].flatMap((volume) => (volume.is === 'unsupported' ? [volume.source] : []))
  if (unknown.length > 0) throw new Error(`the process runtime has no volumes of this source: ${unknown.join(', ')}`)
  folder.fill(volumes)
  await writeTokens(pod, volumes, folder, ports.client)
  const argv = argvOf(container, env)
  const terminationLog = folder.terminationLog(container.name, run)
  const isSandboxed = ports.bubblewrap !== undefined
  const mounts = [
    ...(isSandboxed && ports.hostsFile !== undefined
      ? [{ from: ports.hostsFile, to: '/etc/hosts', isReadOnly: true }]
      : []),
    ...folder.mountsOf(container, volumes, env),
    ...(isSandboxed
      ? [
          {
            from: terminationLog,
            to: terminationPath(container),
            isReadOnly: false,
          },
        ]
      : []),
  ]
  const cwd = container['workingDir']
  const root = isSandboxed ? '' : folder.rootOf(container.name, mounts)
  const spawnable = (command: readonly string[]): Spawnable => {
    const whole: Command = {
      argv: command,
      env,
      cwd: typeof cwd === 'string' && cwd !== '' ? cwd : undefined,
      mounts,
      hostname: pod.metadata.name ?? 'pod',
    }
    return ports.bubblewrap === undefined ? unsandboxed(whole, root) : sandboxed(whole, ports.bubblewrap)
  }
  const place: Place = { env, mounts, spawnable }
  const execute = (command: readonly string[], signal: AbortSignal): Promise<number> =>
    exitCodeOf(spawnable(command), signal)
  const { lifecycle } = container as { readonly lifecycle?: { readonly postStart?: object; readonly preStop?: object } }
  const hook = (what: object | undefined) =>
    what && ((signal: AbortSignal) => runHook(what, { container, address: facts.podIP, execute }, signal))
  const prepared: Prepared = {
    spawnable: spawnable(argv),
    address: facts.podIP,
    terminationLog,
    memoryLimit: bytesOf(container.resources?.limits?.['memory']),
    execute,
    postStart: hook(lifecycle?.postStart),
    preStop: hook(lifecycle?.preStop),
  }
  return { prepared, place }
}

function terminationPath(container: Container): string {
  const path = container['terminationMessagePath']
  return typeof path === 'string' && path !== '' ? path : '/dev/termination-log'
}

function argvOf(container: Container, env: ReadonlyMap<string, string>): readonly string[] {
  const { command = [], args = [] } = container as {
    readonly command?: readonly string[]
    readonly args?: readonly string[]
  }
  if (command.length === 0)
    throw new Error(
      `the process runtime runs commands of this machine, not images: container ${JSON.stringify(container.name)} must say its command`,
    )
  return [...command, ...args].map((text) => expand(text, env))
}

const bytesOf = (limit: string | number | undefined): number | undefined => {
  const amount = limit === undefined ? undefined : parseQuantity(String(limit))
  return amount?.ok ? unitsOf(amount.value) : undefined
}

async function readSources(pod: KubeObject, client: Client): Promise<FindSource> {
  const { namespace = '' } = pod.metadata
  const ownAccess = (podSpecOf(pod).volumes ?? []).some(({ name }) => name.startsWith('kube-api-access-'))
  const keys = new Set(needKeysOf(pod))
  if (ownAccess) keys.add(`ConfigMap ${namespace}/kube-root-ca.crt`)
  const found = new Map<string, KubeObject>()
  await Promise.all(
    [...keys].map(async (key) => {
      const [kind, path = ''] = key.split(' ')
      const resource = kind === 'ConfigMap' ? ConfigMap : kind === 'Secret' ? Secret : undefined
      if (!resource) return
      const name = path.slice(namespace.length + 1)
      const read = await client.get({ resource, namespace, name })
      if (read.ok) found.set(`${kind} ${name}`, { ...read.value, kind: resource.kind })
    }),
  )
  return (kind, name) => found.get(`${kind} ${name}`)
}

async function writeTokens(
  pod: KubeObject,
  volumes: ReadonlyMap<string, VolumeContent>,
  folder: PodFolder,
  client: Client,
): Promise<void> {
  const { namespace = '', name = '', uid = '' } = pod.metadata
  for (const [volume, content] of volumes) {
    if (content.is !== 'files') continue
    for (const { path, audiences, expirationSeconds } of content.tokens) {
      const target = {
        resource: ServiceAccount,
        namespace,
        name: podSpecOf(pod).serviceAccountName ?? 'default',
        subresource: 'token',
      }
      const asked = await client.create(target, {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        metadata: {},
        spec: { audiences, expirationSeconds, boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid } },
      })
      if (!asked.ok) throw new Error(`cannot get a token for the Pod: ${asked.error.message}`)
      const { token = '' } = (asked.value['status'] ?? {}) as { readonly token?: string }
      const base = folder.volumeFolder(volume)
      folder.write(join(base, path), base, token, 0o600)
    }
  }
}

/** Runs a command to its end; a signal that is aborted ends it. */
function exitCodeOf({ file, args, cwd, env }: Spawnable, signal: AbortSignal): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(file, args, { cwd, env: { ...env }, stdio: 'ignore', signal, killSignal: 'SIGKILL' })
    child.on('error', () => resolve(126))
    child.on('exit', (code) => resolve(code ?? 137))
  })
}
