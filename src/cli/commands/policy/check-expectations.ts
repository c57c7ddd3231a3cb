import { isEqual, isObject, setOwn } from '../../../lib/json.ts'
import type { KubeObject } from '../../../kube/object.ts'
import { at, fieldsOf, listOf, textMapOf, textOf } from '../../../policy/classic/read.ts'
import type { RuleResponse } from '../../../policy/engine/rule-response.ts'
import type { Judged } from '../../../policy/offline/judge-resource.ts'
import { narrowsMatch } from '../../../policy/offline/offline-run.ts'
import { emitYaml } from '../../../lib/yaml.ts'
import { loadObjects, UnusableFile } from './load-objects.ts'
import { keyOf, type TestRun } from './run-test.ts'
import { type Expectation, pathsOf, type PolicyTest } from './test-file.ts'

/** One line of a test's result. */
export interface Row {
  readonly test: string
  readonly policy: string
  readonly rule: string
  readonly resource: string
  readonly result: 'Pass' | 'Fail' | 'Skip'
  /** `Ok`, or what is wrong. */
  readonly reason: string
  readonly message: string
  /** Which of the test's `results` it is about. */
  readonly expectation: number
  /** An expected `skip` that was met counts as skipped. */
  readonly isSkip: boolean
}

type Verdict = Pick<Row, 'result' | 'reason' | 'message'>

/** Compares what policies said with what a test expects. */
export function checkExpectations(
  test: PolicyTest,
  run: TestRun,
  isWanted: (expectation: Expectation) => boolean,
): readonly Row[] {
  return test.expectations.flatMap((expectation, index) => {
    if (!isWanted(expectation)) return []
    const about = (rule: string, resource: string, verdict: Verdict): Row => ({
      test: test.path,
      policy: expectation.policy,
      rule,
      resource: resource.replaceAll(',', '/'),
      ...verdict,
      expectation: index,
      isSkip:
        verdict.result === 'Skip' ||
        verdict.reason === 'Excluded' ||
        (verdict.result === 'Pass' && expectation.result === 'skip'),
    })
    const missing = expectation.resources.filter((resource) => !run.known.some((key) => isNamed(key, resource)))
    if (missing.length > 0) {
      const message = `the test has no object ${missing.join(', ')}`
      return [about(expectation.rule, missing.join(', '), { result: 'Fail', reason: 'Not found', message })]
    }
    return keysOf(expectation, run).flatMap((key) => rowsFor(key, { test, expectation, run, about }))
  })
}

interface Checking {
  readonly test: PolicyTest
  readonly expectation: Expectation
  readonly run: TestRun
  readonly about: (rule: string, resource: string, verdict: Verdict) => Row
}

const triggersOf = ({ operation }: Expectation, run: TestRun): ReadonlyMap<string, readonly Judged[]> =>
  operation === '' ? run.triggers : (run.byOperation.get(operation) ?? new Map())

/** Tells whether a key is of the object that a test names: by its name, its namespace and name, or in full. */
function isNamed(key: string, resource: string): boolean {
  const fields = key.split(',')
  if (key === resource || fields.at(-1) === resource) return true
  const parts = resource.split('/')
  return parts.length === 2 && parts[0] === fields.at(-2) && parts[1] === fields.at(-1)
}

/** The objects that an expectation is about; all of them when it names none, or only ones that nothing was said of. */
function keysOf(expectation: Expectation, run: TestRun): readonly string[] {
  const known = [...run.targets.keys(), ...triggersOf(expectation, run).keys()]
  const named = expectation.resources.flatMap((resource) => known.filter((key) => isNamed(key, resource)))
  const specified = expectation.resourceSpecs.flatMap(({ group, version, namespace, name }) => {
    const apiVersion = textOf(group) === '' ? textOf(version) : `${textOf(group)}/${textOf(version)}`
    return known.filter((key) => {
      const fields = key.split(',')
      return fields[0] === apiVersion && fields.at(-2) === textOf(namespace) && fields.at(-1) === textOf(name)
    })
  })
  const found = [...new Set([...named, ...specified])]
  return found.length > 0 ? found : [...new Set(known)]
}

function rowsFor(key: string, checking: Checking): readonly Row[] {
  const { expectation, run, about } = checking
  const rows: Row[] = []
  let skipped: Row | undefined
  let isAnswered = false
  for (const judged of triggersOf(expectation, run).get(key) ?? []) {
    if (!isAsked(judged, expectation)) continue
    if (!hasRule(judged, expectation)) {
      const message = `the policy has no rule ${expectation.rule}`
      return [about(expectation.rule, key, { result: 'Fail', reason: 'Not found', message })]
    }
    for (const rule of rulesOf(judged, expectation)) {
      const found = ruleRows(rule, judged, key, checking)
      if (found !== 'missing') {
        rows.push(...found)
        continue
      }
      const message = 'the object is not in the file that is compared with'
      skipped ??= about(rule.rule, key, { result: 'Skip', reason: 'Not compared', message })
    }
    isAnswered = true
  }
  for (const { rules } of run.targets.get(key) ?? []) {
    const rule = rules.find(({ patchedTarget }) => patchedTarget && keyOf(patchedTarget.after) === key)
    if (rule?.patchedTarget) rows.push(about(rule.rule, key, compare(rule, rule.patchedTarget.after, checking)))
  }
  if (rows.length > 0) return rows
  if (skipped) return [skipped]
  if (isAnswered) return [about(expectation.rule, key, { result: 'Pass', reason: 'Excluded', message: 'Excluded' })]
  const refused = run.refused.get(expectation.policy.split('/').at(-1) ?? '')
  const verdict: Verdict =
    refused === undefined
      ? { result: 'Fail', reason: 'Not found', message: 'Not found' }
      : { result: 'Skip', reason: 'Invalid policy', message: refused }
  return [about(expectation.rule, key, verdict)]
}

/** Whether a policy is the one that is expected something of, and answered at all. */
function isAsked({ policy, rules }: Judged, expectation: Expectation): boolean {
  if (policy.identity.name !== expectation.policy.split('/').at(-1)) return false
  return rules.length > 0 || isClassic(policy.identity.kind) || narrowsMatch(policy)
}

/** Whether the rule that is expected something of exists: a slip of the pen would otherwise pass for ever. */
function hasRule({ policy }: Judged, { rule }: Expectation): boolean {
  if (rule === '' || !isClassic(policy.identity.kind)) return true
  const plain = rule.replace(/^autogen-(?:cronjob-)?/, '')
  return listOf(at(policy.source, 'spec', 'rules')).some((item) =>
    [rule, plain].includes(textOf(fieldsOf(item)['name'])),
  )
}

const isClassic = (kind: string): boolean => kind === 'ClusterPolicy' || kind === 'Policy'

function rulesOf({ policy, rules }: Judged, { rule }: Expectation): readonly RuleResponse[] {
  if (rule === '' || !isClassic(policy.identity.kind)) return rules
  return rules.filter((response) => [rule, `autogen-${rule}`, `autogen-cronjob-${rule}`].includes(response.rule))
}

function ruleRows(rule: RuleResponse, judged: Judged, key: string, checking: Checking): readonly Row[] | 'missing' {
  const { expectation, about } = checking
  if (rule.ruleType !== 'Generation') {
    const object = rule.ruleType === 'Mutation' ? judged.patched : judged.object
    const verdict = compare(rule, object, checking, judged)
    const isMissing = verdict.reason === 'Resource error' && verdict.message.includes('not found in manifest')
    return isMissing && !expectation.failsOnMissing ? 'missing' : [about(rule.rule, key, verdict)]
  }
  const generated = rule.generated ?? []
  if (generated.length === 0) return [about(rule.rule, key, compareVerdict(rule, expectation, judged))]
  return generated.map(({ resource }) =>
    about(rule.rule, resource.metadata.name ?? '', compare(rule, resource, checking, judged)),
  )
}

function compare(rule: RuleResponse, object: KubeObject | undefined, checking: Checking, judged?: Judged): Verdict {
  const { expectation, test, run } = checking
  const expected = expectation.patched === '' ? expectation.generated : [expectation.patched, ...expectation.generated]
  if (expected.length > 0 && object) {
    const difference = firstDifference(object, test, expected, run)
    if (difference) return difference
  }
  return compareVerdict(rule, expectation, judged)
}

function compareVerdict({ verdict, message }: RuleResponse, { result }: Expectation, judged?: Judged): Verdict {
  const isScored = at(judged?.policy.source, 'metadata', 'annotations', 'policies.kyverno.io/scored') !== 'false'
  const shown = verdict === 'fail' && !isScored ? 'warn' : verdict
  return shown === result
    ? { result: 'Pass', reason: 'Ok', message }
    : { result: 'Fail', reason: `Want ${result}, got ${shown}`, message }
}

/** Undefined when the object is in one of the files as it is. */
function firstDifference(
  object: KubeObject,
  test: PolicyTest,
  files: readonly string[],
  { kinds }: TestRun,
): Verdict | undefined {
  let last: Verdict | undefined
  for (const file of files) {
    let candidates: readonly KubeObject[]
    try {
      candidates = loadObjects(pathsOf(test, file), kinds.isNamespaced)
    } catch (failure) {
      if (!(failure instanceof UnusableFile)) throw failure
      last = { result: 'Fail', reason: 'Resource error', message: failure.message }
      continue
    }
    const expected = candidates.find((candidate) => keyOf(candidate) === keyOf(object))
    if (!expected) {
      last ??= {
        result: 'Fail',
        reason: 'Resource error',
        message: `resource with name ${object.metadata.name ?? ''} not found in manifest`,
      }
    } else if (isEqual(tidied(object), tidied(expected))) {
      return undefined
    } else {
      last = { result: 'Fail', reason: 'Resource diff', message: differenceText(tidied(expected), tidied(object)) }
    }
  }
  return last
}

/** Without what is empty, and without the labels that generating puts on. */
function tidied(object: KubeObject): unknown {
  const labels = Object.entries(textMapOf(object.metadata.labels)).filter(
    ([name]) => !name.startsWith('generate.kyverno.io/'),
  )
  return tidy({
    ...object,
    metadata: {
      ...object.metadata,
      labels: { 'app.kubernetes.io/managed-by': 'kyverno', ...Object.fromEntries(labels) },
    },
  })
}

function tidy(value: unknown): unknown {
  if (Array.isArray(value)) {
    const items = value.map(tidy).filter((item) => item !== undefined)
    return items.length > 0 ? items : undefined
  }
  if (!isObject(value)) return value ?? undefined
  const fields: Record<string, unknown> = {}
  for (const [key, below] of Object.entries(value)) {
    const tidied = tidy(below)
    if (tidied !== undefined) setOwn(fields, key, tidied)
  }
  return Object.keys(fields).length > 0 ? fields : undefined
}

/** The lines that differ, in the order of the files. */
function differenceText(expected: unknown, actual: unknown): string {
  const wanted = emitYaml(fieldsOf(expected)).split('\n')
  const found = emitYaml(fieldsOf(actual)).split('\n')
  const only = (lines: readonly string[], others: readonly string[], sign: string): readonly string[] =>
    lines.filter((line) => !others.includes(line)).map((line) => `${sign}${line}`)
  return [...only(wanted, found, '-'), ...only(found, wanted, '+')].slice(0, 40).join('\n')
}
