import type { Command } from 'commander'
import { ApplicationSetKind } from '../../../gitops/applicationset/application-set.ts'
import { fieldsOf, objectsOf, textOf } from '../../../gitops/fields.ts'
import type { KubeObject } from '../../../kube/object.ts'
import {
  addClusterOptions,
  type ClusterFlags,
  columns,
  outputFormat,
  printAs,
  withCluster,
} from '../../cluster-client.ts'
import type { Io } from '../../command.ts'

interface Flags extends ClusterFlags {
  readonly output: string
  readonly namespace: string
}

/** `idp appset get NAME`: conditions, Applications and the state of a rollout. */
export function defineGet(parent: Command, io: Io): Command {
  const command = parent
    .command('get')
    .argument('<name>', 'the ApplicationSet')
    .description('show an ApplicationSet: its conditions, its Applications, its rollout')
    .option('-n, --namespace <name>', 'where it is', 'argocd')
    .option('-o, --output <format>', 'text, json or yaml', 'text')
  return addClusterOptions(command).action(async (name: string, flags: Flags) => {
    const format = outputFormat('idp appset get', flags.output, io)
    if (!format) return
    await withCluster('idp appset get', flags, io, async (client) => {
      const target = { resource: ApplicationSetKind, namespace: flags.namespace, name }
      const found = await client.get(target, { signal: io.signal })
      if (!found.ok) {
        io.err(`idp appset get: ${found.error.message}\n`)
        return 1
      }
      printAs(format, found.value, () => textFor(found.value), io)
      return 0
    })
  })
}

function textFor(object: KubeObject): string {
  const status = fieldsOf(object, 'status')
  const health = fieldsOf(status, 'health')
  const conditions = (objectsOf(status, 'conditions') ?? []).map((condition) => [
    textOf(condition, 'type'),
    textOf(condition, 'status'),
    textOf(condition, 'reason'),
    textOf(condition, 'message'),
  ])
  const steps = new Map(
    (objectsOf(status, 'applicationStatus') ?? []).map((each) => [textOf(each, 'application'), each]),
  )
  const resources = (objectsOf(status, 'resources') ?? []).map((each) => {
    const step = steps.get(textOf(each, 'name'))
    const rollout = step ? `step ${textOf(step, 'step')}: ${textOf(step, 'status')}` : ''
    return [textOf(each, 'name'), textOf(each, 'status'), textOf(fieldsOf(each, 'health'), 'status'), rollout]
  })
  const generators = (objectsOf(fieldsOf(object, 'spec'), 'generators') ?? []).map((entry) =>
    Object.keys(entry)
      .filter((key) => key !== 'selector')
      .join('+'),
  )
  return [
    `Name:        ${object.metadata.namespace ?? ''}/${object.metadata.name ?? ''}\n`,
    `Generators:  ${generators.join(', ')}\n`,
    `Health:      ${textOf(health, 'status') || 'Unknown'}${textOf(health, 'message') === '' ? '' : `: ${textOf(health, 'message')}`}\n`,
    conditions.length === 0 ? '' : `\n${columns(['CONDITION', 'STATUS', 'REASON', 'MESSAGE'], conditions)}`,
    resources.length === 0
      ? '\nNo Applications.\n'
      : `\n${columns(['APPLICATION', 'SYNC', 'HEALTH', 'ROLLOUT'], resources)}`,
  ].join('')
}
