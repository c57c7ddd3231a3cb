import type { Command } from 'commander'
import type { Io } from '../command.ts'
import { defineApply } from './policy/apply.ts'
import { defineExplain } from './policy/explain.ts'
import { defineLint } from './policy/lint.ts'
import { defineReport } from './policy/report.ts'
import { defineTest } from './policy/test.ts'

/** `idp policy`: policies without a cluster, with the files and flags of Kyverno's command line. */
export function define(command: Command, io: Io): void {
  command.addHelpText(
    'after',
    `
Examples:
  idp policy test ./policies
  idp policy test ./policies -o json --detailed-results
  idp policy apply ./policies --resource deployment.yaml --set request.operation=UPDATE
  idp policy lint ./policies
  idp policy explain policy.yaml --resource pod.yaml
  idp policy report --by namespace`,
  )
  for (const add of [defineTest, defineApply, defineLint, defineExplain, defineReport]) {
    const sub = add(command, io)
    sub.exitOverride().configureOutput({ writeOut: io.out, writeErr: io.err })
  }
}
