import { podSpecOf } from '../../../kube/pod.ts'
import { millisecondsOf, parseDuration } from '../../../lib/duration.ts'
import { compileGlob } from '../../../lib/glob.ts'
import { isObject, own } from '../../../lib/json.ts'
import { fail, type Problem, type Result, succeed } from '../../../lib/result.ts'
import type { Run } from '../runtime.ts'

/** Something that happens to a run so long after its start. */
export type Stage =
  | { readonly afterMs: number; readonly become: 'started' | 'ready' | 'unready' }
  | { readonly afterMs: number; readonly become: 'ended'; readonly exitCode: number; readonly reason?: string }

/** How containers of some kind behave; compiled from what a user wrote. */
export interface SimulationRule {
  readonly matches: (run: Run) => boolean
  readonly stages?: readonly Stage[]
  readonly stopMs?: number
  readonly pullProblem?: string
}

const RULES_MOST = 1_000
const STAGES_MOST = 100
const FIELDS = new Set(['match', 'runs', 'pull', 'stages', 'stop'])
const MATCHES = new Set(['image', 'namespace', 'pod', 'container', 'labels'])

/**
 * Reads a list of rules:
 *
 *     - match: { image: '*payments:2.*', namespace: 'team-*', labels: { app: pay } }
 *       runs: 2                 # only the first two runs
 *       pull: fail              # or a message
 *       stop: 5s
 *       stages:
 *         - { after: 3s, become: ready }
 *         - { after: 1m, exit: 137, reason: OOMKilled }
 */
export function parseRules(raw: unknown, at: string): Result<readonly SimulationRule[]> {
  if (raw === undefined || raw === null) return succeed([])
  if (!Array.isArray(raw)) return fail(wrong(at, 'must be a list of rules'))
  if (raw.length > RULES_MOST) return fail(wrong(at, `has more than ${RULES_MOST} rules`))
  const problems: Problem[] = []
  const rules = raw.flatMap((one: unknown, index): SimulationRule[] => {
    const read = parseRule(one, `${at}[${index}]`, problems)
    return read ? [read] : []
  })
  return problems.length > 0 ? { ok: false, error: problems } : succeed(rules)
}

const wrong = (at: string, message: string): Problem => ({ code: 'simulation-rule-invalid', at, message })

function parseRule(raw: unknown, at: string, problems: Problem[]): SimulationRule | undefined {
  if (!isObject(raw)) {
    problems.push(wrong(at, 'must be an object'))
    return undefined
  }
  for (const key of Object.keys(raw))
    if (!FIELDS.has(key))
      problems.push(wrong(`${at}.${key}`, `is no field of a rule; there are ${[...FIELDS].join(', ')}`))
  const matches = parseMatch(own(raw, 'match') ?? {}, `${at}.match`, problems)
  const runs = own(raw, 'runs')
  if (runs !== undefined && !(typeof runs === 'number' && Number.isInteger(runs) && runs > 0))
    problems.push(wrong(`${at}.runs`, 'must be how many runs the rule is for, such as 2'))
  const pull = own(raw, 'pull')
  if (pull !== undefined && typeof pull !== 'string')
    problems.push(wrong(`${at}.pull`, 'must be `fail` or why the image cannot be pulled'))
  const stop = own(raw, 'stop')
  const stopMs = stop === undefined ? undefined : durationAt(stop, `${at}.stop`, problems)
  const stages = parseStages(own(raw, 'stages'), `${at}.stages`, problems)
  return {
    matches: (run) => (typeof runs !== 'number' || run.run < runs) && matches(run),
    ...(stages ? { stages } : {}),
    ...(stopMs === undefined ? {} : { stopMs }),
    ...(typeof pull === 'string' ? { pullProblem: pull === 'fail' ? 'not found' : pull } : {}),
  }
}

function parseMatch(raw: unknown, at: string, problems: Problem[]): (run: Run) => boolean {
  if (!isObject(raw)) {
    problems.push(wrong(at, 'must be an object'))
    return () => false
  }
  for (const key of Object.keys(raw))
    if (!MATCHES.has(key))
      problems.push(wrong(`${at}.${key}`, `is nothing to match by; there are ${[...MATCHES].join(', ')}`))
  const image = globAt(own(raw, 'image'), `${at}.image`, problems)
  const namespace = globAt(own(raw, 'namespace'), `${at}.namespace`, problems)
  const pod = globAt(own(raw, 'pod'), `${at}.pod`, problems)
  const container = globAt(own(raw, 'container'), `${at}.container`, problems)
  const labels = own(raw, 'labels')
  if (labels !== undefined && !(isObject(labels) && Object.values(labels).every((value) => typeof value === 'string')))
    problems.push(wrong(`${at}.labels`, 'must be labels with their values'))
  const wanted = isObject(labels) ? Object.entries(labels) : []
  return (run) => {
    const { metadata } = run.pod
    return (
      image(run.container.image ?? imageOf(run)) &&
      namespace(metadata.namespace ?? '') &&
      pod(metadata.name ?? '') &&
      container(run.container.name) &&
      wanted.every(([key, value]) => own(metadata.labels ?? {}, key) === value)
    )
  }
}

const imageOf = ({ pod, container }: Run): string =>
  podSpecOf(pod).containers?.find(({ name }) => name === container.name)?.image ?? ''

function globAt(raw: unknown, at: string, problems: Problem[]): (text: string) => boolean {
  if (raw === undefined) return () => true
  if (typeof raw !== 'string') {
    problems.push(wrong(at, 'must be a pattern such as `*:broken*`'))
    return () => false
  }
  const compiled = compileGlob(raw, 'gobwas')
  if (compiled.ok) return compiled.value
  problems.push(wrong(at, compiled.error.map(({ message }) => message).join('; ')))
  return () => false
}

function durationAt(raw: unknown, at: string, problems: Problem[]): number {
  const read = typeof raw === 'string' ? parseDuration(raw) : undefined
  if (read?.ok && millisecondsOf(read.value) >= 0) return millisecondsOf(read.value)
  problems.push(wrong(at, 'must be a duration such as `1m30s`'))
  return 0
}

function parseStages(raw: unknown, at: string, problems: Problem[]): readonly Stage[] | undefined {
  if (raw === undefined) return undefined
  if (!Array.isArray(raw) || raw.length > STAGES_MOST) {
    problems.push(wrong(at, `must be a list of at most ${STAGES_MOST} stages`))
    return undefined
  }
  return raw
    .flatMap((one: unknown, index) => parseStage(one, `${at}[${index}]`, problems))
    .toSorted((a, b) => a.afterMs - b.afterMs)
}

function parseStage(raw: unknown, at: string, problems: Problem[]): readonly Stage[] {
  if (!isObject(raw)) {
    problems.push(wrong(at, 'must be an object such as { after: 5s, become: ready }'))
    return []
  }
  const after = own(raw, 'after')
  const afterMs = after === undefined ? 0 : durationAt(after, `${at}.after`, problems)
  const exitCode = own(raw, 'exit')
  const become = own(raw, 'become')
  const reason = own(raw, 'reason')
  if (typeof exitCode === 'number' && Number.isInteger(exitCode) && exitCode >= 0 && exitCode <= 255)
    return [{ afterMs, become: 'ended', exitCode, ...(typeof reason === 'string' ? { reason } : {}) }]
  if (exitCode === undefined && (become === 'started' || become === 'ready' || become === 'unready'))
    return [{ afterMs, become }]
  problems.push(wrong(at, 'must say `exit: CODE`, or `become:` started, ready or unready'))
  return []
}
