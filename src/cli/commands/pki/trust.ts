import type { Command } from 'commander'
import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { formatTime } from '../../../kube/time.ts'
import { type Root, rootsOf } from '../../../pki/explain/roots.ts'
import { clusterIssuers, issuers, parseIssuer, secrets, secretsOf } from '../../../pki/objects.ts'
import type { KubeObject } from '../../../kube/object.ts'
import { printAs } from '../../cluster-client.ts'
import type { Io } from '../../command.ts'
import { installRoot } from './install-root.ts'
import { addClusterCommand, type Call } from '../../cluster-command.ts'
import { listAll, type PkiFlags } from './pki-command.ts'

interface TrustFlags extends PkiFlags {
  readonly issuer?: string
  readonly out?: string
  readonly install?: boolean
}

/** `idp pki trust`: prints the root of this cluster's certificates, or makes this machine trust it. */
export function addTrust(parent: Command, io: Io): void {
  addClusterCommand<TrustFlags>(
    parent,
    {
      name: 'trust',
      summary: "print the root of this cluster's certificates, or make this machine trust it",
      options: (command) =>
        void command
          .option('--issuer <name>', 'the root above an issuer: NAME, NAMESPACE/NAME or KIND/NAME')
          .option('--out <file>', 'write it to a file')
          .option('--install', 'put it where programs of this machine look, and say what is left to do'),
      examples: [
        'idp pki trust > root.pem',
        'curl --cacert <(idp pki trust) https://shop.127-0-0-1.nip.io:8443',
        'idp pki trust --install',
      ],
      run: trust,
    },
    io,
  )
}

async function trust(call: Call<TrustFlags>): Promise<0 | 1 | 2> {
  const { flags, format, io } = call
  const found = await findRoots(call)
  if (typeof found === 'string') return complain(found, io)
  const wanted = flags.issuer
  const chosen =
    wanted === undefined
      ? found
      : found.filter(({ issuers: names }) => names.some((name) => name === wanted || name.endsWith(`/${wanted}`)))
  const [root, ...more] = chosen
  if (!root) {
    return complain(
      wanted === undefined
        ? 'no issuer signs with an authority of this cluster: there is no root to trust'
        : `no root is known above an issuer ${JSON.stringify(wanted)}`,
      io,
    )
  }
  if (more.length > 0) {
    const listed = chosen.map(({ name, issuers: names }) => `  ${name}: --issuer ${names[0] ?? ''}`).join('\n')
    return complain(`there are ${chosen.length} roots: choose one with --issuer\n${listed}`, io)
  }
  if (flags.out !== undefined) await writeFile(resolve(io.cwd, flags.out), root.pem, { mode: 0o644 })
  if (flags.install) {
    const { done, left } = await installRoot(root, io)
    printAs(format, { ...root, done, left }, () => installedText(root, done, left), io)
    return done.length > 0 ? 0 : 1
  }
  if (flags.out !== undefined) io.err(`${describe(root)}\nwritten to ${flags.out}\n`)
  else {
    io.err(`${describe(root)}\n`)
    printAs(format, root, () => root.pem, io)
  }
  return 0
}

async function findRoots({ client }: Call<TrustFlags>): Promise<readonly Root[] | string> {
  const [wide, own] = await Promise.all([listAll(client, clusterIssuers), listAll(client, issuers)])
  const problem = wide.problem ?? own.problem
  if (problem !== undefined) return problem
  const all = [...wide.items, ...own.items].map(parseIssuer)
  const known = new Map<string, KubeObject>()
  for (const issuer of all) {
    const name = issuer.spec.ca?.secretName
    if (name === undefined) continue
    const namespace = secretsOf(issuer)
    const read = await client.get({ resource: secrets, namespace, name })
    if (read.ok) known.set(`${namespace}/${name}`, read.value)
  }
  return rootsOf(all, (key) => known.get(key))
}

const describe = ({ name, fingerprint, notAfterMs, issuers: names }: Root): string =>
  `root ${JSON.stringify(name)} of ${names.join(', ')}, valid until ${formatTime(notAfterMs)}\nSHA-256 ${fingerprint}`

const installedText = (root: Root, done: readonly string[], left: readonly string[]): string =>
  `${describe(root)}\n${done.map((line) => `done: ${line}\n`).join('')}${left.map((line) => `left: ${line}\n`).join('')}`

function complain(message: string, io: Io): 1 {
  io.err(`idp pki trust: ${message}\n`)
  return 1
}
