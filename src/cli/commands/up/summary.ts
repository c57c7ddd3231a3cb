import { existsSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { PlatformProgress } from '../../../bootstrap/progress.ts'
import { REPOSITORY_SERVICE, repositoryToken } from '../../../gitops/repository-server.ts'
import type { Client } from '../../../kube/client.ts'
import { systemIds } from '../../../lib/ids.ts'
import type { PlatformSettings } from '../../../render/settings/read-settings.ts'
import type { EmbeddedPlatform } from '../../embedded-platform.ts'
import { STORE_KEYS } from './phases.ts'

export interface SummaryFacts {
  readonly platform: EmbeddedPlatform
  readonly settings: PlatformSettings
  readonly stateFolder: string
  readonly repository: string
  readonly cwd: string
  readonly progress: PlatformProgress | undefined
  readonly seconds: number
}

/** What there is, for programs. */
export interface Summary {
  readonly url: string
  readonly kubeconfig: string
  readonly repository: { readonly folder: string; readonly url?: string; readonly tokenFile: string }
  readonly surfaces: readonly { readonly name: string; readonly url: string }[]
  readonly applications: { readonly total: number; readonly settled: number; readonly isSettled: boolean }
  readonly seconds: number
}

const routes = { resource: { group: 'gateway.networking.k8s.io', version: 'v1', plural: 'httproutes' } }
const slices = { resource: { group: 'discovery.k8s.io', version: 'v1', plural: 'endpointslices' } }

/** What there is once the platform is up. Nothing in it is secret: where secrets lie, it names the file. */
export async function summaryJson({ platform, settings, ...facts }: SummaryFacts): Promise<Summary> {
  const clone = await cloneUrl(platform.client)
  return {
    url: platform.running.url,
    kubeconfig: platform.kubeconfig,
    repository: {
      folder: facts.repository,
      ...(clone === undefined ? {} : { url: clone }),
      tokenFile: join(facts.stateFolder, 'git', 'token'),
    },
    surfaces: await surfacesOf(platform.client, settings.gateway.httpsPort),
    applications: {
      total: facts.progress?.applications ?? 0,
      settled: facts.progress?.settled ?? 0,
      isSettled: facts.progress?.isSettled ?? false,
    },
    seconds: Math.round(facts.seconds * 100) / 100,
  }
}

async function cloneUrl(client: Client): Promise<string | undefined> {
  const { namespace, name, repository } = REPOSITORY_SERVICE
  const slice = await client.get({ ...slices, namespace, name })
  const [port] = slice.ok ? ((slice.value['ports'] ?? []) as readonly { readonly port?: number }[]) : []
  return port?.port === undefined ? undefined : `http://127.0.0.1:${port.port}/${repository}.git`
}

/** The names behind the gateway that are whole: wildcards are no place to go. */
async function surfacesOf(client: Client, port: number): Promise<Summary['surfaces']> {
  const found = await client.list(routes)
  if (!found.ok) return []
  return found.value.items.flatMap((route) => {
    const { hostnames = [] } = (route['spec'] ?? {}) as { readonly hostnames?: readonly string[] }
    return hostnames
      .filter((host) => !host.startsWith('*'))
      .map((host) => ({ name: host.split('.')[0] ?? host, url: `https://${host}:${port}` }))
  })
}

/** What there is, on one screen. What lets somebody in is shown the first time only. */
export async function summaryText(facts: SummaryFacts): Promise<string> {
  const summary = await summaryJson(facts)
  const shown = (path: string): string => relative(facts.cwd, path) || path
  const isFirst = firstTime(facts.stateFolder)
  const { url: clone } = summary.repository
  const token = repositoryToken(facts.stateFolder, systemIds)
  const { applications } = summary
  const rows: (readonly [string, string])[] = [
    ['API', `${summary.url}    export KUBECONFIG=${shown(summary.kubeconfig)}`],
    ['Repository', shown(facts.repository)],
  ]
  if (clone !== undefined) {
    const secret = isFirst ? `idp:${token}@` : ''
    rows.push(['', `git clone ${clone.replace('http://', `http://${secret}`)}`])
    if (!isFirst) rows.push(['', `the password is in ${shown(summary.repository.tokenFile)}`])
  }
  const keys = join(facts.stateFolder, STORE_KEYS)
  if (existsSync(keys)) rows.push(['Secrets', `idp secret list    (root token and key shares: ${shown(keys)})`])
  for (const surface of summary.surfaces) rows.push([surface.name, surface.url])
  const text = rows.map(([name, value]) => `  ${name.padEnd(14)} ${value}`).join('\n')
  return `
The platform is up: ${applications.settled} of ${applications.total} Applications Synced and Healthy in ${summary.seconds.toFixed(1)} s.

${text}

  Desired        ${shown(facts.repository)} is what should be: change a file there and commit it
  Actionable     ${facts.progress?.sets ?? 0} ApplicationSets, ${applications.total} Applications; policies judge every write; events run playbooks
  Observed       idp status, idp policy report, idp events list

Try next
  idp status                       the three loops on one screen
  idp app list                     what is live, and at which revision
  idp app why NAME                 why an Application is not as Git says, and what to do
  idp pki trust                    let browsers and curl trust the certificates
`
}

/** Whether nothing has been shown yet; remembered from now on. */
function firstTime(stateFolder: string): boolean {
  const mark = join(stateFolder, 'shown')
  if (existsSync(mark)) return false
  writeFileSync(mark, '', { mode: 0o600 })
  return true
}
