import type { KubeObject } from '../../kube/object.ts'
import { isObject, own } from '../../lib/json.ts'
import { compileGlob } from '../../lib/glob.ts'
import { parseConstraints, parseVersion, satisfies } from '../../lib/semver.ts'
import { SETTINGS_FILE } from '../../render/settings/read-settings.ts'
import { fieldsOf, objectsOf, textOf } from '../fields.ts'
import type { PullRequestEvent, PushEvent } from './push-event.ts'

type Fields = Readonly<Record<string, unknown>>

const GENERATE_PATHS = 'argocd.argoproj.io/manifest-generate-paths'

/** Host and path of a repository, whichever way it is reached. */
function placeOf(repoURL: string): string | undefined {
  const found =
    /^(?:(?:https?|ssh):\/\/)?(?:[\w.-]+(?::[^@/]*)?@)?(?:(?:alt)?ssh\.)?([^/:@]+)(?::\d+(?=[/:]))?[:/]+(.+?)(?:\.git)?\/?$/i.exec(
      repoURL.trim(),
    )
  return found ? `${found[1]}/${found[2]}`.toLowerCase() : undefined
}

/** Whether two URLs reach the same repository: scheme, user, port, `.git` and case make no difference. */
export function isSameRepository(a: string, b: string): boolean {
  const place = placeOf(a)
  return place !== undefined && place === placeOf(b)
}

/** Whether a push may have changed what a revision means. */
export function mayMove(targetRevision: string, { revision, touchedHead }: PushEvent): boolean {
  if (targetRevision === '' || targetRevision === 'HEAD') return touchedHead
  if (revision === undefined) return true
  if (revision === targetRevision.replace(/^refs\/(?:heads|tags)\//, '')) return true
  const constraint = parseConstraints(targetRevision)
  const version = parseVersion(revision)
  return constraint.ok && version.ok && satisfies(version.value, constraint.value)
}

/** The paths that an Application says its manifests are made of; undefined when it does not say. */
export function generatePaths(annotation: string | undefined, path: string): readonly string[] | undefined {
  const paths = (annotation ?? '').split(';').flatMap((item) => {
    const text = item.trim()
    if (text === '') return []
    return [clean(text.startsWith('/') ? text : `${path}/${text}`)]
  })
  return paths.length === 0 ? undefined : paths
}

function clean(path: string): string {
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return parts.join('/')
}

/** Whether one of the files lies at or below one of the paths; not knowing either, they may. */
export function filesTouch(paths: readonly string[] | undefined, files: readonly string[]): boolean {
  if (files.length === 0 || paths === undefined) return true
  const matchers = paths.map((path) => {
    const glob = /[*?[]/.test(path) ? compileGlob(path, 'path') : undefined
    return (file: string): boolean =>
      path === '' || file === path || file.startsWith(`${path}/`) || (glob?.ok === true && glob.value(file))
  })
  return files.some((file) => matchers.some((matches) => matches(clean(file))))
}

/** Which of an Application's sources a push concerns decides whether it is refreshed. */
export function isApplicationAffected(app: KubeObject, push: PushEvent): boolean {
  const spec = fieldsOf(app, 'spec')
  const hydrator = fieldsOf(spec, 'sourceHydrator')
  const annotation = app.metadata.annotations?.[GENERATE_PATHS]
  const sources = [...(objectsOf(spec, 'sources') ?? []), fieldsOf(spec, 'source'), fieldsOf(hydrator, 'drySource')]
  return sources.some(
    (source) =>
      push.repositoryUrls.some((url) => isSameRepository(url, textOf(source, 'repoURL'))) &&
      mayMove(textOf(source, 'targetRevision'), push) &&
      // Whatever manifests an Application says it has, they may refer to the settings.
      (push.changedFiles.includes(SETTINGS_FILE) ||
        filesTouch(generatePaths(annotation, textOf(source, 'path')), push.changedFiles)),
  )
}

const DEEPEST = 5

/** Every generator of an ApplicationSet, those within others too. */
function generatorsOf(holder: Fields, depth: number = 0): readonly Fields[] {
  if (depth > DEEPEST) return []
  return (objectsOf(holder, 'generators') ?? []).flatMap((generator) => [
    generator,
    ...generatorsOf(fieldsOf(generator, 'matrix'), depth + 1),
    ...generatorsOf(fieldsOf(generator, 'merge'), depth + 1),
  ])
}

/** What is filled in by another generator may be anything. */
const isTemplate = (text: string): boolean => text.includes('{{')

/** Whether an ApplicationSet generates from the repository and revision that were pushed. */
export function isApplicationSetAffected(set: KubeObject, push: PushEvent): boolean {
  return generatorsOf(fieldsOf(set, 'spec')).some((generator) => {
    // A plugin may generate from anything.
    if (isObject(own(generator, 'plugin'))) return true
    const git = own(generator, 'git')
    if (!isObject(git)) return false
    const url = textOf(git, 'repoURL')
    const revision = textOf(git, 'revision')
    return (
      (isTemplate(url) || push.repositoryUrls.some((pushed) => isSameRepository(pushed, url))) &&
      (isTemplate(revision) || mayMove(revision, push))
    )
  })
}

/** Whether an ApplicationSet generates from the pull requests of a repository. */
export function isAffectedByPullRequest(set: KubeObject, { from, owner, repository }: PullRequestEvent): boolean {
  const isSame = (a: string, b: string): boolean => isTemplate(a) || a.toLowerCase() === b.toLowerCase()
  return generatorsOf(fieldsOf(set, 'spec')).some((generator) => {
    const pull = fieldsOf(generator, 'pullRequest')
    if (from === 'gitlab') {
      const gitlab = own(pull, 'gitlab')
      // A project may be named by its path instead of its number.
      return isObject(gitlab) && (!/^\d+$/.test(textOf(gitlab, 'project')) || textOf(gitlab, 'project') === repository)
    }
    const github = own(pull, 'github')
    return isObject(github) && isSame(textOf(github, 'owner'), owner) && isSame(textOf(github, 'repo'), repository)
  })
}
