import type { Command } from 'commander'
import { USUAL_NAMESPACE } from '../../../gitops/application/applications.ts'
import { explain, type Problem } from '../../../lib/result.ts'
import { addClusterCommand, type ClusterCommand, type CommandFlags } from '../../cluster-command.ts'
import type { Io } from '../../command.ts'

/** What every `idp app` command can be told. */
export interface AppFlags extends CommandFlags {
  readonly namespace: string
}

/** Adds a command to `idp app`. */
export function addAppCommand<Flags extends AppFlags>(
  parent: Command,
  definition: ClusterCommand<Flags>,
  io: Io,
): void {
  const options = (command: Command): void => {
    command.option('-n, --namespace <name>', 'where the Application lives', USUAL_NAMESPACE)
    definition.options?.(command)
  }
  addClusterCommand(parent, { ...definition, options }, io)
}

/** Says in one line each what is wrong, and fails. */
export function complain(name: string, problems: readonly Problem[], io: Io): 1 {
  for (const problem of problems) io.err(`idp app ${name}: ${explain(problem)}\n`)
  return 1
}
