import type { KubeObject } from '../../kube/object.ts'
import { textOf } from '../../lib/fields.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import type { Submission, WorkflowAction, WorkflowVerb } from './action.ts'
import { invalid } from './template.ts'

const operations: readonly string[] = [
  'submit',
  'submit-from',
  'resubmit',
  'resume',
  'retry',
  'suspend',
  'terminate',
  'stop',
] satisfies readonly WorkflowVerb[]

/** The kinds that a Workflow can be made from, as upstream's command line spells them: without regard to case. */
const origins = ['cronworkflow', 'workflowtemplate', 'clusterworkflowtemplate']

/** What an `argoWorkflow` section asks for. */
export interface WorkflowWish {
  readonly operation: WorkflowVerb
  readonly submission: Submission
}

type Flag = (value: string, into: Draft) => string | undefined

interface Draft {
  name?: string
  generateName?: string
  serviceAccount?: string
  entrypoint?: string
  priority?: number
  message?: string
  readonly labels: Map<string, string>
  readonly annotations: Map<string, string>
  readonly parameters: Map<string, string>
}

function pairsInto(into: Map<string, string>, value: string): string | undefined {
  for (const pair of value.split(',')) {
    const at = pair.indexOf('=')
    if (at <= 0) return `${JSON.stringify(pair)} is not NAME=VALUE`
    into.set(pair.slice(0, at), pair.slice(at + 1))
  }
  return undefined
}

const set =
  (field: 'name' | 'generateName' | 'serviceAccount' | 'entrypoint' | 'message'): Flag =>
  (value, into) => {
    into[field] = value
    return undefined
  }

const parameter: Flag = (value, into) => {
  const at = value.indexOf('=')
  if (at <= 0) return `${JSON.stringify(value)} is not NAME=VALUE`
  into.parameters.set(value.slice(0, at), value.slice(at + 1))
  return undefined
}

const submitting: ReadonlyMap<string, Flag> = new Map([
  ['--parameter', parameter],
  ['-p', parameter],
  ['--name', set('name')],
  ['--generate-name', set('generateName')],
  ['--serviceaccount', set('serviceAccount')],
  ['--entrypoint', set('entrypoint')],
  ['--labels', (value, into) => pairsInto(into.labels, value)],
  ['-l', (value, into) => pairsInto(into.labels, value)],
  ['--annotations', (value, into) => pairsInto(into.annotations, value)],
  [
    '--priority',
    (value, into) => {
      if (!/^-?\d{1,9}$/.test(value)) return `${JSON.stringify(value)} is no priority`
      into.priority = Number(value)
      return undefined
    },
  ],
])

const parametersOnly: ReadonlyMap<string, Flag> = new Map([
  ['--parameter', parameter],
  ['-p', parameter],
])

const flagsOf: Readonly<Record<WorkflowVerb, ReadonlyMap<string, Flag>>> = {
  submit: submitting,
  'submit-from': submitting,
  resubmit: parametersOnly,
  retry: parametersOnly,
  stop: new Map([['--message', set('message')]]),
  resume: new Map(),
  suspend: new Map(),
  terminate: new Map(),
}

/** Reads the operation and the arguments of an `argoWorkflow` section: those of the argo command that change objects. */
export function workflowWish(section: Readonly<Record<string, unknown>>): Result<WorkflowWish> {
  const word = textOf(section, 'operation') || 'submit'
  if (!operations.includes(word)) {
    const cure = `use one of ${operations.join(', ')}`
    return fail(invalid('argoWorkflow.operation', `there is no operation ${JSON.stringify(word)}`, cure))
  }
  const operation = word as WorkflowVerb // it is one of operations
  const args = section['args'] ?? []
  if (!Array.isArray(args) || !args.every((arg): arg is string => typeof arg === 'string'))
    return fail(invalid('argoWorkflow.args', 'args must be a list of texts'))
  const submission = submissionOf(args, flagsOf[operation])
  if (typeof submission !== 'string') return succeed({ operation, submission })
  const known = [...flagsOf[operation].keys()]
  const cure = known.length === 0 ? 'leave args out' : `use ${known.join(', ')}`
  return fail(invalid('argoWorkflow.args', submission, cure))
}

function submissionOf(args: readonly string[], flags: ReadonlyMap<string, Flag>): Submission | string {
  const draft: Draft = { labels: new Map(), annotations: new Map(), parameters: new Map() }
  for (let at = 0; at < args.length; at++) {
    const arg = args[at] ?? ''
    const [, long, given] = /^(--[^=]+)(?:=(.*))?$/s.exec(arg) ?? []
    const short = long === undefined && /^-[a-z]/.test(arg) ? arg.slice(0, 2) : undefined
    const name = long ?? short
    const flag = name === undefined ? undefined : flags.get(name)
    if (!flag) return `the argument ${JSON.stringify(arg.slice(0, 80))} is not supported here`
    const attached = long === undefined ? arg.slice(2) || undefined : given
    const value = attached ?? args[++at]
    if (value === undefined) return `the argument ${JSON.stringify(arg.slice(0, 80))} has no value`
    const wrong = flag(value, draft)
    if (wrong !== undefined) return wrong
  }
  return draft
}

/** What is to be done with which Workflow. */
export function workflowAction(
  { operation, submission }: WorkflowWish,
  object: KubeObject,
  sensorNamespace: string,
): Result<WorkflowAction> {
  const { name = '', generateName = '', namespace = '' } = object.metadata
  const isNamed = name !== '' || submission.name !== undefined
  const willBeNamed = generateName !== '' || submission.generateName !== undefined
  if (operation === 'submit') {
    if (object.kind !== 'Workflow')
      return fail(
        invalid(
          'argoWorkflow.source',
          `a ${object.kind} cannot be submitted`,
          'use the operation submit-from, or give a Workflow',
        ),
      )
    if (!isNamed && !willBeNamed)
      return fail(invalid('argoWorkflow.source', 'the Workflow has neither a name nor a generateName'))
  } else if (name === '') {
    return fail(invalid('argoWorkflow.source', `the ${object.kind} to ${operation} has no name`))
  }
  if (operation === 'submit-from' && !origins.includes(object.kind.toLowerCase()))
    return fail(
      invalid(
        'argoWorkflow.source',
        `no Workflow is made from a ${object.kind}`,
        'name a WorkflowTemplate or a CronWorkflow',
      ),
    )
  return succeed({
    do: 'workflow',
    operation,
    object,
    namespace: namespace === '' ? sensorNamespace : namespace,
    submission,
  })
}
