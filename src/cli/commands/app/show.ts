import type {
  Application,
  ApplicationSource,
  OperationState,
  ResourceStatus,
} from '../../../gitops/application/application.ts'
import { sourcesOf } from '../../../gitops/application/application.ts'
import { isAutomated } from '../../../gitops/application/plan/auto-sync.ts'
import { PAUSED_UNTIL } from '../../../gitops/application/plan/pause.ts'
import { columns } from '../../cluster-client.ts'

const short = (revision: string): string => (/^[0-9a-f]{40,64}$/.test(revision) ? revision.slice(0, 8) : revision)

/** The revisions that an Application stands at, as people read them. */
export function revisionText({ status }: Application): string {
  const { revision, revisions } = status?.sync ?? {}
  return (revisions && revisions.length > 0 ? revisions : [revision ?? '']).map(short).join(',')
}

function destinationText({ spec }: Application): string {
  const { name, server = '', namespace = '' } = spec.destination
  const cluster = name ?? (server === 'https://kubernetes.default.svc' ? 'in-cluster' : server)
  return namespace === '' ? cluster : `${cluster}/${namespace}`
}

const pauseText = ({ metadata }: Application): string =>
  metadata.annotations?.[PAUSED_UNTIL] === undefined ? '' : ' (paused)'

/** One line an Application. */
export function listText(apps: readonly Application[]): string {
  const rows = apps.map((app) => [
    app.metadata.namespace ?? '',
    app.metadata.name ?? '',
    app.spec.project,
    app.status?.sync?.status ?? '',
    app.status?.health?.status ?? '',
    `${app.status?.operationState?.phase ?? ''}${pauseText(app)}`,
    revisionText(app),
    destinationText(app),
  ])
  return columns(['NAMESPACE', 'NAME', 'PROJECT', 'SYNC', 'HEALTH', 'OPERATION', 'REVISION', 'DESTINATION'], rows)
}

/** An Application on one screen: where from, where to, how it is, and its objects. */
export function getText(app: Application): string {
  const { status, spec, metadata } = app
  const health = [status?.health?.status ?? '', status?.health?.message ?? '']
  const lines: (readonly [string, string])[] = [
    ['Application', `${metadata.namespace ?? ''}/${metadata.name ?? ''}`],
    ['Project', spec.project],
    ['Destination', destinationText(app)],
    ...sourcesOf(spec).map((source): readonly [string, string] => ['Source', sourceText(source)]),
    ['Sync policy', policyText(app)],
    ['Sync', `${status?.sync?.status ?? 'not looked at yet'} ${revisionText(app)}`],
    ['Health', health.filter((text) => text !== '').join(': ')],
    ...operationLines(status?.operationState),
    ...(status?.conditions ?? []).map(({ type, message }): readonly [string, string] => [type, message]),
  ]
  const width = Math.max(...lines.map(([name]) => name.length)) + 2
  const head = lines.map(([name, text]) => `${`${name}:`.padEnd(width)}${text.trimEnd()}`).join('\n')
  const resources = status?.resources ?? []
  return `${head}\n${resources.length > 0 ? `\n${resourcesText(resources)}` : ''}`
}

const sourceText = ({ repoURL, chart, path, targetRevision }: ApplicationSource): string =>
  `${repoURL} ${chart ?? path ?? ''} @ ${targetRevision ?? 'HEAD'}`

function policyText(app: Application): string {
  const { prune = false, selfHeal = false } = app.spec.syncPolicy?.automated ?? {}
  const flags = [prune ? 'prune' : '', selfHeal ? 'self-heal' : ''].filter((flag) => flag !== '')
  const how = flags.length > 0 ? `automated (${flags.join(', ')})` : 'automated'
  return `${isAutomated(app) ? how : 'manual'}${pauseText(app)}`
}

function operationLines(state: OperationState | undefined): readonly (readonly [string, string])[] {
  if (!state) return []
  const by = state.operation.initiatedBy?.automated ? 'by itself' : (state.operation.initiatedBy?.username ?? '')
  return [
    [
      'Last sync',
      [`${state.phase} ${state.finishedAt ?? state.startedAt}`, by, state.message ?? '']
        .filter((text) => text !== '')
        .join(', '),
    ],
  ]
}

function resourcesText(resources: readonly ResourceStatus[]): string {
  return columns(
    ['GROUP', 'KIND', 'NAMESPACE', 'NAME', 'SYNC', 'HEALTH', 'NOTE'],
    resources.map(({ group = '', kind = '', namespace = '', name = '', status, health, hook, requiresPruning }) => [
      group,
      kind,
      namespace,
      name,
      status ?? '',
      health?.status ?? '',
      [hook ? 'hook' : '', requiresPruning ? 'to be pruned' : '', health?.message ?? '']
        .filter((text) => text !== '')
        .join(', '),
    ]),
  )
}

/** What was synced when, and by whom; the newest first. */
export function historyText(app: Application): string {
  const rows = (app.status?.history ?? []).toReversed().map((entry) => {
    const revisions = entry.revisions && entry.revisions.length > 0 ? entry.revisions : [entry.revision ?? '']
    const { automated, username } = entry.initiatedBy ?? {}
    return [
      String(entry.id),
      entry.deployedAt,
      revisions.map(short).join(','),
      automated ? 'by itself' : (username ?? ''),
    ]
  })
  return columns(['ID', 'DATE', 'REVISION', 'BY'], rows)
}
