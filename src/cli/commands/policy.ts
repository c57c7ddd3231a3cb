import type { Command } from 'commander'
import type { Io } from '../command.ts'
import { defineTest } from './policy/test.ts'

/** `idp policy`: policies without a cluster, with the files and flags of Kyverno's command line. */
export function define(command: Command, io: Io): void {
  command.addHelpText(
    'after',
    `
Examples:
  idp policy test ./policies
  idp policy test ./policies -o json --detailed-results`,
  )
  for (const add of [defineTest]) {
    const sub = add(command, io)
    sub.exitOverride().configureOutput({ writeOut: io.out, writeErr: io.err })
  }
}
