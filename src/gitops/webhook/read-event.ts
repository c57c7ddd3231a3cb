import { isObject } from '../../lib/json.ts'
import { fieldsOf, objectsOf, textOf, textsOf } from '../fields.ts'
import type { Forge, PushEvent, WebhookEvent } from './push-event.ts'

type Fields = Readonly<Record<string, unknown>>

const NOTHING: WebhookEvent = { is: 'nothing' }
const MOST_FILES = 50_000

/** `refs/heads/a/b` is called `a/b`. */
export const shortName = (ref: string): string => ref.split('/').slice(2).join('/') || ref

const nonEmpty = (texts: readonly string[]): readonly string[] => texts.filter((text) => text !== '')
const orUndefined = (text: string): string | undefined => (text === '' ? undefined : text)

function filesOf(payload: Fields): readonly string[] {
  const files = new Set<string>()
  for (const commit of objectsOf(payload, 'commits') ?? []) {
    for (const list of ['added', 'modified', 'removed']) {
      for (const file of textsOf(commit, list) ?? []) if (files.size < MOST_FILES) files.add(file)
    }
  }
  return [...files]
}

/** A push as GitHub, GitLab and Gogs tell it: they differ in what they call the repository. */
function push(from: Forge, payload: Fields, urls: readonly string[], defaultBranch: string): WebhookEvent {
  const revision = shortName(textOf(payload, 'ref'))
  const event: PushEvent = {
    from,
    repositoryUrls: nonEmpty(urls),
    revision: orUndefined(revision),
    touchedHead: defaultBranch === revision,
    before: orUndefined(textOf(payload, 'before')),
    after: orUndefined(textOf(payload, 'after')),
    changedFiles: filesOf(payload),
  }
  return { is: 'push', push: event }
}

const GITHUB_ACTIONS = ['opened', 'closed', 'synchronize', 'labeled', 'reopened', 'unlabeled']
const GITLAB_ACTIONS = ['open', 'close', 'reopen', 'update', 'merge']

function readGitHub(kind: string, payload: Fields): WebhookEvent {
  const repository = fieldsOf(payload, 'repository')
  const urls = [textOf(repository, 'html_url')]
  if (kind === 'push') return push('github', payload, urls, textOf(repository, 'default_branch'))
  if (kind !== 'pull_request' || !GITHUB_ACTIONS.includes(textOf(payload, 'action'))) return NOTHING
  return {
    is: 'pull-request',
    pullRequest: {
      from: 'github',
      owner: textOf(fieldsOf(repository, 'owner'), 'login'),
      repository: textOf(repository, 'name'),
      repositoryUrls: nonEmpty(urls),
    },
  }
}

function readGitLab(payload: Fields): WebhookEvent {
  const project = fieldsOf(payload, 'project')
  const urls = [textOf(project, 'web_url')]
  const kind = textOf(payload, 'object_kind') || textOf(payload, 'event_name')
  if (kind === 'push' || kind === 'tag_push') return push('gitlab', payload, urls, textOf(project, 'default_branch'))
  const request = fieldsOf(payload, 'object_attributes')
  if (kind !== 'merge_request' || !GITLAB_ACTIONS.includes(textOf(request, 'action'))) return NOTHING
  const id = request['target_project_id']
  return {
    is: 'pull-request',
    pullRequest: {
      from: 'gitlab',
      owner: '',
      repository: typeof id === 'number' ? String(id) : '',
      repositoryUrls: nonEmpty(urls),
    },
  }
}

function readGogs(kind: string, payload: Fields): WebhookEvent {
  const repository = fieldsOf(payload, 'repository')
  const urls = ['html_url', 'clone_url', 'ssh_url'].map((name) => textOf(repository, name))
  return kind === 'push' ? push('gogs', payload, urls, textOf(repository, 'default_branch')) : NOTHING
}

function readBitbucket(kind: string, payload: Fields): WebhookEvent {
  if (kind !== 'repo:push') return NOTHING
  const repository = fieldsOf(payload, 'repository')
  const [change = {}] = objectsOf(fieldsOf(payload, 'push'), 'changes') ?? []
  const [before, after] = ['old', 'new'].map((name) => fieldsOf(change, name))
  return {
    is: 'push',
    push: {
      from: 'bitbucket',
      repositoryUrls: nonEmpty([textOf(fieldsOf(fieldsOf(repository, 'links'), 'html'), 'href')]),
      revision: orUndefined(textOf(after, 'name')),
      // The payload does not say which branch is the default one.
      touchedHead: true,
      before: orUndefined(textOf(fieldsOf(before, 'target'), 'hash')),
      after: orUndefined(textOf(fieldsOf(after, 'target'), 'hash')),
      changedFiles: [],
    },
  }
}

function readBitbucketServer(kind: string, payload: Fields): WebhookEvent {
  if (kind !== 'repo:refs_changed') return NOTHING
  const links = objectsOf(fieldsOf(fieldsOf(payload, 'repository'), 'links'), 'clone') ?? []
  const [change = {}] = objectsOf(payload, 'changes') ?? []
  return {
    is: 'push',
    push: {
      from: 'bitbucket-server',
      repositoryUrls: nonEmpty(
        links.filter((link) => ['http', 'ssh'].includes(textOf(link, 'name'))).map((link) => textOf(link, 'href')),
      ),
      revision: orUndefined(shortName(textOf(fieldsOf(change, 'ref'), 'id') || textOf(change, 'refId'))),
      touchedHead: true,
      before: orUndefined(textOf(change, 'fromHash')),
      after: orUndefined(textOf(change, 'toHash')),
      changedFiles: [],
    },
  }
}

/** Reads the body of a webhook. What it does not say is left unknown, and never refused. */
export function readEvent(from: Forge, kind: string, payload: unknown): WebhookEvent {
  if (!isObject(payload)) return NOTHING
  switch (from) {
    case 'github':
      return readGitHub(kind, payload)
    case 'gitlab':
      return readGitLab(payload)
    case 'gogs':
      return readGogs(kind, payload)
    case 'bitbucket':
      return readBitbucket(kind, payload)
    case 'bitbucket-server':
      return readBitbucketServer(kind, payload)
  }
}
