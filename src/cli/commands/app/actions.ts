import type { Command } from 'commander'
import type { ResourceAction } from '../../../gitops/actions/action.ts'
import { compileActions } from '../../../gitops/actions/actions.ts'
import { applyImpact } from '../../../gitops/actions/apply.ts'
import type { Look } from '../../../gitops/application/look.ts'
import { gvkOf } from '../../../kube/gvk.ts'
import type { KubeObject } from '../../../kube/object.ts'
import { systemClock } from '../../../lib/clock.ts'
import { columns, printAs } from '../../cluster-client.ts'
import type { Io } from '../../command.ts'
import type { Call } from '../../cluster-command.ts'
import { addAppCommand, type AppFlags, complain } from './flags.ts'
import { looking, notCompared } from './look.ts'

interface ActionFlags extends AppFlags {
  readonly kind?: string
  readonly resource?: string
  readonly param?: readonly string[]
}

const several = (value: string, before: readonly string[] = []): readonly string[] => [...before, value]

/** The command that lists and runs what can be done to objects: actions. */
export function addActions(parent: Command, io: Io): void {
  addAppCommand<ActionFlags>(
    parent,
    {
      name: 'actions',
      summary: 'list what can be done to the objects of an Application, or do it',
      arguments: [
        ['<name>', 'NAME, or NAMESPACE/NAME'],
        ['[action]', 'what to do, such as restart'],
      ],
      options: (command) =>
        void command
          .option('--kind <kind>', 'only objects of this kind')
          .option('--resource <name>', 'only the object of this name')
          .option('--param <name=value>', 'what the action asks for; may be repeated', several),
      examples: [
        'idp app actions shop',
        'idp app actions shop restart --kind Deployment --resource web',
        'idp app actions shop scale --kind Deployment --resource web --param replicas=3',
      ],
      run: (call) => looking('actions', call, {}, (look) => act(call, look)),
    },
    io,
  )
}

interface Offer {
  readonly object: KubeObject
  readonly actions: readonly ResourceAction[]
}

async function act(call: Call<ActionFlags>, { observed, settings }: Look): Promise<0 | 1 | 2> {
  const { words, flags, format, io } = call
  if (observed.found !== 'compared') return notCompared('actions', observed, io)
  const actions = compileActions(settings.resources.overrides)
  if (actions.problems.length > 0) complain('actions', actions.problems, io)
  const chosen = observed.comparison.resources.flatMap(({ live }) =>
    live && (flags.kind ?? live.kind) === live.kind && (flags.resource ?? live.metadata.name) === live.metadata.name
      ? [live]
      : [],
  )
  const [, wanted] = words
  if (wanted === undefined) {
    const offers = chosen.flatMap((object): readonly Offer[] => {
      const found = actions.discover(object)
      if (!found.ok) complain('actions', found.error, io)
      return found.ok && found.value.length > 0 ? [{ object, actions: found.value }] : []
    })
    printAs(format, offers.map(plain), () => listing(offers), io)
    return 0
  }
  const [subject, ...others] = chosen
  if (!subject || others.length > 0) {
    io.err(`idp app actions: ${chosen.length} objects fit; name one with --kind and --resource\n`)
    return 2
  }
  return run(wanted, subject, call, { actions, observed })
}

const plain = ({ object, actions }: Offer): unknown => ({ kind: object.kind, name: object.metadata.name, actions })

function listing(offers: readonly Offer[]): string {
  if (offers.length === 0) return 'nothing can be done to its objects\n'
  return columns(
    ['KIND', 'NAME', 'ACTION', 'AVAILABLE', 'PARAMETERS'],
    offers.flatMap(({ object, actions }) =>
      actions.map(({ name, disabled, params }) => [
        object.kind,
        object.metadata.name ?? '',
        name,
        disabled ? 'no' : 'yes',
        params.map((param) => param.name).join(','),
      ]),
    ),
  )
}

async function run(
  name: string,
  object: KubeObject,
  { flags, client, io }: Call<ActionFlags>,
  {
    actions,
    observed,
  }: {
    readonly actions: ReturnType<typeof compileActions>
    readonly observed: Extract<Look['observed'], { readonly found: 'compared' }>
  },
): Promise<0 | 1> {
  const { live, entry } = observed.cluster
  if (entry.access) {
    io.err(`idp app actions: ${entry.name} is another cluster; only objects of this one can be acted on\n`)
    return 1
  }
  const params = Object.fromEntries(
    (flags.param ?? []).map((text) => [text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1)]),
  )
  const impacts = actions.run(name, { object, params, nowMs: systemClock.now() })
  if (!impacts.ok) return complain('actions', impacts.error, io)
  for (const impact of impacts.value) {
    const { group, version } = gvkOf(impact.object)
    const { kind, metadata } = impact.object
    const key = { group, kind, namespace: metadata.namespace ?? '', name: metadata.name ?? '' }
    const answer = await applyImpact(impact, object, { client, targetOf: () => live.targetOf(key, version) })
    if (!answer.ok) {
      io.err(`idp app actions: cannot ${name} ${object.kind} ${key.name}: ${answer.error.message}\n`)
      return 1
    }
    io.out(`${impact.operation === 'patch' ? 'changed' : `${impact.operation}d`} ${kind} ${key.name}\n`)
  }
  return 0
}
