import type { Command } from 'commander'
import type { Io } from '../command.ts'
import { defineGenerate } from './appset/generate.ts'
import { defineGet } from './appset/get.ts'
import { defineList } from './appset/list.ts'

/** `idp appset`: what ApplicationSets generate, and how they are. */
export function define(command: Command, io: Io): void {
  command.addHelpText(
    'after',
    `
Examples:
  idp appset list
  idp appset get platform
  idp appset generate -f K8s/applicationset.yaml
  idp appset generate platform -o yaml`,
  )
  for (const add of [defineList, defineGet, defineGenerate]) {
    const sub = add(command, io)
    sub.exitOverride().configureOutput({ writeOut: io.out, writeErr: io.err })
  }
}
