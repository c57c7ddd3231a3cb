import type { Command } from 'commander'
import { resolve } from 'node:path'
import { writeSecret } from '../../apiserver/pki/server-pki.ts'
import { readPlatformFile } from '../../bootstrap/settings/platform-file.ts'
import { chooseParts, parts } from '../../backbone.ts'
import { explain } from '../../lib/result.ts'
import { listenPlace } from '../listen-place.ts'
import { aborted, startEmbedded, warningsTo } from '../embedded-platform.ts'
import type { Io } from '../command.ts'

interface Flags {
  readonly listen: string
  readonly state: string
  readonly kubeconfigOut?: string
  readonly controllers: string
  readonly nodes?: string
  readonly audit: boolean
  readonly output: string
}

export function define(command: Command, io: Io): void {
  command
    .option('--listen <host:port>', 'where to listen; port 0 picks a free one', '127.0.0.1:6443')
    .option('--state <dir>', 'where the cluster is kept', '.idp')
    .option('--kubeconfig-out <file>', "write the administrator's kubeconfig here")
    .option('--controllers <none|all|list>', 'which controllers to run beside the API', 'all')
    .option('--nodes <file>', 'the nodes of the cluster; idp.yaml of the working directory where there is one')
    .option('--no-audit', 'do not write audit.log into the state directory')
    .option('-o, --output <text|json>', 'how to say where the server is', 'text')
    .addHelpText(
      'after',
      `
Runs the embedded Kubernetes API with its controllers, until it is interrupted.

Controllers, for --controllers NAME,NAME or --controllers all,-NAME:
${parts.map(({ name, does }) => `  ${name.padEnd(24)} ${does}`).join('\n')}

Examples:
  idp apiserver --listen 127.0.0.1:0 --kubeconfig-out ./kubeconfig
  KUBECONFIG=./kubeconfig kubectl get namespaces`,
    )
    .action(async (flags: Flags) => {
      const place = listenPlace(flags.listen)
      if (!place) {
        io.err(`idp apiserver: --listen ${JSON.stringify(flags.listen)} is not HOST:PORT, such as 127.0.0.1:6443\n`)
        io.exit(2)
        return
      }
      const controllers = chooseParts(flags.controllers)
      if (!controllers.ok) {
        io.err(`idp apiserver: --controllers ${JSON.stringify(flags.controllers)}: ${controllers.because}\n`)
        io.exit(2)
        return
      }
      await serve(flags, controllers.chosen, place, io)
    })
}

async function serve(
  flags: Flags,
  chosen: typeof parts,
  { host, port }: { readonly host: string; readonly port: number },
  io: Io,
): Promise<void> {
  const platform = await readPlatformFile(io.cwd, flags.nodes)
  if (!platform.ok) {
    io.err(`${platform.error.map((problem) => `idp apiserver: ${explain(problem)}`).join('\n')}\n`)
    io.exit(2)
    return
  }
  const stateFolder = resolve(io.cwd, flags.state)
  const started = await startEmbedded(
    {
      stateFolder,
      workingFolder: io.cwd,
      host,
      port,
      chosen,
      nodes: platform.value.nodes,
      audit: flags.audit,
      log: warningsTo(io),
    },
    io,
  )
  if (!started.ok) {
    io.err(`${started.error.map((problem) => `idp apiserver: ${explain(problem)}`).join('\n')}\n`)
    io.exit(1)
    return
  }
  const { running } = started.value
  const kubeconfig = flags.kubeconfigOut === undefined ? undefined : resolve(io.cwd, flags.kubeconfigOut)
  if (kubeconfig !== undefined) await writeSecret(kubeconfig, running.kubeconfig)
  const { url } = running
  io.out(
    flags.output === 'json'
      ? `${JSON.stringify({ url, state: stateFolder, ...(kubeconfig === undefined ? {} : { kubeconfig }) })}\n`
      : `API server ready at ${url}${kubeconfig === undefined ? '' : ` (export KUBECONFIG=${kubeconfig})`}\n`,
  )
  await aborted(io.signal)
  await started.value.close()
}
