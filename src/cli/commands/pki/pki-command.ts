import type { Command } from 'commander'
import type { RemoteClient } from '../../../client/remote-client.ts'
import type { Client } from '../../../kube/client.ts'
import type { ResourceId } from '../../../kube/gvk.ts'
import type { KubeObject } from '../../../kube/object.ts'
import {
  addClusterOptions,
  type ClusterFlags,
  type OutputFormat,
  outputFormat,
  withCluster,
} from '../../cluster-client.ts'
import type { Io } from '../../command.ts'

/** What every `idp pki` command can be told. */
export interface PkiFlags extends ClusterFlags {
  readonly namespace?: string
  readonly output: string
}

/** A command that is being carried out. */
export interface Call<Flags extends PkiFlags> {
  readonly words: readonly string[]
  readonly flags: Flags
  readonly format: OutputFormat
  readonly client: RemoteClient
  readonly io: Io
}

/** One command of `idp pki`: its words, and what it does on the cluster. */
export interface PkiCommand<Flags extends PkiFlags> {
  readonly name: string
  readonly summary: string
  readonly arguments?: readonly (readonly [name: string, description: string])[]
  readonly options?: (command: Command) => void
  readonly examples: readonly string[]
  readonly run: (call: Call<Flags>) => Promise<0 | 1 | 2>
}

/** Adds a command to `idp pki`. */
export function addPkiCommand<Flags extends PkiFlags>(parent: Command, definition: PkiCommand<Flags>, io: Io): void {
  const { name, summary, options, run, examples } = definition
  const command = parent.command(name).description(summary)
  for (const [argument, description] of definition.arguments ?? []) command.argument(argument, description)
  options?.(command)
  addClusterOptions(command).option('-o, --output <text|json|yaml>', 'how to print', 'text')
  command.addHelpText('after', `\nExamples:\n${examples.map((line) => `  ${line}`).join('\n')}`)
  command.exitOverride().configureOutput({ writeOut: io.out, writeErr: io.err })
  command.action(async (...given: readonly unknown[]) => {
    const flags = command.opts<Flags>()
    const words = given
      .slice(0, definition.arguments?.length ?? 0)
      .flat()
      .filter((word) => typeof word === 'string')
    const format = outputFormat(`idp pki ${name}`, flags.output, io)
    if (!format) return
    await withCluster(`idp pki ${name}`, flags, io, (client) => run({ words, flags, format, client, io }))
  })
}

/** Every object of a kind, in a namespace or in all; says why it cannot be had. */
export async function listAll(
  client: Client,
  resource: ResourceId,
  namespace?: string,
): Promise<{ readonly items: readonly KubeObject[]; readonly problem?: string }> {
  const items: KubeObject[] = []
  let token: string | undefined
  do {
    const page = await client.list(
      { resource, ...(namespace === undefined ? {} : { namespace }) },
      { limit: 500, ...(token === undefined ? {} : { continue: token }) },
    )
    if (!page.ok) {
      const hint = page.error.reason === 'NotFound' ? ' (is the capability "certificates" running?)' : ''
      return { items, problem: `cannot list ${resource.plural}: ${page.error.message}${hint}` }
    }
    // Items of a list may leave out what they are.
    items.push(...page.value.items)
    token = page.value.metadata.continue
  } while (token)
  return { items }
}
