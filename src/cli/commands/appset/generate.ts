import type { Command } from 'commander'
import {
  type ApplicationSet,
  ApplicationSetKind,
  parseApplicationSet,
} from '../../../gitops/applicationset/application-set.ts'
import { type GeneratedApplication, generate } from '../../../gitops/applicationset/engine/generate.ts'
import type { Need } from '../../../gitops/applicationset/engine/need.ts'
import { templateReplacer } from '../../../gitops/applicationset/engine/renderer.ts'
import { untilAnswered } from '../../../gitops/applicationset/fetch-facts.ts'
import { destinationFault } from '../../../gitops/applicationset/observe.ts'
import { faultsOf } from '../../../gitops/applicationset/plan.ts'
import { fieldsOf, textOf } from '../../../gitops/fields.ts'
import type { KubeObject } from '../../../kube/object.ts'
import { certificateMaker } from '../../../lib/certificates.ts'
import { systemClock } from '../../../lib/clock.ts'
import { systemIds } from '../../../lib/ids.ts'
import { isObject } from '../../../lib/json.ts'
import { explain, type Result, succeed } from '../../../lib/result.ts'
import { emitYamlDocuments } from '../../../lib/yaml.ts'
import { jsonForm } from '../../../render/helm/json-form.ts'
import { addClusterOptions, type ClusterFlags, columns, outputFormat, withCluster } from '../../cluster-client.ts'
import type { Io } from '../../command.ts'
import { readDocuments, readObjectsOf } from '../read-objects.ts'
import { type FactSource, liveFacts, offlineFacts } from './fact-source.ts'

interface Flags extends ClusterFlags {
  readonly output: string
  readonly namespace: string
  readonly file?: string
  readonly facts?: string
}

const NAME = 'idp appset generate'

/** `idp appset generate`: which Applications ApplicationSets make, from which parameters, and what is wrong with them. */
export function defineGenerate(parent: Command, io: Io): Command {
  const command = parent
    .command('generate')
    .argument('[name]', 'an ApplicationSet of the cluster')
    .description('print the Applications that ApplicationSets generate, without changing anything')
    .option('-f, --file <file>', 'ApplicationSets in a file instead; - reads the standard input')
    .option('--facts <file>', 'clusters, repositories and answers of services to use (see idp eval appset)')
    .option('-n, --namespace <name>', 'where the ApplicationSet is', 'argocd')
    .option('-o, --output <format>', 'text, json or yaml', 'text')
    .addHelpText(
      'after',
      `
With -f no cluster is needed: repositories are read from the working folder when it is a clone of them, else from
where they are. Clusters come from --facts; without, only in-cluster is known. What cannot be known is an error.
Exit code 1 when a generator fails or a generated Application has a fault.

Examples:
  idp appset generate -f K8s/applicationset.yaml
  idp appset generate -f K8s/applicationset.yaml --facts clusters.yaml -o yaml
  idp appset generate platform --context production`,
    )
  return addClusterOptions(command).action(async (name: string | undefined, flags: Flags) => {
    const format = outputFormat(NAME, flags.output, io)
    if (!format) return
    if ((name === undefined) === (flags.file === undefined)) {
      io.err(`${NAME}: name an ApplicationSet of the cluster, or a file with -f\n`)
      io.exit(2)
      return
    }
    if (flags.file !== undefined) io.exit(await fromFile(flags.file, flags, io))
    else if (name !== undefined) {
      await withCluster(NAME, flags, io, async (client) => {
        const target = { resource: ApplicationSetKind, namespace: flags.namespace, name }
        const found = await client.get(target, { signal: io.signal })
        if (!found.ok) {
          io.err(`${NAME}: ${found.error.message}\n`)
          return 1
        }
        const source = await liveFacts(client, { namespace: 'argocd', setNamespace: flags.namespace }, io)
        if (!source.ok) return complain(source, io)
        return generateAll([found.value], source.value, flags.output, io)
      })
    }
  })
}

async function fromFile(file: string, flags: Flags, io: Io): Promise<0 | 1> {
  const objects = await readObjectsOf('ApplicationSet', file, io)
  if (!objects.ok) return complain(objects, io)
  const facts = flags.facts === undefined ? succeed([{}]) : await readDocuments(flags.facts, io)
  if (!facts.ok) return complain(facts, io)
  const [document] = facts.value
  return generateAll(objects.value, offlineFacts(isObject(document) ? document : {}, io), flags.output, io)
}

function complain(refused: Extract<Result<unknown>, { readonly ok: false }>, io: Io): 1 {
  for (const problem of refused.error) io.err(`${NAME}: ${explain(problem)}\n`)
  return 1
}

const replace = templateReplacer({ clock: systemClock, ids: systemIds, certificates: certificateMaker })

interface Outcome {
  readonly set: ApplicationSet
  readonly applications: readonly GeneratedApplication[]
  readonly faults: ReadonlyMap<GeneratedApplication, string>
}

async function generateAll(objects: readonly KubeObject[], source: FactSource, format: string, io: Io): Promise<0 | 1> {
  const outcomes: Outcome[] = []
  let isFailed = false
  try {
    for (const object of objects) {
      const outcome = await generateOne(object, source)
      if (outcome.ok) outcomes.push(outcome.value)
      else {
        isFailed = true
        const place = `${object.metadata.name ?? ''}: `
        for (const problem of outcome.error) io.err(`${NAME}: ${place}${explain(problem)}\n`)
      }
    }
  } finally {
    await source.close()
  }
  for (const note of source.notes()) io.err(`note: ${note}\n`)
  print(outcomes, format, io)
  const faults = outcomes.flatMap((outcome) => [...outcome.faults.values()])
  if (format !== 'json') for (const fault of faults) io.err(`${NAME}: ${fault}\n`)
  return isFailed || faults.length > 0 ? 1 : 0
}

async function generateOne(object: KubeObject, source: FactSource): Promise<Result<Outcome>> {
  const namespace = object.metadata.namespace ?? 'argocd'
  const set = parseApplicationSet({ ...object, metadata: { ...object.metadata, namespace } })
  if (!set.ok) return set
  const generation = await untilAnswered(
    (facts) => {
      const made = generate(set.value, facts, { replace })
      return made.state === 'needs' ? made : { done: made }
    },
    (need: Need) => source.answer(need),
  )
  if (!generation.ok) return generation
  if (generation.value.state === 'failed') return { ok: false, error: generation.value.problems }
  const { applications } = generation.value
  const faults = faultsOf(applications, {
    set: set.value,
    projects: { has: (name) => source.hasProject(name) },
    destination: source.clusters ? destinationFault(source.clusters) : () => undefined,
  })
  return succeed({ set: set.value, applications, faults })
}

function print(outcomes: readonly Outcome[], format: string, io: Io): void {
  const all = outcomes.flatMap(({ set, applications, faults }) =>
    applications.map((made) => ({ set, made, fault: faults.get(made) })),
  )
  if (format === 'yaml') {
    if (all.length > 0) io.out(emitYamlDocuments(all.map(({ made }) => made.application)))
  } else if (format === 'json') {
    const rows = all.map(({ set, made, fault }) => ({
      applicationSet: set.name,
      generator: made.generator,
      params: jsonForm(made.params),
      application: made.application,
      ...(fault === undefined ? {} : { fault }),
    }))
    io.out(`${JSON.stringify(rows, undefined, 2)}\n`)
  } else if (all.length === 0) io.out('No Applications.\n')
  else {
    const rows = all.map(({ set, made, fault }) => [
      textOf(fieldsOf(made.application, 'metadata'), 'name'),
      set.name,
      ...placesOf(made.application),
      `${Object.keys(set.generators[made.generator] ?? {})
        .filter((key) => key !== 'selector')
        .join('+')} #${made.generator + 1}`,
      fault === undefined ? shortParams(made) : `FAULT ${fault}`,
    ])
    io.out(columns(['APPLICATION', 'SET', 'PROJECT', 'SOURCE', 'DESTINATION', 'GENERATOR', 'PARAMETERS'], rows))
  }
}

function placesOf(application: Readonly<Record<string, unknown>>): readonly string[] {
  const spec = fieldsOf(application, 'spec')
  const sources = Array.isArray(spec['sources']) ? spec['sources'] : [spec['source'] ?? {}]
  const shown = sources.map((source: unknown) => {
    const place = textOf(source, 'path') || textOf(source, 'chart') || textOf(source, 'ref')
    const revision = textOf(source, 'targetRevision')
    return revision === '' ? place : `${place}@${revision}`
  })
  const destination = fieldsOf(spec, 'destination')
  const cluster = textOf(destination, 'name') || textOf(destination, 'server')
  return [textOf(spec, 'project'), shown.join(', '), `${cluster} ${textOf(destination, 'namespace')}`.trim()]
}

const LONGEST = 100

function shortParams({ params }: GeneratedApplication): string {
  const text = JSON.stringify(jsonForm(params))
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 3)}...` : text
}
