import type { Command } from 'commander'
import type { Io } from '../command.ts'
import { defineApp } from './render/app.ts'
import { defineDir } from './render/dir.ts'
import { defineHelm } from './render/helm.ts'
import { defineKustomize } from './render/kustomize.ts'

/** `idp render`: manifests on stdout, in process, without a cluster. */
export function define(command: Command, io: Io): void {
  for (const add of [defineHelm, defineKustomize, defineDir, defineApp]) {
    const sub = add(command, io)
    sub.exitOverride().configureOutput({ writeOut: io.out, writeErr: io.err })
  }
}
