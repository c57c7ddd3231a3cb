import { resolve } from 'node:path'
import type { Command } from 'commander'
import { systemClock } from '../../../lib/clock.ts'
import { systemIds } from '../../../lib/ids.ts'
import { gvkOf } from '../../../kube/gvk.ts'
import type { KubeObject } from '../../../kube/object.ts'
import { allRules } from '../../../policy/classic/autogen/autogen.ts'
import { kindsOf } from '../../../policy/classic/match/match.ts'
import { type Fields, fieldsOf, listOf, textOf } from '../../../policy/classic/read.ts'
import { readRule } from '../../../policy/classic/rule.ts'
import type { CompiledPolicy, Concern } from '../../../policy/engine/compiled-policy.ts'
import { noFacts } from '../../../policy/engine/fact.ts'
import { nobody } from '../../../policy/engine/policy-request.ts'
import { policyKey } from '../../../policy/engine/rule-response.ts'
import type { Io } from '../../command.ts'
import { kindsWith } from './kinds.ts'
import { loadObjects, UnusableFile } from './load-objects.ts'
import { compilePolicies } from './load-policies.ts'

/** `idp policy explain FILE...`: what policies are about, the rules that are made from theirs, and what they would ask for. */
export function defineExplain(command: Command, io: Io): Command {
  return command
    .command('explain')
    .summary('say what policies are about, and what they say of an object')
    .argument('<policies...>', 'files or folders with policies')
    .option('-r, --resource <file>', 'an object to judge')
    .action((paths: readonly string[], { resource }: { readonly resource?: string }) => {
      try {
        const { isNamespaced } = kindsWith([])
        const loaded = compilePolicies(
          loadObjects(
            paths.map((path) => resolve(io.cwd, path)),
            isNamespaced,
          ),
        )
        const objects = resource === undefined ? [] : loadObjects([resolve(io.cwd, resource)], isNamespaced)
        for (const policy of loaded.policies)
          io.out(describe(policy) + objects.map((object) => judge(policy, object)).join(''))
        for (const [name, because] of loaded.refused) io.err(`policy ${name} cannot be used: ${because}\n`)
        io.exit(loaded.refused.size > 0 ? 1 : 0)
      } catch (failure) {
        if (!(failure instanceof UnusableFile)) throw failure
        io.err(`idp policy explain: ${failure.message}\n`)
        io.exit(1)
      }
    })
}

function describe(policy: CompiledPolicy): string {
  const { identity, source, phases, isAdmission, isBackground, warnings } = policy
  const where = [...(isAdmission ? ['admission'] : []), ...(isBackground ? ['the background'] : [])].join(' and ')
  const isClassic = identity.kind === 'ClusterPolicy' || identity.kind === 'Policy'
  const rules = isClassic ? allRules(source).map((rule) => describeRule(rule, fieldsOf(source['spec']))) : []
  return [
    `${identity.kind} ${policyKey(identity)}: ${[...phases].join(', ')}; in ${where}`,
    ...(isClassic ? rules : [`  about ${[...new Set(policy.concerns.map(concernText))].join(', ')}`]),
    ...warnings.map(({ message }) => `  warning: ${message}`),
    '',
  ].join('\n')
}

function concernText({ group, kind, plural, subresource }: Concern): string {
  const name = kind ?? plural ?? '*'
  return `${group === '' || group === '*' ? '' : `${group}/`}${name}${subresource === '' ? '' : `/${subresource}`}`
}

function describeRule(source: Fields, spec: Fields): string {
  const rule = readRule(source, spec)
  const kinds = kindsOf(source['match']).map(({ selector, operations }) => {
    const { group, kind, subresource } = selector
    const on = operations.length > 0 ? ` on ${operations.join(', ')}` : ''
    return `${group === '*' || group === '' ? '' : `${group}/`}${kind}${subresource === '' ? '' : `/${subresource}`}${on}`
  })
  const does = rule.validate
    ? `validates (${rule.actionFor('', {})}) by ${Object.keys(rule.validate)
        .filter((key) => checks.has(key))
        .join(', ')}`
    : rule.mutate
      ? listOf(rule.mutate['targets']).length > 0
        ? 'changes existing objects'
        : 'mutates'
      : rule.generate
        ? `generates ${textOf(rule.generate['kind']) || 'objects'}`
        : 'verifies images (not enforced)'
  const context = listOf(source['context']).map((entry) => textOf(fieldsOf(entry)['name']))
  return `  ${rule.name}: ${does}; about ${kinds.join(', ')}${context.length > 0 ? `; reads ${context.join(', ')}` : ''}`
}

const checks: ReadonlySet<string> = new Set([
  'pattern',
  'anyPattern',
  'deny',
  'foreach',
  'podSecurity',
  'cel',
  'manifests',
  'assert',
])

function judge(policy: CompiledPolicy, object: KubeObject): string {
  const { name = '', namespace } = object.metadata
  const request = {
    source: 'offline' as const,
    operation: 'CREATE' as const,
    kind: gvkOf(object),
    name,
    ...(namespace === undefined ? {} : { namespace }),
    object,
    user: nobody,
  }
  const world = { facts: noFacts, exceptions: [], now: () => systemClock.now(), ids: systemIds }
  const head = `  ${object.kind} ${namespace ? `${namespace}/` : ''}${name}:\n`
  const lines = [...policy.phases].flatMap((phase) => {
    const { rules, needs } = policy.evaluate(phase, request, world)
    return [
      ...rules.map(
        ({ rule, verdict, message, path }) =>
          `    ${rule} ${verdict}${path === undefined ? '' : ` at ${path}`}: ${message}\n`,
      ),
      ...needs.map((need) => `    needs ${JSON.stringify(need)}\n`),
    ]
  })
  return head + (lines.length > 0 ? lines.join('') : '    no rule is about it\n')
}
