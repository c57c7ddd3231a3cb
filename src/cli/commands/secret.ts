import type { Command } from 'commander'
import type { Io } from '../command.ts'
import { defineCheck } from './secret/check.ts'
import { defineGet } from './secret/get.ts'
import { defineList } from './secret/list.ts'
import { definePut } from './secret/put.ts'
import { defineRotate } from './secret/rotate.ts'

/** `idp secret`: what is in the platform's secret store. */
export function define(command: Command, io: Io): void {
  command.addHelpText(
    'after',
    `
Whoever may administer the cluster may use these; the store writes down who asked. Values are printed where they are asked for
only, with get PATH KEY or --show.

Examples:
  idp secret list
  idp secret list secret/team
  idp secret get secret/team/db password
  idp secret put secret/team/db user=app password=@password.txt
  idp secret rotate secret/team/db password
  idp secret check K8s`,
  )
  for (const add of [defineList, defineGet, definePut, defineRotate, defineCheck]) {
    const sub = add(command, io)
    sub.exitOverride().configureOutput({ writeOut: io.out, writeErr: io.err })
  }
}
