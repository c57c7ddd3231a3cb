import { matchesLabels, parseLabelSelector } from '../../kube/selector.ts'
import { jsonProblem } from '../../lang/gotemplate/json-problem.ts'
import { isObject, own, setOwn } from '../../lib/json.ts'
import { fail, type Result, succeed } from '../../lib/result.ts'
import { fieldsOf, objectsOf, textOf, textsOf } from '../fields.ts'
import { gitFileMatcher, type GitGlobbing } from './engine/git-glob.ts'
import { type Facts, type HttpPage, type Need, needKey } from './engine/need.ts'

type Fields = Readonly<Record<string, unknown>>

/** Answers needs without asking anybody. */
export type Answer = (need: Need) => Result<unknown>

const unknown = (what: string): Result<never> =>
  fail({ code: 'appset-fact-unknown', message: `${what} is not among the recorded facts` })

/** What is recorded, or the error that is recorded in its place. */
function recorded(value: unknown, what: string): Result<unknown> {
  if (value === undefined || value === null) return unknown(what)
  if (isObject(value) && Object.keys(value).length === 1 && typeof value['error'] === 'string') {
    return fail({ code: 'appset-generator-failed', message: value['error'] })
  }
  return succeed(value)
}

/**
 * Reads a document of facts (docs/eval.md): clusters, repositories, configMaps, objects, plugins, http, and exact answers.
 * What is not in it is a problem, never an empty answer; of services that holds unless the document is complete.
 */
export function recordedFacts(
  document: Fields,
  globbing: GitGlobbing = 'pathspec',
  isComplete: boolean = true,
): Answer {
  const exact = new Map<string, Fields>()
  for (const answer of objectsOf(document, 'answers') ?? []) exact.set(needKey(answer['need'] as Need), answer)
  return (need) => {
    const answer = exact.get(needKey(need))
    if (answer) {
      const error = answer['error']
      return typeof error === 'string'
        ? fail({ code: 'appset-generator-failed', message: error })
        : succeed(answer['value'])
    }
    if (need.need === 'http' && !isComplete && !Object.hasOwn(fieldsOf(document, 'http'), need.url))
      return unknown(need.url)
    return answerOf(need, document, globbing)
  }
}

function answerOf(need: Need, document: Fields, globbing: GitGlobbing): Result<unknown> {
  switch (need.need) {
    case 'clusters':
      return recorded(own(document, 'clusters') ?? [], 'the list of clusters')
    case 'git-directories':
    case 'git-files':
      return repositoryAnswer(need, document, globbing)
    case 'config-map': {
      const data = own(fieldsOf(document, 'configMaps'), need.name)
      return data === undefined ? missing(`configmaps "${need.name}" not found`) : recorded(data, '')
    }
    case 'secret': {
      const place = `${textOf(document, 'namespace') || 'argocd'}/${need.name}`
      return isNamed(document, 'secrets', need.name)
        ? succeed(true)
        : missing(`error fetching secret ${place}: secrets "${need.name}" not found`)
    }
    case 'project':
      return isNamed(document, 'projects', need.name)
        ? succeed(true)
        : missing(`appprojects.argoproj.io "${need.name}" not found`)
    case 'decisions':
      return decisions(need, document)
    case 'plugin':
      return pluginAnswer(need, own(fieldsOf(document, 'plugins'), need.configMap))
    case 'http':
      return httpPage(own(fieldsOf(document, 'http'), need.url), need.url)
  }
}

const missing = (message: string): Result<never> => fail({ code: 'appset-generator-failed', message })

/** Where the document has no such list, everything is there. */
const isNamed = (document: Fields, list: string, name: string): boolean =>
  textsOf(document, list)?.includes(name) ?? true

/** What a plugin answers; a text is the body as it came. */
export function pluginAnswer(need: Extract<Need, { readonly need: 'plugin' }>, answer: unknown): Result<unknown> {
  if (typeof answer !== 'string') return recorded(answer, `the answer of the plugin ${need.configMap}`)
  try {
    return succeed(JSON.parse(answer))
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause
    return missing(`error get api '${need.applicationSet}': ${jsonProblem(answer)}: ${answer}`)
  }
}

type RepositoryNeed = Extract<Need, { readonly need: 'git-directories' | 'git-files' }>

function repositoryAnswer(need: RepositoryNeed, document: Fields, globbing: GitGlobbing): Result<unknown> {
  const revision = need.revision === '' ? 'HEAD' : need.revision
  const repository = own(fieldsOf(document, 'repositories'), need.repoURL)
  const known = recorded(repository, `the repository ${need.repoURL}`)
  if (!known.ok) return known
  const commit = recorded(own(known.value as Fields, revision), `the revision ${revision} of ${need.repoURL}`)
  if (!commit.ok) return commit
  const files = fieldsOf(commit.value, 'files')
  if (need.need === 'git-directories') {
    return succeed(textsOf(commit.value, 'directories') ?? foldersOf(Object.keys(files)))
  }
  const matches = gitFileMatcher(need.pattern, globbing)
  const wanted: Record<string, string> = {}
  for (const [path, text] of Object.entries(files)) if (matches(path)) setOwn(wanted, path, String(text))
  return succeed(wanted)
}

/** Every folder that files lie in, as the repository server lists them: none that is hidden. */
export function foldersOf(paths: Iterable<string>): readonly string[] {
  const folders = new Set<string>()
  for (const path of paths) {
    for (let slash = path.indexOf('/'); slash > 0; slash = path.indexOf('/', slash + 1))
      folders.add(path.slice(0, slash))
  }
  return [...folders].filter((folder) => !isHidden(folder)).toSorted()
}

/** Folders whose name starts with a dot are not listed, nor what is below them (reposerver GetGitDirectories). */
export const isHidden = (folder: string): boolean => folder.split('/').some((part) => part.startsWith('.'))

function decisions(need: Extract<Need, { readonly need: 'decisions' }>, document: Fields): Result<unknown> {
  const place = `${need.group}/${need.version}/${need.plural}`
  const known = recorded(own(fieldsOf(document, 'objects'), place), `the objects ${place}`)
  if (!known.ok || !Array.isArray(known.value)) return known
  const objects = known.value.filter(isObject)
  if (need.name !== undefined) {
    return succeed(objects.filter((object) => textOf(fieldsOf(object, 'metadata'), 'name') === need.name))
  }
  const selector = parseLabelSelector(need.labelSelector ?? '')
  if (!selector.ok) return selector
  return succeed(
    objects.filter((object) =>
      matchesLabels(selector.value, fieldsOf(fieldsOf(object, 'metadata'), 'labels') as Record<string, string>),
    ),
  )
}

/** A page of which nothing is recorded is not found, as a service would say of what does not exist. */
function httpPage(value: unknown, url: string): Result<HttpPage> {
  const known = recorded(value, url)
  if (!known.ok) return isObject(value) ? known : succeed({ status: 404, body: null })
  const page = known.value
  if (Array.isArray(page)) return succeed({ status: 200, body: page })
  const status = isObject(page) && typeof page['status'] === 'number' ? page['status'] : 200
  const body = isObject(page) && Object.hasOwn(page, 'body') ? page['body'] : page
  const next = textOf(page, 'next')
  return succeed({ status, body, ...(next === '' ? {} : { next }) })
}

/** How many rounds of questions an ApplicationSet may ask; pages of lists are one round each. */
export const MOST_ROUNDS = 1_000

/** Asks and answers until a question has its result. */
export function answered<T>(
  ask: (facts: Facts) => { readonly needs: readonly Need[] } | { readonly done: T },
  answer: Answer,
): Result<T> {
  const facts = new Map<string, Result<unknown>>()
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const asked = ask(facts)
    if ('done' in asked) return succeed(asked.done)
    for (const need of asked.needs) facts.set(needKey(need), answer(need))
  }
  return fail({ code: 'appset-generator-failed', message: `the generators ask more than ${MOST_ROUNDS} times` })
}
