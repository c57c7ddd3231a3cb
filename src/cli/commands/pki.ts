import type { Command } from 'commander'
import type { Io } from '../command.ts'
import { addLookers } from './pki/look.ts'
import { addRenew } from './pki/renew.ts'
import { addTrust } from './pki/trust.ts'

/** `idp pki`: certificates, looked at, explained, renewed; and the root to trust. */
export function define(command: Command, io: Io): void {
  command.addHelpText(
    'after',
    `
Exit codes: 0 done, 1 failed (why: the Certificate is not ready), 2 wrong usage.

Examples:
  idp pki list
  idp pki why web -n shop
  idp pki renew web -n shop
  idp pki trust --install`,
  )
  for (const add of [addLookers, addRenew, addTrust]) add(command, io)
}
