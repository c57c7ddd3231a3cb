import type { Command } from 'commander'
import type { Io } from '../command.ts'
import { defineCheck } from './project/check.ts'
import { defineGet } from './project/get.ts'
import { defineList } from './project/list.ts'

/** `idp project`: what AppProjects allow, and which rule says so. */
export function define(command: Command, io: Io): void {
  command.addHelpText(
    'after',
    `
Examples:
  idp project list
  idp project get team-a
  idp project check team-a --repo https://github.com/org/app --server https://kubernetes.default.svc --namespace team-a
  idp project check -f K8s/projects.yaml --app apps/shop.yaml
  idp project check team-a --kind apps/Deployment --namespace team-a
  idp project check team-a --role dev --action sync --object team-a/shop`,
  )
  for (const add of [defineList, defineGet, defineCheck]) {
    const sub = add(command, io)
    sub.exitOverride().configureOutput({ writeOut: io.out, writeErr: io.err })
  }
}
