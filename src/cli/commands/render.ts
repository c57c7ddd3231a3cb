import { setFlagsFromString } from 'node:v8'
import type { Command } from 'commander'
import type { Io } from '../command.ts'
import { defineApp } from './render/app.ts'
import { defineDir } from './render/dir.ts'
import { defineHelm } from './render/helm.ts'
import { defineKustomize } from './render/kustomize.ts'

/** `idp render`: manifests on stdout, in process, without a cluster. */
export function define(command: Command, io: Io): void {
  // One rendering ends before optimised code pays for itself: V8 optimises later than it usually does, and still does for long ones.
  // Newer V8s have no such flag, and complain.
  if (process.versions.node.startsWith('20.')) setFlagsFromString('--interrupt-budget=600000')
  command.addHelpText(
    'after',
    `
Examples:
  idp render helm my-release ./chart --values values.yaml
  idp render kustomize ./overlays/production
  idp render dir ./manifests --recurse`,
  )
  for (const add of [defineHelm, defineKustomize, defineDir, defineApp]) {
    const sub = add(command, io)
    sub.exitOverride().configureOutput({ writeOut: io.out, writeErr: io.err })
  }
}
