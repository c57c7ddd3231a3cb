import type { Command } from 'commander'
import type { Io } from '../command.ts'
import { addActions } from './app/actions.ts'
import { addActors } from './app/act.ts'
import { addChangers } from './app/change.ts'
import { addLookers } from './app/look.ts'
import { addReaders } from './app/read.ts'

/** `idp app`: Applications, looked at, explained, synced, undone. */
export function define(command: Command, io: Io): void {
  command.addHelpText(
    'after',
    `
Exit codes: 0 done, 1 failed, 2 wrong usage or, for diff, there are changes.

Examples:
  idp app list
  idp app why shop
  idp app sync shop --prune`,
  )
  addReaders(command, io)
  addLookers(command, io)
  addActors(command, io)
  addActions(command, io)
  addChangers(command, io)
}
