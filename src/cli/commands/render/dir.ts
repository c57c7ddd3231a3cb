import { resolve } from 'node:path'
import type { Command } from 'commander'
import { explain } from '../../../lib/result.ts'
import type { Io } from '../../command.ts'

interface DirOptions {
  readonly recurse?: boolean
  readonly include?: string
  readonly exclude?: string
}

/** `idp render dir`: the manifests of a plain folder as one stream. */
export function defineDir(parent: Command, io: Io): Command {
  return parent
    .command('dir')
    .argument('<DIR>', 'a folder of YAML and JSON manifests')
    .description('print the manifests of a plain folder')
    .option('-r, --recurse', 'look into folders below')
    .option('--include <GLOB>', 'only files whose path below DIR matches')
    .option('--exclude <GLOB>', 'no files whose path below DIR matches')
    .addHelpText(
      'after',
      `
Examples:
  idp render dir ./manifests --recurse
  idp render dir ./manifests --exclude '{secret-*,*.bak.yaml}'`,
    )
    .action(async (folder: string, options: DirOptions) => {
      const [{ diskTree }, { renderDirectory }, { emitYamlDocuments }] = await Promise.all([
        import('../../../lib/disk-tree.ts'),
        import('../../../render/directory/render-directory.ts'),
        import('../../../lib/yaml.ts'),
      ])
      const objects = renderDirectory(diskTree(resolve(io.cwd, folder)), '', options)
      if (!objects.ok) {
        io.err(objects.error.map((problem) => `Error: ${explain(problem)}\n`).join(''))
        io.exit(1)
        return
      }
      io.out(emitYamlDocuments(objects.value.map(({ object }) => object)))
    })
}
