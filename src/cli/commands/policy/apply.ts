import { mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Command } from 'commander'
import { systemClock } from '../../../lib/clock.ts'
import { systemIds } from '../../../lib/ids.ts'
import type { Json } from '../../../lib/json.ts'
import { emitYaml, emitYamlDocuments, parseYaml } from '../../../lib/yaml.ts'
import type { KubeObject } from '../../../kube/object.ts'
import { at, fieldsOf } from '../../../policy/classic/read.ts'
import { policyKey, type PolicyVerdict, type RuleResponse } from '../../../policy/engine/rule-response.ts'
import type { Judged } from '../../../policy/offline/judge-resource.ts'
import { OfflineRun } from '../../../policy/offline/offline-run.ts'
import { userOf, type Values } from '../../../policy/offline/values.ts'
import type { Io } from '../../command.ts'
import { kindsWith } from './kinds.ts'
import { loadDocuments, loadObjects, UnusableFile } from './load-objects.ts'
import { compilePolicies } from './load-policies.ts'

interface Options {
  readonly resource: readonly string[]
  readonly targetResource: readonly string[]
  readonly clusterResource: readonly string[]
  readonly exception: readonly string[]
  readonly valuesFile?: string
  readonly userinfo?: string
  readonly set: readonly string[]
  readonly output?: string
  readonly policyReport?: boolean
  readonly table?: boolean
  readonly detailedResults?: boolean
  readonly auditWarn?: boolean
  readonly warnExitCode?: string
  readonly warnNoPass?: boolean
}

const several = (value: string, before: readonly string[]): readonly string[] => [...before, ...value.split(',')]
const none: readonly string[] = []

/** `idp policy apply POLICY... --resource FILE...`: what policies say of objects, without a cluster. */
export function defineApply(command: Command, io: Io): Command {
  return command
    .command('apply')
    .summary('apply policies to the objects of files')
    .argument('<policies...>', 'files or folders with policies')
    .option('-r, --resource <files>', 'files or folders with objects; may be repeated', several, none)
    .option('--resources <files>', 'the same as --resource')
    .option('--target-resource <files>', 'objects that rules may change because of others', several, none)
    .option('--target-resources <files>', 'the same as --target-resource')
    .option('--cluster-resource <files>', 'objects that contexts find, as if a cluster held them', several, none)
    .option('-e, --exception <files>', 'files with PolicyExceptions', several, none)
    .option('--exceptions <files>', 'the same as --exception')
    .option('-f, --values-file <file>', 'values of variables')
    .option('-u, --userinfo <file>', 'who asks')
    .option('-s, --set <pairs>', 'values of variables: a=b,c=d', several, none)
    .option('-o, --output <format or path>', 'json, yaml, or a file or folder for objects that were changed or made')
    .option('-p, --policy-report', 'print a policy report')
    .option('-t, --table', 'print a table')
    .option('--detailed-results', 'print the message of each result in the table')
    .option('--audit-warn', 'count failures of rules that only audit as warnings')
    .option('--warn-exit-code <code>', 'the exit code when there are warnings: 0, 1 or 2')
    .option('--warn-no-pass', 'fail when nothing passed')
    .option('--continue-on-fail', 'accepted: a failure never ends a run')
    .option('--registry', 'accepted: registries are not asked')
    .option('--remove-color', 'accepted: nothing is coloured')
    .action((policies: readonly string[], options: Options & Readonly<Record<string, unknown>>) => {
      try {
        apply(policies, withAliases(options), io)
      } catch (failure) {
        if (!(failure instanceof UnusableFile)) throw failure
        io.err(`idp policy apply: ${failure.message}\n`)
        io.exit(1)
      }
    })
}

function withAliases(options: Options & Readonly<Record<string, unknown>>): Options {
  const more = (name: string): readonly string[] => {
    const value = options[name]
    return typeof value === 'string' ? value.split(',') : []
  }
  return {
    ...options,
    resource: [...options.resource, ...more('resources')],
    targetResource: [...options.targetResource, ...more('targetResources')],
    exception: [...options.exception, ...more('exceptions')],
  }
}

/** One line of the result. */
interface Result {
  readonly policy: string
  readonly rule: string
  readonly resource: string
  readonly result: PolicyVerdict
  readonly message: string
}

function apply(paths: readonly string[], options: Options, io: Io): void {
  const from = (files: readonly string[]): readonly string[] => files.map((file) => resolve(io.cwd, file))
  const { isNamespaced, pluralOf, schemaOf } = kindsWith([])
  const load = (files: readonly string[]): readonly KubeObject[] => loadObjects(from(files), isNamespaced)
  const loaded = compilePolicies(load(paths))
  for (const [name, because] of loaded.refused) io.err(`policy ${name} is not used: ${because}\n`)
  const resources = load(options.resource)
  const cluster = load(options.clusterResource)
  const run = new OfflineRun({
    policies: loaded.policies,
    bindings: loaded.bindings,
    exceptions: [...load(options.exception), ...loaded.exceptions],
    objects: [...resources, ...load(options.targetResource), ...cluster],
    values: valuesOf(options, io),
    user: userOf(options.userinfo ? fieldsOf(loadDocuments(resolve(io.cwd, options.userinfo))[0]) : undefined),
    calls: [],
    globals: new Map(),
    images: [],
    isCluster: cluster.length > 0,
    pluralOf,
    schemaOf,
    now: () => systemClock.now(),
    ids: systemIds,
  })
  const judged = resources.flatMap((object) => run.judge({ object }))
  const results = judged.flatMap((one) => one.rules.map((rule) => resultOf(one, rule, options.auditWarn === true)))
  const intro = `Applying ${loaded.policies.length} policies to ${resources.length} resources...\n`
  print({ judged, results, intro }, options, io)
  io.exit(exitCode(results, options))
}

function valuesOf({ valuesFile, set }: Options, io: Io): Values {
  const source = valuesFile ? fieldsOf(loadDocuments(resolve(io.cwd, valuesFile))[0]) : {}
  const pairs = set.map((pair) => {
    const [name = '', ...rest] = pair.split('=')
    const text = rest.join('=')
    const parsed = parseYaml(text)
    return [name.trim(), parsed.ok && typeof parsed.value === 'object' ? (parsed.value as Json) : text] as const
  })
  return { source, set: Object.fromEntries<Json>(pairs) }
}

const resourceText = (object: KubeObject | undefined): string =>
  object ? [object.metadata.namespace ?? '', object.kind, object.metadata.name ?? ''].join('/') : ''

function resultOf({ policy, object }: Judged, rule: RuleResponse, isAuditWarned: boolean): Result {
  const isScored = at(policy.source, 'metadata', 'annotations', 'policies.kyverno.io/scored') !== 'false'
  const isWarning = rule.verdict === 'fail' && (!isScored || (isAuditWarned && rule.action === 'Audit'))
  return {
    policy: policyKey(policy.identity),
    rule: rule.rule,
    resource: resourceText(object),
    result: isWarning ? 'warn' : rule.verdict,
    message: rule.message,
  }
}

const verdicts: readonly PolicyVerdict[] = ['pass', 'fail', 'warn', 'error', 'skip']

function countsOf(results: readonly Result[]): Readonly<Record<PolicyVerdict, number>> {
  const counts = { pass: 0, fail: 0, warn: 0, error: 0, skip: 0 }
  for (const { result } of results) counts[result]++
  return counts
}

function exitCode(results: readonly Result[], { warnExitCode, warnNoPass }: Options): 0 | 1 | 2 {
  const { fail, error, warn, pass } = countsOf(results)
  if (fail > 0 || error > 0) return 1
  if (warn > 0 && warnExitCode !== undefined) return warnExitCode === '2' ? 2 : warnExitCode === '1' ? 1 : 0
  return warnNoPass && pass === 0 ? 1 : 0
}

interface Found {
  readonly judged: readonly Judged[]
  readonly results: readonly Result[]
  readonly intro: string
}

function print(found: Found, options: Options, io: Io): void {
  const { judged, results, intro } = found
  const counts = countsOf(results)
  const changed = changedObjects(judged)
  if (options.output === 'json' || options.output === 'yaml') {
    const document = { summary: counts, results, objects: changed.map(({ object }) => object) }
    io.out(options.output === 'json' ? `${JSON.stringify(document, undefined, 2)}\n` : emitYaml(document))
    return
  }
  const isWritten = options.output !== undefined && options.output !== 'text'
  if (options.policyReport) {
    io.out(emitYaml(report(judged, results)))
    return
  }
  io.out(intro)
  if (isWritten) writeObjects(changed, resolve(io.cwd, options.output ?? ''))
  else
    for (const { policy, object } of changed)
      io.out(`\npolicy ${policy} applied to ${resourceText(object)}:\n${emitYaml(object)}---\n`)
  io.out(options.table ? table(results, options.detailedResults === true) : violations(results))
  io.out(`\n${verdicts.map((verdict) => `${verdict}: ${counts[verdict]}`).join(', ')}\n`)
}

/** The objects that policies changed or made, as the last policy left them. */
function changedObjects(
  judged: readonly Judged[],
): readonly { readonly policy: string; readonly object: KubeObject }[] {
  return judged.flatMap(({ policy, rules, object, patched }) => {
    const name = policyKey(policy.identity)
    const own = patched && patched !== object ? [patched] : []
    const others = rules.flatMap(({ patchedTarget, generated }) => [
      ...(patchedTarget ? [patchedTarget.after] : []),
      ...(generated ?? []).map(({ resource }) => resource),
    ])
    return [...own, ...others].map((one) => ({ policy: name, object: one }))
  })
}

function writeObjects(changed: readonly { readonly object: KubeObject }[], path: string): void {
  if (/\.(ya?ml)$/.test(path)) {
    writeFileSync(path, emitYamlDocuments(changed.map(({ object }) => object)))
    return
  }
  mkdirSync(path, { recursive: true })
  for (const { object } of changed) {
    const name = `${object.metadata.name ?? 'object'}-${object.kind.toLowerCase()}.yaml`
    writeFileSync(join(path, name.replaceAll(/[^\w.-]/g, '_')), emitYaml(object))
  }
}

function violations(results: readonly Result[]): string {
  const told = new Map<string, Result[]>()
  for (const result of results) {
    if (result.result !== 'fail' && result.result !== 'error' && result.result !== 'warn') continue
    const outcome =
      result.result === 'warn'
        ? 'failed as audit warning'
        : result.result === 'fail'
          ? 'failed'
          : 'could not be evaluated'
    const head = `policy ${result.policy} -> resource ${result.resource} ${outcome}:`
    told.set(head, [...(told.get(head) ?? []), result])
  }
  return [...told]
    .map(
      ([head, list]) =>
        `${head}\n${list.map(({ rule, message }, index) => `${index + 1} - ${rule} ${message}\n`).join('')}\n`,
    )
    .join('')
}

function table(results: readonly Result[], isDetailed: boolean): string {
  const heads = ['ID', 'POLICY', 'RULE', 'RESOURCE', 'RESULT', ...(isDetailed ? ['MESSAGE'] : [])]
  const rows = results.map(({ policy, rule, resource, result, message }, index) => [
    String(index + 1),
    policy,
    rule,
    resource,
    result,
    ...(isDetailed ? [message.replaceAll('\n', ' ')] : []),
  ])
  const widths = heads.map((head, column) => Math.max(head.length, ...rows.map((row) => row[column]?.length ?? 0)))
  return [heads, ...rows]
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('')
}

/** A report as Kyverno's command line prints it: one for everything. */
function report(judged: readonly Judged[], results: readonly Result[]): unknown {
  const subjects = judged.flatMap(({ rules, object, policy }) => rules.map((rule) => ({ rule, object, policy })))
  return {
    apiVersion: 'openreports.io/v1alpha1',
    kind: 'ClusterReport',
    metadata: { name: 'merged' },
    results: results.map(({ policy, rule, result, message }, index) => {
      const subject = subjects[index]
      const annotations = fieldsOf(at(subject?.policy.source, 'metadata', 'annotations'))
      return {
        category: annotations['policies.kyverno.io/category'],
        description: message,
        policy,
        ...(subject?.rule.properties ? { properties: subject.rule.properties } : {}),
        resources: subject?.object
          ? [
              {
                apiVersion: subject.object.apiVersion,
                kind: subject.object.kind,
                name: subject.object.metadata.name,
                namespace: subject.object.metadata.namespace,
              },
            ]
          : [],
        result,
        rule,
        scored: annotations['policies.kyverno.io/scored'] !== 'false',
        severity: annotations['policies.kyverno.io/severity'],
        source: 'kyverno',
      }
    }),
    summary: countsOf(results),
  }
}
