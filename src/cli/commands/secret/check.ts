import type { Command } from 'commander'
import { resolve } from 'node:path'
import type { RemoteClient } from '../../../client/remote-client.ts'
import type { ResourceId } from '../../../kube/gvk.ts'
import type { KubeObject } from '../../../kube/object.ts'
import { diskTree } from '../../../lib/disk-tree.ts'
import { isObject, own } from '../../../lib/json.ts'
import { explain, type Result, succeed } from '../../../lib/result.ts'
import { parseYamlDocuments } from '../../../lib/yaml.ts'
import { askingKinds, type WantedKey, wantedKeys } from '../../../secrets/wanted-keys.ts'
import {
  addClusterOptions,
  type ClusterFlags,
  columns,
  outputFormat,
  printAs,
  withCluster,
} from '../../cluster-client.ts'
import type { Io } from '../../command.ts'
import { readSecret } from './ask-store.ts'

interface Flags extends ClusterFlags {
  readonly output: string
}

/** How it stands with one key that is asked for. */
export interface CheckedKey {
  readonly by: string
  readonly key: string
  readonly property: string
  readonly state: 'there' | 'missing' | 'no such property' | 'not checked'
  readonly because?: string
}

const NAME = 'idp secret check'

/** `idp secret check [DIR]`: which keys are asked for, and which of them are in the store. Names only. */
export function defineCheck(parent: Command, io: Io): Command {
  const command = parent
    .command('check')
    .argument('[dir]', 'a folder of manifests; without it, what is in the cluster')
    .description('say which remote keys ExternalSecrets ask for, and which of them the store has; names only')
    .option('-o, --output <format>', 'text, json or yaml', 'text')
  return addClusterOptions(command).action(async (dir: string | undefined, flags: Flags) => {
    const format = outputFormat(NAME, flags.output, io)
    if (!format) return
    await withCluster(NAME, flags, io, async (client) => {
      const inCluster = await fromCluster(client)
      const objects = dir === undefined ? inCluster : fromFolder(resolve(io.cwd, dir), inCluster)
      const checked = await checkAll(client, wantedKeys(objects))
      if (!checked.ok) {
        io.err(`${NAME}: ${checked.error.map(explain).join('; ')}\n`)
        return 1
      }
      printAs(format, checked.value, () => textFor(checked.value), io)
      return checked.value.every(({ state }) => state === 'there' || state === 'not checked') ? 0 : 1
    })
  })
}

const group = 'external-secrets.io'
const RESOURCES: readonly ResourceId[] = [
  'externalsecrets',
  'clusterexternalsecrets',
  'secretstores',
  'clustersecretstores',
].map((plural) => ({ group, version: 'v1', plural }))

async function fromCluster(client: RemoteClient): Promise<readonly KubeObject[]> {
  const lists = await Promise.all(RESOURCES.map((resource) => client.list({ resource })))
  return lists.flatMap((list) => (list.ok ? list.value.items : []))
}

/** What the files of a folder ask for, by the stores among them or those of the cluster. */
function fromFolder(folder: string, inCluster: readonly KubeObject[]): readonly KubeObject[] {
  const tree = diskTree(folder)
  const objects: KubeObject[] = []
  const open = ['']
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    for (const name of tree.list(path) ?? []) {
      const below = path === '' ? name : `${path}/${name}`
      if (name.endsWith('/')) {
        if (!/^(?:\.git|node_modules)\/$/.test(name)) open.push(below.slice(0, -1))
      } else if (/\.(?:ya?ml|json)$/.test(name)) {
        objects.push(...objectsIn(tree.read(below), below))
      }
    }
  }
  const stores = inCluster.filter(({ kind }) => kind.endsWith('SecretStore'))
  const named = new Set(objects.map(idOf))
  return [...objects, ...stores.filter((store) => !named.has(idOf(store)))]
}

const idOf = ({ kind, metadata }: KubeObject): string => `${kind} ${metadata.namespace ?? ''}/${metadata.name ?? ''}`

/** A file that is no YAML, such as a template, asks for nothing that could be told. */
function objectsIn(bytes: Uint8Array | undefined, file: string): readonly KubeObject[] {
  const documents = bytes ? parseYamlDocuments(Buffer.from(bytes).toString(), { file }) : succeed([])
  if (!documents.ok) return []
  return documents.value.flatMap(({ value }) =>
    isObject(value) && askingKinds.has(String(value['kind'])) && isObject(value['metadata'])
      ? [value as KubeObject]
      : [],
  )
}

async function checkAll(client: RemoteClient, wanted: readonly WantedKey[]): Promise<Result<readonly CheckedKey[]>> {
  const known = new Map<string, ReadonlySet<string> | undefined>()
  const checked: CheckedKey[] = []
  for (const { by, key, property, place, because } of wanted) {
    if (!place) {
      checked.push({ by, key, property, state: 'not checked', ...(because === undefined ? {} : { because }) })
      continue
    }
    const id = `${place.mount}/${place.path}`
    if (!known.has(id)) {
      const read = await readSecret(client, { ...place, mount: `${place.mount}/` })
      if (!read.ok) return read
      known.set(id, read.value ? namesIn(read.value.values) : undefined)
    }
    const names = known.get(id)
    const has =
      names !== undefined && (property === '' || names.has(property) || names.has(property.split('.')[0] ?? ''))
    checked.push({ by, key, property, state: has ? 'there' : names ? 'no such property' : 'missing' })
  }
  return succeed(checked)
}

const namesIn = (values: Readonly<Record<string, unknown>>): ReadonlySet<string> =>
  new Set(Object.keys(values).filter((name) => own(values, name) !== undefined))

function textFor(checked: readonly CheckedKey[]): string {
  if (checked.length === 0) return 'nothing asks for a secret\n'
  return columns(
    ['KEY', 'PROPERTY', 'ASKED BY', 'STATE'],
    checked.map(({ key, property, by, state, because }) => [
      key,
      property,
      by,
      because === undefined ? state : `${state}: ${because}`,
    ]),
  )
}
