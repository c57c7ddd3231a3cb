import { type Fields, fieldsOf, listOf, textOf, textsOf } from '../read.ts'
import { parseKindSelector } from '../match/kind-selector.ts'

const LONGEST_NAME = 63

const fullKinds: Readonly<Record<string, string>> = {
  DaemonSet: 'apps/v1/DaemonSet',
  Deployment: 'apps/v1/Deployment',
  Job: 'batch/v1/Job',
  StatefulSet: 'apps/v1/StatefulSet',
  ReplicaSet: 'apps/v1/ReplicaSet',
  ReplicationController: 'v1/ReplicationController',
  CronJob: 'batch/v1/CronJob',
}

const known: readonly string[] = Object.keys(fullKinds).filter((kind) => kind !== 'CronJob')

/** Where the Pod template of a kind is. */
interface Level {
  readonly prefix: string
  readonly key: string
  /** What `$()` references in messages are moved by. */
  readonly shift: string
}

const template: Level = { prefix: 'autogen', key: 'template', shift: 'spec/template' }
const jobTemplate: Level = { prefix: 'autogen-cronjob', key: 'jobTemplate', shift: 'spec/jobTemplate/spec/template' }

/** The rule that holds a Pod rule against the templates of controllers; undefined when it is not about Pods. */
export function controllerRule(rule: Fields, controllers: readonly string[]): Fields | undefined {
  if (!isAboutPods(rule)) return undefined
  const isCronJob = controllers[0] === 'CronJob'
  const chosen = controllers.includes('all') ? known : controllers.filter((kind) => known.includes(kind))
  const kinds = (isCronJob ? controllers : chosen.length > 0 ? chosen : controllers).toSorted()
  const inTemplate = lifted(rule, template, rule, kinds)
  const made = isCronJob ? inTemplate && lifted(inTemplate, jobTemplate, rule, kinds) : inTemplate
  if (!made) return undefined
  const isCel = fieldsOf(rule['validate'])['cel'] !== undefined
  return movedPaths(made, isCronJob ? 'spec.jobTemplate.spec.template' : 'spec.template', isCel)
}

const namesPod = (kinds: readonly string[]): boolean => kinds.some((kind) => parseKindSelector(kind).kind === 'Pod')

function isAboutPods(rule: Fields): boolean {
  const excluded = kindsIn(rule['exclude'])
  return namesPod(kindsIn(rule['match'])) && (excluded.length === 0 || namesPod(excluded))
}

function kindsIn(match: unknown): readonly string[] {
  const block = fieldsOf(match)
  return [block, ...listOf(block['any']), ...listOf(block['all'])].flatMap((filter) =>
    textsOf(fieldsOf(fieldsOf(filter)['resources'])['kinds']),
  )
}

/** A rule one template higher; undefined when it holds nothing that can be lifted. */
function lifted(rule: Fields, level: Level, original: Fields, controllers: readonly string[]): Fields | undefined {
  const kinds = controllers.map((kind) => fullKinds[kind] ?? kind)
  const isCronJob = level === jobTemplate
  const made: Record<string, unknown> = {
    ...rule,
    name: `${level.prefix}-${textOf(original['name'])}`.slice(0, LONGEST_NAME),
    match: withKinds(fieldsOf(rule['match']), kinds, isCronJob, true),
  }
  if (rule['exclude']) made['exclude'] = withKinds(fieldsOf(rule['exclude']), kinds, isCronJob, false)
  const mutate = liftedMutate(fieldsOf(rule['mutate']), level)
  if (mutate) return { ...made, mutate }
  const validate = liftedValidate(fieldsOf(rule['validate']), level)
  if (validate) return { ...made, validate }
  return listOf(rule['verifyImages']).length > 0 ? made : undefined
}

/** A block with the kinds of controllers where it names Pods; for CronJobs, in every filter. */
function withKinds(block: Fields, kinds: readonly string[], isEverywhere: boolean, isMatch: boolean): Fields {
  const filters = (list: unknown): readonly unknown[] =>
    listOf(list).map((item) => {
      const filter = fieldsOf(item)
      const resources = fieldsOf(filter['resources'])
      if (!isEverywhere && !namesPod(textsOf(resources['kinds']))) return filter
      return { ...filter, resources: { ...resources, kinds } }
    })
  if (listOf(block['any']).length > 0) return { ...block, any: filters(block['any']) }
  if (listOf(block['all']).length > 0) return { ...block, all: filters(block['all']) }
  const resources = fieldsOf(block['resources'])
  if (!isMatch && textsOf(resources['kinds']).length === 0) return block
  return { ...block, resources: { ...resources, kinds } }
}

const isSet = (value: unknown): boolean => value !== undefined && value !== null

function liftedMutate(mutate: Fields, { key }: Level): Fields | undefined {
  const { patchStrategicMerge } = mutate
  if (isSet(patchStrategicMerge)) return { patchStrategicMerge: { spec: { [key]: patchStrategicMerge } } }
  const loops = listOf(mutate['foreach'])
  if (loops.length === 0) return undefined
  return {
    foreach: loops.map((item) => {
      const { list, context, preconditions, patchStrategicMerge: patch } = fieldsOf(item)
      return {
        list,
        ...(isSet(context) ? { context } : {}),
        ...(isSet(preconditions) ? { preconditions } : {}),
        patchStrategicMerge: { spec: { [key]: patch ?? null } },
      }
    }),
  }
}

function liftedValidate(validate: Fields, level: Level): Fields | undefined {
  const { pattern, anyPattern, deny, podSecurity, foreach: loops, cel } = validate
  const wrap = (inner: unknown): Fields => ({ spec: { [level.key]: inner } })
  const rest = (pivot: string): Fields => {
    const kept: Record<string, unknown> = {}
    for (const name of ['failureAction', 'failureActionOverrides', 'allowExistingViolations']) {
      if (isSet(validate[name])) kept[name] = validate[name]
    }
    const message = textOf(validate['message'])
    return message === '' ? kept : { message: shifted(message, level.shift, pivot), ...kept }
  }
  if (isSet(pattern)) return { ...rest('pattern'), pattern: wrap(pattern) }
  if (isSet(deny)) return { ...rest('deny'), deny }
  if (isSet(podSecurity)) return { ...rest('podSecurity'), podSecurity }
  if (isSet(anyPattern)) return { ...rest('anyPattern'), anyPattern: listOf(anyPattern).map(wrap) }
  if (listOf(loops).length > 0) return { ...rest('pattern'), foreach: loops }
  return isSet(cel) ? validate : undefined
}

/** References in a message that name a place of the pattern name it where it is now. */
function shifted(message: string, shift: string, pivot: string): string {
  return message.replace(/\$\([^ ]*\)/g, (reference) => {
    const index = reference.indexOf(pivot)
    if (index < 0) return reference
    const place =
      pivot === 'anyPattern' ? `${pivot}/${reference.slice(index + pivot.length + 1).split('/')[0] ?? ''}` : pivot
    return reference.replaceAll(place, `${place}/${shift}`)
  })
}

/** Everything that reads the Pod's own fields reads those of the template. */
function movedPaths(rule: Fields, template: string, isCel: boolean): Fields {
  const root = isCel ? '' : 'request.'
  let text = JSON.stringify(rule)
  for (const object of ['object', 'oldObject']) {
    for (const part of ['spec', 'metadata']) {
      text = text.replaceAll(`${root}${object}.${part}`, `${root}${object}.${template}.${part}`)
    }
  }
  return JSON.parse(text) as Fields
}
