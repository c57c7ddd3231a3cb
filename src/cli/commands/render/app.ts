import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { isObject } from '../../../lib/json.ts'
import { explain, fail, type Problem, type Result, succeed } from '../../../lib/result.ts'
import type { ApplicationSource } from '../../../render/application/source.ts'
import type { Io } from '../../command.ts'

interface Flags {
  readonly repo: string
  readonly revision: string
}

/** `idp render app`: what an Application would apply, from a working tree. */
export function defineApp(parent: Command, io: Io): Command {
  return parent
    .command('app')
    .argument('<FILE>', 'a file with an Argo CD Application')
    .description('print what an Application renders to, from a working tree')
    .option('--repo <DIR>', 'the working tree that stands for the repositories of its sources', '.')
    .option('--revision <SHA>', 'the revision that build variables name', 'HEAD')
    .addHelpText(
      'after',
      `
Every source is looked up in one working tree; charts of repositories must be vendored into it. Where it has an idp.yaml,
references such as \${idp.dns.suffix} are replaced.

Examples:
  idp render app apps/shop.yaml
  idp render app apps/shop.yaml --repo ../platform --revision 0123abc`,
    )
    .action(async (file: string, flags: Flags) => {
      const rendered = await render(file, flags, io)
      if (rendered.ok) io.out(rendered.value)
      else {
        io.err(rendered.error.map((problem) => `Error: ${explain(problem)}\n`).join(''))
        io.exit(1)
      }
    })
}

interface Application {
  readonly name: string
  readonly namespace: string
  readonly project: string
  readonly destination: string
  readonly sources: readonly ApplicationSource[]
}

const problem = (message: string): Result<never> => fail({ code: 'application-invalid', message })

/** Reads the parts of an Application that rendering needs. */
async function readApplication(path: string): Promise<Result<Application>> {
  const { parseYamlDocuments } = await import('../../../lib/yaml.ts')
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    return problem(`cannot read ${path}: ${cause instanceof Error ? cause.message : String(cause)}`)
  }
  const documents = parseYamlDocuments(text, { file: path })
  if (!documents.ok) return documents
  const found = documents.value
    .map(({ value }) => value)
    .find((value) => isObject(value) && value['kind'] === 'Application')
  if (!isObject(found) || !isObject(found['spec']) || !isObject(found['metadata']))
    return problem(`${path} holds no Application`)
  const { metadata, spec } = found
  const destination = isObject(spec['destination']) ? spec['destination'] : {}
  const sources = Array.isArray(spec['sources']) ? spec['sources'] : [spec['source']]
  if (!sources.every(isObject)) return problem(`the Application in ${path} has no source`)
  return succeed({
    name: textOf(metadata['name']),
    namespace: textOf(metadata['namespace']),
    project: textOf(spec['project']) || 'default',
    destination: textOf(destination['namespace']),
    sources,
  })
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

async function render(file: string, { repo, revision }: Flags, io: Io): Promise<Result<string>> {
  const application = await readApplication(resolve(io.cwd, file))
  if (!application.ok) return application
  const { name, namespace, project, destination, sources } = application.value
  const [
    { diskTree },
    { readData },
    { kindTable },
    { renderSource },
    { emitYamlDocuments },
    { certificateMaker },
    { systemClock },
    { systemIds },
    { settingsOf },
  ] = await Promise.all([
    import('../../../lib/disk-tree.ts'),
    import('../../../lib/data-file.ts'),
    import('../../../render/kustomize/build-kustomization.ts'),
    import('../../../render/application/render-source.ts'),
    import('../../../lib/yaml.ts'),
    import('../../../lib/certificates.ts'),
    import('../../../lib/clock.ts'),
    import('../../../lib/ids.ts'),
    import('../../../render/application/settings-references.ts'),
  ])
  const tree = diskTree(resolve(io.cwd, repo))
  const refs = new Map(sources.flatMap(({ ref }) => (ref ? [[ref, tree] as const] : [])))
  const objects: Readonly<Record<string, unknown>>[] = []
  for (const [index, source] of sources.entries()) {
    if (source.chart !== undefined) return fail(remoteChart(source, index))
    // A source that is only there to be referred to renders nothing.
    if (source.ref && source.path === undefined) continue
    const rendered = renderSource({
      source,
      tree,
      refs,
      environment: { appName: name, appNamespace: namespace, projectName: project, revision },
      namespace: destination,
      ports: { clock: systemClock, ids: systemIds, certificates: certificateMaker },
      kustomize: { table: kindTable(readData) },
      settings: settingsOf(tree),
    })
    if (!rendered.ok) return rendered
    for (const warning of rendered.value.warnings) io.err(`warning: ${warning}\n`)
    objects.push(...rendered.value.objects.map(({ object }) => object))
  }
  return succeed(emitYamlDocuments(objects))
}

const remoteChart = ({ chart = '', repoURL = '' }: ApplicationSource, index: number): Problem => ({
  code: 'source-unsupported',
  at: `spec.sources[${index}]`,
  message: `the chart ${chart} of ${repoURL} is not in the working tree`,
  cure: 'vendor it with `idp vendor` and point the source at the vendored folder, or render it with `idp render helm --repo`',
})
