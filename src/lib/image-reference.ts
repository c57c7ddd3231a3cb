import { fail, type Result, succeed } from './result.ts'

/** A reference to a container image. Of tag and digest exactly one is set; a missing tag is `latest`. */
export interface ImageReference {
  readonly text: string
  readonly registry: string
  readonly repository: string
  readonly tag: string
  readonly digest: string
}

const DEFAULT_REGISTRY = 'index.docker.io'
const TAG = /^[\w.-]{1,128}$/
const REPOSITORY = /^[a-z0-9_./-]{1,255}$/
const DIGEST = /^sha256:[0-9a-f]{64}$/
const HOST = /^(?:\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._~-]+)(?::\d*)?$/
const LONGEST = 4_096

/** Reads `registry/repository:tag` or `…@sha256:digest` as go-containerregistry does (pkg/name, weak validation). */
export function parseImageReference(text: string): Result<ImageReference> {
  const refused = fail({
    code: 'image-reference-invalid',
    message: `could not parse reference: ${text.slice(0, 300)}`,
  })
  if (text.length > LONGEST) return refused
  const at = text.split('@')
  if (at.length === 1) {
    const { base, tag } = splitTag(text)
    const name = tag === undefined || TAG.test(tag) ? nameOf(base) : undefined
    return name ? succeed({ text, ...name, tag: tag ?? 'latest', digest: '' }) : refused
  }
  const [tagged = '', digest = ''] = at
  if (at.length !== 2 || !DIGEST.test(digest)) return refused
  const { base, tag } = splitTag(tagged)
  const name = tag === undefined || TAG.test(tag) ? nameOf(base) : undefined
  return name ? succeed({ text, ...name, tag: '', digest }) : refused
}

/** A colon before the last slash belongs to a port. */
function splitTag(text: string): { readonly base: string; readonly tag: string | undefined } {
  const colon = text.lastIndexOf(':')
  if (colon < 0 || text.includes('/', colon)) return { base: text, tag: undefined }
  const tag = text.slice(colon + 1)
  return { base: text.slice(0, colon), tag }
}

function nameOf(base: string): { readonly registry: string; readonly repository: string } | undefined {
  const slash = base.indexOf('/')
  const first = slash < 0 ? '' : base.slice(0, slash)
  const hasRegistry = first === 'localhost' || /[.:]/.test(first)
  const repository = hasRegistry ? base.slice(slash + 1) : base
  const registry = !hasRegistry || first === 'docker.io' ? DEFAULT_REGISTRY : first
  if (!REPOSITORY.test(repository) || !HOST.test(registry)) return undefined
  const isOfficial = registry === DEFAULT_REGISTRY && !repository.includes('/')
  return { registry, repository: isOfficial ? `library/${repository}` : repository }
}
