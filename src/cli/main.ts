import { setMaxListeners } from 'node:events'
import { Command, CommanderError, type OutputConfiguration } from 'commander'
import { describeError } from '../lib/log.ts'
import { commands } from './commands.ts'
import type { Io } from './command.ts'
import { candidates } from './complete.ts'

declare const IDP_VERSION: string

function processIo(): Io {
  const stop = new AbortController()
  // Everything that is under way listens to it.
  setMaxListeners(0, stop.signal)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => stop.abort(new Error(`stopped by ${signal}`)))
  }
  // A reader that went away (`idp ... | head`) is no error.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0)
    throw error
  })
  return {
    stdin: process.stdin,
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    env: process.env,
    cwd: process.cwd(),
    ...(process.stdout.isTTY ? { terminal: terminalOf(process.stdout, process.env) } : {}),
    signal: stop.signal,
    exit: (code) => {
      process.exitCode = code
    },
  }
}

/** Colours are for terminals whose user has not asked for none (no-color.org). */
function terminalOf({ columns }: { readonly columns: number }, env: Io['env']): NonNullable<Io['terminal']> {
  return { columns, hasColors: !env['NO_COLOR'] && env['TERM'] !== 'dumb' }
}

const outputOf = (io: Io): OutputConfiguration => ({
  writeOut: io.out,
  writeErr: io.err,
  // One line: what is wrong, and what was perhaps meant.
  outputError: (text, write) =>
    write(
      `${text
        .trim()
        .replace(/^error: /, 'idp: ')
        .replaceAll(/\s*\n\s*/g, ' ')}\n`,
    ),
})

/** Defines only the command that was asked for; the others are names and summaries. */
async function run(argv: readonly string[], io: Io): Promise<void> {
  const program = new Command('idp')
    .description('A control backbone for internal developer platforms: Git to cluster, policy, events.')
    .version(IDP_VERSION, '--version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .configureOutput(outputOf(io))
    .exitOverride()
    .addHelpText(
      'after',
      `
Examples:
  idp up                                       bring a platform up, and follow it
  idp app why shop                             why an Application is not as Git says
  idp policy apply ./Policies --resource x.yaml
  idp help render`,
    )
  const isCompleting = argv[0] === '__complete'
  const asked = (isCompleting ? argv.slice(1) : argv).find((word) => !word.startsWith('-') && word !== 'help')
  for (const { name, summary, load } of commands) {
    const command = program.command(name).description(summary)
    command.exitOverride().configureOutput(outputOf(io))
    if (name === asked) (await load()).define(command, io)
  }
  if (isCompleting) {
    for (const { word, means } of candidates(program, argv.slice(1))) io.out(`${word}\t${means}\n`)
    return
  }
  if (argv.length === 0) {
    program.outputHelp()
    return
  }
  try {
    await program.parseAsync([...argv], { from: 'user' })
  } catch (error) {
    // Commander has already said what is wrong: help and version leave with 0, every mistake is one of usage.
    if (!(error instanceof CommanderError)) throw error
    io.exit(error.exitCode === 0 ? 0 : 2)
  }
}

const io = processIo()
try {
  await run(process.argv.slice(2), io)
} catch (error) {
  io.err(`idp: ${describeError(error)}\n`)
  if (process.env['IDP_DEBUG'] && error instanceof Error) io.err(`${error.stack ?? ''}\n`)
  io.exit(1)
}
