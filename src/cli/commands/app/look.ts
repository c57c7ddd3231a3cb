import { setMaxListeners } from 'node:events'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { clusterSources, servedWorkingFolder } from '../../../gitops/manifests/cluster-sources.ts'
import type { Application } from '../../../gitops/application/application.ts'
import { USUAL_NAMESPACE } from '../../../gitops/application/applications.ts'
import { type Look, lookAt } from '../../../gitops/application/look.ts'
import { maskSecrets } from '../../../gitops/compare/mask.ts'
import { REPOSITORY_URL } from '../../../gitops/repository-server.ts'
import { resourceTree } from '../../../gitops/tree/tree.ts'
import { whyApplication } from '../../../gitops/tree/why.ts'
import { remoteUrls } from '../../../gitops/working-folder.ts'
import { systemClock } from '../../../lib/clock.ts'
import { systemIds } from '../../../lib/ids.ts'
import { silentLog } from '../../../lib/log.ts'
import { emitYaml } from '../../../lib/yaml.ts'
import { Informers } from '../../../runtime/informers.ts'
import { printAs } from '../../cluster-client.ts'
import type { Io } from '../../command.ts'
import { getApplication, targetOf } from './applications.ts'
import { readRunFile } from '../up/run-file.ts'
import { diffText } from './diff-text.ts'
import type { Call } from '../../cluster-command.ts'
import { addAppCommand, type AppFlags, complain } from './flags.ts'
import { originText } from './origin-text.ts'
import { treeText } from './tree-text.ts'

interface RevisionFlags extends AppFlags {
  readonly revision?: string
}

const name: readonly [string, string] = ['<name>', 'NAME, or NAMESPACE/NAME']
const revision = (command: Command): void =>
  void command.option('--revision <revision>', 'what to render, instead of what the Application names')

/** The commands that look as the controller does: tree, diff, manifests, why. */
export function addLookers(parent: Command, io: Io): void {
  addAppCommand<AppFlags>(
    parent,
    {
      name: 'tree',
      summary: 'show the objects of an Application and what they own',
      arguments: [name],
      examples: ['idp app tree shop'],
      run: (call) =>
        looking('tree', call, {}, ({ observed, explaining, settings }) => {
          if (observed.found !== 'compared' || !explaining) return notCompared('tree', observed, call.io)
          const { resources } = observed.comparison
          const tree = resourceTree({
            ...explaining,
            resources,
            isPermitted: () => true,
            labels: settings.resources.customLabels,
          })
          printAs(call.format, tree, () => treeText(tree), call.io)
          return 0
        }),
    },
    io,
  )
  addAppCommand<RevisionFlags>(
    parent,
    {
      name: 'diff',
      summary: 'show what a sync would change; ends with 2 when it would',
      arguments: [name],
      options: revision,
      examples: ['idp app diff shop', 'idp app diff shop --revision my-branch'],
      run: (call) =>
        looking('diff', call, wantedBy(call.flags), ({ observed }) => {
          if (observed.found !== 'compared') return notCompared('diff', observed, call.io)
          const changed = observed.comparison.resources.filter(
            ({ status, isHook }) => !isHook && status === 'OutOfSync',
          )
          const diffs = changed.map(({ key, target, live, diff }) => {
            const [before, after] = maskSecrets([
              diff?.normalizedLive ?? live,
              target ? (diff?.predictedLive ?? target) : undefined,
            ])
            return { key, ...(before ? { live: before } : {}), ...(after ? { target: after } : {}) }
          })
          printAs(
            call.format,
            diffs,
            () => (diffs.length > 0 ? diffs.map(diffText).join('') : 'no differences\n'),
            call.io,
          )
          return diffs.length > 0 ? 2 : 0
        }),
    },
    io,
  )
  addAppCommand<RevisionFlags>(
    parent,
    {
      name: 'manifests',
      summary: 'print the manifests of an Application as YAML',
      arguments: [name],
      options: revision,
      examples: ['idp app manifests shop', 'idp app manifests shop --revision v1.2.3 -o json'],
      run: (call) =>
        looking('manifests', call, wantedBy(call.flags), ({ observed }) => {
          if (observed.found !== 'compared') return notCompared('manifests', observed, call.io)
          const manifests = maskSecrets(observed.manifests.manifests)
          printAs(
            call.format === 'yaml' ? 'text' : call.format,
            manifests,
            () => {
              const { origins } = observed.manifests
              return manifests.map((one, index) => originText(origins[index]) + emitYaml(one)).join('---\n')
            },
            call.io,
          )
          return 0
        }),
    },
    io,
  )
  addAppCommand<AppFlags>(
    parent,
    {
      name: 'why',
      summary: 'say in plain words why an Application is as it is, and what to do next',
      arguments: [name],
      examples: ['idp app why shop'],
      run: (call) =>
        looking('why', call, {}, ({ observed, explaining }, app) => {
          if (observed.found !== 'compared' || !explaining) return notCompared('why', observed, call.io)
          const why = whyApplication(app, observed.comparison, explaining)
          const lines = why.lines.map(({ subject, because, next }) =>
            [
              `  ${subject === undefined ? '' : `${subject}: `}${because}\n`,
              next === undefined ? '' : `    next: ${next}\n`,
            ].join(''),
          )
          printAs(call.format, why, () => `${why.headline}\n${lines.join('')}`, call.io)
          return 0
        }),
    },
    io,
  )
}

const wantedBy = ({ revision: asked }: RevisionFlags): { readonly revisions?: readonly string[] } =>
  asked === undefined ? {} : { revisions: [asked] }

/** Never "no changes" where something could not be read. */
export function notCompared(command: string, observed: Look['observed'], io: Io): 1 {
  const because =
    observed.found === 'wrong'
      ? observed.conditions.map(({ type, message }) => `${type}: ${message}`).join('; ')
      : 'its destination could not be read in time'
  io.err(`idp app ${command}: ${because}\n`)
  return 1
}

/** Looks at an Application once, and shows what was seen. */
export async function looking(
  command: string,
  { words: [app = ''], flags, client, io }: Call<AppFlags>,
  wanted: { readonly revisions?: readonly string[] },
  show: (look: Look, app: Application) => 0 | 1 | 2 | Promise<0 | 1 | 2>,
): Promise<0 | 1 | 2> {
  const found = await getApplication(client, targetOf(app, flags.namespace))
  if (!found.ok) return complain(command, found.error, io)
  const stopping = new AbortController()
  const signal = AbortSignal.any([io.signal, stopping.signal])
  // Every watch listens to it.
  setMaxListeners(0, signal)
  const common = { client, clock: systemClock, ids: systemIds, log: silentLog }
  const informers = new Informers(common)
  const stateFolder = resolve(io.cwd, flags.state)
  // As the platform that runs there reads it, else as one would that worked here.
  const folder = readRunFile(stateFolder)?.repository ?? io.cwd
  const sources = clusterSources({
    ports: { ...common, informers },
    namespace: USUAL_NAMESPACE,
    folder: join(stateFolder, 'looks'),
    servedFrom: servedWorkingFolder(folder, [...remoteUrls(folder), REPOSITORY_URL]),
    path: io.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin',
  })
  const running = Promise.all([informers.run(signal), sources.run(signal)])
  try {
    await sources.synced(signal)
    const options = { ...common, manifests: sources.manifests, namespace: USUAL_NAMESPACE }
    return await show(await lookAt(found.value, wanted, options, signal), found.value)
  } finally {
    stopping.abort(new Error('the command has ended'))
    await running.catch(() => {})
  }
}
