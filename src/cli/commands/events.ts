import type { Command } from 'commander'
import type { Io } from '../command.ts'
import { addActors } from './events/act.ts'
import { addLookers } from './events/look.ts'
import { addSimulate } from './events/simulate.ts'
import { addTest } from './events/test.ts'

/** `idp events`: signals, tried without a cluster, followed through one. */
export function define(command: Command, io: Io): void {
  command.addHelpText(
    'after',
    `
Exit codes: 0 done, 1 failed, 2 wrong usage.

Examples:
  idp events simulate -f alert.json --source alertmanager/slo-alerts --sensor K8s/events/playbooks
  idp events test K8s/events/playbooks
  idp events list --failed
  idp events trace 3f2a9c
  idp events replay --sensor slo-rollback`,
  )
  for (const add of [addLookers, addActors, addSimulate, addTest]) add(command, io)
}
