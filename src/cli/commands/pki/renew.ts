import type { Command } from 'commander'
import { systemClock } from '../../../lib/clock.ts'
import { renewNow } from '../../../pki/explain/renew.ts'
import { type Certificate, certificates, issuerKind, parseCertificate } from '../../../pki/objects.ts'
import { printAs } from '../../cluster-client.ts'
import type { Io } from '../../command.ts'
import { addClusterCommand, type Call } from '../../cluster-command.ts'
import { listAll, type PkiFlags } from './pki-command.ts'

interface RenewFlags extends PkiFlags {
  readonly all?: boolean
  readonly allNamespaces?: boolean
  readonly issuer?: string
}

/** `idp pki renew`: issues Certificates anew before their time. */
export function addRenew(parent: Command, io: Io): void {
  addClusterCommand<RenewFlags>(
    parent,
    {
      name: 'renew',
      summary: 'issue Certificates anew now',
      arguments: [['[names...]', 'Certificates, by NAME or NAMESPACE/NAME']],
      options: (command) =>
        void command
          .option('-n, --namespace <name>', 'where the Certificates are', 'default')
          .option('--all', 'all of the namespace')
          .option('-A, --all-namespaces', 'with --all or --issuer: of every namespace')
          .option('--issuer <name>', 'all that an issuer signs: NAME, Issuer/NAME or ClusterIssuer/NAME'),
      examples: ['idp pki renew web -n shop', 'idp pki renew --issuer ClusterIssuer/ca -A', 'idp pki renew --all'],
      run: renew,
    },
    io,
  )
}

async function renew(call: Call<RenewFlags>): Promise<0 | 1 | 2> {
  const { words, flags, format, client, io } = call
  const isMany = flags.all === true || flags.issuer !== undefined
  if (isMany === words.length > 0) {
    io.err('idp pki renew: name Certificates, or choose them with --all or --issuer\n')
    return 2
  }
  const chosen = isMany ? await chosenBy(call) : await named(call)
  if (typeof chosen === 'string') {
    io.err(`idp pki renew: ${chosen}\n`)
    return 1
  }
  const results: { readonly certificate: string; readonly result: string }[] = []
  for (const certificate of chosen) {
    const { namespace = '', name = '' } = certificate.metadata
    const status = renewNow(certificate, systemClock.now())
    const target = { resource: certificates, namespace, name, subresource: 'status' }
    const written = status && (await client.update(target, { ...certificate, status }))
    const result = !written
      ? 'is being issued already'
      : written.ok
        ? 'is issued anew'
        : `not done: ${written.error.message}`
    results.push({ certificate: `${namespace}/${name}`, result })
  }
  const text = (): string =>
    results.length === 0
      ? 'no Certificates\n'
      : results.map(({ certificate, result }) => `${certificate} ${result}\n`).join('')
  printAs(format, results, text, io)
  return results.some(({ result }) => result.startsWith('not done')) ? 1 : 0
}

async function named({ words, flags, client }: Call<RenewFlags>): Promise<readonly Certificate[] | string> {
  const found: Certificate[] = []
  for (const word of words) {
    const [name = '', namespace = flags.namespace ?? 'default'] = word.split('/').toReversed()
    const read = await client.get({ resource: certificates, namespace, name })
    if (!read.ok) return `cannot get Certificate ${namespace}/${name}: ${read.error.message}`
    found.push(parseCertificate(read.value))
  }
  return found
}

async function chosenBy({ flags, client }: Call<RenewFlags>): Promise<readonly Certificate[] | string> {
  const all = await listAll(client, certificates, flags.allNamespaces ? undefined : flags.namespace)
  if (all.problem !== undefined) return all.problem
  const [name = '', kind] = (flags.issuer ?? '').split('/').toReversed()
  return all.items.map(parseCertificate).filter(({ spec: { issuerRef } }) => {
    if (flags.issuer === undefined) return true
    return issuerRef.name === name && (kind === undefined || issuerKind(issuerRef) === kind)
  })
}
