import { statSync, mkdirSync, writeFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import type { Command } from 'commander'
import { isObject } from '../../../lib/json.ts'
import type { Io } from '../../command.ts'
import type { RenderHelm } from '../../../render/kustomize/helm-charts.ts'
import type { BuiltManifest, KustomizeOptions } from '../../../render/kustomize/build-kustomization.ts'

interface Flags {
  readonly output?: string
  readonly enableHelm?: boolean
  readonly loadRestrictor: string
  readonly reorder: string
  readonly enableManagedbyLabel?: boolean
  readonly enableAlphaPlugins?: boolean
  readonly enableExec?: boolean
  readonly enableStar?: boolean
  readonly network?: boolean
}

/** `idp render kustomize`: what `kustomize build` prints, in process. */
export function defineKustomize(parent: Command, io: Io): Command {
  return parent
    .command('kustomize')
    .argument('[DIR]', 'a folder with a kustomization', '.')
    .description('print the manifests of a kustomization, as kustomize build does')
    .option('-o, --output <PATH>', 'write into a file, or one file per manifest into a folder')
    .option('--enable-helm', 'render charts in process')
    .option('--load-restrictor <MODE>', 'LoadRestrictionsRootOnly or LoadRestrictionsNone', 'LoadRestrictionsRootOnly')
    .option('--reorder <ORDER>', 'legacy or none, where the kustomization does not say', 'legacy')
    .option('--enable-managedby-label', 'label everything with app.kubernetes.io/managed-by')
    .option('--enable-alpha-plugins', 'not supported: no programs are run')
    .option('--enable-exec', 'not supported: no programs are run')
    .option('--enable-star', 'not supported: no programs are run')
    .option('--network', 'not supported: no containers are run')
    .addHelpText(
      'after',
      `
Examples:
  idp render kustomize ./overlays/production
  idp render kustomize ./overlays/production --output rendered.yaml`,
    )
    .action(async (folder: string, flags: Flags) => {
      const refusal = refusalOf(flags)
      if (refusal !== undefined) return stop(io, refusal)
      const path = resolve(io.cwd, folder)
      if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
        return stop(io, `'${path}' is not a folder with a kustomization`)
      }
      const [{ diskTree }, { readData }, { buildKustomization, kindTable }] = await Promise.all([
        import('../../../lib/disk-tree.ts'),
        import('../../../lib/data-file.ts'),
        import('../../../render/kustomize/build-kustomization.ts'),
      ])
      const options: KustomizeOptions = {
        table: kindTable(readData),
        loadRestrictor: flags.loadRestrictor.toLowerCase() === 'loadrestrictionsnone' ? 'none' : 'rootOnly',
        reorder: flags.reorder === 'none' ? 'none' : 'legacy',
        ...(flags.enableManagedbyLabel ? { addManagedByLabel: true } : {}),
        ...(flags.enableHelm ? { helm: await helmRenderer() } : {}),
      }
      // Bases may lie beside or above the folder, so that the tree is the whole disk.
      const built = buildKustomization(diskTree('/'), relative('/', path), options)
      if (!built.ok) return stop(io, built.error.map(({ message }) => message).join('\n'))
      for (const warning of built.value.warnings) io.err(`${warning}\n`)
      if (flags.output === undefined) io.out(built.value.text)
      else await write(resolve(io.cwd, flags.output), built.value.manifests, built.value.text)
    })
}

async function helmRenderer(): Promise<RenderHelm> {
  const [{ chartRenderer }, { templatePorts }] = await Promise.all([
    import('../../../render/application/kustomize-charts.ts'),
    import('./helm.ts'),
  ])
  return chartRenderer(await templatePorts())
}

function refusalOf(flags: Flags): string | undefined {
  if (flags.enableAlphaPlugins || flags.enableExec || flags.enableStar || flags.network) {
    return 'plugins that are programs or containers are not supported'
  }
  if (!/^loadrestrictions(?:none|rootonly)$/i.test(flags.loadRestrictor)) {
    return `illegal flag value --load-restrictor ${flags.loadRestrictor}; legal values: [LoadRestrictionsRootOnly LoadRestrictionsNone]`
  }
  if (flags.reorder !== 'none' && flags.reorder !== 'legacy') {
    return `illegal flag value --reorder ${flags.reorder}; legal values: [legacy none]`
  }
  return undefined
}

function stop(io: Io, message: string): void {
  io.err(`Error: ${message}\n`)
  io.exit(1)
}

/** One file for all, or one per manifest when the path is a folder. */
async function write(path: string, manifests: readonly BuiltManifest[], text: string): Promise<void> {
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) {
    writeFileSync(path, text)
    return
  }
  const { emitYaml } = await import('../../../lib/yaml.ts')
  mkdirSync(path, { recursive: true })
  for (const { manifest } of manifests) writeFileSync(join(path, fileName(manifest)), emitYaml(manifest))
}

/** `namespace_group_version_kind_name.yaml` in lower case, as kustomize names them. */
function fileName(manifest: Readonly<Record<string, unknown>>): string {
  const { metadata, apiVersion, kind } = manifest
  const { name, namespace } = isObject(metadata) ? metadata : {}
  const words = [namespace, ...(typeof apiVersion === 'string' ? apiVersion.split('/') : []), kind, name]
  const parts = words.filter((word): word is string => typeof word === 'string' && word !== '')
  return `${parts.join('_').toLowerCase().replaceAll('/', '_')}.yaml`
}
