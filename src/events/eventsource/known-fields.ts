import { fieldsOf } from '../../lib/fields.ts'
import { webhookContextOf } from './check-webhooks.ts'
import type { Fields, SourceEntry } from './event-source.ts'

const words = (text: string): ReadonlySet<string> => new Set(text.split(' '))

const contextFields = words(
  'endpoint method port url serverCertSecret serverKeySecret metadata authSecret maxPayloadSize',
)
const filterFields = words('expression')

/** The fields of each kind of source that is run here (argo-events v1.9, eventsource_types.go). */
const fieldsByKind: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['webhook', new Set([...contextFields, 'filter'])],
  [
    'github',
    words(
      'id webhook owner repository events apiToken webhookSecret insecure active contentType githubBaseURL githubUploadURL deleteHookOnFinish metadata repositories organizations githubApp filter',
    ),
  ],
  [
    'gitlab',
    words(
      'webhook projectID events accessToken enableSSLVerification gitlabBaseURL deleteHookOnFinish metadata projects secretToken filter groups',
    ),
  ],
  [
    'bitbucket',
    words('deleteHookOnFinish metadata webhook auth events owner projectKey repositorySlug repositories filter'),
  ],
  [
    'bitbucketserver',
    words(
      'webhook projectKey repositorySlug projects repositories events skipBranchRefsChangedOnOpenPR oneEventPerChange accessToken webhookSecret bitbucketserverBaseURL deleteHookOnFinish metadata filter tls checkInterval',
    ),
  ],
  [
    'gerrit',
    words('webhook hookName events auth gerritBaseURL deleteHookOnFinish metadata projects sslVerify filter maxTries'),
  ],
  ['slack', words('signingSecret token webhook metadata filter')],
  ['calendar', words('schedule interval exclusionDates timezone metadata persistence filter')],
  ['resource', words('namespace filter group version resource eventTypes metadata')],
  ['file', words('eventType watchPathConfig polling metadata filter')],
])

const resourceFilterFields = words('prefix labels fields createdBy afterStart')
const watchPathFields = words('directory path pathRegexp')

/** The places of a source that no version of Argo Events 1.9 reads: a name that is misspelt does nothing, and should not do so silently. */
export function unknownFields({ kind, spec, at }: SourceEntry): readonly string[] {
  const known = fieldsByKind.get(kind.field)
  if (!known) return []
  const strangers = (fields: Fields | undefined, names: ReadonlySet<string>, place: string): readonly string[] =>
    Object.keys(fields ?? {})
      .filter((name) => !names.has(name))
      .map((name) => `${place}.${name}`)
  return [
    ...strangers(spec, known, at),
    ...(kind.family === 'webhook' && kind.field !== 'webhook'
      ? strangers(webhookContextOf(kind.field, spec), contextFields, `${at}.webhook`)
      : []),
    ...strangers(
      fieldsOf(spec, 'filter'),
      kind.field === 'resource' ? resourceFilterFields : filterFields,
      `${at}.filter`,
    ),
    ...(kind.field === 'file'
      ? strangers(fieldsOf(spec, 'watchPathConfig'), watchPathFields, `${at}.watchPathConfig`)
      : []),
  ]
}
