import { resolve } from 'node:path'
import type { Command } from 'commander'
import { explain, type Problem } from '../../../lib/result.ts'
import { lintException } from '../../../policy/classic/lint/lint-exception.ts'
import { policyKey } from '../../../policy/engine/rule-response.ts'
import type { KubeObject } from '../../../kube/object.ts'
import type { Io } from '../../command.ts'
import { kindsWith } from './kinds.ts'
import { loadObjects, UnusableFile } from './load-objects.ts'
import { familyOf } from './load-policies.ts'

interface Finding {
  readonly policy: string
  readonly level: 'problem' | 'warning'
  readonly problem: Problem
}

/** `idp policy lint FILE...`: everything that an author should change, before a cluster refuses it. */
export function defineLint(command: Command, io: Io): Command {
  return command
    .command('lint')
    .summary('say what is wrong with policies')
    .argument('<policies...>', 'files or folders with policies')
    .option('-o, --output <format>', 'text or json', 'text')
    .action((paths: readonly string[], { output }: { readonly output: string }) => {
      try {
        const { isNamespaced } = kindsWith([])
        const objects = loadObjects(
          paths.map((path) => resolve(io.cwd, path)),
          isNamespaced,
        )
        print(objects.flatMap(lint), objects.filter((object) => familyOf(object)).length, output, io)
      } catch (failure) {
        if (!(failure instanceof UnusableFile)) throw failure
        io.err(`idp policy lint: ${failure.message}\n`)
        io.exit(1)
      }
    })
}

function lint(object: KubeObject): readonly Finding[] {
  const { kind, apiVersion, metadata } = object
  const policy = `${kind} ${policyKey({ apiVersion, kind, name: metadata.name ?? '', ...(metadata.namespace ? { namespace: metadata.namespace } : {}) })}`
  const problems = (found: readonly Problem[]): readonly Finding[] =>
    found.map((problem) => ({ policy, level: 'problem', problem }))
  if (kind === 'PolicyException' && apiVersion.startsWith('kyverno.io/')) return problems(lintException(object))
  const family = familyOf(object)
  if (!family) return []
  const found = family.lint(object)
  if (found.length > 0) return problems(found)
  const compiled = family.compile(object)
  if (!compiled.ok) return problems(compiled.error)
  return compiled.value.warnings.map((problem) => ({ policy, level: 'warning', problem }))
}

function print(findings: readonly Finding[], policies: number, output: string, io: Io): void {
  const problems = findings.filter(({ level }) => level === 'problem').length
  if (output === 'json') {
    io.out(
      `${JSON.stringify(
        findings.map(({ policy, level, problem }) => ({ policy, level, ...problem })),
        undefined,
        2,
      )}\n`,
    )
  } else {
    for (const { policy, level, problem } of findings)
      io.out(`${policy}: ${level === 'warning' ? 'warning: ' : ''}${explain(problem)}\n`)
    io.out(`${policies} policies, ${problems} problems, ${findings.length - problems} warnings\n`)
  }
  io.exit(problems > 0 ? 1 : 0)
}
