import type { Command } from 'commander'
import { conditionOf, isTrue } from '../../../kube/condition.ts'
import type { KubeObject } from '../../../kube/object.ts'
import { isControlledBy } from '../../../kube/owner.ts'
import { systemClock } from '../../../lib/clock.ts'
import { issuerName } from '../../../pki/explain/roots.ts'
import { explainWhy, type Known, type Remark } from '../../../pki/explain/why.ts'
import {
  type Certificate,
  certificateRequests,
  certificates,
  clusterIssuers,
  type Issuer,
  issuerKind,
  issuers,
  parseCertificate,
  parseIssuer,
  parseRequest,
  secrets,
  secretsOf,
} from '../../../pki/objects.ts'
import { columns, printAs } from '../../cluster-client.ts'
import type { Io } from '../../command.ts'
import { addClusterCommand, type Call } from '../../cluster-command.ts'
import { listAll, type PkiFlags } from './pki-command.ts'

interface ListFlags extends PkiFlags {
  readonly issuers?: boolean
}

/** The commands that only look: list and why. */
export function addLookers(parent: Command, io: Io): void {
  addClusterCommand<ListFlags>(
    parent,
    {
      name: 'list',
      summary: 'list Certificates with how long they hold, or issuers',
      options: (command) =>
        void command
          .option('-n, --namespace <name>', 'only those of a namespace')
          .option('--issuers', 'Issuers and ClusterIssuers instead'),
      examples: ['idp pki list', 'idp pki list --issuers', 'idp pki list -n shop -o json'],
      run: (call) => (call.flags.issuers ? listIssuers(call) : listCertificates(call)),
    },
    io,
  )
  addClusterCommand<PkiFlags>(
    parent,
    {
      name: 'why',
      summary: 'say why a Certificate is as it is, and what to do',
      arguments: [['<name>', 'NAME, or NAMESPACE/NAME']],
      options: (command) => void command.option('-n, --namespace <name>', 'where the Certificate is', 'default'),
      examples: ['idp pki why web -n shop', 'idp pki why shop/web'],
      run: why,
    },
    io,
  )
}

async function listCertificates({ flags, format, client, io }: Call<ListFlags>): Promise<0 | 1> {
  const found = await listAll(client, certificates, flags.namespace)
  if (found.problem !== undefined) return complain('list', found.problem, io)
  const all = found.items.map(parseCertificate)
  printAs(format, all, () => (all.length === 0 ? 'no Certificates\n' : columns(HEADINGS, all.map(rowOf))), io)
  return 0
}

const HEADINGS = ['NAMESPACE', 'NAME', 'READY', 'SECRET', 'ISSUER', 'VALID UNTIL', 'RENEWED AT', 'NOTE']

function rowOf({ metadata, spec, status = {} }: Certificate): readonly string[] {
  const ready = conditionOf(status.conditions, 'Ready')
  const note = isTrue(status.conditions, 'Issuing')
    ? 'being issued'
    : ready?.status === 'True'
      ? ''
      : (ready?.message ?? '')
  return [
    metadata.namespace ?? '',
    metadata.name ?? '',
    ready?.status ?? 'Unknown',
    spec.secretName,
    `${issuerKind(spec.issuerRef)}/${spec.issuerRef.name}`,
    status.notAfter ?? '-',
    status.renewalTime ?? '-',
    note,
  ]
}

async function listIssuers({ flags, format, client, io }: Call<ListFlags>): Promise<0 | 1> {
  const own = await listAll(client, issuers, flags.namespace)
  const wide = flags.namespace === undefined ? await listAll(client, clusterIssuers) : { items: [] }
  const problem = own.problem ?? ('problem' in wide ? wide.problem : undefined)
  if (problem !== undefined) return complain('list', problem, io)
  const all = [...wide.items, ...own.items].map(parseIssuer)
  const row = (issuer: Issuer): readonly string[] => {
    const ready = conditionOf(issuer.status?.conditions, 'Ready')
    const type = Object.keys(issuer.spec)[0] ?? 'none'
    return [issuerName(issuer), type, ready?.status ?? 'Unknown', ready?.message ?? '']
  }
  const text = (): string =>
    all.length === 0 ? 'no issuers\n' : columns(['ISSUER', 'TYPE', 'READY', 'NOTE'], all.map(row))
  printAs(format, all, text, io)
  return 0
}

async function why({ words: [word = ''], flags, format, client, io }: Call<PkiFlags>): Promise<0 | 1> {
  const [name = '', namespace = flags.namespace ?? 'default'] = word.split('/').toReversed()
  const read = await client.get({ resource: certificates, namespace, name })
  if (!read.ok) return complain('why', `cannot get Certificate ${namespace}/${name}: ${read.error.message}`, io)
  const certificate = parseCertificate(read.value)
  const known = await gather(certificate, client)
  const remarks = explainWhy(known)
  printAs(format, remarks, () => whyText(remarks), io)
  return isTrue(certificate.status?.conditions, 'Ready') ? 0 : 1
}

async function gather(certificate: Certificate, client: Call<PkiFlags>['client']): Promise<Known> {
  const namespace = certificate.metadata.namespace ?? ''
  const get = async (resource: typeof secrets, name: string, where?: string): Promise<KubeObject | undefined> => {
    const read = await client.get({ resource, name, ...(where === undefined ? {} : { namespace: where }) })
    return read.ok ? read.value : undefined
  }
  const { issuerRef: ref, secretName } = certificate.spec
  const isWide = issuerKind(ref) === 'ClusterIssuer'
  const [secret, issuer, requests] = await Promise.all([
    get(secrets, secretName, namespace),
    isWide ? get(clusterIssuers, ref.name) : get(issuers, ref.name, namespace),
    listAll(client, certificateRequests, namespace),
  ])
  const parsed = issuer && parseIssuer(issuer)
  const caName = parsed?.spec.ca?.secretName
  const authority = parsed && caName ? await get(secrets, caName, secretsOf(parsed)) : undefined
  return {
    certificate,
    ...(secret ? { secret } : {}),
    ...(parsed ? { issuer: parsed } : {}),
    ...(authority ? { authority } : {}),
    requests: requests.items.filter((request) => isControlledBy(request, certificate)).map(parseRequest),
    nowMs: systemClock.now(),
  }
}

/** Remarks in lines, each with its cure below. */
function whyText(remarks: readonly Remark[]): string {
  const width = Math.max(...remarks.map(({ about }) => about.length))
  return remarks
    .map(
      ({ about, text, next }) => `${about.padEnd(width)}  ${text}\n${next ? `${' '.repeat(width)}  -> ${next}\n` : ''}`,
    )
    .join('')
}

function complain(command: string, message: string, io: Io): 1 {
  io.err(`idp pki ${command}: ${message}\n`)
  return 1
}
